// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/trust.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <algorithm>
#include <type_traits>

#include "tests/unit/sip_e2m/made_signature.h"

namespace midcom::sip::e2m {
namespace {

using namespace test;

const std::string entity = "Content-Type: text/plain\r\n\r\nHello!\r\n";

// There is no way to content but through a TrustStore.
static_assert(!std::is_default_constructible_v<TrustedContent>);
static_assert(!std::is_constructible_v<TrustedContent, SignedContent>);
static_assert(!std::is_default_constructible_v<SignedContent>);

class Trust : public testing::Test {
protected:
  TrustConfig config() const {
    return {.authorities = {root_.certificate().pem()},
            .revocation_lists = {root_.revocation_list({}, valid).value()}};
  }

  // "trusted", or the word for why not.
  static std::string verdict(const TrustConfig& config, const std::string& der,
                             std::int64_t at = now) {
    auto store = TrustStore::make(config).value();
    const auto verified = store.verify(der, std::nullopt, at);
    return verified ? "trusted" : std::string(to_string(verified.error()));
  }

  std::string verdict_on(const CertificateOrder& order) const {
    return verdict(config(), signed_by(issued(root_, order), entity));
  }

  static CertificateOrder alice_order() { return user_order("alice", "example.com", valid); }

  const CertificateAuthority& root_ = parties().root;
  const MadeCertificate& alice_ = parties().p256;
};

TEST_F(Trust, ContentComesWithWhoSignedIt) {
  auto store = TrustStore::make(config()).value();
  const auto verified = store.verify(signed_by(alice_, entity), std::nullopt, now);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->content(), entity);
  EXPECT_EQ(verified->uris(), std::vector<std::string>{"sip:alice@example.com"});
  EXPECT_EQ(verified->signer().fingerprint(), alice_.certificate.fingerprint());
  const auto detached = store.verify(signed_by(alice_, entity, {}, true), entity, now);
  ASSERT_TRUE(detached);
  EXPECT_EQ(detached->identity(), verified->identity());
}

TEST_F(Trust, WhatTheOctetsShow) {
  const MadeCertificate bob = issued(root_, user_order("bob", "example.com", valid));
  std::string altered = signed_by(alice_, entity);
  altered[altered.find("Hello")] = 'J';
  EXPECT_EQ(verdict(config(), altered), "bad-signature");
  altered = signed_by(alice_, entity);
  altered.back() = static_cast<char>(altered.back() ^ 1);
  EXPECT_EQ(verdict(config(), altered), "bad-signature");
  EXPECT_EQ(
      verdict(config(), made({.content = entity, .signers = {&alice_}, .flags = CMS_NOCERTS})),
      "no-signer");
  EXPECT_EQ(verdict(config(), made({.content = entity, .signers = {}})), "no-signer");
  EXPECT_EQ(verdict(config(), made({.content = entity, .signers = {&alice_, &bob}})),
            "unsupported");
  EXPECT_EQ(
      verdict(config(), made({.content = entity, .signers = {&alice_}, .digest = EVP_sha1()})),
      "unsupported");
  EXPECT_EQ(verdict(config(), signed_by_rsa(1024, entity)), "weak");
  EXPECT_EQ(verdict(config(), "0\x03\x02\x01\x01"), "malformed");
  auto store = TrustStore::make(config()).value();
  const auto other = store.verify(signed_by(alice_, entity, {}, true), entity + "x", now);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error(), Distrust::bad_signature);
}

TEST_F(Trust, SelfSigned) {
  const auto other = root_named("alice");
  const MadeCertificate alone{.certificate = other.certificate(), .key = other.key(), .serial = {}};
  EXPECT_EQ(verdict(config(), signed_by(alone, entity)), "self-signed");
}

TEST_F(Trust, AnotherAuthorityOfTheSameName) {
  const auto impostor = root_named("root");
  const MadeCertificate mallory = alice_of(impostor);
  EXPECT_EQ(verdict(config(), signed_by(mallory, entity)), "untrusted");
  EXPECT_EQ(verdict(config(), signed_by(mallory, entity, {impostor.certificate()})), "untrusted");
}

TEST_F(Trust, Times) {
  const std::string der = signed_by(alice_, entity);
  auto lenient = config();
  lenient.is_crl_required = false;
  EXPECT_EQ(verdict(lenient, der, valid.from - 1), "not-yet-valid");
  EXPECT_EQ(verdict(lenient, der, valid.from + 1), "trusted");
  EXPECT_EQ(verdict(lenient, der, valid.until - 1), "trusted");
  EXPECT_EQ(verdict(lenient, der, valid.until + 1), "expired");
}

