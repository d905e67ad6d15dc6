// SPDX-License-Identifier: GPL-3.0-or-later
// Keyed hashes (HMAC-SHA256, cut) over length-prefixed fields: no two different lists of fields
// give the same input.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "daemon/secrets.h"
#include "pinhole/request.h"

namespace midcom {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest keyed_hash(const SecretKey& key,
                                std::initializer_list<std::string_view> fields);

// The group of one dialog: order of the tags doesn't matter, so that either side's request finds
// it.
[[nodiscard]] pinhole::GroupId group_id(const SecretKey& key, std::string_view call_id,
                                        std::string_view tag, std::string_view other_tag);
// All 0 for an empty identity.
[[nodiscard]] pinhole::Identity hashed_identity(const SecretKey& key, std::string_view identity);

[[nodiscard]] std::string to_hex(const std::uint8_t* octets, std::size_t size);

} // namespace midcom
