// SPDX-License-Identifier: GPL-3.0-or-later
// What the service manager is told (sd_notify); nothing happens without a NOTIFY_SOCKET.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace midcom::notify {

void ready(std::string_view status);
void status(std::string_view text);
void watchdog();
void stopping();
// WATCHDOG_USEC when it is for this process.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

} // namespace midcom::notify
