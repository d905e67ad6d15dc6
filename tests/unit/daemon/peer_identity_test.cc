// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/peer_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "test_certificates.h"

namespace midcom {
namespace {

using test::Authority;
using test::CertificateSpec;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> identities(const std::string& name, const std::string& alternatives) {
  static const Authority authority("Test CA");
  const auto made =
      authority.issue({.common_name = name, .alternatives = alternatives, .key_usage = {}});
  return sip_identities(*made.x509);
}

bool usable(const std::string& key_usage) {
  static const Authority authority("Test CA");
  const auto made =
      authority.issue({.common_name = "a.example", .alternatives = {}, .key_usage = key_usage});
  return allows_sip(*made.x509);
}

TEST(PeerIdentity, SipUriComesBeforeDnsNames) {
  EXPECT_THAT(identities("cn.example", "DNS:dns.example,URI:sip:uri.example"),
              ElementsAre("uri.example"));
  EXPECT_THAT(identities("", "URI:sip:a.example,URI:SIP:B.Example,DNS:c.example"),
              ElementsAre("a.example", "b.example"));
}

TEST(PeerIdentity, DnsNamesWithoutASipUri) {
  EXPECT_THAT(identities("cn.example", "DNS:One.Example,DNS:two.example,DNS:one.example"),
              ElementsAre("one.example", "two.example"));
}

TEST(PeerIdentity, OtherSchemesAndUsersAreNoSipDomain) {
  EXPECT_THAT(identities("cn.example", "URI:https://web.example,URI:sips:s.example"), IsEmpty());
  EXPECT_THAT(identities("", "URI:sip:alice@uri.example,DNS:dns.example"),
              ElementsAre("dns.example"));
}

TEST(PeerIdentity, UriPortAndParametersAreNotCompared) {
  EXPECT_THAT(identities("", "URI:sip:a.example:5061;transport=tls"), ElementsAre("a.example"));
  EXPECT_THAT(identities("", "URI:sip:[2001:db8::1]:5061"), ElementsAre("[2001:db8::1]"));
  EXPECT_THAT(identities("", "URI:sip:,DNS:b.example"), ElementsAre("b.example"));
}

TEST(PeerIdentity, CommonNameOnlyWithoutAlternativeNames) {
  EXPECT_THAT(identities("CN.example", ""), ElementsAre("cn.example"));
  EXPECT_THAT(identities("cn.example", "email:a@b.example"), IsEmpty());
  EXPECT_THAT(identities("cn.example", "IP:192.0.2.1"), IsEmpty());
  EXPECT_THAT(identities("", ""), IsEmpty());
  EXPECT_THAT(identities("Example Corporation", ""), IsEmpty()) << "not a DNS name";
}

TEST(PeerIdentity, NulInsideANameIsRefused) {
  const Authority authority("Test CA");
  auto made = authority.issue({.common_name = "x", .alternatives = {}, .key_usage = {}});
  GENERAL_NAMES* names = sk_GENERAL_NAME_new_null();
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  ASN1_STRING_set(text, "good.example\0.evil.example", 26);
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, GEN_DNS, text);
  sk_GENERAL_NAME_push(names, name);
  X509_add1_ext_i2d(made.x509.get(), NID_subject_alt_name, names, 0, 0);
  GENERAL_NAMES_free(names);
  EXPECT_THAT(sip_identities(*made.x509), IsEmpty());
}

TEST(PeerIdentity, WholeNamesCaseInsensitiveNoWildcards) {
  EXPECT_TRUE(same_identity("Example.COM", "example.com"));
  EXPECT_TRUE(same_identity("example.com.", "example.com"));
  EXPECT_FALSE(same_identity("foo.example.com", "example.com"));
  EXPECT_FALSE(same_identity("example.com", "example.com.evil"));
  EXPECT_FALSE(same_identity("*.example.com", "foo.example.com"));
  EXPECT_FALSE(same_identity(".example.com", "foo.example.com"));
  EXPECT_TRUE(has_identity({"a.example", "*.b.example"}, "A.example"));
  EXPECT_FALSE(has_identity({"a.example", "*.b.example"}, "x.b.example"));
  EXPECT_FALSE(has_identity({""}, ""));
  EXPECT_FALSE(has_identity({}, "a.example"));
}

TEST(PeerIdentity, ExtendedKeyUsage) {
  EXPECT_TRUE(usable(""));
  EXPECT_TRUE(usable("serverAuth"));
  EXPECT_TRUE(usable("clientAuth"));
  EXPECT_TRUE(usable("anyExtendedKeyUsage"));
  EXPECT_TRUE(usable("1.3.6.1.5.5.7.3.20"));
  EXPECT_TRUE(usable("codeSigning,1.3.6.1.5.5.7.3.20"));
  EXPECT_FALSE(usable("codeSigning"));
  EXPECT_FALSE(usable("emailProtection,timeStamping"));
}

} // namespace
} // namespace midcom
