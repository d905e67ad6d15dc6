// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_plan.h"

#include <algorithm>

#include "sip/cursor.h"

namespace midcom::sip {

namespace {

struct Protocol {
  std::string_view name;
  bool has_rtcp;
};

// What runs over UDP. Anything else makes no flow here.
constexpr Protocol udp_protocols[] = {
    {"RTP/AVP", true},    {"RTP/AVPF", true},         {"RTP/SAVP", true},
    {"RTP/SAVPF", true},  {"UDP/TLS/RTP/SAVP", true}, {"UDP/TLS/RTP/SAVPF", true},
    {"udptl", false},     {"UDP/TLS/UDPTL", false},   {"UDP/DTLS/SCTP", false},
    {"DTLS/SCTP", false}, {"UDP/BFCP", false},        {"UDP/TLS/BFCP", false},
};

bool is_equal(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

const Protocol* udp_protocol(std::string_view name) {
  const auto* found = std::ranges::find_if(
      udp_protocols, [&](const Protocol& protocol) { return is_equal(protocol.name, name); });
  return found == std::end(udp_protocols) ? nullptr : found;
}

bool is_multicast(const IpAddress& address) {
  return address.family == IpAddress::Family::ipv4 ? (address.octets[0] & 0xf0) == 0xe0
                                                   : address.octets[0] == 0xff;
}

bool is_unicast(const SdpConnection& connection) {
  return connection.address && !connection.has_suffix && !is_multicast(*connection.address);
}

// RFC 8840 4.1.1: port 9 says that the candidates are still to come.
bool is_hold(const Sdp& sdp, std::size_t index, const SdpConnection& connection,
             std::uint16_t port) {
  return (connection.address && connection.address->is_unspecified()) ||
         (port == 9 && sdp.has_ice(index));
}

std::optional<ReceiveAddress> rtp_address(const Sdp& sdp, std::size_t index) {
  const SdpMedia& media = sdp.media()[index];
  const SdpConnection* connection = sdp.connection_of(index);
  if (media.port == 0 || connection == nullptr || udp_protocol(media.protocol) == nullptr)
    return std::nullopt;
  return ReceiveAddress{index,
                        Component::rtp,
                        connection->text,
                        connection->address,
                        media.port,
                        is_hold(sdp, index, *connection, media.port)};
}

// RFC 3605 2.1; RFC 8858: none of its own with a=rtcp-mux-only.
std::optional<ReceiveAddress> rtcp_address(const Sdp& sdp, std::size_t index) {
  const SdpMedia& media = sdp.media()[index];
  const auto rtp = rtp_address(sdp, index);
  if (!rtp || media.is_rtcp_mux_only || !udp_protocol(media.protocol)->has_rtcp)
    return std::nullopt;
  const unsigned port = media.rtcp ? media.rtcp->port : media.port + 1U;
  if (port == 0 || port > 65535) return std::nullopt;
  const SdpConnection& connection =
      media.rtcp && media.rtcp->connection ? *media.rtcp->connection : *sdp.connection_of(index);
  const auto number = static_cast<std::uint16_t>(port);
  return ReceiveAddress{index,           Component::rtcp,
                        connection.text, connection.address,
                        number,          rtp->is_hold || is_hold(sdp, index, connection, number)};
}

bool is_sending(Direction direction) {
  return direction == Direction::sendrecv || direction == Direction::sendonly;
}

bool is_receiving(Direction direction) {
  return direction == Direction::sendrecv || direction == Direction::recvonly;
}

// One side of a stream; what it says of RTP decides the stream's state.
struct Side {
  const Sdp& sdp;
  std::size_t index;
  const SdpMedia& media;

  Side(const SdpPtr& description, std::size_t at)
      : sdp(*description), index(at), media(sdp.media()[at]) {}
  [[nodiscard]] StreamState state() const;
  [[nodiscard]] Direction direction() const { return sdp.direction_of(index); }
  [[nodiscard]] bool has_ice() const { return sdp.has_ice(index); }
  [[nodiscard]] bool has_dtls() const;
};

bool Side::has_dtls() const {
  constexpr std::string_view tls = "TLS";
  return !std::ranges::search(media.protocol, tls, [](char a, char b) {
            return to_lower(a) == to_lower(b);
          }).empty();
}

StreamState Side::state() const {
  if (media.port == 0) return StreamState::refused;
  const auto rtp = rtp_address(sdp, index);
  if (!rtp || media.port_count != 1 || media.connections.size() > 1 ||
      !is_unicast(*sdp.connection_of(index)))
    return StreamState::unsupported;
  return rtp->is_hold ? StreamState::held : StreamState::open;
}

StreamState joint_state(const Side& caller, const Side& callee) {
  const StreamState states[] = {caller.state(), callee.state()};
  for (const StreamState one : {StreamState::refused, StreamState::unsupported, StreamState::held})
    if (std::ranges::find(states, one) != std::end(states)) return one;
  const bool is_one_family = caller.sdp.connection_of(caller.index)->address->family ==
                             callee.sdp.connection_of(callee.index)->address->family;
  return is_one_family ? StreamState::open : StreamState::unsupported;
}

Endpoint endpoint_of(const ReceiveAddress& address) {
  return {*address.address, address.port};
}

MediaFlow rtp_flow(const Side& caller, const Side& callee, bool is_muxed) {
  MediaFlow flow{caller.index, Component::rtp, MediaTransport::udp,
                 endpoint_of(*rtp_address(caller.sdp, caller.index)),
                 endpoint_of(*rtp_address(callee.sdp, callee.index))};
  const Direction asked = caller.direction();
  const Direction got = callee.direction();
  const bool is_inactive = asked == Direction::inactive || got == Direction::inactive;
  const bool is_two_way = is_muxed || caller.has_ice() || callee.has_ice() ||
                          (!is_inactive && (caller.has_dtls() || callee.has_dtls()));
  flow.from_caller = is_two_way || (is_sending(asked) && is_receiving(got));
  flow.from_callee = is_two_way || (is_sending(got) && is_receiving(asked));
  return flow;
}

std::optional<MediaFlow> rtcp_flow(const Side& caller, const Side& callee) {
  // Who can only mux has no other port, whatever the other side wants.
  const auto one = rtcp_address(caller.sdp, caller.index);
  const auto two = rtcp_address(callee.sdp, callee.index);
  if (!one || !two) return std::nullopt;
  for (const auto& [side, address] : {std::pair{&caller, &*one}, std::pair{&callee, &*two}}) {
    const auto& rtcp = side->media.rtcp;
    if (address->is_hold || !address->address) return std::nullopt;
    if (rtcp && rtcp->connection && !is_unicast(*rtcp->connection)) return std::nullopt;
  }
  if (one->address->family != two->address->family) return std::nullopt;
  return MediaFlow{caller.index, Component::rtcp, MediaTransport::udp, endpoint_of(*one),
                   endpoint_of(*two)};
}

} // namespace

MediaPlan plan_media(const SessionPair& pair) {
  MediaPlan plan;
  for (std::size_t index = 0; index < pair.caller->media().size(); ++index) {
    const SdpMedia& media = pair.caller->media()[index];
    PlannedStream& stream = plan.streams.emplace_back();
    stream.index = index;
    stream.type = media.type;
    stream.protocol = media.protocol;
    stream.state = StreamState::refused; // when the other description has no such m= line
    if (index >= pair.callee->media().size()) continue;
    const Side caller(pair.caller, index);
    const Side callee(pair.callee, index);
    stream.state = joint_state(caller, callee);
    if (stream.state != StreamState::open) continue;
    stream.is_muxed = caller.media.is_rtcp_mux && callee.media.is_rtcp_mux;
    const MediaFlow rtp = rtp_flow(caller, callee, stream.is_muxed);
    if (rtp.from_caller || rtp.from_callee) plan.flows.push_back(rtp);
    if (stream.is_muxed) continue;
    if (const auto rtcp = rtcp_flow(caller, callee)) plan.flows.push_back(*rtcp);
  }
  return plan;
}

std::vector<ReceiveAddress> receive_addresses(const Sdp& sdp) {
  std::vector<ReceiveAddress> addresses;
  for (std::size_t index = 0; index < sdp.media().size(); ++index) {
    if (const auto rtp = rtp_address(sdp, index)) addresses.push_back(*rtp);
    if (const auto rtcp = rtcp_address(sdp, index)) addresses.push_back(*rtcp);
  }
  return addresses;
}

} // namespace midcom::sip
