// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/belief.h"

#include <algorithm>

#include "sip/media_plan.h"

namespace midcom {
namespace {

bool in_any(const std::vector<pinhole::Prefix>& prefixes, const pinhole::Address& address) {
  return std::ranges::any_of(prefixes,
                             [&](const auto& prefix) { return prefix.contains(address); });
}

bool in_any(const std::vector<pinhole::PortRange>& ranges, std::uint16_t port) {
  return std::ranges::any_of(
      ranges, [&](const auto& range) { return port >= range.first && port <= range.last; });
}

// Reason::none when media may live there.
Reason judge_address(const AgentConfig& config, const PeerConfig& peer,
                     const sip::IpAddress& source, const sip::IpAddress& address) {
  const auto wanted = to_pinhole(address);
  if (wanted.is_special() || in_any(config.forbidden_hosts, wanted))
    return Reason::media_forbidden_address;
  const bool is_own = std::ranges::any_of(
      config.listeners, [&](const auto& listener) { return listener.address.address == address; });
  if (is_own) return Reason::media_forbidden_address;
  if (peer.media_is_source && address == source) return Reason::none;
  if (in_any(peer.media, wanted)) return Reason::none;
  return peer.media.empty() ? Reason::media_not_source : Reason::media_outside_networks;
}

Reason judge_port(const AgentConfig& config, std::uint16_t port) {
  if (!in_any(config.media_ports, port) || in_any(config.forbidden_ports, port))
    return Reason::media_forbidden_port;
  return Reason::none;
}

Reason judge_receive(const AgentConfig& config, const PeerConfig& peer,
                     const sip::IpAddress& source, const sip::ReceiveAddress& receive) {
  if (!receive.address) return Reason::media_forbidden_address; // a host name is nobody's promise
  const Reason reason = judge_address(config, peer, source, *receive.address);
  if (reason != Reason::none || receive.only_connects) return reason;
  return judge_port(config, receive.port);
}

} // namespace

bool Judgement::is_denied(std::size_t stream) const {
  return std::ranges::any_of(denied, [&](const auto& d) { return d.stream == stream; });
}

bool Judgement::is_blocked(std::size_t stream) const {
  return std::ranges::any_of(
      denied, [&](const auto& d) { return d.stream == stream && d.address.empty(); });
}

bool is_believed(const AgentConfig& config, PeerIndex peer, const sip::IpAddress& source,
                 const sip::Endpoint& endpoint) {
  if (peer == no_peer) return false;
  const PeerConfig& named = config.peers[peer];
  if (judge_address(config, named, source, endpoint.address) != Reason::none) return false;
  return endpoint.port == 0 || judge_port(config, endpoint.port) == Reason::none;
}

Judgement judge(const AgentConfig& config, PeerIndex peer_index, const sip::IpAddress& source,
                const sip::Sdp& sdp) {
  const PeerConfig& peer = config.peers[peer_index];
  Judgement judgement;
  judgement.peer = peer_index;
  judgement.source = source;
  for (const auto& receive : sip::receive_addresses(sdp)) {
    if (receive.is_hold) continue;
    const Reason reason = judge_receive(config, peer, source, receive);
    if (reason == Reason::none) continue;
    judgement.denied.push_back(
        {receive.stream, reason, std::string(receive.text) + ":" + std::to_string(receive.port)});
    if (judgement.refusal == Reason::none && !sdp.has_ice(receive.stream))
      judgement.refusal = reason;
  }
  for (const auto& candidate : sip::candidate_addresses(sdp))
    if (judge_receive(config, peer, source, candidate) != Reason::none)
      ++judgement.candidates_left_out;
  return judgement;
}

} // namespace midcom
