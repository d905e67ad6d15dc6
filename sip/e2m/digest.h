// SPDX-License-Identifier: GPL-3.0-or-later
// SHA-256, by which certificates and messages are known.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace midcom::sip::e2m {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest sha256(std::string_view octets);

} // namespace midcom::sip::e2m
