// SPDX-License-Identifier: GPL-3.0-or-later
// A small certificate authority, for trying the program out and for tests: a root, authorities
// under it, certificates of gateways and users, revocation lists. Times are seconds since the
// epoch. It writes what it is told: whether an order makes sense is the caller's affair, and so a
// test can order what a verifier must refuse.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sip/e2m/certificate.h"
#include "sip/e2m/error.h"
#include "sip/e2m/private_key.h"

namespace midcom::sip::e2m {

inline constexpr const char* purpose_email = "1.3.6.1.5.5.7.3.4";       // RFC 5280 4.2.1.12
inline constexpr const char* purpose_sip_domain = "1.3.6.1.5.5.7.3.20"; // RFC 5924

enum KeyUsage : unsigned { // the bits of RFC 5280 4.2.1.3
  usage_none = 0,          // no extension at all
  usage_digital_signature = 1U << 0U,
  usage_key_encipherment = 1U << 2U,
  usage_key_agreement = 1U << 4U,
  usage_certificate_sign = 1U << 5U,
  usage_crl_sign = 1U << 6U,
};

struct Validity {
  std::int64_t from = 0, until = 0;
};

struct CertificateOrder {
  std::string common_name;
  std::vector<std::string> uris = {}, dns_names = {}; // subjectAltName
  std::vector<std::string> purposes = {};             // dotted OIDs; none: no extension
  unsigned key_usage = usage_none;
  bool has_basic_constraints = true; // they say: no authority
  Validity validity;
  KeyKind key = KeyKind::p256;
};

// What a key of this kind is used for by someone who signs and is encrypted to.
[[nodiscard]] unsigned usage_for(KeyKind key);
[[nodiscard]] CertificateOrder user_order(std::string_view user, std::string_view domain,
                                          const Validity& validity, KeyKind key = KeyKind::p256);
[[nodiscard]] CertificateOrder gateway_order(std::string_view host, const Validity& validity,
                                             KeyKind key = KeyKind::p256);

struct MadeCertificate {
  Certificate certificate;
  PrivateKey key;
  std::string serial; // octets, big endian
};

class CertificateAuthority {
public:
  [[nodiscard]] static Result<CertificateAuthority>
  make_root(const std::string& common_name, const Validity& validity, KeyKind key = KeyKind::p256);
  // One that is there already.
  [[nodiscard]] static CertificateAuthority adopt(Certificate certificate, PrivateKey key) {
    return {std::move(certificate), std::move(key)};
  }
  // May sign certificates and lists, but no further authorities.
  [[nodiscard]] Result<CertificateAuthority> make_subordinate(const std::string& common_name,
                                                              const Validity& validity) const;

  [[nodiscard]] Result<MadeCertificate> issue(const CertificateOrder& order) const;
  // PEM text. `serials` as MadeCertificate has them; `validity` is thisUpdate and nextUpdate.
  [[nodiscard]] Result<std::string> revocation_list(std::span<const std::string> serials,
                                                    const Validity& validity,
                                                    std::uint32_t number = 1) const;
  [[nodiscard]] const Certificate& certificate() const { return certificate_; }
  [[nodiscard]] const PrivateKey& key() const { return key_; }

private:
  CertificateAuthority(Certificate certificate, PrivateKey key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  Certificate certificate_;
  PrivateKey key_;
};

} // namespace midcom::sip::e2m
