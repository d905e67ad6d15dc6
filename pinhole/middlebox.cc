// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/middlebox.h"

#include <algorithm>

#include "pinhole/features.h"
#include "pinhole/request_policy.h"

namespace midcom::pinhole {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t batch_limit = 1024;   // changes in one kernel batch
constexpr std::size_t refresh_limit = 2048; // flows refreshed in one turn
constexpr std::size_t list_limit = 256;     // groups in one reply
constexpr milliseconds retry_interval{1000};
constexpr milliseconds repair_interval{50}; // somebody who fights us gets no busy loop

Counter make_counter(const GroupFlow& flow, FlowCounter count) {
  count += flow.carried;
  return {flow.stream,   flow.component, flow.key.source,  flow.key.destination,
          count.packets, count.bytes,    flow.key.protocol};
}

} // namespace

Middlebox::Middlebox(const Policy& policy, Kernel& kernel, const GateLimits& limits)
    : policy_(policy), kernel_(kernel), table_(policy), gate_(limits) {}

KernelResult<void> Middlebox::start(Instant now) {
  const auto features = kernel_.start(policy_);
  if (!features) return std::unexpected(features.error());
  const auto stored = kernel_.dump();
  if (!stored) return std::unexpected(stored.error());
  if (!try_apply(table_.adopt(*stored, now))) return std::unexpected(KernelError::failed);
  features_ = *features;
  queue_ = kernel_.queue();
  announce();
  on_packets(now); // an earlier process's sinks may have had some
  return {};
}

void Middlebox::announce() {
  replies_.emplace_back(event::Ready{features_, static_cast<std::uint32_t>(table_.group_count()),
                                     static_cast<std::uint32_t>(table_.flow_count()),
                                     describe_features(features_)});
}

void Middlebox::on_request(Request request) {
  requests_.push_back(std::move(request));
}

std::vector<Reply> Middlebox::take_replies() {
  return std::exchange(replies_, {});
}

void Middlebox::commit(Instant now) {
  if (requests_.empty() && held_.empty() && decided_.empty()) return;
  const bool has_waiting = gate_.parked() > 0; // they pass in order with those in the queue
  if (has_waiting) (void)judge_queued(now);
  std::vector<std::uint64_t> lists;
  for (const Request& request : requests_)
    if (const auto* all = std::get_if<request::List>(&request)) lists.push_back(all->transaction);
  std::erase_if(requests_, [](const Request& request) {
    return std::holds_alternative<request::List>(request);
  });
  std::vector<Work> works;
  for (const Request& request : requests_) works.push_back(perform(request, now));
  const bool is_committed = is_in_step_ && apply_table(now);
  for (Work& work : works) finish(work, is_committed);
  for (const std::uint64_t transaction : lists) list(transaction);
  last_counters_.clear();
  fresh_.clear();
  if (is_committed) tell_gate(requests_, works);
  requests_.clear();
  settle(is_committed, now);
  if (has_waiting) follow_up(now);
}

Middlebox::Work Middlebox::perform(const Request& request, Instant now) {
  using Counts = Work::Counts;
  const std::uint64_t transaction =
      std::visit([](const auto& each) { return each.transaction; }, request);
  if (!is_in_step_) return {transaction, Result::kernel};
  if (const auto* set = std::get_if<request::SetGroup>(&request)) {
    if (const Result result = check(policy_, *set); result != Result::ok)
      return {transaction, result};
    if (!table_.contains(set->group)) fresh_.insert(set->group);
    auto outcome = table_.set_group(*set, now);
    return {transaction, outcome.result, Counts::final, std::move(outcome.removed)};
  }
  if (const auto* release = std::get_if<request::Release>(&request)) {
    auto outcome = table_.release(release->group, release->asker);
    return {transaction, outcome.result, Counts::final, std::move(outcome.removed)};
  }
  if (const auto* change = std::get_if<request::ChangeLifetime>(&request)) {
    if (const Result result = check_lifetime(policy_, change->lifetime_s); result != Result::ok)
      return {transaction, result};
    return {transaction, table_.change_lifetime(change->group, change->lifetime_s, now),
            Counts::final};
  }
  const auto& status = std::get<request::Status>(request);
  auto flows = table_.flows_of(status.group);
  if (!flows) return {transaction, Result::unknown_group};
  return {transaction, Result::ok, Counts::present, std::move(*flows),
          table_.participants_of(status.group)};
}

