// SPDX-License-Identifier: GPL-3.0-or-later
// A plain SIP message made into a signed and sealed one of the end-to-middle profile: identity
// body, signature, envelopes, labels, Date.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sip/e2m/certificate.h"
#include "sip/e2m/cms_scan.h"
#include "sip/e2m/private_key.h"
#include "sip/message.h"

namespace midcom::sip::e2m {

struct SealOrder {
  const Message& message;
  const Certificate& signer; // is a recipient, too, of what is shared
  const PrivateKey& key;
  std::span<const Certificate> chain = {};      // goes into the signature
  std::span<const Certificate> recipients = {}; // the far user agents; none: sign only
  std::span<const Certificate> middles = {};    // each gets a label by its first DNS name
  // SRTP keys for `recipients` alone, in a private part; the shared part has the description
  // without them.
  bool has_private_part = false;
  bool is_detached = false; // multipart/signed instead of signed-data
  bool has_identity = true; // without it a middle verifies nothing
  AesSize cipher = AesSize::aes128;
  std::optional<std::string> cek_reference = std::nullopt; // offers the shared part's CEK
  std::int64_t now = 0; // seconds since the epoch: signingTime, and Date when there is none
};

// How often an answer may use the CEK that was offered: forks and provisional answers each count.
inline constexpr std::uint32_t offered_decrypts = 32;

enum class SealFault : std::uint8_t {
  no_body,         // nothing to seal
  encoded_body,    // Content-Encoding: nobody on the way would read it
  nobody_to_read,  // middles or a private part, but no far user agent
  nameless_middle, // a middle's certificate has no DNS name
  not_description, // a private part is asked for of what is no readable SDP
  no_keys,         // a private part is asked for, but nothing is private
  headers,         // the identity body can't say what the message's header fields say
  key,             // the key isn't the signer's certificate's, or one that isn't taken
  bad_reference,   // longer than a CEKReference may be, or empty
  too_large,       // more octets or recipients than midcomd itself would take
  library,         // libcrypto failed for a reason of its own
};
[[nodiscard]] std::string_view to_string(SealFault fault);

[[nodiscard]] std::expected<std::string, SealFault> seal_message(const SealOrder& order);

} // namespace midcom::sip::e2m
