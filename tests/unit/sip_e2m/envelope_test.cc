// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/envelope.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "sip/e2m/der.h"
#include "tests/unit/sip_e2m/test_keys.h"

namespace midcom::sip::e2m {
namespace {

constexpr std::string_view content = "Content-Type: application/sdp\r\n\r\nv=0\r\n";

const KekLookup no_kek;

KekLookup only_kek(const Secret& key, std::string reference) {
  return [&key, reference = std::move(reference)](std::string_view asked) -> std::optional<Secret> {
    if (asked != reference) return std::nullopt;
    return key.clone();
  };
}

Sealed seal_for(std::span<const Certificate> recipients, AesSize cipher = AesSize::aes128) {
  EnvelopeRequest request;
  request.content = content;
  request.recipients = recipients;
  request.cipher = cipher;
  return seal_envelope(request).value();
}

Sealed seal_for(const DecryptionKey& recipient) {
  return seal_for(std::array{recipient.certificate});
}

Sealed seal_by(const Secret& kek, const std::string& reference) {
  EnvelopeRequest request;
  request.content = content;
  request.kek = Kek{kek.clone(), reference};
  return seal_envelope(request).value();
}

// One attempt with one key: its outcome and what it cost.
struct Attempt {
  Result<Opened> opened;
  std::uint64_t operations;
};

Attempt attempt(std::string_view der, const DecryptionKey& key, bool may_use_private_key = true) {
  const std::uint64_t before = key.key.operations();
  auto opened = open_envelope(der, std::span(&key, 1), no_kek, may_use_private_key);
  return {std::move(opened), key.key.operations() - before};
}

void expect_failure_at_full_cost(std::string_view der, const DecryptionKey& key) {
  const Attempt tried = attempt(der, key);
  ASSERT_FALSE(tried.opened);
  EXPECT_EQ(tried.opened.error(), Error::undecipherable);
  EXPECT_EQ(tried.operations, 1U);
}

std::string replaced(const std::string& text, std::string_view part, std::string_view by) {
  const std::size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos);
  return std::string(text).replace(at, part.size(), by);
}

std::string flipped(std::string text, std::size_t at) {
  text[at] = static_cast<char>(text[at] ^ 1);
  return text;
}

class EveryCipher : public testing::TestWithParam<AesSize> {};

TEST_P(EveryCipher, EveryRecipientOpensTheSame) {
  const Secret kek = Secret::random(key_octets(GetParam())).value();
  const std::array<Certificate, 3> recipients{rsa_key().certificate, p256_key().certificate,
                                              p384_key().certificate};
  EnvelopeRequest request;
  request.content = content;
  request.recipients = recipients;
  request.kek = Kek{kek.clone(), "answer-1"};
  request.cipher = GetParam();
  request.cek_reference = "offer-1";
  request.max_decrypts = 5;
  const auto sealed = seal_envelope(request);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->cek.size(), key_octets(GetParam()));
  for (const DecryptionKey* key : {&rsa_key(), &p256_key(), &p384_key()}) {
    const Attempt tried = attempt(sealed->der, *key);
    ASSERT_TRUE(tried.opened) << key->certificate.subject();
    EXPECT_EQ(tried.operations, 1U);
    EXPECT_EQ(tried.opened->content, content);
    EXPECT_TRUE(tried.opened->cek == sealed->cek);
    EXPECT_FALSE(tried.opened->by_kek);
    EXPECT_EQ(tried.opened->cek_reference, "offer-1");
    EXPECT_EQ(tried.opened->max_decrypts, 5U);
  }
  const auto by_kek = open_envelope(sealed->der, {}, only_kek(kek, "answer-1"), false);
  ASSERT_TRUE(by_kek);
  EXPECT_TRUE(by_kek->by_kek);
  EXPECT_TRUE(by_kek->cek == sealed->cek);
}

