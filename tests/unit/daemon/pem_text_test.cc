// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pem_text.h"

#include <gtest/gtest.h>

#include "sip/e2m/make_certificates.h"

namespace midcom {
namespace {

TEST(PemText, TheFirstCertificatesOctets) {
  const auto authority = sip::e2m::CertificateAuthority::make_root("CA", {1, 2000000000});
  ASSERT_TRUE(authority);
  const std::string pem = authority->certificate().pem(), der = authority->certificate().der();
  EXPECT_EQ(certificate_octets(pem), der);
  EXPECT_EQ(certificate_octets("words\n" + authority->key().pem() + pem), der);
}

TEST(PemText, NoneMakesNothing) {
  EXPECT_EQ(certificate_octets(""), "");
  EXPECT_EQ(certificate_octets("-----BEGIN CERTIFICATE-----\n"), "");
  EXPECT_EQ(certificate_octets("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"), "");
}

} // namespace
} // namespace midcom
