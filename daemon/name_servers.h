// SPDX-License-Identifier: GPL-3.0-or-later
// Which name servers this host uses: /etc/resolv.conf, read by the supervisor.
#pragma once

#include <string_view>
#include <vector>

#include "sip/ip_address.h"

namespace midcom {

// resolv.conf(5): the first three `nameserver` lines that have an address; link-local ones with a
// zone are none. All else means nothing here: names in descriptions are whole.
[[nodiscard]] std::vector<sip::Endpoint> name_servers_in(std::string_view text);
// Likewise of the file; none when it can't be read.
[[nodiscard]] std::vector<sip::Endpoint> name_servers_of_host();

inline constexpr std::size_t most_name_servers = 3;

} // namespace midcom
