// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of the media of one leg: values, no judgement.
#pragma once

#include <cstdint>
#include <map>

#include "sip/transaction.h"

namespace midcom {

// One direction of one component of a stream.
struct MediaKey {
  std::uint16_t stream = 0;
  std::uint8_t component = 1; // 1 RTP, 2 RTCP
  bool is_from_caller = true;
  auto operator<=>(const MediaKey&) const = default;
};

struct MediaTotals {
  std::uint64_t packets = 0, bytes = 0;
  auto operator<=>(const MediaTotals&) const = default;
};

using MediaCounts = std::map<MediaKey, MediaTotals>;

// Of which directions of a stream nothing comes, though the session lets it flow.
enum class Silence : std::uint8_t { nobody, caller, callee, both };

struct MediaFacts {
  std::map<MediaKey, std::uint32_t> first_ms; // the first packet, after its flow was opened
  MediaCounts ended;                          // of flows that are gone
  MediaCounts seen;                           // when it was last looked at
  sip::TimePoint active{};                    // when something was last seen to arrive
  bool is_watched = false;
  std::map<std::uint16_t, Silence> told; // by stream: what the log said last
};

} // namespace midcom
