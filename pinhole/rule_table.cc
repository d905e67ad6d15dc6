// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/rule_table.h"

#include <algorithm>

#include "pinhole/request_policy.h"

namespace midcom::pinhole {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A group is closed by us this much before the kernel would let its flows expire, so that the final
// counters can still be had.
constexpr milliseconds closing_margin{20};

bool is_known(const Identity& identity) {
  return identity != Identity{};
}

bool is_same(const Participant& left, const Participant& right) {
  if (is_known(left.strong) && is_known(right.strong)) return left.strong == right.strong;
  return is_known(left.network) && left.network == right.network;
}

template <class Clock>
std::uint32_t to_wall(Clock seconds_value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(seconds_value, 0xffffffff));
}

// `left` without the groups of `right` is what remains to be compared: owners by group.
template <class Owners>
auto find_owner(Owners& owners, const GroupId& id) {
  return std::ranges::find_if(owners, [&](const auto& owner) { return owner.first == id; });
}

} // namespace

bool share_participant(const Participants& pair, const Participants& other) {
  if (pair == other || (pair[0] == other[1] && pair[1] == other[0])) return true;
  return std::ranges::any_of(pair, [&](const Participant& left) {
    return std::ranges::any_of(other,
                               [&](const Participant& right) { return is_same(left, right); });
  });
}

bool are_same(const Participants& pair, const Participants& other) {
  const auto agree = [](const Participant& left, const Participant& right) {
    return left == right || is_same(left, right);
  };
  return (agree(pair[0], other[0]) && agree(pair[1], other[1])) ||
         (agree(pair[0], other[1]) && agree(pair[1], other[0]));
}

bool is_participant(const Participants& pair, const Participant& asker) {
  return std::ranges::any_of(pair, [&](const Participant& participant) {
    if (is_known(asker.strong) && is_known(participant.strong))
      return participant.strong == asker.strong;
    return is_known(asker.network) && participant.network == asker.network;
  });
}

Result RuleTable::judge_flow(const FlowKey& key, const Asker& asker) const {
  const auto found = flows_.find(key);
  if (found == flows_.end()) return Result::ok;
  const Flow& flow = found->second;
  const bool shares = std::ranges::any_of(flow.owners, [&](const auto& owner) {
    return owner.first == asker.group ||
           share_participant(groups_.at(owner.first).participants, asker.participants);
  });
  if (!shares) return Result::conflict;
  if (is_sink(key)) return Result::ok; // its userdata is for one, however many it has
  std::vector<OwnerRecord> records = records_of(flow);
  std::erase_if(records, [&](const OwnerRecord& r) { return r.group == asker.group; });
  records.push_back({.group = asker.group, .participants = asker.participants});
  return encode_owners(records) ? Result::ok : Result::too_many_rules;
}

Result RuleTable::judge(const request::SetGroup& request, const Wanted& wanted,
                        const Group* known) const {
  if (known != nullptr && !are_same(known->participants, request.participants))
    return Result::not_participant;
  std::size_t count = flows_.size();
  for (const auto& [key, slot] : wanted) {
    const Result result = judge_flow(key, {request.group, request.participants});
    if (result != Result::ok) return result;
    if (!flows_.contains(key)) ++count;
  }
  if (known != nullptr)
    for (const auto& [key, slot] : known->flows)
      if (!wanted.contains(key) && flows_.at(key).owners.size() == 1) --count;
  const bool grows = count > flows_.size();
  return grows && count > std::size_t{2} * policy_.max_rules ? Result::table_full : Result::ok;
}

void RuleTable::want(Wanted& wanted, const Rule& rule) {
  const Slot slot{rule.stream, rule.component};
  if (rule.from_a) wanted.try_emplace({rule.a, rule.b, rule.protocol}, slot);
  if (rule.from_b) wanted.try_emplace({rule.b, rule.a, rule.protocol}, slot);
}

std::vector<RuleTable::Admitted> RuleTable::still_admitted(const Group& group,
                                                           const std::vector<Awaited>& sinks) {
  std::vector<Admitted> still;
  for (const Admitted& admitted : group.admitted)
    if (std::ranges::any_of(sinks, [&](const Awaited& each) {
          return each.sink.at == admitted.by.sink.at &&
                 each.sink.protocol == admitted.by.sink.protocol &&
                 each.promise == admitted.by.promise;
        }))
      still.push_back(admitted);
  return still;
}

