// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/gate_rows.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "tests/bench/gateway_engine.h"
#include "tests/bench/processor_clock.h"
#include "tests/unit/pinhole/made_packets.h"

namespace midcom::bench {

using namespace pinhole;

namespace {

constexpr std::uint8_t agreed_type = 0; // PCMU
constexpr std::size_t sinks_of_group = 4;

Promise answered() {
  const made::Stun request;
  Promise promise;
  promise.kinds = kind_stun | kind_dtls | kind_rtp | kind_rtcp;
  promise.source = SourceRule::any_verified;
  promise.payload_types[agreed_type / 8] = 1U << agreed_type % 8;
  promise.receiver_ufrag = "recv";
  promise.sender_ufrag = "send";
  promise.receiver_password = request.password;
  return promise;
}

Promise unanswered() {
  Promise promise = answered();
  promise.awaits_answer = true;
  promise.sender_ufrag.clear();
  return promise;
}

GateRow::Outcome outcome_of(const Gate::Decision& decision) {
  if (std::holds_alternative<Gate::Park>(decision)) return GateRow::Outcome::parked;
  if (std::holds_alternative<Gate::Admit>(decision)) return GateRow::Outcome::admitted;
  return GateRow::Outcome::dropped;
}

} // namespace

std::vector<GateRow> gate_rows() {
  using enum GateRow::Outcome;
  return {
      {"junk", std::string(172, '\xff'), answered(), dropped},
      {"RTP of a payload type nobody agreed on", made::rtp(99), answered(), dropped},
      {"STUN for somebody else", made::stun({.username = "other:send"}), answered(), dropped},
      {"STUN, MESSAGE-INTEGRITY wrong", made::stun({.password = "another password"}), answered(),
       dropped},
      {"STUN before the answer: parked, dropped", made::stun({}), unanswered(), parked},
      {"STUN, MESSAGE-INTEGRITY right: admitted", made::stun({}), answered(), admitted},
  };
}

std::vector<request::SetGroup> sink_groups(const GateRow& row,
                                           const std::vector<MediaFlow>& flows) {
  std::vector<request::SetGroup> groups;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (i % sinks_of_group == 0)
      groups.push_back({1, group_id(static_cast<int>(i)), two_participants(), 3600, {}});
    request::SetGroup& group = groups.back();
    if (group.promises.empty()) group.promises.push_back(row.promise);
    group.sinks.push_back({.stream = static_cast<std::uint16_t>(i % sinks_of_group),
                           .at = flows[i].to,
                           .is_a = false});
  }
  return groups;
}

double judged_alone(const GateRow& row, const std::vector<MediaFlow>& flows, std::size_t packets) {
  Gate gate{GateLimits{}};
  for (const auto& group : sink_groups(row, flows))
    gate.set_group(group.group, group.sinks, group.promises);
  std::vector<std::string> made;
  for (const MediaFlow& flow : flows) made.push_back(made::udp(flow.from, flow.to, row.payload));
  const auto at = now().steady;
  std::size_t as_expected = 0;
  const auto start = thread_time();
  for (std::size_t i = 0; i < packets; ++i) {
    const auto judged = gate.on_packet({static_cast<std::uint32_t>(i), made[i % made.size()]}, at);
    as_expected += outcome_of(judged.decision) == row.outcome ? 1 : 0;
  }
  const auto taken = thread_time() - start;
  if (as_expected != packets)
    throw std::runtime_error(std::string(row.name) + ": of " + std::to_string(packets) +
                             " packets only " + std::to_string(as_expected) + " were judged so");
  return static_cast<double>(taken.count()) / static_cast<double>(packets);
}

} // namespace midcom::bench
