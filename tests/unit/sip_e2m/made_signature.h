// SPDX-License-Identifier: GPL-3.0-or-later
// Certificates and SignedData for tests, the wrong ones too, which sign() doesn't make.
#pragma once

#include <openssl/cms.h>

#include <string>
#include <string_view>
#include <vector>

#include "sip/e2m/certificate.h"
#include "sip/e2m/make_certificates.h"
#include "sip/e2m/private_key.h"

namespace midcom::sip::e2m::test {

inline constexpr std::int64_t now = 1'800'000'000; // January 2027
inline constexpr std::int64_t day = 86400;
inline constexpr Validity valid{.from = now - day, .until = now + 100 * day};

[[nodiscard]] CertificateAuthority root_named(const std::string& name, const Validity& = valid);
[[nodiscard]] MadeCertificate issued(const CertificateAuthority& authority,
                                     const CertificateOrder& order);
[[nodiscard]] MadeCertificate alice_of(const CertificateAuthority& authority,
                                       KeyKind kind = KeyKind::p256);

// Made once, because RSA keys take their time: an authority and alice under it with each kind of
// key.
struct Parties {
  CertificateAuthority root;
  MadeCertificate p256, p384, rsa;
  [[nodiscard]] const MadeCertificate& alice(KeyKind kind) const;
};
[[nodiscard]] const Parties& parties();

struct OddSignature {
  std::string_view content;
  std::vector<const MadeCertificate*> signers; // none: only certificates, no content
  std::vector<Certificate> certificates = {};  // put inside
  unsigned flags = 0;                          // CMS_NOCERTS, CMS_NOATTR, CMS_USE_KEYID
  const EVP_MD* digest = nullptr;              // nullptr: SHA-256
};
[[nodiscard]] std::string made(const OddSignature& odd);

// A self-signed certificate on an RSA key of this size and with a public exponent of so many bits,
// which PrivateKey may refuse, and what it signed.
[[nodiscard]] std::string signed_by_rsa(int bits, std::string_view content, int exponent_bits = 17);

[[nodiscard]] std::string signed_by(const MadeCertificate& who, std::string_view content,
                                    std::vector<Certificate> chain = {}, bool is_detached = false);

} // namespace midcom::sip::e2m::test
