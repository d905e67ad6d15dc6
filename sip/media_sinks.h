// SPDX-License-Identifier: GPL-3.0-or-later
// The sinks of one m= line. Part of media_plan.
#pragma once

#include <vector>

#include "sip/media_side.h"

namespace midcom::sip {

// What the path of an m= line brings one party, with what its bundle adds.
struct Carried {
  bool dtls = false, rtp = false, rtcp = false, udptl = false;
  std::bitset<128> payload_types;
  void add(const Carried& more);
};

// What the sender may send the receiver. A null sender is still unknown. `has_ice` is of the m=
// line whose path it is: those that ride along need not say it again (RFC 8843 7.1.3).
[[nodiscard]] Carried carried_to(const MediaSide& receiver, const MediaSide* sender, bool has_ice);

// One party of a stream and the other one.
struct StreamEnds {
  std::size_t stream = 0;
  Party receiver = Party::caller;
  const MediaSide& here;
  const MediaSide* there; // null: not known yet
  Carried carried;        // to the receiver
  bool is_muxed = false;  // what is on RTCP's path comes on RTP's
  bool has_rtcp_path = false;
};

[[nodiscard]] std::vector<MediaSink> ice_sinks(const StreamEnds& ends);
// Where the other party connects to.
[[nodiscard]] std::vector<MediaSink> connection_sinks(const StreamEnds& ends);
// The default addresses of an offer over UDP.
[[nodiscard]] std::vector<MediaSink> offer_sinks(const StreamEnds& ends);
// At the receiver's end of a flow; empty when the gate knows nothing that must come there.
[[nodiscard]] std::optional<MediaSink> exact_sink(const StreamEnds& ends, const MediaFlow& flow);

} // namespace midcom::sip
