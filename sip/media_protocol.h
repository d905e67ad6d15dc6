// SPDX-License-Identifier: GPL-3.0-or-later
// The protocols of m= lines that a firewall can open the path of.
#pragma once

#include <cstdint>
#include <string_view>

#include "sip/ice.h"

namespace midcom::sip {

enum class MediaPayload : std::uint8_t { rtp, udptl, other };

struct MediaProtocol {
  std::string_view name;
  MediaTransport transport;
  MediaPayload payload; // rtp: has RTCP
  bool has_dtls = false;
  bool is_msrp = false;
};

// In either case of letters; nullptr for any other.
[[nodiscard]] const MediaProtocol* find_media_protocol(std::string_view name);

} // namespace midcom::sip
