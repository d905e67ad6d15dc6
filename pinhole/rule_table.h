// SPDX-License-Identifier: GPL-3.0-or-later
// The shadow of the kernel's sets: groups, flows and who owns them. Pure: operations change the
// shadow and remember what they touched; take_changes() gives the difference for one batch. When
// that batch fails the shadow is void and adopt() rebuilds it from a dump.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "pinhole/kernel.h"
#include "pinhole/policy.h"
#include "pinhole/request.h"
#include "pinhole/userdata.h"

namespace midcom::pinhole {

// A flow as one of its groups knows it. `carried`: packets the kernel's counter no longer shows.
struct GroupFlow {
  FlowKey key;
  std::uint16_t stream = 0;
  std::uint8_t component = 1;
  FlowCounter carried;
};

// One of `pair` is in `other` too: by strong identity where both have one, else by network.
[[nodiscard]] bool share_participant(const Participants& pair, const Participants& other);
// The same two, in either order: a group is one dialog and nobody else's.
[[nodiscard]] bool are_same(const Participants& pair, const Participants& other);
// A group may be released by its participants; a weak asker is known by its network only.
[[nodiscard]] bool is_participant(const Participants& pair, const Participant& asker);

class RuleTable {
public:
  explicit RuleTable(const Policy& policy) : policy_(policy) {} // must outlive the table

  struct Outcome {
    Result result = Result::ok;
    std::vector<GroupFlow> removed{}; // flows that went with their last owner
  };
  // `request` has passed check(). A refused request changes nothing. What was admitted stays with
  // the sink it came by, as long as that has the same promise.
  Outcome set_group(const request::SetGroup& request, Instant now);
  // The gate wants `rule` for a group; end a or b is one of its sinks, the one with this promise.
  // Judged as any rule.
  [[nodiscard]] Result admit(const GroupId& group, const Rule& rule, std::uint8_t promise);
  Outcome release(const GroupId& group, const Participant& asker);
  Outcome drop(const GroupId& group); // whoever asks
  Result change_lifetime(const GroupId& group, std::uint32_t lifetime_s, Instant now);

  // The net difference since the last call.
  [[nodiscard]] std::vector<Change> take_changes(TimePoint now);

  // What is due: groups to drop(), and refreshes of about `limit` flows.
  struct Due {
    std::vector<GroupId> expired;
    std::vector<Change> refreshes;
  };
  [[nodiscard]] Due take_due(TimePoint now, std::size_t limit);
  [[nodiscard]] std::optional<TimePoint> next_due() const;

  // Forgets everything and believes `stored`. Gives the changes that remove what can't be adopted:
  // undecodable, expired, not allowed by the policy any more, and sinks, whose promises are gone.
  [[nodiscard]] std::vector<Change> adopt(std::span<const StoredFlow> stored, Instant now);
  // The changes that make a kernel that has `stored` what this table says.
  [[nodiscard]] std::vector<Change> repair(std::span<const StoredFlow> stored, TimePoint now) const;

  void add_carried(const FlowKey& key, const FlowCounter& counter);
  [[nodiscard]] std::optional<std::vector<GroupFlow>> flows_of(const GroupId& group) const;
  // The flow as its first owner knows it; also of a flow not yet in the kernel.
  struct Owned {
    GroupId group;
    GroupFlow flow;
  };
  [[nodiscard]] std::optional<Owned> owned(const FlowKey& key) const;
  [[nodiscard]] bool contains(const FlowKey& key) const { return flows_.contains(key); }
  [[nodiscard]] bool owns(const GroupId& group, const FlowKey& key) const;
  // Of a group that there is.
  [[nodiscard]] const Participants& participants_of(const GroupId& group) const;
  [[nodiscard]] std::vector<GroupId> groups() const; // sorted
  [[nodiscard]] bool contains(const GroupId& group) const { return groups_.contains(group); }
  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  [[nodiscard]] std::size_t flow_count() const { return flows_.size(); } // sinks too

private:
  struct Slot { // of a group in a flow
    std::uint16_t stream = 0;
    std::uint8_t component = 1;
    auto operator<=>(const Slot&) const = default;
  };
  struct Flow {
    std::vector<std::pair<GroupId, Slot>> owners;
    FlowCounter carried;
    bool is_new = true; // born since the last take_changes()
    std::string stored; // userdata the kernel has
  };
  struct Awaited { // a sink of a group
    Sink sink;
    Promise promise;
  };
  struct Admitted { // came through a sink, and stays as long as it
    Rule rule;
    Awaited by;
  };
  struct Group {
    Participants participants{};
    TimePoint created, deadline;
    std::uint32_t created_s = 0, deadline_s = 0;
    std::map<FlowKey, Slot> flows; // and sinks
    std::vector<Awaited> sinks;
    std::vector<Admitted> admitted;
    TimePoint due; // its entry in due_
  };
  using Wanted = std::map<FlowKey, Slot>;
  struct Asker {
    const GroupId& group;
    const Participants& participants;
  };

  [[nodiscard]] Result judge(const request::SetGroup& request, const Wanted& wanted,
                             const Group* known) const;
  [[nodiscard]] Result judge_flow(const FlowKey& key, const Asker& asker) const;
  // That of the group's by which `rule` may come.
  [[nodiscard]] std::expected<const Awaited*, Result> sink_for(const Group& group, const Rule& rule,
                                                               std::uint8_t promise) const;
  static void want(Wanted& wanted, const Rule& rule);
  [[nodiscard]] static std::vector<Admitted> still_admitted(const Group& group,
                                                            const std::vector<Awaited>& sinks);
  void set_deadline(Group& group, std::uint32_t lifetime_s, Instant now) const;
  void plan(const GroupId& id, Group& group, TimePoint refresh);
  void touch(const FlowKey& key);
  void own(const GroupId& id, const FlowKey& key, Slot slot);
  void disown(const GroupId& id, const FlowKey& key, std::vector<GroupFlow>& removed);
  void adopt_flow(const StoredFlow& stored, const std::vector<OwnerRecord>& owners, Instant now);
  [[nodiscard]] std::vector<OwnerRecord> records_of(const Flow& flow) const;
  [[nodiscard]] std::vector<OwnerRecord> records_of_sink(const Flow& flow) const;
  [[nodiscard]] Change make(Change::Kind kind, const FlowKey& key, const Flow& flow,
                            TimePoint now) const;

  const Policy& policy_;
  std::map<GroupId, Group> groups_;
  std::map<FlowKey, Flow> flows_;
  std::map<FlowKey, bool> touched_; // was it in the kernel before?
  std::set<std::pair<TimePoint, GroupId>> due_;
};

} // namespace midcom::pinhole
