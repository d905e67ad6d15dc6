// SPDX-License-Identifier: GPL-3.0-or-later
// Host names that a session description has in the place of receive addresses. Nothing here looks
// them up: whoever does pins what came out by giving it to Sdp::parse.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sip/ip_address.h"

namespace midcom::sip {

class Sdp;
struct SdpConnection;
struct SdpMedia;

struct HostName {
  std::string name; // lower case
  // What the line's addrtype asks for. Empty, for a=candidate and a=path: either, IPv6 first
  // (RFC 5245 15.1; RFC 8839 leaves it open).
  std::optional<IpAddress::Family> family{};
  auto operator<=>(const HostName&) const = default;
};

using NamedAddresses = std::map<HostName, IpAddress>;

// Those that have no address yet, each once. Not those of m= lines that are refused, nor what no
// name server can know or media can't be behind: "localhost", names under "local" (mDNS), "invalid"
// and "localhost", anything with a multicast suffix.
[[nodiscard]] std::vector<HostName> host_names(const Sdp& sdp);

// Gives what host_names() would name its address.
void pin(SdpConnection& connection, const NamedAddresses& names);
void pin(SdpMedia& media, const NamedAddresses& names);

} // namespace midcom::sip
