// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>

namespace midcom {

using SecretKey = std::array<std::uint8_t, 32>;

// Derived (HKDF-SHA256, one label each) by the supervisor from the one secret file, handed to the
// agent in a memfd: a restarted agent goes on with the same keys.
struct Secrets {
  SecretKey flow_token{}; // RFC 5626 flow tokens
  SecretKey group{};      // group ids
  SecretKey identity{};   // hashed identities of participants
  SecretKey tag{};        // branch and tag values that must be recognised again
};

} // namespace midcom
