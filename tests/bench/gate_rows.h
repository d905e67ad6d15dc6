// SPDX-License-Identifier: GPL-3.0-or-later
// Kinds of first packets, and what becomes of them.
#pragma once

#include <string>
#include <vector>

#include "pinhole/gate.h"
#include "tests/bench/media_load.h"

namespace midcom::bench {

struct GateRow {
  const char* name;
  std::string payload;
  pinhole::Promise promise;
  enum class Outcome : std::uint8_t { dropped, parked, admitted } outcome;
};
[[nodiscard]] std::vector<GateRow> gate_rows();

// A sink for the receiver of each flow, in groups of a call's size.
[[nodiscard]] std::vector<pinhole::request::SetGroup>
sink_groups(const GateRow& row, const std::vector<MediaFlow>& flows);

// Nanoseconds that judging one packet of the row takes, with no kernel; throws std::runtime_error
// when something else becomes of it.
[[nodiscard]] double judged_alone(const GateRow& row, const std::vector<MediaFlow>& flows,
                                  std::size_t packets);

} // namespace midcom::bench