INSTANTIATE_TEST_SUITE_P(Envelope, EveryCipher, testing::Values(AesSize::aes128, AesSize::aes256));

TEST(Envelope, WithoutReferenceOneAnswerIsMeant) {
  const auto opened = attempt(seal_for(p256_key()).der, p256_key()).opened;
  ASSERT_TRUE(opened);
  EXPECT_FALSE(opened->cek_reference);
  EXPECT_EQ(opened->max_decrypts, 1U);
}

TEST(Envelope, AnEmptyContentAndALargeOne) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{60000}}) {
    const std::string body(size, 'x');
    const std::array<Certificate, 1> recipients{p256_key().certificate};
    const auto sealed = seal_envelope({.content = body, .recipients = recipients});
    ASSERT_TRUE(sealed);
    EXPECT_EQ(attempt(sealed->der, p256_key()).opened->content, body);
  }
}

TEST(Envelope, TheAnswerIsKeyedByTheReversedCek) {
  const Sealed offer = seal_for(p256_key());
  const auto read = attempt(offer.der, p256_key()).opened;
  ASSERT_TRUE(read);
  const Sealed answer = seal_by(kek_from_cek(offer.cek), "offer-1");
  const Secret kek = kek_from_cek(read->cek);
  EXPECT_TRUE(open_envelope(answer.der, {}, only_kek(kek, "offer-1"), false));
  // Unreversed, it is another key.
  EXPECT_FALSE(open_envelope(answer.der, {}, only_kek(read->cek, "offer-1"), false));
  EXPECT_FALSE(open_envelope(answer.der, {}, only_kek(kek, "offer-2"), false));
}

TEST(Envelope, NoOctetCanBeChanged) {
  const Secret kek = Secret::random(16).value();
  const std::string by_kek = seal_by(kek, "r").der;
  for (std::size_t at = 0; at < by_kek.size() * 8; ++at) {
    std::string changed = by_kek;
    changed[at / 8] = static_cast<char>(changed[at / 8] ^ (1 << (at % 8)));
    EXPECT_FALSE(open_envelope(changed, {}, only_kek(kek, "r"), false)) << at;
  }
  for (const DecryptionKey* key : {&p256_key(), &p384_key()}) {
    const std::string der = seal_for(*key).der;
    for (std::size_t at = 0; at < der.size(); ++at)
      EXPECT_FALSE(attempt(flipped(der, at), *key).opened) << at;
  }
  const std::string der = seal_for(rsa_key()).der;
  for (std::size_t at = 0; at < der.size(); at += at < 100 ? 1 : 7)
    EXPECT_FALSE(attempt(flipped(der, at), rsa_key()).opened) << at;
}

TEST(Envelope, NothingButTheWholeOpens) {
  const Secret kek = Secret::random(16).value();
  const std::string der = seal_by(kek, "r").der;
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_FALSE(open_envelope(der.substr(0, size), {}, only_kek(kek, "r"), false)) << size;
  EXPECT_FALSE(open_envelope(der + '\0', {}, only_kek(kek, "r"), false));
}

TEST(Envelope, AllFailuresLookAlikeAndCostTheSame) {
  for (const DecryptionKey* key : {&rsa_key(), &p256_key(), &p384_key()}) {
    SCOPED_TRACE(key->certificate.subject());
    const Sealed sealed = seal_for(*key);
    const auto scan = scan_cms(sealed.der, {});
    ASSERT_TRUE(scan);
    const auto offset_of = [&](std::string_view part) {
      return static_cast<std::size_t>(part.data() - sealed.der.data());
    };
    expect_failure_at_full_cost(flipped(sealed.der, offset_of(scan->mac)), *key);
    expect_failure_at_full_cost(flipped(sealed.der, offset_of(scan->encrypted_content)), *key);
    expect_failure_at_full_cost(flipped(sealed.der, offset_of(scan->nonce)), *key);
    const std::string_view wrapped = scan->recipients.at(0).encrypted_key;
    expect_failure_at_full_cost(flipped(sealed.der, offset_of(wrapped) + wrapped.size() / 2), *key);
    // The private key of somebody else who is named alike.
    expect_failure_at_full_cost(sealed.der, impersonate(*key, key->key.kind()));
    // Nobody's recipient is ours, or it is for another of our kinds of key.
    expect_failure_at_full_cost(seal_for(make_test_key(KeyKind::p256, "stranger")).der, *key);
    expect_failure_at_full_cost(seal_by(Secret::random(16).value(), "unknown").der, *key);
    EXPECT_EQ(attempt(sealed.der, *key, false).operations, 0U);
    EXPECT_EQ(attempt(sealed.der, *key, false).opened.error(), Error::undecipherable);
  }
}

