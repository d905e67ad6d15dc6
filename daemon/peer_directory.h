// SPDX-License-Identifier: GPL-3.0-or-later
// Who is who: the configured peers by address, certificate and name, the routes by domain, and
// which URIs name the gateway itself. Answers questions only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/endpoint_conversion.h"
#include "sip/uri.h"

namespace midcom {

using PeerIndex = std::size_t;
inline constexpr PeerIndex no_peer = static_cast<PeerIndex>(-1);

class PeerDirectory {
public:
  explicit PeerDirectory(const AgentConfig& config);

  // The peer a flow belongs to: the longest network its source is in, when the certificate
  // identities the peer must prove (if any) are among the flow's. no_peer otherwise. An outbound
  // flow belongs to the peer it was opened for; this function is not asked.
  [[nodiscard]] PeerIndex peer_of(const FlowInfo& flow) const;
  [[nodiscard]] const PeerConfig& at(PeerIndex peer) const { return config_.peers[peer]; }

  // Does the URI name this gateway (an own name, an advertised host or a listener's address; a
  // port, if given, is one of ours)?
  [[nodiscard]] bool is_own(const sip::Uri& uri) const;

  // By [route DOMAIN]; [route *] last.
  [[nodiscard]] PeerIndex route(std::string_view domain) const;
  // A Route or Request-URI that names a configured peer: by an address in a trunk's networks, or by
  // its tls-name or identities.
  struct Hop {
    PeerIndex peer;
    Target target;
  };
  [[nodiscard]] std::optional<Hop> hop_for(const sip::Uri& uri) const;
  [[nodiscard]] PeerIndex by_token_value(std::uint64_t value) const;

  // "" when the address is on no side.
  [[nodiscard]] std::string_view side_of(const sip::IpAddress& address) const;
  [[nodiscard]] std::string_view side_of(const pinhole::Address& address) const;
  // The listener that faces a target: same family and transport, preferring one whose address
  // shares the longest prefix with the target's.
  [[nodiscard]] std::size_t listener_for(Transport transport, const sip::IpAddress& remote) const;

private:
  struct SideNetwork {
    pinhole::Prefix prefix;
    std::string_view side;
  };
  const AgentConfig& config_;
  std::vector<SideNetwork> sides_;
};

} // namespace midcom
