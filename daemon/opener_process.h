// SPDX-License-Identifier: GPL-3.0-or-later
// The opener role: S/MIME keys and OpenSSL's CMS, apart from TLS, SIP and the firewall.
#pragma once

namespace midcom {

// Never throws. The exit status; fd 3 is the channel to the supervisor.
[[nodiscard]] int run_opener();

} // namespace midcom
