// SPDX-License-Identifier: GPL-3.0-or-later
// The scan of envelopes, one deviation at a time: a message that passes, in which one thing is
// different.
#include "sip/e2m/cms_scan.h"

#include <gtest/gtest.h>

#include <functional>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/der.h"
#include "tests/unit/sip_e2m/test_messages.h"

namespace midcom::sip::e2m {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

constexpr auto null = "\x05\x00"sv;

Error refusal(const std::string& der, const CmsLimits& limits = {}) {
  const auto scan = scan_cms(der, limits);
  EXPECT_FALSE(scan);
  return scan ? Error::library : scan.error();
}

// The error of an enveloped message in which `change` was made.
Error enveloped_with(const std::function<void(EnvelopedParts&)>& change) {
  EnvelopedParts parts;
  change(parts);
  return refusal(write(parts));
}

TEST(CmsScan, SaysWhatAnEnvelopeHolds) {
  EnvelopedParts parts;
  parts.recipients = write_kek() + write_key_trans() + write_key_agree();
  parts.attributes =
      write_der(der_constructed(2), {write_attribute(oid::cek_reference, "\x04\x01r"),
                                     write_attribute(oid::cek_max_decrypts, "\x02\x01\x07")});
  const std::string der = write(parts);
  const auto scan = scan_cms(der, {});
  ASSERT_TRUE(scan) << to_string(scan.error());
  EXPECT_EQ(scan->kind, CmsKind::auth_enveloped);
  ASSERT_EQ(scan->recipients.size(), 3U);
  EXPECT_EQ(scan->recipients[0].kind, RecipientScan::Kind::kek);
  EXPECT_EQ(scan->recipients[0].identifier, "ref");
  EXPECT_EQ(scan->recipients[0].encrypted_key.size(), 24U);
  EXPECT_EQ(scan->recipients[1].kind, RecipientScan::Kind::key_trans);
  EXPECT_EQ(scan->recipients[1].identifier, issuer_and_serial());
  EXPECT_EQ(scan->recipients[1].encrypted_key.size(), 256U);
  EXPECT_EQ(scan->recipients[2].kind, RecipientScan::Kind::key_agree);
  EXPECT_EQ(scan->recipients[2].originator_point.size(), 65U);
  EXPECT_EQ(scan->nonce.size(), 12U);
  EXPECT_EQ(scan->mac.size(), 16U);
  EXPECT_EQ(scan->cek_reference, "r");
  EXPECT_EQ(scan->cek_max_decrypts, 7U);
}

TEST(CmsScan, ContentInfo) {
  const std::string der = write(EnvelopedParts{});
  EXPECT_TRUE(scan_cms(der, {}));
  EXPECT_EQ(refusal(""), Error::truncated);
  EXPECT_EQ(refusal(der + '\0'), Error::malformed);
  EXPECT_EQ(refusal(der.substr(0, der.size() - 1)), Error::truncated);
  EXPECT_EQ(refusal(der, {.octets = der.size() - 1}), Error::too_large);
  EXPECT_EQ(refusal(write_content_info("\x2a\x03", write_der(der_sequence, {}))),
            Error::unsupported_type);
  EXPECT_EQ(refusal(write_content_info(oid::data, write_der(der_sequence, {}))),
            Error::unsupported_type);
  EXPECT_EQ(refusal(write_content_info(oid::data, write_der(der_octet_string, {"x"}))),
            Error::malformed);
}

TEST(CmsScan, NestingIsLimited) {
  std::string nested;
  for (int i = 0; i < 64; ++i) nested = write_der(der_sequence, {nested});
  EXPECT_EQ(refusal(nested), Error::too_deep);
  EXPECT_EQ(refusal(write(EnvelopedParts{}), {.depth = 4}), Error::too_deep);
}

TEST(CmsScan, Versions) {
  for (const std::uint32_t version : {1U, 2U, 3U, 4U})
    EXPECT_EQ(enveloped_with([&](auto& p) { p.version = write_der_number(version); }),
              Error::unsupported_version);
  EXPECT_EQ(enveloped_with([](auto& p) { p.version = "\x02\x02\x00\x00"s; }),
            Error::unsupported_version);
  EXPECT_EQ(enveloped_with([](auto& p) { p.recipients = write_key_trans({.version = 1}); }),
            Error::unsupported_version);
  EXPECT_EQ(enveloped_with([](auto& p) { p.recipients = write_key_trans({.version = 2}); }),
            Error::unsupported_version);
  EXPECT_EQ(enveloped_with([](auto& p) { p.recipients = write_key_agree({.version = 0}); }),
            Error::unsupported_version);
  EXPECT_EQ(enveloped_with([](auto& p) { p.recipients = write_kek({.version = 3}); }),
            Error::unsupported_version);
}

TEST(CmsScan, NonceAndTag) {
  for (const std::size_t size : {0U, 11U, 13U, 16U, 1000U})
    EXPECT_EQ(enveloped_with([&](auto& p) { p.nonce = std::string(size, 'n'); }),
              Error::bad_parameters)
        << size;
  for (const std::size_t size : {0U, 4U, 12U, 15U, 17U, 255U})
    EXPECT_EQ(enveloped_with([&](auto& p) { p.mac = std::string(size, 'm'); }),
              Error::bad_parameters)
        << size;
  // Left out, the tag's length would be 12.
  EXPECT_EQ(enveloped_with([](auto& p) { p.tag_length = ""; }), Error::bad_parameters);
  for (const std::uint32_t length : {0U, 4U, 12U, 15U, 17U, 255U})
    EXPECT_EQ(enveloped_with([&](auto& p) { p.tag_length = write_der_number(length); }),
              Error::bad_parameters)
        << length;
  EXPECT_EQ(enveloped_with([](auto& p) { p.tag_length += null; }), Error::malformed);
}

TEST(CmsScan, ContentCipher) {
  EXPECT_EQ(enveloped_with([](auto& p) { p.cipher = oid::aes128_cbc; }),
            Error::unsupported_algorithm);
  EXPECT_EQ(enveloped_with([](auto& p) { p.content_type = oid::signed_data; }),
            Error::unsupported_type);
  EXPECT_EQ(enveloped_with([](auto& p) { p.encrypted = ""; }), Error::truncated);
  EXPECT_EQ(enveloped_with([](auto& p) {
              p.encrypted = write_der(der_constructed(0), {write_der(der_octet_string, {"x"})});
            }),
            Error::malformed);
  // A key that was wrapped for a cipher of the other size.
  EXPECT_EQ(enveloped_with([](auto& p) { p.cipher = oid::aes256_gcm; }), Error::bad_parameters);
  EnvelopedParts parts;
  parts.cipher = oid::aes256_gcm;
  parts.recipients = write_kek({.wrapped = std::string(40, 'w')});
  EXPECT_TRUE(scan_cms(write(parts), {}));
}

TEST(CmsScan, EnvelopedDataIsKnownAndRefused) {
  for (const auto cipher : {oid::aes128_cbc, oid::aes192_cbc, oid::aes256_cbc})
    EXPECT_EQ(refusal(write_enveloped_data(cipher)), Error::cbc);
  EXPECT_EQ(refusal(write_enveloped_data(oid::aes128_gcm)), Error::unsupported_algorithm);
  EXPECT_EQ(refusal(write_enveloped_data("\x2a\x03")), Error::unsupported_algorithm);
}

TEST(CmsScan, KindsOfRecipient) {
  EXPECT_EQ(enveloped_with([](auto& p) { p.recipients = ""; }), Error::malformed);
  for (const std::uint8_t number : std::initializer_list<std::uint8_t>{0, 3, 4, 5})
    EXPECT_EQ(enveloped_with([&](auto& p) {
                p.recipients = write_der(der_constructed(number), {write_der_number(0)});
              }),
              Error::unsupported_recipient);
  // originatorInfo, and a key agreed on with a static key of the sender's.
  EXPECT_EQ(enveloped_with([](auto& p) { p.version += write_der(der_constructed(0), {}); }),
            Error::unsupported_recipient);
  EXPECT_EQ(enveloped_with([](auto& p) {
              p.recipients = write_key_agree({.originator = issuer_and_serial()});
            }),
            Error::unsupported_recipient);
}

TEST(CmsScan, RecipientsAreCounted) {
  std::string members;
  for (int i = 0; i < 32; ++i) members += write_kek();
  EnvelopedParts parts;
  parts.recipients = members;
  EXPECT_TRUE(scan_cms(write(parts), {}));
  parts.recipients += write_kek();
  EXPECT_EQ(refusal(write(parts)), Error::too_many);
  // Keys for several recipients in one KeyAgreeRecipientInfo are as many recipients.
  KeyAgreeParts many;
  many.keys = 33;
  parts.recipients = write_key_agree(many);
  EXPECT_EQ(refusal(write(parts)), Error::too_many);
}

TEST(CmsScan, KeyTransport) {
  const auto with = [](const KeyTransParts& recipient) {
    return enveloped_with([&](auto& p) { p.recipients = write_key_trans(recipient); });
  };
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::rsa_encryption, null)}),
            Error::unsupported_algorithm);
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::rsa_oaep, "")}), Error::bad_parameters);
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::rsa_oaep, write_der(der_sequence, {}))}),
            Error::bad_parameters);
  EXPECT_EQ(with({.algorithm = write_oaep(oid::sha384, oid::sha256)}), Error::bad_parameters);
  EXPECT_EQ(with({.algorithm = write_oaep(oid::sha256, oid::sha512)}), Error::bad_parameters);
  EXPECT_EQ(with({.algorithm =
                      write_oaep(oid::sha256, oid::sha256, write_der(der_constructed(2), {null}))}),
            Error::bad_parameters);
  EXPECT_EQ(with({.encrypted = std::string(128, 'e')}), Error::bad_parameters);
  EXPECT_EQ(with({.encrypted = std::string(1025, 'e')}), Error::bad_parameters);
  EXPECT_EQ(with({.identifier = write_der(der_sequence, {null})}), Error::malformed);
  EXPECT_EQ(with({.version = 0, .identifier = write_der(der_context(0), {"ski"})}),
            Error::unsupported_version);
}

