// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/fake_kernel.h"

#include <utility>

namespace midcom::pinhole {

KernelResult<std::uint32_t> FakeKernel::start(const Policy& policy) {
  policy_ = policy;
  has_base_ = policy.mode == Mode::appliance;
  has_flows_ = true;
  return features_ & ~policy.masked_features;
}

FlowCounter FakeKernel::apply_one(const Change& change) {
  const auto found = elements_.find(change.key);
  const bool is_live = found != elements_.end() && found->second.expiry > now_;
  const FlowCounter counted = is_live ? found->second.counter : FlowCounter{};
  if (change.kind == Change::Kind::remove) {
    elements_.erase(change.key);
    return counted;
  }
  Element& element = elements_[change.key];
  const TimePoint expiry = now_ + change.timeout;
  if (is_live && change.kind != Change::Kind::rewrite) {
    if (change.kind == Change::Kind::refresh) element.expiry = expiry;
    return {};
  }
  element = {change.userdata, change.keeps_counter ? counted : FlowCounter{}, expiry};
  return change.keeps_counter ? FlowCounter{} : counted;
}

KernelResult<std::vector<FlowCounter>> FakeKernel::apply(std::span<const Change> changes) {
  ++batches_;
  if (std::exchange(fails_once_, false) || fails_ || !has_flows_)
    return std::unexpected(KernelError::failed);
  std::vector<FlowCounter> counters;
  for (const Change& change : changes) counters.push_back(apply_one(change));
  return counters;
}

KernelResult<std::vector<FlowCounter>> FakeKernel::read(std::span<const FlowKey> keys) {
  if (fails_) return std::unexpected(KernelError::failed);
  std::vector<FlowCounter> counters;
  for (const FlowKey& key : keys) {
    const auto found = elements_.find(key);
    const bool is_live = found != elements_.end() && found->second.expiry > now_;
    counters.push_back(is_live ? found->second.counter : FlowCounter{});
  }
  return counters;
}

KernelResult<std::vector<StoredFlow>> FakeKernel::dump() {
  if (!has_flows_) return std::unexpected(KernelError::failed);
  std::vector<StoredFlow> flows;
  for (const auto& [key, element] : elements_)
    if (element.expiry > now_) flows.push_back({key, element.userdata, element.counter});
  return flows;
}

Damage FakeKernel::take_damage() {
  return std::exchange(damage_, {});
}

KernelResult<void> FakeKernel::repair(Damage damage) {
  if (damage.base) has_base_ = true;
  if (damage.flows) has_flows_ = true;
  return {};
}

bool FakeKernel::passes(const Endpoint& source, const Endpoint& destination, TimePoint now) {
  const auto found = has_flows_ ? elements_.find({source, destination}) : elements_.end();
  if (found != elements_.end() && found->second.expiry > now) {
    found->second.counter += {1, 200};
    return true;
  }
  // Without the static table nothing drops what concerns the protected networks.
  const bool is_protected = side_of(policy_, source.address) != nullptr ||
                            side_of(policy_, destination.address) != nullptr;
  return !(has_base_ && is_protected);
}

void FakeKernel::flush() {
  elements_.clear();
  damage_ = {.base = std::exchange(has_base_, false), .flows = true};
  has_flows_ = false;
}

void FakeKernel::fail_next_apply() {
  fails_once_ = true;
}

void FakeKernel::insert(const StoredFlow& flow, TimePoint expiry) {
  elements_[flow.key] = {flow.userdata, flow.counter, expiry};
}

std::size_t FakeKernel::size(TimePoint now) const {
  return flows(now).size();
}

std::vector<FlowKey> FakeKernel::flows(TimePoint now) const {
  std::vector<FlowKey> keys;
  for (const auto& [key, element] : elements_)
    if (element.expiry > now) keys.push_back(key);
  return keys;
}

} // namespace midcom::pinhole
