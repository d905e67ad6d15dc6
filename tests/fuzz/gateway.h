// SPDX-License-Identifier: GPL-3.0-or-later
// The gateway that fuzz targets of the agent's parts route by.
#pragma once

#include "daemon/agent_config.h"

namespace midcom::fuzz {

inline sip::IpAddress address(const char* text) {
  return sip::IpAddress::parse(text).value();
}

inline AgentConfig gateway() {
  AgentConfig config;
  config.names = {"gw.example.com"};
  config.listeners = {{"tls", Transport::tls, {address("10.1.0.1"), 5061}, "gw.example.com"},
                      {"udp", Transport::udp, {address("2001:db8::1"), 5060}, ""}};
  PeerConfig core;
  core.name = "core";
  core.kind = PeerKind::trunk;
  core.networks = {pinhole::Prefix::parse("192.0.2.0/24").value()};
  core.next_hop = Target{Transport::tls, {address("192.0.2.5"), 5061}, "core.example.com"};
  PeerConfig plain = core;
  plain.name = "plain";
  plain.networks = {pinhole::Prefix::parse("2001:db8:2::/48").value()};
  plain.next_hop = Target{Transport::udp, {address("2001:db8:2::5"), 5060}, ""};
  config.peers = {core, plain};
  config.routes = {{"example.com", "core"}, {"*", "plain"}};
  return config;
}

} // namespace midcom::fuzz