TEST(Envelope, APointOffTheCurveCostsTheSame) {
  const Sealed sealed = seal_for(p256_key());
  const auto scan = scan_cms(sealed.der, {});
  const std::string_view point = scan->recipients.at(0).originator_point;
  const auto at = static_cast<std::size_t>(point.data() - sealed.der.data());
  expect_failure_at_full_cost(flipped(sealed.der, at + 40), p256_key());
  expect_failure_at_full_cost(
      replaced(sealed.der, point, '\x04' + std::string(point.size() - 1, '\0')), p256_key());
}

TEST(Envelope, RsaOctetsAboveTheModulusCostTheSame) {
  const Sealed sealed = seal_for(rsa_key());
  const auto scan = scan_cms(sealed.der, {});
  const std::string_view encrypted = scan->recipients.at(0).encrypted_key;
  for (const char octet : {'\xff', '\x00'})
    expect_failure_at_full_cost(
        replaced(sealed.der, encrypted, std::string(encrypted.size(), octet)), rsa_key());
}

TEST(Envelope, OneOperationHoweverManyKeysFit) {
  const std::array<DecryptionKey, 3> keys{p256_key(), rsa_key(), p384_key()};
  const auto cost = [&] {
    std::uint64_t sum = 0;
    for (const DecryptionKey& key : keys) sum += key.key.operations();
    return sum;
  };
  const std::array<Certificate, 3> recipients{rsa_key().certificate, p384_key().certificate,
                                              p256_key().certificate};
  std::string der = seal_for(recipients).der;
  std::uint64_t before = cost();
  EXPECT_TRUE(open_envelope(der, keys, no_kek, true));
  EXPECT_EQ(cost() - before, 1U);
  der.back() = static_cast<char>(der.back() ^ 1);
  before = cost();
  EXPECT_EQ(open_envelope(der, keys, no_kek, true).error(), Error::undecipherable);
  EXPECT_EQ(cost() - before, 1U);
}

TEST(Envelope, ARecipientOfTheSameNameForAnotherKindOfKeyIsNotOurs) {
  const DecryptionKey curve = make_test_key(KeyKind::p256, "name");
  const DecryptionKey other_curve = impersonate(curve, KeyKind::p384);
  const DecryptionKey rsa = impersonate(curve, KeyKind::rsa);
  const std::array<Certificate, 3> recipients{curve.certificate, other_curve.certificate,
                                              rsa.certificate};
  const std::string der = seal_for(recipients).der;
  for (const DecryptionKey* key : {&curve, &other_curve, &rsa})
    EXPECT_TRUE(attempt(der, *key).opened);
}

