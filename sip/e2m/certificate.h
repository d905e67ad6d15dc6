// SPDX-License-Identifier: GPL-3.0-or-later
// An X.509 certificate as a value: copies share it, nothing changes it. What it says is not
// believed here; chains, validity and revocation are checked where a time and trusted CAs are at
// hand.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/e2m/digest.h"
#include "sip/e2m/error.h"
#include "sip/e2m/private_key.h"

namespace midcom::sip::e2m {

class Certificate {
public:
  [[nodiscard]] static Result<Certificate> from_der(std::string_view der);
  [[nodiscard]] static Result<Certificate> from_pem(std::string_view pem); // the first one
  // All certificates of the text, at least one; other PEM blocks are passed over.
  [[nodiscard]] static Result<std::vector<Certificate>> all_from_pem(std::string_view pem);
  // Takes over one reference, also when it refuses.
  [[nodiscard]] static Result<Certificate> adopt(X509* certificate);

  [[nodiscard]] const std::string& der() const;
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] const Digest& fingerprint() const; // SHA-256 of der()
  [[nodiscard]] std::string subject() const;       // RFC 2253, non-ASCII escaped
  [[nodiscard]] std::int64_t not_before() const;   // seconds since the epoch
  [[nodiscard]] std::int64_t not_after() const;

  // Alternative names. One with an octet that is no printable ASCII is left out: it means different
  // things to different readers.
  [[nodiscard]] std::vector<std::string> uris() const;
  [[nodiscard]] std::vector<std::string> dns_names() const;
  [[nodiscard]] std::vector<std::string> emails() const;

  // What CMS names it by: the DER of IssuerAndSerialNumber; the octets of its subject key
  // identifier.
  [[nodiscard]] const std::string& issuer_and_serial() const;
  [[nodiscard]] std::optional<std::string_view> subject_key_identifier() const;

  [[nodiscard]] std::optional<KeyKind> key_kind() const; // nullopt as for kind_of()
  [[nodiscard]] bool belongs_to(const PrivateKey& key) const;
  [[nodiscard]] EVP_PKEY* public_key() const; // borrowed; null when libcrypto can't read it
  [[nodiscard]] X509* get() const;            // borrowed

private:
  struct Shared;
  explicit Certificate(std::shared_ptr<const Shared> shared) : shared_(std::move(shared)) {}
  [[nodiscard]] std::vector<std::string> alternative_names(int type) const;
  std::shared_ptr<const Shared> shared_; // never null but in an object moved from
};

} // namespace midcom::sip::e2m
