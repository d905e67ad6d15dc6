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
inline constexpr std::size_t max_body = std::size_t{63} * 1024;
inline constexpr std::size_t max_pair = 1024;
inline constexpr std::size_t max_uris = 16;
inline constexpr std::size_t max_uri = 256;
inline constexpr std::size_t max_certificate = 4096;
inline constexpr std::size_t max_recipients = 12;
inline constexpr std::size_t max_reference = 128;

using Digest = std::array<std::uint8_t, 32>;

// Decrypt a CMS AuthEnvelopedData.
struct Open {
  std::uint64_t id = 0; // the reply has the same
  std::string pair{};
  std::string user{}; // whose private key: a [user]'s address of record; empty: that of [smime]
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
// Sign a MIME entity by a user's key and seal what comes of it. A KEK that isn't known any more is
// left out; with nobody to seal it for it is signed alone.
struct Seal {
  std::uint64_t id = 0;
  std::string pair{};
  std::string user{};                    // who signs: a [user]'s address of record
  std::string content{};                 // a MIME entity, its identity body inside
  std::vector<std::string> recipients{}; // certificates
  bool is_for_user = false;              // who signs is a recipient too, where there is any
  std::string kek_reference{}; // of the pair's message whose CEK makes the KEK; empty: none
  std::string cek_reference{}; // offers this message's CEK for what answers it; empty: doesn't
  std::uint64_t now = 0;
  auto operator<=>(const Seal&) const = default;
};
// May be encrypted to? `der` is a certificate, or the CMS of a certs-only message.
struct CheckCertificate {
  std::uint64_t id = 0;
  std::string der{};
  std::uint64_t now = 0;
  auto operator<=>(const CheckCertificate&) const = default;
};
using Request = std::variant<Open, Verify, Seal, CheckCertificate>;

// Not open: nothing more is said, whatever the reason.
struct Opened {
  std::uint64_t id = 0;
  bool is_open = false;
  std::string content{};       // a MIME entity
  bool by_kek = false;         // by a key of an earlier message: no private key was used
  std::string cek_reference{}; // of its own CEK, which is kept for the answer; empty: none
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
  std::string certificate{};       // the signer's, when it may be encrypted to
  auto operator<=>(const Verified&) const = default;
};
struct Sealed {
  std::uint64_t id = 0;
  bool is_done = false;   // not: nothing more is said
  bool is_sealed = false; // else it is signed alone
  std::string der{};
  auto operator<=>(const Sealed&) const = default;
};
struct CheckedCertificate {
  std::uint64_t id = 0;
  Finding finding = Finding::failed;
  std::string certificate{};       // the one that was checked; only with `trusted`, like the rest
  std::vector<std::string> uris{}; // sip: and sips:
  std::vector<std::string> dns_names{};
  auto operator<=>(const CheckedCertificate&) const = default;
};
// Each at the place that its request has in Request.
using Reply = std::variant<Opened, Verified, Sealed, CheckedCertificate>;

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