TEST(CmsScan, OaepMayBeWrittenInSeveralWays) {
  const std::string label = "\xa2\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x09\x04\x00"s;
  for (const std::string& algorithm :
       {write_oaep(oid::sha256, oid::sha256), write_oaep(oid::sha256, oid::sha256, "", null),
        write_oaep(oid::sha256, oid::sha256, label)}) {
    EnvelopedParts parts;
    parts.recipients = write_key_trans({.algorithm = algorithm});
    EXPECT_TRUE(scan_cms(write(parts), {}));
  }
}

TEST(CmsScan, KeyAgreement) {
  const auto with = [](const KeyAgreeParts& recipient) {
    return enveloped_with([&](auto& p) { p.recipients = write_key_agree(recipient); });
  };
  const std::string wrap = write_algorithm(oid::aes128_wrap, "");
  // dhSinglePass-stdDH-sha1kdf-scheme
  EXPECT_EQ(with({.algorithm = write_algorithm("\x2b\x81\x05\x10\x86\x48\x3f\x00\x02"sv, wrap)}),
            Error::unsupported_algorithm);
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::ecdh_sha256_kdf, "")}), Error::bad_parameters);
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::ecdh_sha256_kdf,
                                               write_algorithm(oid::aes128_wrap, null))}),
            Error::bad_parameters);
  EXPECT_EQ(
      with({.algorithm = write_algorithm(oid::ecdh_sha256_kdf, write_algorithm("\x2a\x03", ""))}),
      Error::unsupported_algorithm);
  EXPECT_EQ(with({.keys = 0}), Error::malformed);
  EXPECT_EQ(with({.wrapped = std::string(25, 'w')}), Error::bad_parameters);
  EXPECT_EQ(with({.material = write_der(der_constructed(1),
                                        {write_der(der_octet_string, {std::string(65, 'u')})})}),
            Error::bad_parameters);
}