TEST_F(Trust, AnExpiredAuthority) {
  const Validity past{.from = now - 10 * day, .until = now - day};
  const auto root = root_named("old", past);
  const TrustConfig of_old{.authorities = {root.certificate().pem()},
                           .revocation_lists = {root.revocation_list({}, valid).value()}};
  EXPECT_EQ(verdict(of_old, signed_by(alice_of(root), entity)), "expired");
}

TEST_F(Trust, Revoked) {
  auto with_list = config();
  const std::vector<std::string> serials{alice_.serial};
  with_list.revocation_lists = {root_.revocation_list(serials, valid).value()};
  const MadeCertificate bob = issued(root_, user_order("bob", "example.com", valid));
  for (const bool is_required : {true, false}) {
    with_list.is_crl_required = is_required;
    EXPECT_EQ(verdict(with_list, signed_by(alice_, entity)), "revoked");
    EXPECT_EQ(verdict(with_list, signed_by(bob, entity)), "trusted");
  }
}

TEST_F(Trust, NoList) {
  auto without = config();
  without.revocation_lists.clear();
  EXPECT_EQ(verdict(without, signed_by(alice_, entity)), "crl-missing");
  without.is_crl_required = false;
  EXPECT_EQ(verdict(without, signed_by(alice_, entity)), "trusted");
}

TEST_F(Trust, ListOfAnotherIssuer) {
  auto with_other = config();
  const std::vector<std::string> serials{alice_.serial};
  with_other.revocation_lists = {root_named("other").revocation_list(serials, valid).value()};
  EXPECT_EQ(verdict(with_other, signed_by(alice_, entity)), "crl-missing");
  with_other.is_crl_required = false;
  EXPECT_EQ(verdict(with_other, signed_by(alice_, entity)), "trusted");
}

TEST_F(Trust, ListOfAnImpostor) {
  auto with_false = config();
  with_false.revocation_lists = {root_named("root").revocation_list({}, valid).value()};
  EXPECT_NE(verdict(with_false, signed_by(alice_, entity)), "trusted");
}

TEST_F(Trust, ListOutOfItsTime) {
  const Validity past{.from = now - 10 * day, .until = now - day};
  const std::vector<std::string> serials{alice_.serial};
  const MadeCertificate bob = issued(root_, user_order("bob", "example.com", valid));
  auto stale = config();
  stale.revocation_lists = {root_.revocation_list(serials, past).value()};
  EXPECT_EQ(verdict(stale, signed_by(bob, entity)), "crl-stale");
  stale.is_crl_required = false;
  EXPECT_EQ(verdict(stale, signed_by(bob, entity)), "trusted");
  EXPECT_EQ(verdict(stale, signed_by(alice_, entity)), "revoked");
}

TEST_F(Trust, IntermediateAuthority) {
  const auto between = root_.make_subordinate("between", valid).value();
  const MadeCertificate who = alice_of(between);
  const std::string list = between.revocation_list({}, valid).value();
  auto both = config();
  EXPECT_EQ(verdict(both, signed_by(who, entity, {between.certificate()})), "crl-missing");
  both.revocation_lists.push_back(list);
  EXPECT_EQ(verdict(both, signed_by(who, entity, {between.certificate()})), "trusted");
  EXPECT_EQ(verdict(both, signed_by(who, entity)), "untrusted");
  const std::vector<std::string> serials{who.serial};
  both.revocation_lists.back() = between.revocation_list(serials, valid).value();
  EXPECT_EQ(verdict(both, signed_by(who, entity, {between.certificate()})), "revoked");
}

TEST_F(Trust, AUserIsNoAuthority) {
  // Carol's certificate stands where an authority's should.
  const MadeCertificate carol = issued(root_, user_order("carol", "example.com", valid));
  const auto subordinate = CertificateAuthority::adopt(carol.certificate, carol.key);
  const MadeCertificate victim = alice_of(subordinate);
  EXPECT_NE(verdict(config(), signed_by(victim, entity, {carol.certificate})), "trusted");
  // A usage of keyCertSign is not enough (RFC 5280 6.1.4 (k)).
  auto lenient = config();
  lenient.is_crl_required = false;
  for (const bool has_constraints : {true, false}) {
    auto order = user_order("dave", "example.com", valid);
    order.key_usage |= usage_certificate_sign | usage_crl_sign;
    order.has_basic_constraints = has_constraints;
    const MadeCertificate dave = issued(root_, order);
    const auto other = CertificateAuthority::adopt(dave.certificate, dave.key);
    EXPECT_EQ(verdict(lenient, signed_by(alice_of(other), entity, {dave.certificate})),
              "bad-chain");
  }
}

