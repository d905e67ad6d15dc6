// SPDX-License-Identifier: GPL-3.0-or-later
// The protocol of the control socket: one line asks, one line of JSON answers. It only reads.
//   status | flows | peers | calls | call CALL-ID | pinholes
// An answer that is no answer is {"error":"WORD"}: bad-request, not-found.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/agent_snapshot.h"

namespace midcom {

inline constexpr std::size_t max_control_request = 1024; // the newline included

struct ControlRequest {
  enum class Kind : std::uint8_t { status, flows, peers, calls, call, pinholes };
  Kind kind = Kind::status;
  std::string call_id = {}; // of Kind::call; never empty there
  bool operator==(const ControlRequest&) const = default;
};

// A line without its newline; a carriage return before it is forgiven.
[[nodiscard]] std::optional<ControlRequest> parse_control_request(std::string_view line);

[[nodiscard]] SnapshotQuery query_of(const ControlRequest& request);

struct ControlProcess { // what status says of the process itself
  std::string version;
  std::chrono::seconds uptime{};
  std::uint64_t pid = 0, lost_log_lines = 0;
  std::uint64_t config_generation = 1; // grows with each configuration taken up
};

// With its newline.
[[nodiscard]] std::string control_answer(const ControlRequest& request,
                                         const AgentSnapshot& snapshot,
                                         const ControlProcess& process);
[[nodiscard]] std::string control_error(std::string_view word);

} // namespace midcom
