// SPDX-License-Identifier: GPL-3.0-or-later
// The middlebox role: all netlink, the pinhole library's engine, and the channel to the agent.
#pragma once

namespace midcom {

// Never throws. The exit status; fd 3 is the channel to the supervisor.
[[nodiscard]] int run_middlebox();

} // namespace midcom
