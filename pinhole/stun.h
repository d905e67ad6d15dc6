// SPDX-License-Identifier: GPL-3.0-or-later
// STUN messages (RFC 8489) as far as a gate needs them: who is meant, and is the proof right?
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace midcom::pinhole {

inline constexpr std::uint16_t stun_binding_request = 0x0001;

// Views of the octets it was read from.
struct StunMessage {
  std::uint16_t type = 0;
  std::string_view octets;
  std::optional<std::string_view> username{}; // one behind MESSAGE-INTEGRITY doesn't count
  // Values, and as views into `octets` also what precedes them.
  std::optional<std::string_view> integrity{}, integrity_sha256{}, fingerprint{};
};
// nullopt: no STUN of RFC 8489, or its lengths don't fit, or something follows FINGERPRINT. The
// message is all of `octets`.
[[nodiscard]] std::optional<StunMessage> read_stun(std::string_view octets);

[[nodiscard]] bool has_right_fingerprint(const StunMessage& message);
// At least one of MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256, and whatever there is of them is
// right: short-term credentials, the key is the password (ice-char: nothing to prepare).
[[nodiscard]] bool has_right_integrity(const StunMessage& message, std::string_view password);
// libcrypto reads its configuration when it is first used: here, or with the first proof.
void load_stun_digests();
[[nodiscard]] bool are_equal_in_constant_time(std::string_view a, std::string_view b);

} // namespace midcom::pinhole
