// SPDX-License-Identifier: GPL-3.0-or-later
// One event as one line. Values may hold remote text: whatever could end the line, end the value or
// steer a terminal is escaped, and a value is cut at 2048 octets.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "daemon/event_log.h"

namespace midcom {

using LogTime = std::chrono::system_clock::time_point;

[[nodiscard]] std::string_view to_string(Level level); // "debug" ... "warn", "error"
[[nodiscard]] int syslog_priority(Level level);        // LOG_DEBUG ... LOG_ERR
[[nodiscard]] std::string time_text(LogTime time);     // 2026-11-23T02:31:07.123456Z

// ts=... lvl=... ev=... v=1 key=value key="value with blanks"
[[nodiscard]] std::string to_logfmt(const Event& event, LogTime time);
[[nodiscard]] std::string to_json(const Event& event, LogTime time);

// The text of a logfmt value without its quotes.
[[nodiscard]] std::string escaped(std::string_view value);
// The text of a JSON string without its quotes.
[[nodiscard]] std::string json_escaped(std::string_view value);

} // namespace midcom
