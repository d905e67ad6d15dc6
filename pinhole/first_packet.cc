// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/first_packet.h"

#include <algorithm>
#include <optional>

#include "pinhole/octets.h"
#include "pinhole/stun.h"

namespace midcom::pinhole {

namespace {

constexpr std::uint8_t tcp = 6, udp = 17;
constexpr std::size_t udp_header = 8;

using Judged = std::expected<Kind, GateReason>;
using std::unexpected;

// The transport header and what follows it: what is there, and its size by the IP header.
struct Transport {
  std::string_view octets;
  std::size_t size = 0;
};

void read_address(OctetReader& reader, std::size_t size, Address& address) {
  std::ranges::transform(reader.view(size), address.octets.begin(),
                         [](char octet) { return static_cast<std::uint8_t>(octet); });
}

std::optional<Transport> transport(std::string_view packet, std::size_t header, std::size_t total) {
  if (header > total || header > packet.size()) return {};
  return Transport{packet.substr(0, total).substr(header), total - header};
}

std::optional<Transport> read_ipv4(std::string_view packet, FlowKey& key) {
  OctetReader reader(packet);
  const std::size_t header = std::size_t{4} * (reader.u8() & 0x0fU);
  reader.skip(1); // DSCP, ECN
  const std::size_t total = reader.u16();
  reader.skip(2); // identification
  const std::uint16_t fragment = reader.u16();
  reader.skip(1); // TTL
  const std::uint8_t protocol = reader.u8();
  reader.skip(2); // checksum: the kernel has seen to it
  read_address(reader, 4, key.source.address);
  read_address(reader, 4, key.destination.address);
  if (!reader.is_good()) return {};
  key.protocol = protocol;
  if (header < 20 || (fragment & 0x3fff) != 0) return {}; // more fragments, offset
  return transport(packet, header, total);
}

std::optional<Transport> read_ipv6(std::string_view packet, FlowKey& key) {
  constexpr std::size_t header = 40;
  OctetReader reader(packet);
  reader.skip(4); // version, traffic class, flow label
  const std::size_t size = reader.u16();
  const std::uint8_t protocol = reader.u8();
  reader.skip(1); // hop limit
  key.source.address.family = key.destination.address.family = Family::ipv6;
  read_address(reader, 16, key.source.address);
  read_address(reader, 16, key.destination.address);
  if (!reader.is_good()) return {};
  key.protocol = protocol;
  return transport(packet, header, header + size);
}

bool read_ports(OctetReader& reader, FlowKey& key) {
  key.source.port = reader.u16();
  key.destination.port = reader.u16();
  return reader.is_good() && key.source.port != 0 && key.destination.port != 0;
}

std::optional<Datagram> read_udp(const Transport& from, FlowKey& key) {
  OctetReader reader(from.octets);
  if (!read_ports(reader, key)) return {};
  const std::size_t size = reader.u16();
  reader.skip(2); // checksum
  if (!reader.is_good() || size != from.size) return {};
  return Datagram{key, {from.octets.substr(udp_header), size - udp_header}};
}

std::optional<Datagram> read_tcp(const Transport& from, FlowKey& key) {
  OctetReader reader(from.octets);
  if (!read_ports(reader, key)) return {};
  reader.skip(8); // sequence and acknowledgement numbers
  const std::size_t header = std::size_t{4} * (reader.u8() >> 4U);
  const std::uint8_t flags = reader.u8();
  reader.skip(6); // window, checksum, urgent pointer
  if (!reader.is_good() || header < 20 || header > from.size) return {};
  constexpr std::uint8_t fin = 1, syn = 2, rst = 4, ack = 16;
  return Datagram{key, {}, (flags & (fin | syn | rst | ack)) == syn};
}

Judged judge_stun(const Payload& payload, const Promise& promise) {
  const auto message = read_stun(payload.octets);
  if (payload.octets.size() != payload.size || !message || message->type != stun_binding_request)
    return unexpected(GateReason::unknown_kind);
  // RFC 8445 7.2.2: the username is receiver ":" sender.
  const std::string receiver = promise.receiver_ufrag + ':';
  const std::string_view name = message->username.value_or(std::string_view{});
  const bool is_sender_known = !promise.awaits_answer || !promise.sender_ufrag.empty();
  const std::string_view sender = name.substr(std::min(name.size(), receiver.size()));
  if (promise.receiver_ufrag.empty() || sender.empty() ||
      !are_equal_in_constant_time(name.substr(0, receiver.size()), receiver) ||
      (is_sender_known && !are_equal_in_constant_time(sender, promise.sender_ufrag)))
    return unexpected(GateReason::wrong_ufrag);
  if (!has_right_fingerprint(*message)) return unexpected(GateReason::wrong_integrity);
  const bool is_right = promise.receiver_password.empty()
                            ? message->integrity || message->integrity_sha256
                            : has_right_integrity(*message, promise.receiver_password);
  if (!is_right) return unexpected(GateReason::wrong_integrity);
  return kind_stun;
}

Judged judge_dtls(const Payload& payload) {
  if (!is_dtls_handshake(payload)) return unexpected(GateReason::unknown_kind);
  return kind_dtls;
}

bool is_promised(std::uint8_t payload_type, const Promise& promise) {
  return (promise.payload_types[payload_type / 8] >> payload_type % 8 & 1) != 0;
}

// RFC 5761 4: where both may come the second octet tells.
Judged judge_rtp_or_rtcp(const Payload& payload, const Promise& promise) {
  const bool is_rtp_promised = (promise.kinds & kind_rtp) != 0;
  if ((promise.kinds & kind_rtcp) != 0 && (!is_rtp_promised || has_rtcp_type(payload))) {
    if (!is_rtcp(payload)) return unexpected(GateReason::unknown_kind);
    return kind_rtcp;
  }
  const auto payload_type = read_rtp(payload);
  if (!is_rtp_promised || !payload_type) return unexpected(GateReason::unknown_kind);
  if (!is_promised(*payload_type, promise)) return unexpected(GateReason::wrong_payload);
  return kind_rtp;
}

// RFC 7983 7: the first octet tells what to try.
Judged judge_multiplexed(const Payload& payload, const Promise& promise) {
  if (payload.octets.empty()) return unexpected(GateReason::unknown_kind);
  const auto first = static_cast<std::uint8_t>(payload.octets.front());
  if (first <= 3 && (promise.kinds & kind_stun) != 0) return judge_stun(payload, promise);
  if (first >= 20 && first <= 63 && (promise.kinds & kind_dtls) != 0) return judge_dtls(payload);
  if (first >= 128 && first <= 191) return judge_rtp_or_rtcp(payload, promise);
  return unexpected(GateReason::unknown_kind);
}

Judged judge_contents(const Datagram& datagram, const Promise& promise) {
  if (datagram.key.protocol == tcp) {
    if (datagram.opens_connection && (promise.kinds & kind_tcp) != 0) return kind_tcp;
    return unexpected(GateReason::unknown_kind);
  }
  const Judged judged = judge_multiplexed(datagram.payload, promise);
  // UDPTL begins with any octet.
  if (!judged && (promise.kinds & kind_udptl) != 0 && is_udptl(datagram.payload)) return kind_udptl;
  return judged;
}

} // namespace

std::string_view to_string(GateReason reason) {
  switch (reason) {
  case GateReason::no_sink:
    return "no-sink";
  case GateReason::malformed:
    return "malformed";
  case GateReason::unknown_kind:
    return "unknown-kind";
  case GateReason::wrong_source:
    return "wrong-source";
  case GateReason::wrong_ufrag:
    return "wrong-ufrag";
  case GateReason::wrong_integrity:
    return "wrong-integrity";
  case GateReason::wrong_payload:
    return "wrong-payload";
  case GateReason::too_many_parked:
    return "too-many-parked";
  case GateReason::too_many_admitted:
    return "too-many-admitted";
  case GateReason::not_answered:
    return "not-answered";
  }
  return "unknown";
}

std::expected<Datagram, FlowKey> read_datagram(std::string_view packet) {
  FlowKey key;
  std::optional<Transport> from;
  const int version = packet.empty() ? 0 : static_cast<std::uint8_t>(packet.front()) >> 4;
  if (version == 4) from = read_ipv4(packet, key);
  if (version == 6) from = read_ipv6(packet, key);
  std::optional<Datagram> datagram;
  if (from && key.protocol == udp) datagram = read_udp(*from, key);
  if (from && key.protocol == tcp) datagram = read_tcp(*from, key);
  if (!datagram) return unexpected(key);
  return *datagram;
}

bool may_send(const Endpoint& source, Kind kind, const Promise& promise) {
  if (promise.awaits_answer) return true;
  if (promise.source == SourceRule::any_verified && kind == kind_stun) return true;
  return std::ranges::any_of(promise.senders, [&](const Endpoint& sender) {
    if (sender.address != source.address) return false;
    return sender.port == source.port || sender.port == 0 ||
           promise.source != SourceRule::signalled;
  });
}

std::expected<Kind, GateReason> judge(const Datagram& datagram, const Promise& promise) {
  const Judged judged = judge_contents(datagram, promise);
  if (judged && !may_send(datagram.key.source, *judged, promise))
    return unexpected(GateReason::wrong_source);
  return judged;
}

} // namespace midcom::pinhole
