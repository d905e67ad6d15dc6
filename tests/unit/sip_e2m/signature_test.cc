// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/signature.h"

#include <gtest/gtest.h>

#include "tests/unit/sip_e2m/made_signature.h"

namespace midcom::sip::e2m {
namespace {

using namespace test;

const std::string entity = "Content-Type: text/plain\r\n\r\nHello!\r\n\n.\r\n";

class Signature : public testing::Test {
protected:
  // Why it doesn't verify.
  static std::optional<Error> fault(const std::string& der,
                                    std::optional<std::string_view> detached = std::nullopt) {
    const auto verified = verify_signature(der, detached);
    return verified ? std::nullopt : std::optional(verified.error());
  }

  const CertificateAuthority& root_ = parties().root;
  const MadeCertificate& alice_ = parties().p256;
};

std::size_t replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::size_t count = 0;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
    ++count;
  }
  return count;
}

TEST_F(Signature, AttachedByEveryKindOfKey) {
  for (const KeyKind kind : {KeyKind::p256, KeyKind::p384, KeyKind::rsa}) {
    const MadeCertificate& who = parties().alice(kind);
    const auto verified = verify_signature(signed_by(who, entity), std::nullopt);
    ASSERT_TRUE(verified) << static_cast<int>(kind) << to_string(verified.error());
    EXPECT_EQ(verified->content_of_anyone(), entity);
    EXPECT_EQ(verified->signer().fingerprint(), who.certificate.fingerprint());
    EXPECT_TRUE(verified->others().empty());
  }
}

TEST_F(Signature, DetachedIsOverTheOctetsGiven) {
  const std::string der = signed_by(alice_, entity, {}, true);
  EXPECT_EQ(der.find("Hello"), std::string::npos);
  const auto verified = verify_signature(der, entity);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->content_of_anyone(), entity);
  // Bare line feeds are not made into CRLF, nor the other way round.
  std::string other = entity;
  replace_all(other, "\r\n", "\n");
  EXPECT_EQ(fault(der, other), Error::bad_signature);
  EXPECT_EQ(fault(der, entity + " "), Error::bad_signature);
  EXPECT_EQ(fault(der, ""), Error::bad_signature);
}

TEST_F(Signature, EmptyContent) {
  EXPECT_EQ(fault(signed_by(alice_, "")), std::nullopt);
  EXPECT_EQ(fault(signed_by(alice_, "", {}, true), ""), std::nullopt);
}

TEST_F(Signature, ContentIsInsideOrGivenNeverBothNorNeither) {
  EXPECT_EQ(fault(signed_by(alice_, entity), entity), Error::malformed);
  EXPECT_EQ(fault(signed_by(alice_, entity, {}, true)), Error::malformed);
}

TEST_F(Signature, CarriesTheChain) {
  const auto between = root_.make_subordinate("between", valid).value();
  const MadeCertificate who = alice_of(between);
  const auto verified = verify_signature(
      signed_by(who, entity, {who.certificate, between.certificate()}), std::nullopt);
  ASSERT_TRUE(verified);
  ASSERT_EQ(verified->others().size(), 1U);
  EXPECT_EQ(verified->others()[0].fingerprint(), between.certificate().fingerprint());
}

TEST_F(Signature, SignerNamedByKeyIdentifier) {
  EXPECT_EQ(fault(made({.content = entity, .signers = {&alice_}, .flags = CMS_USE_KEYID})),
            std::nullopt);
}

TEST_F(Signature, NobodySigned) {
  EXPECT_EQ(fault(made({.content = entity, .signers = {}, .certificates = {alice_.certificate}})),
            Error::no_signer);
}

TEST_F(Signature, TwoSigners) {
  const MadeCertificate bob = issued(root_, user_order("bob", "example.com", valid));
  EXPECT_EQ(fault(made({.content = entity, .signers = {&alice_, &bob}})), Error::too_many);
}

TEST_F(Signature, CertificateOfTheSignerAbsent) {
  EXPECT_EQ(fault(made({.content = entity, .signers = {&alice_}, .flags = CMS_NOCERTS})),
            Error::no_signer);
  EXPECT_EQ(fault(made({.content = entity,
                        .signers = {&alice_},
                        .certificates = {root_.certificate()},
                        .flags = CMS_NOCERTS})),
            Error::no_signer);
}

TEST_F(Signature, TwoCertificatesOfTheSameName) {
  // Another certificate for another key, with the issuer and serial number of alice's.
  std::string twin = alice_.certificate.der();
  const std::size_t at = twin.rfind("alice@example.com");
  twin[at] = 'm';
  const auto other = Certificate::from_der(twin);
  ASSERT_TRUE(other);
  EXPECT_EQ(fault(made({.content = entity, .signers = {&alice_}, .certificates = {*other}})),
            Error::too_many);
}

