// SPDX-License-Identifier: GPL-3.0-or-later
// The engine of the middlebox: requests and first packets in, one kernel batch per turn of the
// caller's loop, replies, events and verdicts out. No loop, clock or channel of its own.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "pinhole/drop_log.h"
#include "pinhole/flow_watch.h"
#include "pinhole/gate.h"
#include "pinhole/kernel.h"
#include "pinhole/policy.h"
#include "pinhole/request.h"
#include "pinhole/rule_table.h"

namespace midcom::pinhole {

class Middlebox {
public:
  // Both must outlive it.
  Middlebox(const Policy& policy, Kernel& kernel, const GateLimits& limits = {});

  // Creates or adopts the tables. event::Ready is the first reply; it comes once more
  // after a failed batch, which took all sinks: what is wanted is to be asked for again.
  [[nodiscard]] KernelResult<void> start(Instant now);
  void announce();                  // event::Ready once more, for a new agent
  void on_request(Request request); // answered by the next commit()
  void commit(Instant now);         // call once per turn, after the turn's requests
  void on_timer(Instant now);       // at next_deadline(), or earlier
  void on_netlink_event(Instant now);
  // packet_fd() is readable: the first packets that wait get their verdicts, but for those parked.
  // Commits what the turn has so far.
  void on_packets(Instant now);
  [[nodiscard]] std::vector<Reply> take_replies();
  [[nodiscard]] std::vector<DropLog::Line> take_drops() { return drops_.take(); }

  [[nodiscard]] int event_fd() const { return kernel_.event_fd(); } // -1: none
  [[nodiscard]] int packet_fd() const;                              // after start(); -1: no gate
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  [[nodiscard]] std::size_t group_count() const { return table_.group_count(); }
  [[nodiscard]] std::size_t flow_count() const { return table_.flow_count(); }

private:
  struct Work { // one request on its way through the batch
    std::uint64_t transaction = 0;
    Result result = Result::ok;
    enum class Counts : std::uint8_t { none, final, present };
    Counts counts = Counts::none;
    std::vector<GroupFlow> flows{}; // whose counters the reply carries
    Participants participants{};    // of the group, with its present counters
  };

  struct Held { // a packet whose verdict waits for the batch
    std::uint32_t id = 0;
    FlowKey key;
    std::optional<Gate::Admit> admit{};
    bool was_parked = false;
  };

  [[nodiscard]] Work perform(const Request& request, Instant now);
  void finish(Work& work, bool is_committed);
  void list(std::uint64_t transaction);
  // Applies `changes`; false: the kernel failed and the table was rebuilt from it. Counts of
  // removed flows are in last_counters_ until the next call.
  [[nodiscard]] bool apply(const std::vector<Change>& changes, Instant now);
  [[nodiscard]] bool try_apply(const std::vector<Change>& changes);
  [[nodiscard]] std::vector<Counter> final_counters(const std::vector<GroupFlow>& flows);
  [[nodiscard]] KernelResult<std::vector<Counter>>
  present_counters(const std::vector<GroupFlow>& flows);
  void resync(Instant now);
  [[nodiscard]] bool repair(Instant now);
  [[nodiscard]] bool expire(const std::vector<GroupId>& groups, Instant now);
  // Everything the table has changed; flows that come are watched.
  [[nodiscard]] bool apply_table(Instant now);

  // The gate's part, in middlebox_gate.cc.
  bool judge_queued(Instant now);
  void follow_up(Instant now);
  void tell_gate(const std::vector<Request>& requests, const std::vector<Work>& works);
  void forget_sinks();
  [[nodiscard]] bool passes_by_its_flow(const FlowKey& key) const;
  void carry_out(const Gate::Judged& judged, bool was_parked, Instant now);
  void admit(const Gate::Judged& judged, const Gate::Admit& admit, bool was_parked, Instant now);
  void drop(std::uint32_t id, const FlowKey& key, GateReason reason, Instant now);
  // Verdicts of those held: they pass when their flow is in the table and in the kernel.
  void settle(bool is_committed, Instant now);
  void answer_held(bool is_committed, Instant now);
  void look_for_first_packets(Instant now);
  void tell_counters(Instant now);

  const Policy& policy_;
  Kernel& kernel_;
  RuleTable table_;
  std::uint32_t features_ = 0;
  std::vector<Request> requests_;
  std::vector<Reply> replies_;
  std::map<FlowKey, FlowCounter> last_counters_;
  std::set<GroupId> fresh_;               // asked for in this turn: refused with it, not lost
  std::optional<TimePoint> retry_;        // of a failed resync or a postponed repair
  std::optional<TimePoint> announce_due_; // after a resync, which takes all sinks
  TimePoint announced_{};
  bool is_in_step_ = true; // false: the shadow is void until a dump succeeds
  Damage damage_;
  TimePoint last_repair_{};
  TimePoint upkeep_{}; // refreshes and ends not before: a batch of them has failed

  Gate gate_;
  Queue* queue_ = nullptr;  // the kernel's
  std::set<GroupId> gated_; // groups of which the gate may know
  std::vector<Held> held_;
  std::vector<Decided> decided_; // not yet said
  DropLog drops_;
  FlowWatch watch_;
  event::GateCounters counters_, told_counters_;
  TimePoint counters_due_{}; // not told more often
};

} // namespace midcom::pinhole