TEST(Envelope, AKekThatOpensSparesThePrivateKey) {
  const Secret kek = Secret::random(16).value();
  const std::array<Certificate, 1> recipients{p256_key().certificate};
  EnvelopeRequest request;
  request.content = content;
  request.recipients = recipients;
  request.kek = Kek{kek.clone(), "r"};
  const Sealed sealed = seal_envelope(request).value();
  const std::uint64_t before = p256_key().key.operations();
  const auto opened =
      open_envelope(sealed.der, std::span(&p256_key(), 1), only_kek(kek, "r"), true);
  EXPECT_TRUE(opened && opened->by_kek);
  EXPECT_EQ(p256_key().key.operations(), before);
  // A KEK that is not the right one, or not of the right size, leaves the certificate's way.
  for (const std::size_t size : {16U, 32U}) {
    const Secret other = Secret::random(size).value();
    const auto by_key =
        open_envelope(sealed.der, std::span(&p256_key(), 1), only_kek(other, "r"), true);
    EXPECT_TRUE(by_key && !by_key->by_kek);
  }
}

TEST(Envelope, WithoutKeysNothingOpens) {
  EXPECT_EQ(open_envelope(seal_for(p256_key()).der, {}, no_kek, true).error(),
            Error::undecipherable);
}

TEST(Envelope, ThreeThousandRecipientsCostNothing) {
  const Sealed sealed = seal_for(p256_key());
  const auto scan = scan_cms(sealed.der, {});
  const std::string kek = write_der(
      der_constructed(2),
      {write_der_number(4), write_der(der_sequence, {write_der(der_octet_string, {"r"})}),
       write_der(der_sequence, {write_der(der_oid, {"\x60\x86\x48\x01\x65\x03\x04\x01\x05"})}),
       write_der(der_octet_string, {std::string(24, 'k')})});
  std::string members;
  for (int i = 0; i < 3000; ++i) members += kek;
  // What stands behind the recipients does not matter: counting comes first.
  const std::string enveloped =
      write_der(der_sequence, {write_der_number(0), write_der(der_set, {members})});
  const std::string der =
      write_der(der_sequence, {write_der(der_oid, {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"}),
                               write_der(der_constructed(0), {enveloped})});
  CmsLimits limits;
  limits.octets = 1U << 20U;
  const std::uint64_t before = p256_key().key.operations();
  EXPECT_EQ(open_envelope(der, std::span(&p256_key(), 1), no_kek, true, limits).error(),
            Error::too_many);
  EXPECT_EQ(open_envelope(der, std::span(&p256_key(), 1), no_kek, true).error(), Error::too_large);
  EXPECT_EQ(p256_key().key.operations(), before);
}

TEST(Envelope, RequestsThatMakeNoSense) {
  const std::array<Certificate, 1> one{p256_key().certificate};
  const std::vector<Certificate> many(33, p256_key().certificate);
  EnvelopeRequest request;
  request.content = content;
  EXPECT_EQ(seal_envelope(request).error(), Error::bad_request);
  request.recipients = many;
  EXPECT_EQ(seal_envelope(request).error(), Error::too_many);
  request.recipients = one;
  request.max_decrypts = 1;
  EXPECT_EQ(seal_envelope(request).error(), Error::bad_request);
  request.cek_reference = "r";
  EXPECT_TRUE(seal_envelope(request));
  for (const std::uint32_t most : {0U, 0x80000001U}) {
    request.max_decrypts = most;
    EXPECT_EQ(seal_envelope(request).error(), Error::bad_request);
  }
  request.max_decrypts = 0x80000000U;
  EXPECT_TRUE(seal_envelope(request));
  request.cek_reference = std::string(129, 'r');
  EXPECT_EQ(seal_envelope(request).error(), Error::bad_request);
  request.cek_reference = std::nullopt;
  request.max_decrypts = std::nullopt;
  request.kek = Kek{Secret::copy_of("short"), "r"};
  EXPECT_EQ(seal_envelope(request).error(), Error::bad_request);
  request.kek = Kek{Secret::random(16).value(), ""};
  EXPECT_EQ(seal_envelope(request).error(), Error::bad_request);
  request.kek.reset();
  const std::string large(70000, 'x');
  request.content = large;
  EXPECT_EQ(seal_envelope(request).error(), Error::too_large);
}

} // namespace
} // namespace midcom::sip::e2m
