// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

#include "sip/e2m/error.h"

namespace midcom::sip::e2m {

// Why nobody is believed. to_string() gives the word for logs (kebab-case, stable).
enum class Distrust : std::uint8_t {
  // What the octets themselves show (verify):
  malformed,     // no SignedData of this profile
  unsupported,   // of an algorithm or a kind that is not taken
  weak,          // a key, or a signature in the chain, below 112 bits of security
  no_signer,     // nobody signed, or the signer's certificate is not inside
  bad_signature, // the signature does not verify
  // What the certificate's chain shows:
  self_signed,   // vouches for itself
  untrusted,     // does not lead to a trusted authority
  bad_chain,     // leads there, but against a rule of RFC 5280 6: length, names, policy, signatures
  not_yet_valid, // it, or an authority above it
  expired,       // it, or an authority above it
  revoked,       // it, or an authority above it
  crl_missing,   // no list of the issuer, though one is required
  crl_stale,     // the list's time is over or hasn't come, though one is required
  crl_bad,       // the list can't be read or wasn't signed by the issuer
  // What the certificate is for:
  key_usage,   // its key is not for this
  purpose,     // its extended key usage is not what the policy asks for
  no_identity, // it names no sip: or sips: URI
  failure,     // libcrypto failed for a reason of its own
};

[[nodiscard]] std::string_view to_string(Distrust distrust);
// What verify_signature refused, in these words.
[[nodiscard]] Distrust distrust_of(Error error);

} // namespace midcom::sip::e2m