TEST_F(Trust, WeakSignatureInTheChain) {
  X509* copy = X509_dup(alice_.certificate.get());
  ASSERT_GT(X509_sign(copy, root_.key().get(), EVP_sha1()), 0);
  const MadeCertificate weak{
      .certificate = Certificate::adopt(copy).value(), .key = alice_.key, .serial = alice_.serial};
  EXPECT_EQ(verdict(config(), signed_by(weak, entity)), "weak");
}

TEST_F(Trust, PathTooLong) {
  const auto first = root_.make_subordinate("first", valid).value(); // pathlen 0
  const auto second = first.make_subordinate("second", valid).value();
  auto lenient = config();
  lenient.is_crl_required = false;
  EXPECT_EQ(verdict(lenient, signed_by(alice_of(second), entity,
                                       {first.certificate(), second.certificate()})),
            "bad-chain");
}

TEST_F(Trust, KeyUsage) {
  auto order = alice_order();
  order.key_usage = usage_key_agreement;
  EXPECT_EQ(verdict_on(order), "key-usage");
  order.key_usage = usage_none;
  EXPECT_EQ(verdict_on(order), "trusted");
}

TEST_F(Trust, Purpose) {
  auto server = alice_order();
  server.purposes = {"1.3.6.1.5.5.7.3.1"};
  auto any_purpose = alice_order();
  any_purpose.purposes = {"2.5.29.37.0"};
  auto without = alice_order();
  without.purposes = {};
  EXPECT_EQ(verdict_on(server), "purpose");
  EXPECT_EQ(verdict_on(any_purpose), "trusted");
  EXPECT_EQ(verdict_on(without), "trusted");

  auto required = config();
  required.purpose = {.kind = PurposePolicy::Kind::required, .oids = {purpose_sip_domain}};
  auto domain = alice_order();
  domain.purposes.emplace_back(purpose_sip_domain);
  const auto under_required = [&](const CertificateOrder& order) {
    return verdict(required, signed_by(issued(root_, order), entity));
  };
  EXPECT_EQ(under_required(domain), "trusted");
  EXPECT_EQ(under_required(alice_order()), "purpose");
  EXPECT_EQ(under_required(any_purpose), "purpose");
  EXPECT_EQ(under_required(without), "purpose");

  auto any = config();
  any.purpose.kind = PurposePolicy::Kind::any;
  EXPECT_EQ(verdict(any, signed_by(issued(root_, server), entity)), "trusted");
}

TEST_F(Trust, NamesOtherThanSip) {
  auto order = alice_order();
  order.uris = {"im:alice@example.com", "https://example.com/", "sip:"};
  order.dns_names = {"alice.example.com"};
  order.common_name = "sip:alice@example.com";
  EXPECT_EQ(verdict_on(order), "no-identity");
  order.uris = {};
  order.dns_names = {};
  EXPECT_EQ(verdict_on(order), "no-identity");
  order.uris = {"pres:alice@example.com", "SIPS:alice@example.com", "sip:example.com"};
  auto store = TrustStore::make(config()).value();
  const auto verified = store.verify(signed_by(issued(root_, order), entity), std::nullopt, now);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->uris(),
            (std::vector<std::string>{"SIPS:alice@example.com", "sip:example.com"}));
}

TEST_F(Trust, EncryptionCertificates) {
  auto store = TrustStore::make(config()).value();
  const auto verdict_of = [&](const CertificateOrder& order) -> std::string {
    const auto found =
        store.check_encryption_certificate(issued(root_, order).certificate, {}, now);
    return found ? "trusted" : std::string(to_string(found.error()));
  };
  EXPECT_EQ(verdict_of(gateway_order("gw.example.com", valid)), "trusted");
  EXPECT_TRUE(store.check_encryption_certificate(parties().rsa.certificate, {}, now));
  auto signs_only = alice_order();
  signs_only.key_usage = usage_digital_signature;
  EXPECT_EQ(verdict_of(signs_only), "key-usage");
  auto wrong_way = alice_order();
  wrong_way.key_usage = usage_key_encipherment; // nothing an EC key can do
  EXPECT_EQ(verdict_of(wrong_way), "key-usage");
  auto rsa = user_order("alice", "example.com", valid, KeyKind::rsa);
  rsa.key_usage = usage_key_agreement;
  EXPECT_EQ(verdict_of(rsa), "key-usage");
  auto nameless = alice_order();
  nameless.uris = {};
  EXPECT_EQ(verdict_of(nameless), "no-identity");
  auto server = alice_order();
  server.purposes = {"1.3.6.1.5.5.7.3.1"};
  EXPECT_EQ(verdict_of(server), "purpose");

  const auto gateway = store.check_encryption_certificate(
      issued(root_, gateway_order("gw.example.com", valid)).certificate, {}, now);
  ASSERT_TRUE(gateway);
  EXPECT_EQ(gateway->dns_names(), std::vector<std::string>{"gw.example.com"});
  EXPECT_EQ(gateway->uris(), std::vector<std::string>{"sip:gw.example.com"});
  const auto foreign =
      store.check_encryption_certificate(alice_of(root_named("other")).certificate, {}, now);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error(), Distrust::untrusted);
}

