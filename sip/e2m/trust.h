// SPDX-License-Identifier: GPL-3.0-or-later
// Who is believed: trusted authorities, their revocation lists, and what a certificate must allow.
// Chains are checked by RFC 5280 6 at the time given; authorities and certificates below 112 bits
// of security (RSA below 2048 bits, SHA-1) are not taken.
//
// Content and trust can't be parted: TrustedContent is made by TrustStore alone, after every check,
// and who isn't believed has a Distrust and no content. There is no flag to forget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/e2m/certificate.h"
#include "sip/e2m/chain_cache.h"
#include "sip/e2m/chain_checker.h"
#include "sip/e2m/distrust.h"
#include "sip/e2m/error.h"
#include "sip/e2m/signature.h"

namespace midcom::sip::e2m {

struct PurposePolicy {
  enum class Kind : std::uint8_t {
    any,      // extended key usage isn't looked at
    email,    // RFC 8550 4.4.4: emailProtection or anyExtendedKeyUsage, or no such extension
    required, // one of `oids` by its own number, and the extension must be there
  };
  Kind kind = Kind::email;
  std::vector<std::string> oids = {}; // dotted
};

struct TrustConfig {
  // PEM texts, each with any number of blocks. Anchors must be certificates of authorities.
  std::vector<std::string> authorities;
  std::vector<std::string> revocation_lists = {};
  PurposePolicy purpose = {};
  // true: every certificate of a chain needs a list in force (crl = require). false: a list that is
  // there is used, also when its time is over, for whom it names stays revoked.
  bool is_crl_required = true;
  std::size_t cached_chains = 1024;
};

// What a believed signer signed.
class TrustedContent {
public:
  [[nodiscard]] const std::string& content() const& { return content_; }
  [[nodiscard]] std::string content() && { return std::move(content_); }
  // The signer's sip: and sips: URIs, as the certificate has them; at least one.
  [[nodiscard]] const std::vector<std::string>& uris() const { return uris_; }
  [[nodiscard]] const Certificate& signer() const { return signer_; }
  [[nodiscard]] const Digest& identity() const { return identity_; } // SignedContent::identity

private:
  friend class TrustStore;
  TrustedContent(std::string content, std::vector<std::string> uris, Certificate signer,
                 const Digest& identity)
      : content_(std::move(content)), uris_(std::move(uris)), signer_(std::move(signer)),
        identity_(identity) {}

  std::string content_;
  std::vector<std::string> uris_;
  Certificate signer_;
  Digest identity_;
};

// A certificate that may be encrypted to.
class TrustedRecipient {
public:
  [[nodiscard]] const Certificate& certificate() const { return certificate_; }
  [[nodiscard]] const std::vector<std::string>& uris() const { return uris_; } // sip: and sips:
  [[nodiscard]] const std::vector<std::string>& dns_names() const { return dns_names_; }

private:
  friend class TrustStore;
  TrustedRecipient(Certificate certificate, std::vector<std::string> uris,
                   std::vector<std::string> dns_names)
      : certificate_(std::move(certificate)), uris_(std::move(uris)),
        dns_names_(std::move(dns_names)) {}

  Certificate certificate_;
  std::vector<std::string> uris_, dns_names_;
};

// Other authorities or lists make another TrustStore; so nothing remembered outlives them.
class TrustStore {
public:
  // Errors: bad_certificate (an authority or a list can't be read, or an anchor is no authority),
  // bad_request (no authority at all, an OID that is none, `required` without OIDs).
  [[nodiscard]] static Result<TrustStore> make(const TrustConfig& config);

  // Arithmetic, chain, revocation, usage, identity. `now` in seconds since the epoch.
  [[nodiscard]] std::expected<TrustedContent, Distrust>
  verify(std::string_view der, std::optional<std::string_view> detached, std::int64_t now);
  // The same without the arithmetic, which made the SignedContent.
  [[nodiscard]] std::expected<TrustedContent, Distrust> vouch(SignedContent signed_content,
                                                              std::int64_t now);

  // Of someone else: offered in a 493 or 496, or read from a file. Which of its names it must have
  // is the caller's to check. `others` may lead from it to an authority.
  [[nodiscard]] std::expected<TrustedRecipient, Distrust>
  check_encryption_certificate(const Certificate& certificate, std::span<const Certificate> others,
                               std::int64_t now);

  [[nodiscard]] std::size_t cached_chains() const { return cache_.size(); }

private:
  TrustStore(ChainChecker chains, PurposePolicy purpose, std::size_t cached_chains)
      : chains_(std::move(chains)), purpose_(std::move(purpose)), cache_(cached_chains) {}

  [[nodiscard]] std::expected<void, Distrust> check_chain(const Certificate& certificate,
                                                          std::span<const Certificate> others,
                                                          std::int64_t now);
  // Of a certificate whose chain is good.
  [[nodiscard]] const std::expected<std::vector<std::string>, Distrust>&
  signer_uris(const Certificate& signer);

  ChainChecker chains_;
  PurposePolicy purpose_;
  ChainCache cache_;
  std::map<Digest, std::expected<std::vector<std::string>, Distrust>> signers_;
};

} // namespace midcom::sip::e2m
