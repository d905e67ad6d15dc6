// SPDX-License-Identifier: GPL-3.0-or-later
// The middlebox's own copy of what the operator allows, from the configuration alone. Every request
// is checked against it; a taken-over agent can open nothing it does not allow.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "pinhole/endpoint.h"

namespace midcom::pinhole {

enum class Mode : std::uint8_t { appliance, mark, observe };

struct PortRange {
  std::uint16_t first = 0, last = 0; // both inclusive
  auto operator<=>(const PortRange&) const = default;
};

// One side of the gateway: the networks behind it.
struct Side {
  std::string name;
  std::vector<std::string> interfaces; // empty: not checked
  std::vector<Prefix> media;           // where media of this side may live
  // May its addresses be connected to by media over TCP?
  bool is_tcp_inbound = false;
};

// An operator's own static permission (STUN/TURN servers before any SDP): UDP or TCP between any
// protected address and this server, conversations started from the inside only.
struct StaticAllow {
  std::string name;
  Prefix server;
  std::uint8_t protocol = 17; // IPPROTO_UDP or IPPROTO_TCP
  PortRange ports;
};

struct Policy {
  Mode mode = Mode::appliance;
  std::uint32_t mark = 0x4d000000, mask = 0xff000000;
  std::vector<Side> sides;
  std::vector<PortRange> media_ports = std::vector<PortRange>(1, PortRange{1024, 65535});
  std::vector<PortRange> forbidden_ports;
  std::vector<Prefix> forbidden_hosts;
  std::vector<Prefix> own_addresses; // the gateway's own: never media
  std::vector<StaticAllow> static_allows;
  std::uint32_t max_rules = 20000; // exact flows (two elements each) in all
  std::uint32_t max_group_rules = 128;
  std::uint32_t max_lifetime_s = 43500; // absolute deadline of a group from its first request
  std::uint32_t refresh_s = 120;        // element timeout; refreshed every third of it
  bool delete_conntrack = true;         // on closing a rule
  std::uint32_t masked_features = 0;    // test switch, see features.h
  std::uint16_t queue = 4189;           // number of the gate's NFQUEUE
  std::uint32_t sink_rate = 200;        // packets per second of each sink that reach the gate
};

[[nodiscard]] const Side* side_of(const Policy& policy, const Address& address); // longest prefix

// Explicit big-endian encoding, for the hand-over from the supervisor.
[[nodiscard]] std::string encode(const Policy& policy);
[[nodiscard]] std::expected<Policy, std::string> decode_policy(std::string_view bytes);

} // namespace midcom::pinhole