TEST(CmsScan, OriginatorKeys) {
  const auto with = [](const std::string& key) {
    return enveloped_with([&](auto& p) {
      p.recipients = write_key_agree({.originator = write_der(der_constructed(1), {key})});
    });
  };
  const std::string point = write_point(65);
  const std::string ec = write_algorithm(oid::ec_public_key, "");
  EXPECT_EQ(with(write_algorithm("\x2b\x65\x6e", "") + point), Error::unsupported_algorithm);
  for (const std::size_t size : {0U, 1U, 33U, 64U, 66U, 133U})
    EXPECT_EQ(with(ec + write_point(size)), Error::bad_parameters) << size;
  EXPECT_EQ(with(ec + write_der(der_bit_string, {"\0\x02"s + std::string(64, 'p')})),
            Error::bad_parameters);
  EXPECT_EQ(with(ec + write_der(der_bit_string, {"\1\x04"s + std::string(64, 'p')})),
            Error::bad_parameters);
  EXPECT_EQ(with(write_algorithm(oid::ec_public_key, write_der(der_oid, {oid::p384})) + point),
            Error::bad_parameters);
  for (const std::string& parameters : {""s, std::string(null), write_der(der_oid, {oid::p256})}) {
    EnvelopedParts parts;
    parts.recipients = write_key_agree(
        {.originator = write_der(der_constructed(1),
                                 {write_algorithm(oid::ec_public_key, parameters), point})});
    EXPECT_TRUE(scan_cms(write(parts), {}));
  }
}

