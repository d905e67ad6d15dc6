// SPDX-License-Identifier: GPL-3.0-or-later
// The shapes of media packets, none of which prove anything: could this be one?
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace midcom::pinhole {

// A payload that may have been cut on its way here: judged by the lengths it states, but no octet
// is read that isn't there. What depends on such an octet is taken for right, if only the first
// header is whole.
struct Payload {
  std::string_view octets;
  std::size_t size = 0; // on the wire; not less than there is of it
};

// A handshake record at the beginning of a connection (RFC 6347 4.1, 4.2.2; RFC 9147 4).
[[nodiscard]] bool is_dtls_handshake(const Payload& payload);
// The payload type of an RTP packet (RFC 3550 5.1, 5.3.1). Its padding is counted by an octet that
// SRTP encrypts, so there must only be something that can be padding.
[[nodiscard]] std::optional<std::uint8_t> read_rtp(const Payload& payload);
// RFC 3550 6.4, RFC 5506, RFC 5761 4. What follows the first packet is either more of them up to
// the end, or encrypted, with the trailer of RFC 3711 3.4.
[[nodiscard]] bool is_rtcp(const Payload& payload);
// RFC 5761 4: the second octet that RTP doesn't use where both share a port.
[[nodiscard]] bool has_rtcp_type(const Payload& payload);
// T.38 annex C: sequence number, primary packet, error recovery, and nothing behind.
[[nodiscard]] bool is_udptl(const Payload& payload);

} // namespace midcom::pinhole