RuleTable::Outcome RuleTable::set_group(const request::SetGroup& request, Instant now) {
  Wanted wanted;
  std::vector<Awaited> sinks;
  for (const Rule& rule : request.rules) want(wanted, rule);
  for (const Sink& sink : request.sinks) {
    wanted.try_emplace(sink_key(sink.protocol, sink.at), Slot{sink.stream, sink.component});
    sinks.push_back({sink, request.promises[sink.promise]});
  }
  const auto found = groups_.find(request.group);
  const Group* known = found == groups_.end() ? nullptr : &found->second;
  if (wanted.empty() && known == nullptr) return {Result::unknown_group};
  std::vector<Admitted> admitted;
  if (known != nullptr) admitted = still_admitted(*known, sinks);
  for (const Admitted& each : admitted) want(wanted, each.rule);
  if (const Result result = judge(request, wanted, known); result != Result::ok) return {result};
  if (wanted.empty()) return drop(request.group);

  Outcome outcome;
  Group& group = groups_[request.group];
  if (known == nullptr) {
    group.created = now.steady;
    group.created_s = to_wall(now.wall_s);
  }
  group.participants = request.participants;
  set_deadline(group, request.lifetime_s, now);
  for (const auto& [key, slot] : Wanted(group.flows))
    if (!wanted.contains(key)) disown(request.group, key, outcome.removed);
  for (const auto& [key, slot] : wanted) own(request.group, key, slot);
  group.flows = std::move(wanted);
  group.sinks = std::move(sinks);
  group.admitted = std::move(admitted);
  plan(request.group, group, now.steady + seconds(policy_.refresh_s) / 3);
  return outcome;
}

std::expected<const RuleTable::Awaited*, Result>
RuleTable::sink_for(const Group& group, const Rule& rule, std::uint8_t promise) const {
  Result reason = Result::unknown_group;
  for (const Awaited& each : group.sinks) {
    const Sink& sink = each.sink;
    if (sink.at != (sink.is_a ? rule.a : rule.b) || sink.protocol != rule.protocol ||
        sink.stream != rule.stream || sink.component != rule.component || sink.promise != promise)
      continue;
    const Endpoint& source = sink.is_a ? rule.b : rule.a;
    reason = check_sender(policy_, each.promise, sink.at.address, source.address);
    if (reason == Result::ok) return &each;
  }
  return std::unexpected(reason);
}

Result RuleTable::admit(const GroupId& id, const Rule& rule, std::uint8_t promise) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return Result::unknown_group;
  Group& group = found->second;
  const auto by = sink_for(group, rule, promise);
  if (!by) return by.error();
  if (const Result result = check(policy_, rule); result != Result::ok) return result;
  Wanted wanted;
  want(wanted, rule);
  std::size_t added = 0;
  for (const auto& [key, slot] : wanted) {
    const Result result = judge_flow(key, {id, group.participants});
    if (result != Result::ok) return result;
    if (!flows_.contains(key)) ++added;
  }
  if (added > 0 && flows_.size() + added > std::size_t{2} * policy_.max_rules)
    return Result::table_full;
  if (group.admitted.size() >= policy_.max_group_rules) return Result::too_many_rules;
  for (const auto& [key, slot] : wanted) {
    own(id, key, slot);
    group.flows.insert_or_assign(key, slot);
  }
  std::erase_if(group.admitted, [&](const Admitted& each) { return each.rule == rule; });
  group.admitted.push_back({rule, **by});
  return Result::ok;
}

RuleTable::Outcome RuleTable::release(const GroupId& group, const Participant& asker) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return {Result::unknown_group};
  if (!is_participant(found->second.participants, asker)) return {Result::not_participant};
  return drop(group);
}

RuleTable::Outcome RuleTable::drop(const GroupId& id) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return {Result::unknown_group};
  Outcome outcome;
  for (const auto& [key, slot] : found->second.flows) disown(id, key, outcome.removed);
  due_.erase({found->second.due, id});
  groups_.erase(found);
  return outcome;
}

Result RuleTable::change_lifetime(const GroupId& id, std::uint32_t lifetime_s, Instant now) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return Result::unknown_group;
  Group& group = found->second;
  set_deadline(group, lifetime_s, now);
  for (const auto& [key, slot] : group.flows) touch(key);
  plan(id, group, now.steady + seconds(policy_.refresh_s) / 3);
  return Result::ok;
}

