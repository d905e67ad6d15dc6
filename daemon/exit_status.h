// SPDX-License-Identifier: GPL-3.0-or-later
// Exit statuses of midcomd and of its roles (sysexits.h where it has one).
#pragma once

namespace midcom {

enum ExitStatus : int {
  exit_ok = 0,
  exit_failure = 1,
  exit_usage = 2,
  exit_data = 65,          // a message that can't be read
  exit_unavailable = 69,   // netlink or nftables refused
  exit_no_permission = 77, // not root, or privileges that could not be given up
  exit_config = 78,
};

} // namespace midcom
