// SPDX-License-Identifier: GPL-3.0-or-later
// The exact flows of one m= line over UDP. Part of media_plan.
#pragma once

#include <vector>

#include "sip/media_side.h"

namespace midcom::sip {

// Both sides of an m= line.
struct SidePair {
  std::size_t index = 0;
  MediaSide caller, callee;

  [[nodiscard]] bool has_ice() const { return caller.has_ice() && callee.has_ice(); }
  // Whether both say the same kind of media over the same transport.
  [[nodiscard]] bool is_alike() const;
  // What their default addresses are good for together.
  [[nodiscard]] StreamState state() const;
};

// Which ways media goes on the RTP path.
struct Ways {
  bool from_caller = false, from_callee = false;
};
[[nodiscard]] Ways ways_of(const SidePair& sides, bool is_muxed);

// Of a stream that is open: between the default addresses; RTP open the `ways` given.
[[nodiscard]] std::vector<MediaFlow> media_flows(const SidePair& sides, Ways ways,
                                                 bool has_rtcp_path);

} // namespace midcom::sip
