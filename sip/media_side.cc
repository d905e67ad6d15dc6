// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_side.h"

#include <algorithm>

namespace midcom::sip {

namespace {

bool is_multicast(const IpAddress& address) {
  return address.family == IpAddress::Family::ipv4 ? (address.octets[0] & 0xf0) == 0xe0
                                                   : address.octets[0] == 0xff;
}

bool is_sendable(const IpAddress& address) {
  return !address.is_unspecified() && !is_multicast(address);
}

bool is_unicast(const SdpConnection& connection) {
  return connection.address && !connection.has_suffix && !is_multicast(*connection.address);
}

// RFC 8840 4.1.1: port 9 says that the candidates are still to come.
bool is_hold(const Sdp& sdp, std::size_t index, const std::optional<IpAddress>& address,
             std::uint32_t port) {
  return (address && address->is_unspecified()) || (port == discard_port && sdp.has_ice(index));
}

// RFC 6714 5: who knows CEMA connects to the address of c= and m=, not to the one of a=path.
const SdpPath* path_of(const SdpMedia& media) {
  return media.path && !media.attribute("msrp-cema") ? &*media.path : nullptr;
}

std::optional<ReceiveAddress> rtp_address(const Sdp& sdp, std::size_t index, std::uint32_t pair) {
  const SdpMedia& media = sdp.media()[index];
  const SdpConnection* connection = sdp.connection_of(index);
  const MediaProtocol* protocol = find_media_protocol(media.protocol);
  if (media.port == 0 || connection == nullptr || protocol == nullptr) return std::nullopt;
  const std::uint32_t port = media.port + 2 * pair;
  if (port > 65535) return std::nullopt;
  ReceiveAddress address{index,
                         Component::rtp,
                         connection->text,
                         connection->address,
                         static_cast<std::uint16_t>(port),
                         is_hold(sdp, index, connection->address, port),
                         protocol->transport,
                         false};
  if (const SdpPath* path = protocol->is_msrp ? path_of(media) : nullptr) {
    address.text = path->text;
    address.address = path->address;
    address.port = path->port;
    address.is_hold = is_hold(sdp, index, path->address, path->port);
  }
  address.only_connects = protocol->transport == MediaTransport::tcp &&
                          (sdp.setup_of(index) == Setup::active || address.port == discard_port);
  return address;
}

// RFC 3605 2.1; RFC 8858: none of its own with a=rtcp-mux-only. With several port pairs a=rtcp says
// nothing.
std::optional<ReceiveAddress> rtcp_address(const Sdp& sdp, std::size_t index, std::uint32_t pair) {
  const SdpMedia& media = sdp.media()[index];
  const auto rtp = rtp_address(sdp, index, pair);
  if (!rtp || media.is_rtcp_mux_only ||
      find_media_protocol(media.protocol)->payload != MediaPayload::rtp)
    return std::nullopt;
  const bool is_named = media.rtcp && media.port_count == 1;
  const unsigned port = is_named ? media.rtcp->port : rtp->port + 1U;
  if (port == 0 || port > 65535) return std::nullopt;
  const SdpConnection& connection =
      is_named && media.rtcp->connection ? *media.rtcp->connection : *sdp.connection_of(index);
  ReceiveAddress address = *rtp;
  address.component = Component::rtcp;
  address.text = connection.text;
  address.address = connection.address;
  address.port = static_cast<std::uint16_t>(port);
  address.is_hold = rtp->is_hold || is_hold(sdp, index, connection.address, port);
  return address;
}

// The pairs that receive_addresses() tells of.
std::uint32_t pairs_of(const SdpMedia& media) {
  return std::min(media.port_count, max_port_pairs);
}

bool is_plannable(const SdpCandidate& candidate) {
  return candidate.transport && candidate.component <= 2;
}

// What the description and fragments say, in this order.
template <class Function>
void each_candidate(const Sdp& sdp, std::size_t index, std::span<const TrickleFragmentPtr> trickled,
                    const Function& function) {
  for (const SdpCandidate& candidate : sdp.media()[index].candidates) function(candidate);
  for (const TrickleFragmentPtr& fragment : trickled)
    if (const TrickledMedia* media = fragment->find(sdp, index))
      for (const SdpCandidate& candidate : media->candidates) function(candidate);
}

} // namespace

std::optional<ReceiveAddress> default_address(const Sdp& sdp, std::size_t index,
                                              Component component, std::uint32_t pair) {
  return component == Component::rtp ? rtp_address(sdp, index, pair)
                                     : rtcp_address(sdp, index, pair);
}

std::vector<ReceiveAddress> receive_addresses(const Sdp& sdp) {
  std::vector<ReceiveAddress> addresses;
  for (std::size_t index = 0; index < sdp.media().size(); ++index)
    for (std::uint32_t pair = 0; pair < pairs_of(sdp.media()[index]); ++pair)
      for (const Component component : {Component::rtp, Component::rtcp})
        if (const auto address = default_address(sdp, index, component, pair))
          addresses.push_back(*address);
  return addresses;
}

std::vector<ReceiveAddress> candidate_addresses(const Sdp& sdp,
                                                std::span<const TrickleFragmentPtr> trickled) {
  std::vector<ReceiveAddress> addresses;
  for (std::size_t index = 0; index < sdp.media().size(); ++index)
    each_candidate(sdp, index, trickled, [&](const SdpCandidate& candidate) {
      if (!is_plannable(candidate)) return;
      addresses.push_back({index, static_cast<Component>(candidate.component),
                           candidate.address_text, candidate.address, candidate.port, false,
                           *candidate.transport, candidate.tcp_type == TcpType::active});
    });
  return addresses;
}

MediaSide::MediaSide(const Sdp& sdp, std::size_t index,
                     std::span<const TrickleFragmentPtr> trickled)
    : sdp_(sdp), index_(index), protocol_(find_media_protocol(sdp.media()[index].protocol)) {
  if (!has_ice()) return;
  each_candidate(sdp, index, trickled, [&](const SdpCandidate& candidate) {
    if (!is_plannable(candidate) || !candidate.address || !is_sendable(*candidate.address)) return;
    const bool is_tcp = candidate.transport == MediaTransport::tcp;
    const bool is_active = is_tcp && candidate.tcp_type == TcpType::active;
    if ((is_tcp && candidate.tcp_type == TcpType::none) || (candidate.port == 0 && !is_active))
      return;
    const std::uint16_t port = is_active ? 0 : candidate.port; // RFC 6544 4.5: 9, or any
    candidates_.push_back({static_cast<Component>(candidate.component),
                           *candidate.transport,
                           candidate.tcp_type,
                           {*candidate.address, port}});
  });
  std::ranges::sort(candidates_);
  const auto twice = std::ranges::unique(candidates_);
  candidates_.erase(twice.begin(), twice.end());
}

StreamState MediaSide::state() const {
  if (media().port == 0) return StreamState::refused;
  const auto rtp = default_address(sdp_, index_, Component::rtp);
  const bool has_pairs = media().port_count > 1;
  if (!rtp || !rtp->address || is_multicast(*rtp->address)) return StreamState::unsupported;
  const bool has_path = protocol_->is_msrp && path_of(media()) != nullptr;
  if (!has_path && (media().connections.size() > 1 || !is_unicast(*sdp_.connection_of(index_))))
    return StreamState::unsupported;
  if (has_pairs && (!has_rtp() || !is_over(MediaTransport::udp) || has_ice() ||
                    media().port_count > max_port_pairs ||
                    !default_address(sdp_, index_, Component::rtp, media().port_count - 1)))
    return StreamState::unsupported;
  return rtp->is_hold ? StreamState::held : StreamState::open;
}

std::optional<Endpoint> MediaSide::endpoint(Component component, std::uint32_t pair) const {
  const auto address = default_address(sdp_, index_, component, pair);
  if (!address || address->is_hold || address->port == 0 || !address->address ||
      !is_sendable(*address->address))
    return std::nullopt;
  const auto& rtcp = media().rtcp;
  if (component == Component::rtcp && rtcp && rtcp->connection && !is_unicast(*rtcp->connection))
    return std::nullopt;
  return Endpoint{*address->address, address->port};
}

bool MediaSide::is_sending() const {
  return direction() == Direction::sendrecv || direction() == Direction::sendonly;
}

bool MediaSide::is_receiving() const {
  return direction() == Direction::sendrecv || direction() == Direction::recvonly;
}

bool MediaSide::has_rtp() const {
  return protocol_ != nullptr && protocol_->payload == MediaPayload::rtp;
}

bool MediaSide::is_over(MediaTransport transport) const {
  return protocol_ != nullptr && protocol_->transport == transport;
}

} // namespace midcom::sip
