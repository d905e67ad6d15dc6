// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/notify.h"

#include <cstdint>
#include <string>
#include <systemd/sd-daemon.h>

namespace midcom::notify {

void ready(std::string_view status) {
  (void)::sd_notify(0, ("READY=1\nSTATUS=" + std::string(status)).c_str());
}

void status(std::string_view text) {
  (void)::sd_notify(0, ("STATUS=" + std::string(text)).c_str());
}

void watchdog() {
  (void)::sd_notify(0, "WATCHDOG=1");
}

void stopping() {
  (void)::sd_notify(0, "STOPPING=1");
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

} // namespace midcom::notify
