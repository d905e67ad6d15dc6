// SPDX-License-Identifier: GPL-3.0-or-later
// Asks the middlebox for what the legs of calls need, and holds each call's messages until it has
// acknowledged (invariant 1). Requests are declarative per group, so that all of them can be
// repeated after the middlebox came back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/call.h"
#include "daemon/deadline_queue.h"
#include "daemon/event_log.h"
#include "daemon/latency_histogram.h"
#include "daemon/middlebox_port.h"

namespace midcom {

class PinholeClient {
public:
  using Resume = std::function<void(const CallPtr& call, sip::TimePoint now)>;
  using OnLeg = std::function<void(const CallPtr& call, Leg& leg, sip::TimePoint now)>;
  struct Hooks {
    // Nothing of the call waits any more. call->commit_failure says how it went.
    Resume resume;
    // A group ended without a request of ours: by its lifetime.
    OnLeg expired;
    // The first packet of one of the leg's flows; Leg::heard has it.
    OnLeg heard = {};
    // What watch() asked for: the present counters of the leg's flows.
    std::function<void(const CallPtr& call, Leg& leg, const std::vector<pinhole::Counter>& present,
                       sip::TimePoint now)>
        counted = {};
  };

  PinholeClient(const AgentConfig& config, MiddleboxPort& middlebox, EventLog& log, Hooks hooks);

  [[nodiscard]] bool is_up() const { return is_up_; }
  // Had the middlebox, when it was last up, somebody who judges first packets? Without, sinks are
  // of no use.
  [[nodiscard]] bool has_gate() const { return has_gate_; }
  // Rules and sinks the middlebox has or is about to have, over all calls.
  [[nodiscard]] std::size_t rules() const { return rules_; }
  [[nodiscard]] const pinhole::event::GateCounters& gate() const { return gate_; }
  // From the message that asked for rules to their acknowledgement, where the message was held.
  [[nodiscard]] const LatencyHistogram& commits() const { return commits_; }

  // The leg has exactly this from now on; no request is made when it has it already. With `holds`
  // the call's messages wait for the answer.
  void set(const CallPtr& call, Leg& leg, Pinholes pinholes, bool holds, sip::TimePoint now);
  // Reads the counters of what the leg has; nothing waits for it. Only while the middlebox is up.
  void watch(const CallPtr& call, const Leg& leg, sip::TimePoint now);
  // Closes a group this agent has never opened, in the name of `asker`; holds the call.
  void release_unknown(const CallPtr& call, Leg& leg, const pinhole::Participant& asker,
                       sip::TimePoint now);
  // What the kernel has of before this agent lives on, with all that is in force there.
  void prolong(const CallPtr& call, const Leg& leg, sip::TimePoint now);
  // Asks what the kernel has of a leg that was not made here: whose it is, and its rules. Holds the
  // call. `is_caller` tells which endpoints are the caller's. Only while the middlebox is up.
  using IsCaller = std::function<bool(const pinhole::Address&)>;
  void ask(const CallPtr& call, Leg& leg, IsCaller is_caller, sip::TimePoint now);
  void forget(const Leg& leg);   // likewise of a leg
  void forget(const Call& call); // the call leaves the table; nothing of it is pending

  void on_reply(const pinhole::Reply& reply, sip::TimePoint now);
  void on_down();
  // `features` as event::Ready has them.
  void on_up(const CallTable& calls, std::uint32_t features, sip::TimePoint now);
  void on_timer(sip::TimePoint now);
  [[nodiscard]] std::optional<sip::TimePoint> next_deadline() const { return deadlines_.next(); }

private:
  struct Pending {
    CallPtr call;
    std::string tag;
    std::uint64_t leg; // another may have the tag by now
    pinhole::Request request;
    Pinholes before, after;
    bool holds;
    IsCaller is_caller; // of an inquiry
    sip::TimePoint asked{};
    [[nodiscard]] bool is_inquiry() const { return static_cast<bool>(is_caller); }
    [[nodiscard]] bool is_watch() const;
    [[nodiscard]] bool is_release() const;
  };
  struct Owner { // of a group
    std::weak_ptr<Call> call;
    std::string tag;
    std::uint64_t leg;
  };
  struct Owned {
    CallPtr call; // null: of no leg that is known
    Leg* leg = nullptr;
  };
  [[nodiscard]] static Leg* leg_of(const Pending& pending);
  void submit(Pending pending, std::uint64_t transaction, sip::TimePoint now);
  // Asks again for what the leg has by now, after a request whose fate is not known.
  void reassert(const CallPtr& call, Leg& leg, bool holds, sip::TimePoint now);
  void on_done(const pinhole::reply::Done& done, sip::TimePoint now);
  // It stays pending, but the call waits for it no longer.
  void let_go(Pending& pending, sip::TimePoint now);
  [[nodiscard]] Owned owner_of(const pinhole::GroupId& group) const;
  void on_group_event(const pinhole::event::GroupEvent& event, sip::TimePoint now);
  void on_admitted(const pinhole::event::Admitted& event);
  void on_first_packet(const pinhole::event::FirstPacket& event, sip::TimePoint now);
  [[nodiscard]] bool is_changing(const Leg& leg, const pinhole::Sink& sink,
                                 const pinhole::Promise& promise) const;
  void assert_again(const Call& call, Leg& leg, sip::TimePoint now);
  void strip_sinks(Leg& leg);
  void settle(const Pending& pending, const pinhole::reply::Done& done, sip::TimePoint now);
  void settle_inquiry(const Pending& pending, Leg& leg, const pinhole::reply::Done& done);
  void settle_change(const Pending& pending, Leg& leg, const pinhole::reply::Done& done);
  void assume(Leg& leg, Pinholes pinholes);
  void finish(const CallPtr& call, sip::TimePoint now);
  void log_result(const Pending& pending, const Leg& leg, pinhole::Result result);
  [[nodiscard]] pinhole::request::SetGroup set_group(const Call& call, const Leg& leg,
                                                     const Pinholes& pinholes, sip::TimePoint now);
  [[nodiscard]] std::chrono::seconds lifetime_of(const Leg& leg, const Pinholes& pinholes) const;
  // When they end that are asked for now.
  [[nodiscard]] sip::TimePoint end_of(const Leg& leg, const Pinholes& pinholes,
                                      sip::TimePoint now) const;

  const AgentConfig& config_;
  MiddleboxPort& middlebox_;
  EventLog& log_;
  Hooks hooks_;
  bool is_up_ = false, has_gate_ = false;
  pinhole::event::GateCounters gate_;
  std::size_t rules_ = 0;
  LatencyHistogram commits_;
  std::uint64_t next_transaction_ = 1;
  std::map<std::uint64_t, Pending> pending_; // in the order they were made: repeated in that order
  struct GroupHash {                         // the id is a hash already
    std::size_t operator()(const pinhole::GroupId& group) const noexcept;
  };
  std::unordered_map<pinhole::GroupId, Owner, GroupHash> groups_;
  DeadlineQueue deadlines_;
};

[[nodiscard]] Reason reason_of(pinhole::Result result);

} // namespace midcom
