// SPDX-License-Identifier: GPL-3.0-or-later
// What the descriptions of both sides promise of the first packets to a receive address whose
// sender isn't known yet. The gate holds them to it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "pinhole/endpoint.h"

namespace midcom::pinhole {

// Who may be taken for the sender. Never wider than the policy's media networks of the side of one
// of `senders`; where these don't tell a side, of any but the receiver's.
enum class SourceRule : std::uint8_t {
  signalled,    // an address and port that the other side's description names
  same_address, // also another port of such an address
  any_verified, // also another address, where STUN proves it (RFC 8445), nothing else does
};

// What a first packet may be. Bits of Promise::kinds.
enum Kind : std::uint8_t {
  kind_stun = 1,   // a Binding request of the negotiated ufrags (RFC 8445 7.2.2)
  kind_dtls = 2,   // a handshake record (RFC 6347)
  kind_rtp = 4,    // version 2, with one of the payload types
  kind_rtcp = 8,   // version 2, a packet type of RFC 5761 4
  kind_udptl = 16, // T.38 annex C
  kind_tcp = 32,   // the first segment of a connection
  all_kinds = 63,
};

struct Promise {
  std::uint8_t kinds = 0;
  // The offer has no answer yet: nobody's address is known. What fits is parked until there is one.
  bool awaits_answer = false;
  SourceRule source = SourceRule::signalled;
  std::uint32_t session = 0;     // where senders are learned: another session learns anew
  std::vector<Endpoint> senders; // port 0: any port (RFC 4145: the active end's)
  std::array<std::uint8_t, 16> payload_types{}; // type n: bit n % 8 of octet n / 8
  std::string receiver_ufrag, sender_ufrag;     // the latter is empty while no answer is known
  std::string receiver_password;                // empty: not disclosed to us
  auto operator<=>(const Promise&) const = default;
};

inline constexpr std::size_t max_senders = 64;     // of one promise
inline constexpr std::size_t max_ice_string = 256; // RFC 8839 5.4

} // namespace midcom::pinhole