void Middlebox::finish(Work& work, bool is_committed) {
  reply::Done done{work.transaction, work.result, {}};
  if (work.result == Result::ok && !is_committed) done.result = Result::kernel;
  if (done.result == Result::ok && work.counts == Work::Counts::final)
    done.counters = final_counters(work.flows);
  if (done.result == Result::ok && work.counts == Work::Counts::present) {
    auto counters = present_counters(work.flows);
    if (counters) {
      done.counters = std::move(*counters);
      done.participants = work.participants;
    } else {
      done.result = Result::kernel;
    }
  }
  replies_.emplace_back(std::move(done));
}

void Middlebox::list(std::uint64_t transaction) {
  const std::vector<GroupId> groups = table_.groups();
  std::size_t from = 0;
  do {
    const std::size_t to = std::min(groups.size(), from + list_limit);
    const auto at = [&](std::size_t i) { return groups.begin() + static_cast<std::ptrdiff_t>(i); };
    replies_.emplace_back(reply::Groups{transaction, {at(from), at(to)}, to < groups.size()});
    from = to;
  } while (from < groups.size());
}

// A flow that went twice in one turn had its packets the first time.
std::vector<Counter> Middlebox::final_counters(const std::vector<GroupFlow>& flows) {
  std::vector<Counter> counters;
  for (const GroupFlow& flow : flows) {
    const auto counted = last_counters_.extract(flow.key);
    counters.push_back(make_counter(flow, counted ? counted.mapped() : FlowCounter{}));
  }
  return counters;
}

KernelResult<std::vector<Counter>>
Middlebox::present_counters(const std::vector<GroupFlow>& flows) {
  std::vector<FlowKey> keys;
  for (const GroupFlow& flow : flows) keys.push_back(flow.key);
  const auto counts = kernel_.read(keys);
  if (!counts) return std::unexpected(counts.error());
  std::vector<Counter> counters;
  for (std::size_t i = 0; i < flows.size(); ++i)
    counters.push_back(make_counter(flows[i], (*counts)[i]));
  return counters;
}

bool Middlebox::try_apply(const std::vector<Change>& changes) {
  for (std::size_t from = 0; from < changes.size(); from += batch_limit) {
    const std::span<const Change> part =
        std::span(changes).subspan(from, std::min(batch_limit, changes.size() - from));
    const auto counters = kernel_.apply(part);
    if (!counters) return false;
    for (std::size_t i = 0; i < part.size(); ++i) {
      const bool is_final = part[i].kind == Change::Kind::remove || !part[i].keeps_counter;
      if (is_final)
        last_counters_.insert_or_assign(part[i].key, (*counters)[i]);
      else
        table_.add_carried(part[i].key, (*counters)[i]);
    }
  }
  return true;
}

bool Middlebox::apply_table(Instant now) {
  const std::vector<Change> changes = table_.take_changes(now.steady);
  if (!apply(changes, now)) return false;
  for (const Change& change : changes) {
    if (is_sink(change.key)) continue;
    if (change.kind == Change::Kind::remove)
      watch_.forget(change.key);
    else if (change.kind == Change::Kind::add || !change.keeps_counter)
      if (const auto owned = table_.owned(change.key))
        watch_.add(change.key, owned->flow.component, now.steady);
  }
  return true;
}

bool Middlebox::apply(const std::vector<Change>& changes, Instant now) {
  if (changes.empty() || try_apply(changes)) return true;
  // Built so that it can't fail: so the tables aren't what we think. When somebody took them away
  // the shadow is right and the kernel follows it, else the other way round.
  const Damage damage = kernel_.take_damage();
  damage_.base |= damage.base;
  damage_.flows |= damage.flows;
  if (damage_.flows && repair(now)) return true;
  resync(now);
  return false;
}

