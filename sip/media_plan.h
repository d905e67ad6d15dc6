// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sip/ip_address.h"
#include "sip/offer_answer.h"

namespace midcom::sip {

// Views in what this header gives live as long as the descriptions.

enum class Component : std::uint8_t { rtp = 1, rtcp = 2 };
enum class MediaTransport : std::uint8_t { udp, tcp };

// One flow both sides agreed on: packets between two exact receive addresses, which are also the
// senders' (symmetric RTP, RFC 4961).
struct MediaFlow {
  std::size_t stream = 0; // index of the m= line
  Component component = Component::rtp;
  MediaTransport transport = MediaTransport::udp;
  Endpoint caller;
  Endpoint callee;
  bool from_caller = true; // packets caller -> callee may pass
  bool from_callee = true;
  auto operator<=>(const MediaFlow&) const = default;
};

// A receive address whose sender the descriptions don't fix: an ICE candidate, the passive end of a
// connection, the address of an offer without an answer, or one whose sender may be behind a NAT.
// What its first packets must be.
struct MediaSink {
  std::size_t stream = 0;
  Component component = Component::rtp;
  MediaTransport transport = MediaTransport::udp;
  Party receiver = Party::caller;
  Endpoint at;
  bool has_stun = false, has_dtls = false, has_rtp = false, has_rtcp = false, has_udptl = false;
  std::bitset<128> payload_types; // with has_rtp: of the receiver's description (and its bundle's)
  std::string_view receiver_ufrag, sender_ufrag, receiver_password; // with has_stun; sender's: ""
                                                                    // before the answer
  std::vector<Endpoint> senders; // what the other description signals; port 0: any (TCP, active)
  bool awaits_answer = false;    // of plan_offer()
  // The flow from the one signalled sender is among `flows`: of use only where the sender may be
  // somebody else (NAT).
  bool is_exact = false;
};

enum class StreamState : std::uint8_t {
  open,        // flows are in the plan
  refused,     // port 0 on either side
  held,        // 0.0.0.0 or :: on a side, or port 9 with ICE: no flow
  bundled,     // shares the flows of another m= line (RFC 8843)
  unsupported, // not UDP media (TCP/..., other), host name, multicast, port range: no flow
};

struct PlannedStream {
  std::size_t index = 0;
  std::string_view type; // of the caller's description
  std::string_view protocol;
  StreamState state = StreamState::open;
  bool is_muxed = false; // RTP and RTCP on one port (both sides have rtcp-mux)
};

struct MediaPlan {
  std::vector<PlannedStream> streams;
  std::vector<MediaFlow> flows;
  std::vector<MediaSink> sinks;
};

// The flows a pair needs (RFC 3264, 3605, 5761, 8858), ordered by stream and component: RTP on the
// m= ports; RTCP on a=rtcp or port + 1 when not muxed by both. One-way streams (sendonly/recvonly)
// of plain RTP open RTP one way and RTCP both ways; with ICE or DTLS both ways (their handshakes go
// both ways). inactive: RTCP only, except that with ICE the RTP path stays too (consent checks go
// on, RFC 7675). A muxed flow carries RTCP and so is open both ways always. Families that differ
// between the two sides make the stream `unsupported`; when only RTCP's addresses don't fit (host
// name, hold, other family) just its flow is left out. Bundled streams can give equal endpoints.
[[nodiscard]] MediaPlan plan_media(const SessionPair& pair);

// What an offer needs before its answer is known: sinks at the offerer's own receive addresses
// (RFC 3264 5.1: it must be ready to receive at once), no flows.
[[nodiscard]] MediaPlan plan_offer(const Sdp& offer, Party offerer);

// The transport addresses one description asks to receive on: what belief judges, and a superset of
// what plan_media() can name. Default addresses of UDP streams with a port; candidates are listed
// apart. RTCP's is there unless a=rtcp-mux-only: the other side may not mux.
struct ReceiveAddress {
  std::size_t stream = 0;
  Component component = Component::rtp;
  std::string_view text;            // as written, for the log
  std::optional<IpAddress> address; // empty: host name
  std::uint16_t port = 0;
  bool is_hold = false; // unspecified address, or port 9 with ICE
};
[[nodiscard]] std::vector<ReceiveAddress> receive_addresses(const Sdp& sdp);

} // namespace midcom::sip
