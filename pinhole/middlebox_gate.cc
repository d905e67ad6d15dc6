// SPDX-License-Identifier: GPL-3.0-or-later
// The gate's decisions carried out. A packet passes only when its flow is in the table and the
// kernel has acknowledged it; whatever fails on the way drops it.
#include <algorithm>
#include <netinet/in.h>
#include <utility>

#include "pinhole/middlebox.h"

namespace midcom::pinhole {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr milliseconds counters_interval{1000};

GateReason reason_of(Result result) {
  switch (result) {
  case Result::table_full:
  case Result::too_many_rules:
    return GateReason::too_many_admitted;
  case Result::unknown_group:
  case Result::kernel:
    return GateReason::no_sink;
  default:
    return GateReason::wrong_source; // the policy's or somebody else's
  }
}

// The first segment of a connection is in no flow, so looking it up again would bring it back.
Verdict verdict_for(const FlowKey& key) {
  return key.protocol == IPPROTO_TCP ? Verdict::pass : Verdict::repeat;
}

} // namespace

int Middlebox::packet_fd() const {
  return queue_ == nullptr ? -1 : queue_->fd();
}

void Middlebox::on_packets(Instant now) {
  if (queue_ == nullptr) return;
  const bool has_late = judge_queued(now);
  commit(now);
  if (has_late) settle(is_in_step_, now);
  tell_counters(now);
}

// True: of some the flow was opened while they were in the queue, so that they wait for nothing.
bool Middlebox::judge_queued(Instant now) {
  bool has_late = false;
  for (const QueuedPacket& packet : queue_->take()) {
    ++counters_.queued;
    const Gate::Judged judged = gate_.on_packet({packet.id, packet.octets}, now.steady);
    has_late |= std::holds_alternative<Gate::Park>(judged.decision) && table_.contains(judged.key);
    carry_out(judged, false, now);
  }
  return has_late;
}

// What came while the kernel was busy with the change that lets others pass follows them at once.
void Middlebox::follow_up(Instant now) {
  const bool has_late = judge_queued(now);
  if (!has_late && held_.empty() && decided_.empty()) return;
  settle(is_in_step_ && apply_table(now), now);
}

void Middlebox::tell_gate(const std::vector<Request>& requests, const std::vector<Work>& works) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (works[i].result != Result::ok) continue;
    if (const auto* set = std::get_if<request::SetGroup>(&requests[i])) {
      gate_.set_group(set->group, set->sinks, set->promises, set->rules);
      if (set->sinks.empty())
        gated_.erase(set->group);
      else
        gated_.insert(set->group);
    } else if (const auto* release = std::get_if<request::Release>(&requests[i])) {
      gate_.set_group(release->group, {}, {});
      gated_.erase(release->group);
    }
  }
}

// The table was rebuilt from the kernel, which knows no promises.
void Middlebox::forget_sinks() {
  for (const GroupId& group : std::exchange(gated_, {})) gate_.set_group(group, {}, {});
}

// A first segment never does: who may begin a connection is what the sinks say.
bool Middlebox::passes_by_its_flow(const FlowKey& key) const {
  return key.protocol != IPPROTO_TCP && table_.contains(key);
}

void Middlebox::carry_out(const Gate::Judged& judged, bool was_parked, Instant now) {
  if (const auto* admitted = std::get_if<Gate::Admit>(&judged.decision)) {
    admit(judged, *admitted, was_parked, now);
  } else if (std::holds_alternative<Gate::Park>(judged.decision)) {
    ++counters_.parked;
  } else if (passes_by_its_flow(judged.key)) {
    held_.push_back(
        {judged.id, judged.key, {}, was_parked}); // it has come before its flow was open
  } else {
    const auto* dropped = std::get_if<Gate::Drop>(&judged.decision);
    drop(judged.id, judged.key, dropped == nullptr ? GateReason::no_sink : dropped->reason, now);
  }
}

void Middlebox::admit(const Gate::Judged& judged, const Gate::Admit& admit, bool was_parked,
                      Instant now) {
  if (table_.contains(judged.key)) {
    held_.push_back({judged.id, judged.key, {}, was_parked});
    return;
  }
  const Result result =
      is_in_step_ ? table_.admit(admit.group, admit.rule, admit.promise) : Result::kernel;
  if (result == Result::ok) {
    held_.push_back({judged.id, judged.key, admit, was_parked});
    return;
  }
  gate_.take_back(admit);
  drop(judged.id, judged.key, reason_of(result), now);
}

void Middlebox::drop(std::uint32_t id, const FlowKey& key, GateReason reason, Instant now) {
  ++counters_.dropped;
  drops_.note(key, reason, now.steady);
  decided_.push_back({id, Verdict::drop});
}

void Middlebox::answer_held(bool is_committed, Instant now) {
  for (Held& held : std::exchange(held_, {})) {
    if (!is_committed || !table_.contains(held.key)) {
      if (held.admit) gate_.take_back(*held.admit);
      drop(held.id, held.key, GateReason::no_sink, now);
      continue;
    }
    decided_.push_back({held.id, verdict_for(held.key)});
    if (held.was_parked) ++counters_.released;
    if (!held.admit) continue;
    if (!table_.owns(held.admit->group, held.key)) { // it has changed its mind in this turn
      gate_.take_back(*held.admit);
      continue;
    }
    ++counters_.admitted;
    replies_.emplace_back(event::Admitted{held.admit->group, held.admit->rule, held.admit->kind});
  }
  if (queue_ != nullptr && !decided_.empty()) queue_->decide(decided_);
  decided_.clear();
}

// What is admitted of those parked is a change again, which lets those behind it pass.
void Middlebox::settle(bool is_committed, Instant now) {
  answer_held(is_committed, now);
  while (gate_.parked() > 0) {
    const auto judged =
        gate_.reconsider([this](const FlowKey& key) { return passes_by_its_flow(key); });
    if (judged.empty()) break;
    for (const Gate::Judged& each : judged) carry_out(each, true, now);
    answer_held(is_in_step_ && apply_table(now), now);
  }
}

void Middlebox::look_for_first_packets(Instant now) {
  std::vector<FlowKey> keys = watch_.take_due(now.steady);
  if (keys.empty()) return;
  const auto counts = kernel_.read(keys);
  if (!counts) return;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto owned = table_.owned(keys[i]);
    if (owned && (*counts)[i].packets + owned->flow.carried.packets == 0) continue;
    if (owned) {
      const auto delay = duration_cast<milliseconds>(now.steady - watch_.opened(keys[i])).count();
      replies_.emplace_back(event::FirstPacket{
          owned->group, owned->flow.stream, owned->flow.component, keys[i].source,
          keys[i].destination, static_cast<std::uint32_t>(std::min<long>(delay, 0xffffffff))});
    }
    watch_.forget(keys[i]);
  }
}

void Middlebox::tell_counters(Instant now) {
  if (counters_ == told_counters_ || now.steady < counters_due_) return;
  if (queue_ != nullptr) counters_.overrun = queue_->overrun();
  told_counters_ = counters_;
  counters_due_ = now.steady + counters_interval;
  replies_.emplace_back(counters_);
}

} // namespace midcom::pinhole
