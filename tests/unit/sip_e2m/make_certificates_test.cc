// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/make_certificates.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "tests/unit/sip_e2m/made_signature.h"

namespace midcom::sip::e2m {
namespace {

using namespace test;

TEST(MakeCertificates, AUser) {
  const auto root = root_named("root");
  const MadeCertificate made = issued(root, user_order("alice", "example.com", valid));
  EXPECT_EQ(made.certificate.subject(), "CN=alice@example.com");
  EXPECT_EQ(made.certificate.uris(), std::vector<std::string>{"sip:alice@example.com"});
  EXPECT_TRUE(made.certificate.dns_names().empty());
  EXPECT_EQ(made.certificate.not_before(), valid.from);
  EXPECT_EQ(made.certificate.not_after(), valid.until);
  EXPECT_TRUE(made.certificate.belongs_to(made.key));
  EXPECT_FALSE(made.certificate.belongs_to(root.key()));
  EXPECT_EQ(X509_check_ca(made.certificate.get()), 0);
  EXPECT_EQ(X509_get_key_usage(made.certificate.get()),
            static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT));
  EXPECT_EQ(X509_verify(made.certificate.get(), root.certificate().public_key()), 1);
}

TEST(MakeCertificates, AGateway) {
  const MadeCertificate made = issued(root_named("root"), gateway_order("gw.example.com", valid));
  EXPECT_EQ(made.certificate.dns_names(), std::vector<std::string>{"gw.example.com"});
  EXPECT_EQ(made.certificate.uris(), std::vector<std::string>{"sip:gw.example.com"});
}

TEST(MakeCertificates, EveryKindOfKey) {
  for (const KeyKind kind : {KeyKind::p256, KeyKind::p384, KeyKind::rsa}) {
    const MadeCertificate& made = parties().alice(kind);
    EXPECT_EQ(made.certificate.key_kind(), kind);
    EXPECT_EQ(made.key.kind(), kind);
    const int encryption = kind == KeyKind::rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
    EXPECT_EQ(X509_get_key_usage(made.certificate.get()),
              static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE | encryption));
  }
}

TEST(MakeCertificates, AuthoritiesMaySign) {
  const auto root = root_named("root");
  const auto below = root.make_subordinate("below", valid).value();
  EXPECT_EQ(X509_check_ca(root.certificate().get()), 1);
  EXPECT_EQ(X509_check_ca(below.certificate().get()), 1);
  EXPECT_EQ(X509_get_pathlen(root.certificate().get()), -1);
  EXPECT_EQ(X509_get_pathlen(below.certificate().get()), 0);
}

// A name goes into the certificate as it is: there is no syntax it could break out of.
TEST(MakeCertificates, NamesAreNotRead) {
  CertificateOrder order = user_order("a,URI:sip:mallory", "example.com", valid);
  order.dns_names = {"a.example,DNS:b.example"};
  const MadeCertificate made = issued(root_named("root"), order);
  EXPECT_EQ(made.certificate.uris(), std::vector<std::string>{"sip:a,URI:sip:mallory@example.com"});
  EXPECT_EQ(made.certificate.dns_names(), std::vector<std::string>{"a.example,DNS:b.example"});
}

TEST(MakeCertificates, WhatCannotBe) {
  const auto root = root_named("root");
  auto order = user_order("alice", "example.com", valid);
  order.purposes = {"no OID"};
  EXPECT_FALSE(root.issue(order));
  order = user_order("alice", "example.com", valid);
  order.common_name = std::string(65, 'x'); // RFC 5280 appendix A: ub-common-name
  EXPECT_FALSE(root.issue(order));
}

TEST(MakeCertificates, SerialsDiffer) {
  const auto root = root_named("root");
  const auto first = alice_of(root), second = alice_of(root);
  EXPECT_NE(first.serial, second.serial);
  EXPECT_EQ(first.serial.size(), 16U);
}

} // namespace
} // namespace midcom::sip::e2m
