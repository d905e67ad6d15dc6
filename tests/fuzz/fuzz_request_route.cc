// SPDX-License-Identifier: GPL-3.0-or-later
// Routing never leads anywhere but to a flow of this epoch or a configured peer, never sends sips
// in the clear to one, and never makes Route values out of nothing.
#include <cstdint>

#include "daemon/request_route.h"
#include "gateway.h"
#include "tests/fuzz/require.h"

using midcom::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace midcom;
  static const AgentConfig config = fuzz::gateway();
  static const PeerDirectory peers(config);
  constexpr SecretKey key{};
  const auto message = sip::Message::parse(std::string(reinterpret_cast<const char*>(data), size),
                                           sip::Framing::datagram, {});
  if (!message || !(*message)->is_request()) return 0;
  const auto route = route_request(**message, peers, key, 1);
  if (!route) {
    require(route.error() != Reason::none);
    return 0;
  }
  if (const auto* peer = std::get_if<ToPeer>(&route->next)) {
    require(peer->peer < config.peers.size());
    const auto& hop = peers.at(peer->peer);
    const bool is_next_hop = peer->target == *hop.next_hop;
    require(is_next_hop || hop.networks[0].contains(to_pinhole(peer->target.address.address)));
    require(peer->target.tls_name == hop.next_hop->tls_name);
    const bool is_rewritten = route->new_request_uri.has_value();
    if (!is_rewritten && (*message)->request_uri().is_secure())
      require(peer->target.transport == Transport::tls);
  }
  const auto routes = (*message)->values(sip::HeaderName::route);
  require(route->routes.size() <= routes.size());
  if (!route->has_new_routes) require(route->routes.size() == routes.size());
  if (route->new_request_uri) require(sip::Uri::parse(*route->new_request_uri).has_value());
  return 0;
}