TEST(CmsScan, Keks) {
  const auto with = [](const KekParts& recipient) {
    return enveloped_with([&](auto& p) { p.recipients = write_kek(recipient); });
  };
  EXPECT_EQ(with({.identifier = ""}), Error::malformed);
  EXPECT_EQ(with({.identifier = std::string(129, 'r')}), Error::malformed);
  // id-aes128-wrap-pad, and AES-192
  EXPECT_EQ(with({.algorithm = write_algorithm("\x60\x86\x48\x01\x65\x03\x04\x01\x08"sv, "")}),
            Error::unsupported_algorithm);
  EXPECT_EQ(with({.algorithm = write_algorithm("\x60\x86\x48\x01\x65\x03\x04\x01\x19"sv, "")}),
            Error::unsupported_algorithm);
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::aes128_wrap, null)}), Error::bad_parameters);
  for (const std::size_t size : {0U, 8U, 16U, 23U, 25U, 32U, 40U, 41U})
    EXPECT_EQ(with({.wrapped = std::string(size, 'w')}), Error::bad_parameters) << size;
}

TEST(CmsScan, Attributes) {
  const auto with = [](std::initializer_list<std::string_view> attributes) {
    return enveloped_with(
        [&](auto& p) { p.attributes = write_der(der_constructed(2), attributes); });
  };
  const std::string reference = write_attribute(oid::cek_reference, "\x04\x01r");
  const std::string other = write_attribute(oid::cek_reference, "\x04\x01q");
  EXPECT_EQ(with({}), Error::malformed);
  EXPECT_EQ(with({reference, other}), Error::malformed);
  EXPECT_EQ(with({write_attribute(oid::cek_reference, "\x04\x01r\x04\x01q")}), Error::truncated);
  EXPECT_EQ(with({write_attribute(oid::cek_reference, "\x04\x00"s)}), Error::malformed);
  EXPECT_EQ(with({write_attribute(oid::cek_reference, "\x0c\x01r")}), Error::malformed);
  EXPECT_EQ(with({reference, write_attribute(oid::cek_max_decrypts, "\x02\x01\x00"s)}),
            Error::malformed);
  EXPECT_EQ(
      with({reference, write_attribute(oid::cek_max_decrypts, "\x02\x05\x00\x80\x00\x00\x01"s)}),
      Error::malformed);
  EXPECT_EQ(with({reference, write_attribute(oid::cek_max_decrypts, "\x02\x01\xff")}),
            Error::malformed);
  std::string many;
  for (std::uint8_t i = 1; i <= 17; ++i)
    many += write_attribute(std::string(1, static_cast<char>(i)), null);
  EXPECT_EQ(with({many}), Error::too_many);
}

TEST(CmsScan, AttributesOfOthersArePassedOver) {
  EnvelopedParts parts;
  parts.attributes =
      write_der(der_constructed(2),
                {write_attribute("\x2a\x03", "\x05\x00\x05\x00"s),
                 write_attribute(oid::cek_max_decrypts, "\x02\x05\x00\x80\x00\x00\x00"s)});
  const std::string der = write(parts);
  const auto scan = scan_cms(der, {});
  ASSERT_TRUE(scan);
  EXPECT_FALSE(scan->cek_reference);
  EXPECT_FALSE(scan->cek_max_decrypts); // it means nothing without a reference
}

} // namespace
} // namespace midcom::sip::e2m