void Middlebox::resync(Instant now) {
  is_in_step_ = false;
  retry_ = now.steady + retry_interval;
  forget_sinks();
  for (const GroupId& group : fresh_) (void)table_.drop(group);
  std::vector<GroupId> before = table_.groups();
  std::erase_if(before, [&](const GroupId& group) { return table_.flows_of(group)->empty(); });
  auto stored = kernel_.dump();
  if (!stored) return;
  if (!try_apply(table_.adopt(*stored, now))) return;
  is_in_step_ = true;
  retry_.reset();
  announce_due_ = std::max(now.steady, announced_ + retry_interval);
  const std::vector<GroupId> after = table_.groups();
  for (const GroupId& group : before)
    if (!std::ranges::binary_search(after, group))
      replies_.emplace_back(event::GroupEvent{group, event::Cause::lost, {}});
}

void Middlebox::on_timer(Instant now) {
  if (retry_ && *retry_ <= now.steady) {
    retry_.reset();
    if (!is_in_step_) resync(now);
    if (damage_) (void)repair(now);
  }
  if (is_in_step_ && announce_due_ && *announce_due_ <= now.steady) {
    announce_due_.reset();
    announced_ = now.steady;
    announce();
  }
  for (const Gate::Judged& judged : gate_.take_due(now.steady)) carry_out(judged, true, now);
  if (!held_.empty() || !decided_.empty()) commit(now);
  if (is_in_step_ && upkeep_ <= now.steady) {
    const auto due = table_.take_due(now.steady, refresh_limit);
    const bool is_done = (due.refreshes.empty() || apply(due.refreshes, now)) &&
                         (due.expired.empty() || expire(due.expired, now));
    if (!is_done) upkeep_ = now.steady + retry_interval;
  }
  if (is_in_step_) look_for_first_packets(now);
  tell_counters(now);
}

bool Middlebox::expire(const std::vector<GroupId>& groups, Instant now) {
  std::vector<std::pair<GroupId, std::vector<GroupFlow>>> removed;
  for (const GroupId& group : groups) removed.emplace_back(group, table_.drop(group).removed);
  // When the batch fails the kernel's own timeouts close the flows, and what a resync found alive
  // is due again.
  const bool is_committed = apply_table(now);
  for (const auto& [group, flows] : removed) {
    if (!table_.flows_of(group))
      replies_.emplace_back(event::GroupEvent{group, event::Cause::expired, final_counters(flows)});
    gate_.set_group(group, {}, {});
    gated_.erase(group);
  }
  last_counters_.clear();
  settle(is_committed, now);
  return is_committed;
}

std::optional<TimePoint> Middlebox::next_deadline() const {
  std::optional<TimePoint> next = retry_;
  const auto take = [&](const std::optional<TimePoint>& other) {
    if (other && (!next || *other < *next)) next = other;
  };
  take(gate_.next_due());
  if (counters_ != told_counters_) take(counters_due_);
  if (is_in_step_) take(announce_due_);
  if (is_in_step_)
    if (const auto due = table_.next_due()) take(std::max(*due, upkeep_));
  if (is_in_step_) take(watch_.next_due());
  return next;
}

void Middlebox::on_netlink_event(Instant now) {
  const Damage damage = kernel_.take_damage();
  damage_.base |= damage.base;
  damage_.flows |= damage.flows;
  if (!damage_) return;
  const bool is_fight = last_repair_ != TimePoint{} && now.steady - last_repair_ < repair_interval;
  if (is_fight)
    retry_ = now.steady + repair_interval;
  else
    (void)repair(now);
}

bool Middlebox::repair(Instant now) {
  const std::uint64_t start_us = kernel_.stopwatch_us();
  last_repair_ = now.steady;
  bool is_repaired = kernel_.repair(damage_).has_value();
  if (is_repaired && damage_.flows) {
    const auto stored = kernel_.dump();
    is_repaired = stored && try_apply(table_.repair(*stored, now.steady));
  }
  if (!is_repaired) {
    retry_ = now.steady + retry_interval;
    return false;
  }
  damage_ = {};
  const std::uint64_t gap_us = kernel_.stopwatch_us() - start_us;
  replies_.emplace_back(event::TableRepaired{
      static_cast<std::uint32_t>(std::min<std::uint64_t>(gap_us, 0xffffffff))});
  return true;
}

} // namespace midcom::pinhole