void RuleTable::set_deadline(Group& group, std::uint32_t lifetime_s, Instant now) const {
  const TimePoint limit = group.created + seconds(policy_.max_lifetime_s);
  group.deadline = std::min(now.steady + seconds(lifetime_s), limit);
  const auto left = std::chrono::ceil<seconds>(group.deadline - now.steady).count();
  group.deadline_s = to_wall(now.wall_s + static_cast<std::uint64_t>(std::max<long>(left, 0)));
}

// Flows that live to their deadline by themselves need no refresh.
void RuleTable::plan(const GroupId& id, Group& group, TimePoint refresh) {
  const TimePoint closing = group.deadline - closing_margin;
  due_.erase({group.due, id});
  const TimePoint covered = refresh + seconds(policy_.refresh_s) * 2 / 3;
  group.due = group.deadline <= covered ? closing : std::min(refresh, closing);
  due_.insert({group.due, id});
}

void RuleTable::touch(const FlowKey& key) {
  const auto found = flows_.find(key);
  touched_.try_emplace(key, found != flows_.end() && !found->second.is_new);
}

void RuleTable::own(const GroupId& id, const FlowKey& key, Slot slot) {
  touch(key);
  auto& owners = flows_[key].owners;
  const auto found = find_owner(owners, id);
  if (found == owners.end())
    owners.emplace_back(id, slot);
  else
    found->second = slot;
}

void RuleTable::disown(const GroupId& id, const FlowKey& key, std::vector<GroupFlow>& removed) {
  touch(key);
  const auto flow = flows_.find(key);
  auto& owners = flow->second.owners;
  const auto owner = find_owner(owners, id);
  const Slot slot = owner->second;
  owners.erase(owner);
  if (!owners.empty()) return;
  if (!is_sink(key)) removed.push_back({key, slot.stream, slot.component, flow->second.carried});
  flows_.erase(flow);
}

std::vector<OwnerRecord> RuleTable::records_of(const Flow& flow) const {
  std::vector<OwnerRecord> records;
  for (const auto& [id, slot] : flow.owners) {
    const Group& group = groups_.at(id);
    records.push_back(
        {id, group.participants, slot.stream, slot.component, group.deadline_s, group.created_s});
  }
  return records;
}

// Nobody adopts a sink: one owner is named, with the end of them all, so that there may be any
// number of them, as many as branches ring.
std::vector<OwnerRecord> RuleTable::records_of_sink(const Flow& flow) const {
  std::vector<OwnerRecord> records = records_of(flow);
  const auto last = std::ranges::max(records, {}, &OwnerRecord::deadline_s);
  records.resize(1);
  records.front().deadline_s = last.deadline_s;
  return records;
}

Change RuleTable::make(Change::Kind kind, const FlowKey& key, const Flow& flow,
                       TimePoint now) const {
  TimePoint deadline = now;
  for (const auto& [id, slot] : flow.owners) deadline = std::max(deadline, groups_.at(id).deadline);
  const auto left = std::chrono::floor<milliseconds>(deadline - now);
  const milliseconds timeout =
      std::clamp<milliseconds>(left, milliseconds(1), seconds(policy_.refresh_s));
  const auto owners = is_sink(key) ? records_of_sink(flow) : records_of(flow);
  return {kind, key, timeout, encode_owners(owners).value_or("")};
}

std::vector<Change> RuleTable::take_changes(TimePoint now) {
  std::vector<Change> changes;
  for (const auto& [key, was_there] : touched_) {
    const auto found = flows_.find(key);
    if (found == flows_.end()) {
      if (was_there) changes.push_back({.kind = Change::Kind::remove, .key = key, .userdata = {}});
      continue;
    }
    Flow& flow = found->second;
    Change change = make(was_there ? Change::Kind::rewrite : Change::Kind::add, key, flow, now);
    change.keeps_counter = !flow.is_new;
    if (!flow.is_new && change.userdata == flow.stored) continue;
    flow.is_new = false;
    flow.stored = change.userdata;
    changes.push_back(std::move(change));
  }
  touched_.clear();
  return changes;
}

RuleTable::Due RuleTable::take_due(TimePoint now, std::size_t limit) {
  Due due;
  std::vector<GroupId> ids;
  std::size_t planned = 0;
  for (const auto& [when, id] : due_) {
    if (when > now || planned >= limit) break;
    ids.push_back(id);
    planned += groups_.at(id).flows.size();
  }
  for (const GroupId& id : ids) {
    Group& group = groups_.at(id);
    if (group.deadline - closing_margin <= now) {
      due.expired.push_back(id);
      continue;
    }
    for (const auto& [key, slot] : group.flows)
      due.refreshes.push_back(make(Change::Kind::refresh, key, flows_.at(key), now));
    plan(id, group, now + seconds(policy_.refresh_s) / 3);
  }
  return due;
}

