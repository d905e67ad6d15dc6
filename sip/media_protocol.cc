// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_protocol.h"

#include <algorithm>

#include "sip/header_name.h"

namespace midcom::sip {

namespace {

constexpr auto udp = MediaTransport::udp;
constexpr auto tcp = MediaTransport::tcp;
constexpr auto rtp = MediaPayload::rtp;
constexpr auto udptl = MediaPayload::udptl;
constexpr auto other_payload = MediaPayload::other;

constexpr MediaProtocol protocols[] = {
    {"RTP/AVP", udp, rtp},
    {"RTP/AVPF", udp, rtp},
    {"RTP/SAVP", udp, rtp},
    {"RTP/SAVPF", udp, rtp},
    {"UDP/TLS/RTP/SAVP", udp, rtp, true},
    {"UDP/TLS/RTP/SAVPF", udp, rtp, true},
    {"udptl", udp, udptl},
    {"UDP/TLS/UDPTL", udp, udptl, true}, // RFC 7345
    {"UDP/DTLS/SCTP", udp, other_payload, true},
    {"DTLS/SCTP", udp, other_payload, true},
    {"UDP/BFCP", udp, other_payload},
    {"UDP/TLS/BFCP", udp, other_payload, true},
    {"TCP", tcp, other_payload}, // RFC 4145, T.38
    {"TCP/TLS", tcp, other_payload},
    {"TCP/MSRP", tcp, other_payload, false, true},
    {"TCP/TLS/MSRP", tcp, other_payload, false, true},
    {"TCP/BFCP", tcp, other_payload},
    {"TCP/TLS/BFCP", tcp, other_payload},
    {"TCP/DTLS/BFCP", tcp, other_payload, true},
    {"TCP/RTP/AVP", tcp, rtp}, // RFC 4571
    {"TCP/RTP/AVPF", tcp, rtp},
    {"TCP/RTP/SAVP", tcp, rtp},
    {"TCP/RTP/SAVPF", tcp, rtp},
    {"TCP/TLS/RTP/AVP", tcp, rtp},
    {"TCP/TLS/RTP/AVPF", tcp, rtp},
    {"TCP/TLS/RTP/SAVP", tcp, rtp},
    {"TCP/TLS/RTP/SAVPF", tcp, rtp},
    {"TCP/DTLS/RTP/SAVP", tcp, rtp, true}, // RFC 7850
    {"TCP/DTLS/RTP/SAVPF", tcp, rtp, true},
    {"TCP/DTLS/SCTP", tcp, other_payload, true},
};

} // namespace

const MediaProtocol* find_media_protocol(std::string_view name) {
  const auto* found = std::ranges::find_if(
      protocols, [&](const MediaProtocol& protocol) { return iequals(protocol.name, name); });
  return found == std::end(protocols) ? nullptr : found;
}

} // namespace midcom::sip
