// SPDX-License-Identifier: GPL-3.0-or-later
// SignedData (RFC 5652 5) in the profile of RFC 8551 and 8591: one signer, whose certificate is
// inside; signed attributes; SHA-256, SHA-384 or SHA-512; ECDSA on P-256 or P-384, RSA from 2048
// bits.
//
// A signature that verifies says only that some key signed. Whose key that is and whether it may be
// believed is for TrustStore (trust.h), the one place where content becomes TrustedContent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/e2m/certificate.h"
#include "sip/e2m/digest.h"
#include "sip/e2m/error.h"
#include "sip/e2m/private_key.h"

namespace midcom::sip::e2m {

struct SignRequest {
  std::string_view content; // for multipart/signed the first part's entity, octet by octet
  const Certificate& signer;
  const PrivateKey& key;
  std::span<const Certificate> chain = {}; // put inside with the signer's: what leads to its root
  bool is_detached = false;
  std::int64_t time = 0; // signingTime, seconds since the epoch
};

// The DER of a ContentInfo. RSA keys sign by RSASSA-PSS, P-384 with SHA-384, all others with
// SHA-256.
[[nodiscard]] Result<std::string> sign(const SignRequest& request);

// What one key signed.
class SignedContent {
public:
  [[nodiscard]] const Certificate& signer() const { return signer_; }
  // The other certificates inside, in no order that means anything.
  [[nodiscard]] std::span<const Certificate> others() const { return others_; }
  // Names what was signed by which key: SHA-256 over the signer's public key and the content's
  // digest. Not over signature or certificate: whoever carries an ECDSA signature, a certificate's
  // too, can change it into another valid one, and a replay cache would see something new.
  [[nodiscard]] const Digest& identity() const { return identity_; }
  // For showing to a person who knows that nobody vouches for it. Never for a decision.
  [[nodiscard]] const std::string& content_of_anyone() const { return content_; }

private:
  friend class SignatureReader;
  friend class TrustStore;
  SignedContent(std::string content, Certificate signer, std::vector<Certificate> others,
                const Digest& identity)
      : content_(std::move(content)), signer_(std::move(signer)), others_(std::move(others)),
        identity_(identity) {}

  std::string content_;
  Certificate signer_;
  std::vector<Certificate> others_;
  Digest identity_;
};

// `detached`: what was signed, when it isn't inside; it must be given exactly then.
// Errors: no_signer (nobody, or a certificate that isn't inside), too_many (signers),
// unsupported_algorithm, weak_key, malformed, bad_signature, and those of scan_cms.
[[nodiscard]] Result<SignedContent> verify_signature(std::string_view der,
                                                     std::optional<std::string_view> detached);

} // namespace midcom::sip::e2m
