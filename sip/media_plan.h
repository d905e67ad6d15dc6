// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bitset>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sip/ip_address.h"
#include "sip/offer_answer.h"
#include "sip/trickle_ice.h"

namespace midcom::sip {

// Views in what this header gives live as long as the descriptions and fragments.

enum class Component : std::uint8_t { rtp = 1, rtcp = 2 }; // rtp: also what has no RTCP

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
  MediaTransport transport = MediaTransport::udp; // tcp: the first packet opens a connection
  Party receiver = Party::caller;
  Endpoint at;
  bool has_stun = false, has_dtls = false, has_rtp = false, has_rtcp = false, has_udptl = false;
  std::bitset<128> payload_types; // with has_rtp: of the receiver's description (and its bundle's)
  std::string_view receiver_ufrag, sender_ufrag, receiver_password; // with has_stun; sender's: ""
                                                                    // before the answer
  std::vector<Endpoint> senders; // what the other description signals, of the family of `at`, in
                                 // order; port 0: any (TCP, active). At most max_media_senders
  bool awaits_answer = false;    // of plan_offer()
  // The flow from the one signalled sender is among `flows`: of use only where the sender may be
  // somebody else (NAT).
  bool is_exact = false;
};

inline constexpr std::size_t max_media_flows = 128;
inline constexpr std::size_t max_media_sinks = 128;
inline constexpr std::size_t max_media_senders = 64;
inline constexpr std::uint32_t max_port_pairs = 16; // "<port>/<n>"

enum class StreamState : std::uint8_t {
  open,        // flows or sinks are in the plan
  refused,     // port 0 on either side
  held,        // 0.0.0.0 or :: on a side, port 9 with ICE and no candidates, a=setup:holdconn
  bundled,     // shares the flows and sinks of another m= line (RFC 8843)
  unsupported, // another protocol, host name, multicast, families or port ranges that differ, two
               // ends that both connect or both wait: neither flow nor sink
};

struct PlannedStream {
  std::size_t index = 0;
  std::string_view type; // of the caller's description
  std::string_view protocol;
  StreamState state = StreamState::open;
  bool is_muxed = false; // RTP and RTCP on one port (both sides have rtcp-mux)
  // Both sides go on with the connection they have (RFC 4145 5): what the gate admitted for this
  // stream stays, also when who would open a new one changes.
  bool keeps_connection = false;
  std::size_t carrier = 0; // bundled: whose flows and sinks it uses; else its own index
};

struct MediaPlan {
  std::vector<PlannedStream> streams;
  std::vector<MediaFlow> flows;
  std::vector<MediaSink> sinks;
  std::size_t left_out = 0; // flows and sinks beyond the limits: of the last streams, and of sinks
                            // first those that are exact
};

// The fragments of both sides. As each repeats those before it the longest is enough; more are
// merged. Those of another ICE user name than the description's are left out.
struct TrickledCandidates {
  std::vector<TrickleFragmentPtr> caller, callee;
};

// What a pair needs (RFC 3264, 3605, 4145, 4975, 5761, 8839, 8843, 8858), flows and sinks ordered
// by stream and component; no two flows of the same two ends, no two sinks of the same receiver,
// address and transport.
//
// Flows, over UDP: RTP on the m= ports; RTCP on a=rtcp or port + 1 when not muxed by both; with
// "<port>/<n>", when both have the same n, so many pairs. One-way streams (sendonly/recvonly) of
// plain RTP open RTP one way and RTCP both ways; with ICE on both sides or DTLS both ways (their
// handshakes go both ways). inactive: RTCP only, except that with ICE the RTP path stays too
// (consent checks go on, RFC 7675). A muxed flow carries RTCP and so is open both ways always. When
// only RTCP's addresses don't fit (host name, hold, other family) just its flow is left out.
//
// Sinks: with ICE on both sides each UDP candidate, and each TCP candidate that may be connected
// to; else each receive address of a flow (is_exact), where the gate knows what must come there;
// over TCP the end that a=setup makes passive (by default the answerer). An address that two
// m= lines claim with different ICE credentials is the first's.
//
// Bundled m= lines (mids of the answer's group, in one group of the offer, on the same line) use
// the flows and sinks of the answer's first accepted one.
[[nodiscard]] MediaPlan plan_media(const SessionPair& pair,
                                   const TrickledCandidates& trickled = {});

// Has a stream of both pairs other ICE user names in the later one (RFC 8839 4.4.1.1.1)?
[[nodiscard]] bool restarts_ice(const SessionPair& before, const SessionPair& after);

// What an offer needs before its answer is known: sinks at the offerer's own receive addresses
// (RFC 3264 5.1: it must be ready to receive at once), no flows. Of a bundle each m= line with a
// port of its own may turn out to carry all.
[[nodiscard]] MediaPlan plan_offer(const Sdp& offer, Party offerer,
                                   std::span<const TrickleFragmentPtr> trickled = {});

// The transport addresses one description asks to receive on: what belief judges, and with
// candidate_addresses() a superset of what plans can name. Default addresses of streams with a
// port. RTCP's is there unless a=rtcp-mux-only: the other side may not mux.
struct ReceiveAddress {
  std::size_t stream = 0;
  Component component = Component::rtp;
  std::string_view text;            // as written, for the log
  std::optional<IpAddress> address; // empty: host name
  std::uint16_t port = 0;
  bool is_hold = false; // unspecified address, or port 9 with ICE
  MediaTransport transport = MediaTransport::udp;
  bool only_connects = false; // a=setup:active: the port means nothing (RFC 4145 4.1)
};
[[nodiscard]] std::vector<ReceiveAddress> receive_addresses(const Sdp& sdp);

// The candidates of all streams that plans may name: over UDP or TCP, of component 1 or 2, host
// names included.
[[nodiscard]] std::vector<ReceiveAddress>
candidate_addresses(const Sdp& sdp, std::span<const TrickleFragmentPtr> trickled = {});

} // namespace midcom::sip
