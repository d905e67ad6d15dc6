// SPDX-License-Identifier: GPL-3.0-or-later
// The first packet of a flow, read from its IP header on and held to a promise. Pure: nothing is
// read beyond the octets given, nothing is kept.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "pinhole/flow.h"
#include "pinhole/media_packet.h"
#include "pinhole/promise.h"

namespace midcom::pinhole {

// Why a packet went no further. The words are in to_string() and are the ones of the log. Of
// several reasons the later one here tells more.
enum class GateReason : std::uint8_t {
  no_sink,         // nobody waits there (any more)
  malformed,       // no IP, UDP or TCP that can be read
  unknown_kind,    // none of what was promised
  wrong_source,    // from an address or port that was not signalled
  wrong_ufrag,     // STUN for somebody else
  wrong_integrity, // MESSAGE-INTEGRITY or FINGERPRINT
  wrong_payload,   // RTP of a type nobody has agreed on
  too_many_parked,
  too_many_admitted,
  not_answered, // parked until its time was over, or the answer left it out
};
[[nodiscard]] std::string_view to_string(GateReason reason);

struct Datagram {
  FlowKey key;
  Payload payload;               // of UDP
  bool opens_connection = false; // TCP: SYN without ACK, RST, FIN
};
// IPv4, and IPv6 without extension headers; no fragments; UDP or TCP with lengths that agree. What
// is behind the IP header's length isn't part of it. The error is the key as far as it could be
// read.
[[nodiscard]] std::expected<Datagram, FlowKey> read_datagram(std::string_view packet);

// What it is, if the promise fits; what it holds is judged before whom it comes from. While the
// answer is awaited everybody may be the sender.
[[nodiscard]] std::expected<Kind, GateReason> judge(const Datagram& datagram,
                                                    const Promise& promise);
// May first packets of that kind come from `source`?
[[nodiscard]] bool may_send(const Endpoint& source, Kind kind, const Promise& promise);

} // namespace midcom::pinhole
