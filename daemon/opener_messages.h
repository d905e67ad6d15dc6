// SPDX-License-Identifier: GPL-3.0-or-later
// What agent and opener say to each other, encoded as channel_codec.h says: one record, its first
// octet the kind, every octet consumed, every count and enumerator checked.
//
// pair    the two participants of a message as the agent knows them, in one fixed order; CEKs are
//         kept by it, and all of one pair goes to the same opener
// body    octets as they lie in the message, transfer encoding undone
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/wire.h"

namespace midcom::opener {

// Two bodies and the rest keep below max_channel_message (channel.h).
inline constexpr std::size_t max_body = 64512;
inline constexpr std::size_t max_pair = 1024;
inline constexpr std::size_t max_uris = 16;
inline constexpr std::size_t max_uri = 256;

using Digest = std::array<std::uint8_t, 32>;

// Decrypt a CMS AuthEnvelopedData.
struct Open {
  std::uint64_t id = 0; // the reply has the same
  std::string pair{};
  std::string der{};
  bool may_use_private_key = false; // else only a key of an earlier message of this pair
  std::uint64_t now = 0;            // seconds since the epoch, of the agent's clock
  auto operator<=>(const Open&) const = default;
};
// Verify a CMS SignedData.
struct Verify {
  std::uint64_t id = 0;
  std::string der{};
  std::optional<std::string> detached{}; // what is signed, when it isn't inside
  std::uint64_t now = 0;
  auto operator<=>(const Verify&) const = default;
};
using Request = std::variant<Open, Verify>;

// Not open: nothing more is said, whatever the reason.
struct Opened {
  std::uint64_t id = 0;
  bool is_open = false;
  std::string content{}; // a MIME entity
  bool by_kek = false;   // by a key of an earlier message: no private key was used
  auto operator<=>(const Opened&) const = default;
};
enum class Finding : std::uint8_t {
  trusted,
  bad_signature,      // the arithmetic is wrong
  unsupported,        // no SignedData of this profile
  untrusted,          // no good chain to an authority of ours
  expired,            // the signer's certificate, or one above it
  not_yet_valid,      // the same
  revoked,            // the same
  revocation_unknown, // no list in force, though one is required
  purpose,            // a certificate that isn't made for this use
  no_identity,        // a certificate without a SIP URI
  failed,             // for a reason of our own
};
// What was signed and by whom is told only of what is trusted.
struct Verified {
  std::uint64_t id = 0;
  Finding finding = Finding::failed;
  std::string content{};           // what is inside; empty when it was detached
  std::vector<std::string> uris{}; // of the signer's certificate
  Digest identity{};               // of what was signed by which key: what a replay has again
  Digest signer{};                 // SHA-256 of the signer's certificate
  auto operator<=>(const Verified&) const = default;
};
using Reply = std::variant<Opened, Verified>;

// encode() throws std::length_error beyond the bounds above; fits() tells before.
[[nodiscard]] bool fits(const Request& request);
[[nodiscard]] std::string encode(const Request& request);
[[nodiscard]] std::string encode(const Reply& reply);
[[nodiscard]] std::expected<Request, WireError> decode_request(std::string_view bytes);
[[nodiscard]] std::expected<Reply, WireError> decode_reply(std::string_view bytes);

[[nodiscard]] std::uint64_t id_of(const Request& request);
[[nodiscard]] std::uint64_t id_of(const Reply& reply);
[[nodiscard]] std::string_view to_string(Finding finding);

} // namespace midcom::opener
