// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/flow_watch.h"

#include <algorithm>

namespace midcom::pinhole {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_flows = 8192;
constexpr std::size_t flows_per_turn = 1024;
constexpr milliseconds first_look{20}, first_rtcp{1000}, shortest{10}, longest{10'000};
constexpr milliseconds slack{5}; // whose time is as near as this comes along

} // namespace

void FlowWatch::add(const FlowKey& key, std::uint8_t component, TimePoint now) {
  const auto found = flows_.find(key);
  if (found == flows_.end() && flows_.size() >= max_flows) return;
  Times& times = found == flows_.end() ? flows_[key] : found->second;
  times.opened = now;
  plan(key, times, now + (component == 2 ? first_rtcp : first_look));
}

void FlowWatch::plan(const FlowKey& key, Times& times, TimePoint due) {
  due_.erase({times.due, key});
  times.due = due;
  due_.insert({due, key});
}

void FlowWatch::forget(const FlowKey& key) {
  const auto found = flows_.find(key);
  if (found == flows_.end()) return;
  due_.erase({found->second.due, key});
  flows_.erase(found);
}

std::vector<FlowKey> FlowWatch::take_due(TimePoint now) {
  std::vector<FlowKey> keys;
  if (due_.empty() || due_.begin()->first > now) return keys;
  for (const auto& [due, key] : due_) {
    if (due > now + slack || keys.size() >= flows_per_turn) break;
    keys.push_back(key);
  }
  for (const FlowKey& key : keys) {
    Times& times = flows_.at(key);
    const auto open_for = std::chrono::ceil<milliseconds>(now - times.opened);
    const auto next = open_for < first_rtcp ? open_for / 4 : open_for / 2;
    plan(key, times, now + std::clamp<milliseconds>(next, shortest, longest));
  }
  return keys;
}

std::optional<TimePoint> FlowWatch::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

} // namespace midcom::pinhole