TEST_F(Signature, SignedAttributesAreRequired) {
  EXPECT_EQ(fault(made({.content = entity, .signers = {&alice_}, .flags = CMS_NOATTR})),
            Error::malformed);
}

TEST_F(Signature, AlteredContent) {
  std::string der = signed_by(alice_, entity);
  ASSERT_EQ(replace_all(der, "Hello!", "Hallo!"), 1U);
  EXPECT_EQ(fault(der), Error::bad_signature);
}

TEST_F(Signature, AlteredSignature) {
  std::string der = signed_by(alice_, entity);
  der.back() = static_cast<char>(der.back() ^ 1); // the last octet is the signature's
  EXPECT_EQ(fault(der), Error::bad_signature);
}

TEST_F(Signature, AlteredAttribute) {
  std::string der = signed_by(alice_, entity);
  const std::size_t year = der.find("270115"); // signingTime, YYMMDD
  ASSERT_NE(year, std::string::npos);
  der[year + 5] = '4';
  EXPECT_EQ(fault(der), Error::bad_signature);
}

TEST_F(Signature, DigestBelowSha256) {
  EXPECT_EQ(fault(made({.content = entity, .signers = {&alice_}, .digest = EVP_sha1()})),
            Error::unsupported_algorithm);
  EXPECT_EQ(fault(made({.content = entity, .signers = {&alice_}, .digest = EVP_sha224()})),
            Error::unsupported_algorithm);
  const MadeCertificate& rsa = parties().rsa;
  EXPECT_EQ(fault(made({.content = entity, .signers = {&rsa}, .digest = EVP_sha1()})),
            Error::unsupported_algorithm);
}

TEST_F(Signature, LongerDigestsAndPkcs1) {
  const MadeCertificate& rsa = parties().rsa;
  for (const EVP_MD* digest : {EVP_sha256(), EVP_sha384(), EVP_sha512()})
    for (const MadeCertificate* who : {&alice_, &rsa})
      EXPECT_EQ(fault(made({.content = entity, .signers = {who}, .digest = digest})), std::nullopt);
}

TEST_F(Signature, WeakAndCostlyKeys) {
  EXPECT_EQ(fault(signed_by_rsa(1024, entity)), Error::weak_key);
  EXPECT_EQ(fault(signed_by_rsa(2048, entity)), std::nullopt);
  EXPECT_EQ(fault(signed_by_rsa(2048, entity, 80)), Error::unsupported_algorithm);
}

TEST_F(Signature, NotSignedData) {
  EXPECT_EQ(fault(""), Error::truncated);
  EXPECT_NE(fault("0"), std::nullopt);
  EXPECT_NE(fault(alice_.certificate.der()), std::nullopt);
  EXPECT_NE(fault(signed_by(alice_, entity) + "x"), std::nullopt);
}

TEST_F(Signature, KeyOfAnotherIsRefused) {
  const MadeCertificate bob = issued(root_, user_order("bob", "example.com", valid));
  const auto der = sign({.content = entity, .signer = alice_.certificate, .key = bob.key});
  ASSERT_FALSE(der);
  EXPECT_EQ(der.error(), Error::bad_key);
}

// A replay cache goes by this: neither a new signature nor another certificate on the same key
// makes something new of the same content.
TEST_F(Signature, IdentityIsOfKeyAndContent) {
  const auto identity = [](const std::string& der, std::optional<std::string_view> detached = {}) {
    return verify_signature(der, detached).value().identity();
  };
  const Digest first = identity(signed_by(alice_, entity));
  EXPECT_EQ(first, identity(made({.content = entity, .signers = {&alice_}})));
  EXPECT_EQ(first, identity(signed_by(alice_, entity, {}, true), entity));
  EXPECT_NE(first, identity(signed_by(alice_, entity + "x")));
  EXPECT_NE(first, identity(signed_by(alice_of(root_), entity)));
}

// Every octet of it, changed: it verifies only where what was signed isn't concerned (as in the
// case of the letters by which it names the certificate), and then key and content are what they
// were.
TEST_F(Signature, AnyOctetChanged) {
  const std::string der = signed_by(alice_, entity);
  const Digest identity = verify_signature(der, std::nullopt).value().identity();
  for (std::size_t at = 0; at < der.size(); ++at) {
    std::string changed = der;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    const auto verified = verify_signature(changed, std::nullopt);
    if (!verified) continue;
    EXPECT_EQ(verified->content_of_anyone(), entity) << at;
    EXPECT_EQ(verified->identity(), identity) << at;
  }
}

} // namespace
} // namespace midcom::sip::e2m
