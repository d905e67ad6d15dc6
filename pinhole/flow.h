// SPDX-License-Identifier: GPL-3.0-or-later
// Glossary of the middlebox: a *flow* is one direction of a 5-tuple and one element of a kernel
// set; a *rule* is one or two flows; a *sink* is a receive address whose sender isn't known yet; a
// *group* has rules and sinks, and a flow or sink has the groups that own it.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "pinhole/endpoint.h"

namespace midcom::pinhole {

using TimePoint = std::chrono::steady_clock::time_point;

// Time as the caller has it: the steady clock for timers, CLOCK_REALTIME seconds for what must be
// read again after a restart.
struct Instant {
  TimePoint steady;
  std::uint64_t wall_s = 0;
};

struct FlowKey {
  Endpoint source, destination;
  std::uint8_t protocol = 17; // IPPROTO_UDP or IPPROTO_TCP
  auto operator<=>(const FlowKey&) const = default;
};

// A sink is kept as the flow of everybody to its address: the source is the unspecified address of
// the family, with port 0, which no packet of a rule has.
[[nodiscard]] FlowKey sink_key(std::uint8_t protocol, const Endpoint& at);
[[nodiscard]] bool is_sink(const FlowKey& key);

struct FlowCounter {
  std::uint64_t packets = 0, bytes = 0;
  FlowCounter& operator+=(const FlowCounter& other);
  auto operator<=>(const FlowCounter&) const = default;
};

} // namespace midcom::pinhole
