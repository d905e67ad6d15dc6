// SPDX-License-Identifier: GPL-3.0-or-later
// What a kernel element says of itself, so that a restarted middlebox can go on: its owners, whose
// they are, and how long they live. At most 256 octets (NFT_USERDATA_MAXLEN).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pinhole/request.h"

namespace midcom::pinhole {

struct OwnerRecord {
  GroupId group{};
  Participants participants{};
  std::uint16_t stream = 0;
  std::uint8_t component = 1;
  std::uint32_t deadline_s = 0; // CLOCK_REALTIME
  std::uint32_t created_s = 0;  // first request of the group, CLOCK_REALTIME
  auto operator<=>(const OwnerRecord&) const = default;
};

inline constexpr std::size_t max_userdata = 256;

// nullopt: no owners, or they don't fit (7 of one pair of participants do).
[[nodiscard]] std::optional<std::string> encode_owners(const std::vector<OwnerRecord>& owners);
// Accepts exactly what encode_owners() gives.
[[nodiscard]] std::optional<std::vector<OwnerRecord>> decode_owners(std::string_view bytes);

} // namespace midcom::pinhole