TEST_F(Trust, RemembersChainsNotUses) {
  auto store = TrustStore::make(config()).value();
  auto order = alice_order();
  order.key_usage = usage_key_agreement;
  const MadeCertificate who = issued(root_, order);
  EXPECT_TRUE(store.check_encryption_certificate(who.certificate, {}, now));
  EXPECT_EQ(store.cached_chains(), 1U);
  const auto verified = store.verify(signed_by(who, entity), std::nullopt, now);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error(), Distrust::key_usage);
}

TEST_F(Trust, ARememberedChainEndsWithItsTimes) {
  auto with_list = config();
  with_list.revocation_lists = {
      root_.revocation_list({}, {.from = now - day, .until = now + day}).value()};
  auto store = TrustStore::make(with_list).value();
  const std::string der = signed_by(alice_, entity);
  const auto word = [&](std::int64_t at) -> std::string {
    const auto verified = store.verify(der, std::nullopt, at);
    return verified ? "trusted" : std::string(to_string(verified.error()));
  };
  EXPECT_EQ(word(now), "trusted");
  EXPECT_EQ(word(now + day - 1), "trusted");
  EXPECT_EQ(word(now + day + 1), "crl-stale");
  EXPECT_EQ(word(now), "trusted");

  with_list.is_crl_required = false;
  store = TrustStore::make(with_list).value();
  EXPECT_EQ(word(now), "trusted");
  EXPECT_EQ(word(valid.until + 1), "expired");
  EXPECT_EQ(word(now), "trusted");
  EXPECT_EQ(word(valid.from - 1), "not-yet-valid");
}

TEST_F(Trust, OnlyTheTrustedAreRemembered) {
  auto small = config();
  small.cached_chains = 2;
  auto store = TrustStore::make(small).value();
  for (int i = 0; i < 4; ++i)
    (void)store.verify(signed_by(alice_of(root_), entity), std::nullopt, now);
  EXPECT_EQ(store.cached_chains(), 2U);
  auto empty = TrustStore::make(config()).value();
  (void)empty.verify(signed_by(alice_of(root_named("root")), entity), std::nullopt, now);
  EXPECT_EQ(empty.cached_chains(), 0U);
}

TEST_F(Trust, ConfigurationsRefused) {
  const auto error_of = [](const TrustConfig& wrong) {
    const auto store = TrustStore::make(wrong);
    return store ? std::nullopt : std::optional(store.error());
  };
  EXPECT_EQ(error_of({.authorities = {}}), Error::bad_request);
  EXPECT_EQ(error_of({.authorities = {"no PEM"}}), Error::bad_certificate);
  EXPECT_EQ(error_of({.authorities = {alice_.certificate.pem()}}), Error::bad_certificate);
  auto wrong = config();
  wrong.revocation_lists = {root_.certificate().pem()};
  EXPECT_EQ(error_of(wrong), Error::bad_certificate);
  wrong = config();
  wrong.purpose.kind = PurposePolicy::Kind::required;
  EXPECT_EQ(error_of(wrong), Error::bad_request);
  wrong.purpose.oids = {"emailProtection"};
  EXPECT_EQ(error_of(wrong), Error::bad_request);
}

TEST_F(Trust, EveryWordIsItsOwn) {
  std::vector<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(Distrust::failure); ++i)
    words.push_back(to_string(static_cast<Distrust>(i)));
  EXPECT_EQ(words.back(), "failure");
  std::ranges::sort(words);
  EXPECT_EQ(std::ranges::adjacent_find(words), words.end());
}

} // namespace
} // namespace midcom::sip::e2m
