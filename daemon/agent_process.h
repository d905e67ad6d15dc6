// SPDX-License-Identifier: GPL-3.0-or-later
// The agent role: sockets, TLS and SIP, without a privilege.
#pragma once

namespace midcom {

// Never throws. The exit status; fd 3 is the channel to the supervisor.
[[nodiscard]] int run_agent();

} // namespace midcom
