// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/fake_kernel.h"

#include <utility>

namespace midcom::pinhole {

namespace {

void append(std::string& octets, std::uint16_t number) {
  octets.push_back(static_cast<char>(number >> 8));
  octets.push_back(static_cast<char>(number));
}

} // namespace

std::string packet_of(const FlowKey& key, std::string_view payload) {
  const bool is_tcp = key.protocol == 6, is_ipv4 = key.source.address.family == Family::ipv4;
  std::string segment;
  append(segment, key.source.port);
  append(segment, key.destination.port);
  if (is_tcp) {
    segment += std::string_view("\0\0\0\1\0\0\0\0\x50\x02\xff\xff\0\0\0\0", 16); // SYN
  } else {
    append(segment, static_cast<std::uint16_t>(payload.size() + 8));
    append(segment, 0);
    segment += payload;
  }
  const auto size = static_cast<std::uint16_t>(segment.size());
  std::string packet;
  if (is_ipv4) {
    packet += std::string_view("\x45\0", 2);
    append(packet, static_cast<std::uint16_t>(size + 20));
    packet += std::string_view("\0\0\x40\0\x40", 5);
    packet += static_cast<char>(key.protocol);
    packet += std::string_view("\0\0", 2);
  } else {
    packet += std::string_view("\x60\0\0\0", 4);
    append(packet, size);
    packet += static_cast<char>(key.protocol);
    packet += '\x40';
  }
  for (const Endpoint* endpoint : {&key.source, &key.destination})
    packet.append(reinterpret_cast<const char*>(endpoint->address.octets.data()), is_ipv4 ? 4 : 16);
  return packet + segment;
}

class FakeKernel::FakeQueue final : public Queue {
public:
  explicit FakeQueue(FakeKernel& kernel) : kernel_(kernel) {}
  int fd() const override { return -1; }
  std::vector<QueuedPacket> take() override {
    std::vector<QueuedPacket> packets;
    for (auto& [number, packet] : kernel_.held_)
      if (!std::exchange(packet.is_taken, true)) packets.push_back({number, packet.octets});
    return packets;
  }
  void decide(std::span<const Decided> decided) override {
    for (const Decided& each : decided) kernel_.decide(each);
  }
  std::uint64_t overrun() override { return kernel_.overrun_; }

private:
  FakeKernel& kernel_;
};

FakeKernel::FakeKernel(std::uint32_t features)
    : features_(features), queue_(std::make_unique<FakeQueue>(*this)) {}

FakeKernel::~FakeKernel() = default;

Queue* FakeKernel::queue() {
  return (features_ & ~policy_.masked_features & gate) != 0 ? queue_.get() : nullptr;
}

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
  return passes({source, destination}, now);
}

bool FakeKernel::passes(const FlowKey& key, TimePoint now) {
  if (is_live(key, now)) {
    elements_.at(key).counter += {1, 200};
    return true;
  }
  // Without the static table nothing drops what concerns the protected networks.
  const bool is_protected = side_of(policy_, key.source.address) != nullptr ||
                            side_of(policy_, key.destination.address) != nullptr;
  return !(has_base_ && is_protected);
}

bool FakeKernel::is_live(const FlowKey& key, TimePoint now) const {
  const auto found = elements_.find(key);
  return has_flows_ && found != elements_.end() && found->second.expiry > now;
}

std::uint32_t FakeKernel::deliver(const FlowKey& key, std::string_view payload) {
  look_up(++last_number_, {key, packet_of(key, payload)});
  return last_number_;
}

// As the chain does: flows first, but for a connection's first segment; then sinks.
void FakeKernel::look_up(std::uint32_t number, Held packet) {
  const FlowKey sink = sink_key(packet.key.protocol, packet.key.destination);
  const bool is_in_flow = packet.key.protocol != 6 && is_live(packet.key, now_);
  if (!is_in_flow && queue() != nullptr && is_live(sink, now_)) {
    elements_.at(sink).counter += {1, 200};
    fates_[number] = Fate::held;
    packet.is_taken = false;
    held_[number] = std::move(packet);
    return;
  }
  // A first segment that no sink awaits is not in any flow.
  FlowKey key = packet.key;
  if (key.protocol == 6) key.destination.port = 0;
  fates_[number] = passes(key, now_) ? Fate::passed : Fate::dropped;
  if (fates_[number] == Fate::passed) passed_.push_back(number);
}

FakeKernel::Fate FakeKernel::fate(std::uint32_t number) const {
  return fates_.at(number);
}

void FakeKernel::decide(const Decided& decided) {
  const auto found = held_.extract(decided.id);
  if (!found) return;
  if (decided.verdict == Verdict::repeat) {
    look_up(decided.id, std::move(found.mapped()));
    return;
  }
  const bool is_passed = decided.verdict == Verdict::pass;
  fates_[decided.id] = is_passed ? Fate::passed : Fate::dropped;
  if (is_passed) passed_.push_back(decided.id);
}

void FakeKernel::kill_owner() {
  for (const auto& [number, packet] : held_) fates_[number] = Fate::dropped;
  held_.clear();
}

void FakeKernel::flush() {
  elements_.clear();
  damage_ = {.base = std::exchange(has_base_, false), .flows = true};
  has_flows_ = false;
}

void FakeKernel::fail_next_apply(bool fails) {
  fails_once_ = fails;
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
    if (element.expiry > now && !is_sink(key)) keys.push_back(key);
  return keys;
}

std::vector<FlowKey> FakeKernel::sinks(TimePoint now) const {
  std::vector<FlowKey> keys;
  for (const auto& [key, element] : elements_)
    if (element.expiry > now && is_sink(key)) keys.push_back(key);
  return keys;
}

} // namespace midcom::pinhole
