// SPDX-License-Identifier: GPL-3.0-or-later
// The error type of end-to-middle security. An Error says what was wrong with the input, never more
// than the input's own public octets show: whatever happens once a private key or a CEK is at work
// is `undecipherable`. to_string() gives the word used in logs (kebab-case, stable).
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace midcom::sip::e2m {

enum class Error : std::uint8_t {
  malformed,             // not the DER this profile takes: lengths, tags, order, octets left over
  truncated,             // ends before its own lengths say
  too_large,             // more octets than the limit
  too_many,              // more recipients, certificates, signers or attributes than the limit
  too_deep,              // nested deeper than the limit
  unsupported_type,      // a content type that is not handled here
  unsupported_version,   // a CMSVersion that does not belong to what it stands in
  unsupported_recipient, // a kind of RecipientInfo or originator outside the profile
  unsupported_algorithm, // an algorithm identifier outside the allow-list
  bad_parameters,        // an allowed algorithm with parameters of another shape or value
  cbc,                   // enveloped-data, which has no authentication: never decrypted
  undecipherable,        // the one answer for every failure of decryption
  bad_certificate,       // octets that are no certificate, or text without one
  bad_key,               // octets that are no private key, or a key for another certificate
  weak_key,              // neither RSA of 2048 to 8192 bits nor on P-256 or P-384
  no_signer,             // nobody signed, or the signer's certificate is not inside
  bad_signature,         // the signature does not verify
  bad_request,           // what the caller wants sealed or signed makes no sense
  library,               // libcrypto failed for a reason of its own
};

[[nodiscard]] std::string_view to_string(Error error);

template <class T>
using Result = std::expected<T, Error>;

} // namespace midcom::sip::e2m