std::optional<TimePoint> RuleTable::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

std::vector<Change> RuleTable::adopt(std::span<const StoredFlow> stored, Instant now) {
  groups_.clear();
  flows_.clear();
  touched_.clear();
  due_.clear();
  std::vector<Change> refused;
  for (const StoredFlow& flow : stored) {
    auto owners = decode_owners(flow.userdata);
    const Rule rule{.protocol = flow.key.protocol,
                    .a = flow.key.source,
                    .b = flow.key.destination,
                    .from_b = false};
    if (owners)
      std::erase_if(*owners, [&](const OwnerRecord& o) { return o.deadline_s <= now.wall_s; });
    if (!owners || owners->empty() || is_sink(flow.key) || flows_.contains(flow.key) ||
        check(policy_, rule) != Result::ok) {
      refused.push_back({.kind = Change::Kind::remove, .key = flow.key, .userdata = {}});
      continue;
    }
    adopt_flow(flow, *owners, now);
  }
  for (auto& [id, group] : groups_) plan(id, group, now.steady);
  return refused;
}

void RuleTable::adopt_flow(const StoredFlow& stored, const std::vector<OwnerRecord>& owners,
                           Instant now) {
  Flow& flow = flows_[stored.key];
  flow.is_new = false;
  flow.stored = stored.userdata;
  for (const OwnerRecord& owner : owners) {
    const Slot slot{owner.stream, owner.component};
    Group& group = groups_[owner.group];
    if (group.flows.empty()) {
      group.participants = owner.participants;
      group.created_s = owner.created_s;
      const auto age = now.wall_s - std::min<std::uint64_t>(owner.created_s, now.wall_s);
      group.created = now.steady - seconds(age);
      group.deadline_s = owner.deadline_s;
      const auto left =
          std::min<std::uint64_t>(owner.deadline_s - now.wall_s, policy_.max_lifetime_s);
      group.deadline = now.steady + seconds(left);
    }
    group.flows[stored.key] = slot;
    flow.owners.emplace_back(owner.group, slot);
  }
}

std::vector<Change> RuleTable::repair(std::span<const StoredFlow> stored, TimePoint now) const {
  std::vector<Change> changes;
  std::map<FlowKey, const StoredFlow*> there;
  for (const StoredFlow& flow : stored) {
    there.emplace(flow.key, &flow);
    if (!flows_.contains(flow.key))
      changes.push_back({.kind = Change::Kind::remove, .key = flow.key, .userdata = {}});
  }
  for (const auto& [key, flow] : flows_) {
    const auto found = there.find(key);
    if (found == there.end())
      changes.push_back(make(Change::Kind::add, key, flow, now));
    else if (found->second->userdata != flow.stored)
      changes.push_back(make(Change::Kind::rewrite, key, flow, now));
  }
  return changes;
}

void RuleTable::add_carried(const FlowKey& key, const FlowCounter& counter) {
  if (const auto found = flows_.find(key); found != flows_.end()) found->second.carried += counter;
}

std::optional<std::vector<GroupFlow>> RuleTable::flows_of(const GroupId& id) const {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return std::nullopt;
  std::vector<GroupFlow> flows;
  for (const auto& [key, slot] : found->second.flows)
    if (!is_sink(key)) flows.push_back({key, slot.stream, slot.component, flows_.at(key).carried});
  return flows;
}

std::optional<RuleTable::Owned> RuleTable::owned(const FlowKey& key) const {
  const auto found = flows_.find(key);
  if (found == flows_.end()) return std::nullopt;
  const auto& [group, slot] = found->second.owners.front();
  return Owned{group, {key, slot.stream, slot.component, found->second.carried}};
}

bool RuleTable::owns(const GroupId& group, const FlowKey& key) const {
  const auto found = groups_.find(group);
  return found != groups_.end() && found->second.flows.contains(key);
}

const Participants& RuleTable::participants_of(const GroupId& group) const {
  return groups_.at(group).participants;
}

std::vector<GroupId> RuleTable::groups() const {
  std::vector<GroupId> ids;
  for (const auto& [id, group] : groups_) ids.push_back(id);
  return ids;
}

} // namespace midcom::pinhole
