// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/peer_directory.h"

#include <algorithm>
#include <cctype>

#include "daemon/flow_token.h"
#include "sip/message.h"

namespace midcom {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::any_of(list, [&](const std::string& s) { return sip::iequals(s, text); });
}

unsigned shared_bits(const sip::IpAddress& a, const sip::IpAddress& b) {
  unsigned bits = 0;
  for (std::size_t i = 0; i < a.octets.size(); ++i) {
    const unsigned difference = static_cast<unsigned>(a.octets[i] ^ b.octets[i]);
    if (difference == 0) {
      bits += 8;
      continue;
    }
    for (unsigned mask = 0x80; (difference & mask) == 0; mask >>= 1) ++bits;
    break;
  }
  return bits;
}

Transport transport_of(const sip::Uri& uri, Transport fallback) {
  if (uri.is_secure()) return Transport::tls;
  const auto parameter = uri.parameter("transport");
  if (!parameter) return fallback;
  if (sip::iequals(*parameter, "tls")) return Transport::tls;
  if (sip::iequals(*parameter, "tcp")) return Transport::tcp;
  if (sip::iequals(*parameter, "udp")) return Transport::udp;
  return fallback;
}

std::uint16_t default_port(Transport transport) {
  return transport == Transport::tls ? 5061 : 5060;
}

} // namespace

PeerDirectory::PeerDirectory(const AgentConfig& config) : config_(config) {
  for (const auto& peer : config_.peers) {
    const std::string_view side = peer.side.empty() ? peer.name : peer.side;
    for (const auto& prefix : peer.networks) sides_.push_back({prefix, side});
    for (const auto& prefix : peer.media) sides_.push_back({prefix, side});
  }
}

PeerIndex PeerDirectory::peer_of(const FlowInfo& flow) const {
  const auto source = to_pinhole(flow.remote.address);
  PeerIndex best = no_peer;
  int best_length = -1;
  for (PeerIndex i = 0; i < config_.peers.size(); ++i) {
    const auto& peer = config_.peers[i];
    const bool proven =
        peer.identities.empty() || std::ranges::any_of(flow.identities, [&](const auto& identity) {
          return contains(peer.identities, identity);
        });
    if (!proven) continue;
    for (const auto& prefix : peer.networks)
      if (prefix.contains(source) && prefix.length > best_length) {
        best = i;
        best_length = prefix.length;
      }
  }
  return best;
}

bool PeerDirectory::is_own(const sip::Uri& uri) const {
  const auto literal = sip::IpAddress::parse(uri.host);
  bool named = contains(config_.names, uri.host);
  bool port_matches = !uri.port;
  for (const auto& listener : config_.listeners) {
    const bool is_host = (literal && *literal == listener.address.address) ||
                         sip::iequals(listener.advertised, uri.host);
    if (is_host) named = true;
    if (uri.port && *uri.port == listener.address.port && (is_host || !literal))
      port_matches = true;
  }
  return named && port_matches;
}

PeerIndex PeerDirectory::route(std::string_view domain) const {
  const auto peer_named = [&](const std::string& name) {
    for (PeerIndex i = 0; i < config_.peers.size(); ++i)
      if (config_.peers[i].name == name) return i;
    return no_peer;
  };
  for (const auto& route : config_.routes)
    if (sip::iequals(route.domain, domain)) return peer_named(route.peer);
  for (const auto& route : config_.routes)
    if (route.domain == "*") return peer_named(route.peer);
  return no_peer;
}

std::optional<PeerDirectory::Hop> PeerDirectory::hop_for(const sip::Uri& uri) const {
  const auto literal = sip::IpAddress::parse(uri.host);
  for (PeerIndex i = 0; i < config_.peers.size(); ++i) {
    const auto& peer = config_.peers[i];
    if (!peer.next_hop) continue;
    if (literal) {
      const auto address = to_pinhole(*literal);
      if (!std::ranges::any_of(peer.networks, [&](const auto& p) { return p.contains(address); }))
        continue;
      // Nothing in a message talks us out of TLS towards a peer that has it.
      const Transport transport = transport_of(uri, peer.next_hop->transport);
      if (peer.next_hop->transport == Transport::tls && transport != Transport::tls) continue;
      const std::uint16_t port = uri.port.value_or(default_port(transport));
      return Hop{i, {transport, {*literal, port}, peer.next_hop->tls_name}};
    }
    if (sip::iequals(peer.next_hop->tls_name, uri.host) || contains(peer.identities, uri.host))
      return Hop{i, *peer.next_hop};
  }
  return std::nullopt;
}

PeerIndex PeerDirectory::by_token_value(std::uint64_t value) const {
  for (PeerIndex i = 0; i < config_.peers.size(); ++i)
    if (peer_token_value(config_.peers[i].name) == value) return i;
  return no_peer;
}

std::string_view PeerDirectory::side_of(const sip::IpAddress& address) const {
  return side_of(to_pinhole(address));
}

std::string_view PeerDirectory::side_of(const pinhole::Address& wanted) const {
  std::string_view side;
  int best = -1;
  for (const auto& network : sides_)
    if (network.prefix.length > best && network.prefix.contains(wanted)) {
      best = network.prefix.length;
      side = network.side;
    }
  return side;
}

std::size_t PeerDirectory::listener_for(Transport transport, const sip::IpAddress& remote) const {
  std::size_t best = 0;
  int best_score = -1;
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    const auto& listener = config_.listeners[i];
    int score = 0;
    if (listener.transport == transport) score += 1000;
    if (listener.address.address.family == remote.family)
      score += 500 + static_cast<int>(shared_bits(listener.address.address, remote));
    if (score > best_score) {
      best = i;
      best_score = score;
    }
  }
  return best;
}

} // namespace midcom
