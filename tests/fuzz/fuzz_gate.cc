// SPDX-License-Identifier: GPL-3.0-or-later
// The input is a script of what happens at the gate; packets in it may be whole or bent. Bounds
// hold, and every parked packet is told exactly once.
#include <cstdlib>
#include <set>

#include "pinhole/gate.h"
#include "pinhole/octets.h"

using namespace midcom::pinhole;

namespace {

class Script {
public:
  explicit Script(std::string_view bytes) : reader_(bytes) {}
  void run();

private:
  void set_group();
  void packet();
  void take(const std::vector<Gate::Judged>& judged);
  Endpoint endpoint();
  Promise promise();

  OctetReader reader_;
  GateLimits limits_{.parked_per_flow = 3, .parked_per_group = 5, .parked = 9};
  Gate gate_{limits_};
  TimePoint now_{std::chrono::seconds(1)};
  std::uint32_t last_id_ = 0;
  std::set<std::uint32_t> parked_;
};

// Few, so that they meet: 10.0.0.0 to .3, ports 1 to 4.
Endpoint Script::endpoint() {
  const std::uint8_t octet = reader_.u8();
  Endpoint made{.address = {.octets = {10, 0, 0, static_cast<std::uint8_t>(octet & 3)}}};
  made.port = static_cast<std::uint16_t>((octet >> 2 & 3) + 1);
  return made;
}

Promise Script::promise() {
  Promise made;
  const std::uint8_t octet = reader_.u8();
  made.kinds = octet & all_kinds;
  made.awaits_answer = (octet & 0x40) != 0;
  made.source = static_cast<SourceRule>(reader_.u8() % 3);
  made.senders = {endpoint(), endpoint()};
  made.payload_types.fill(reader_.u8());
  made.receiver_ufrag = "evtj";
  if ((octet & 0x80) != 0) made.sender_ufrag = "h6vY";
  return made;
}

void Script::set_group() {
  const GroupId group{static_cast<std::uint8_t>(reader_.u8() & 3)};
  std::vector<Sink> sinks;
  std::vector<Promise> promises;
  for (int count = reader_.u8() & 3; count > 0; --count) {
    const std::uint8_t octet = reader_.u8();
    sinks.push_back({.protocol = static_cast<std::uint8_t>((octet & 1) != 0 ? 6 : 17),
                     .at = endpoint(),
                     .is_a = (octet & 2) != 0,
                     .promise = static_cast<std::uint8_t>(octet >> 2 & 3)});
    promises.push_back(promise());
  }
  gate_.set_group(group, sinks, promises);
}

void Script::take(const std::vector<Gate::Judged>& judged) {
  for (const Gate::Judged& one : judged) {
    if (std::holds_alternative<Gate::Park>(one.decision)) std::abort();
    if (parked_.erase(one.id) != 1) std::abort();
    const auto* admit = std::get_if<Gate::Admit>(&one.decision);
    if (admit != nullptr && one.id % 2 == 0) gate_.take_back(*admit);
  }
}

void Script::packet() {
  const std::string octets = reader_.text();
  const auto judged = gate_.on_packet({++last_id_, octets}, now_);
  if (judged.id != last_id_ || std::holds_alternative<Gate::Pass>(judged.decision)) std::abort();
  if (std::holds_alternative<Gate::Park>(judged.decision)) parked_.insert(last_id_);
  if (const auto* admit = std::get_if<Gate::Admit>(&judged.decision)) {
    const Rule& rule = admit->rule;
    const bool is_flow = (rule.a == judged.key.source && rule.b == judged.key.destination) ||
                         (rule.b == judged.key.source && rule.a == judged.key.destination);
    if (!is_flow || rule.protocol != judged.key.protocol) std::abort();
  }
}

void Script::run() {
  while (reader_.is_good() && !reader_.is_done()) {
    switch (reader_.u8() & 3) {
    case 0:
      set_group();
      break;
    case 1:
      packet();
      break;
    case 2: {
      const std::uint8_t port = reader_.u8();
      take(gate_.reconsider([&](const FlowKey& key) { return key.source.port == port; }));
      break;
    }
    default:
      now_ += std::chrono::milliseconds(reader_.u8() * 8);
      take(gate_.take_due(now_));
    }
    if (gate_.parked() != parked_.size() || parked_.size() > limits_.parked) std::abort();
    if (gate_.next_due().has_value() == parked_.empty()) std::abort();
  }
  take(gate_.take_due(now_ + limits_.parked_life));
  if (!parked_.empty()) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script({reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
