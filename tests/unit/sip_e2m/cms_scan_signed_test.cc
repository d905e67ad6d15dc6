// SPDX-License-Identifier: GPL-3.0-or-later
// The scan of SignedData, one deviation at a time.
#include <gtest/gtest.h>

#include <functional>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/cms_scan.h"
#include "sip/e2m/der.h"
#include "tests/unit/sip_e2m/test_messages.h"

namespace midcom::sip::e2m {
namespace {

using std::string_view_literals::operator""sv;

constexpr auto null = "\x05\x00"sv;

Error signed_with(const std::function<void(SignedParts&)>& change) {
  SignedParts parts;
  change(parts);
  const auto scan = scan_cms(write(parts), {});
  EXPECT_FALSE(scan);
  return scan ? Error::library : scan.error();
}

TEST(CmsScanSigned, SaysWhatASignatureHolds) {
  const std::string der = write(SignedParts{});
  const auto scan = scan_cms(der, {});
  ASSERT_TRUE(scan) << to_string(scan.error());
  EXPECT_EQ(scan->kind, CmsKind::signed_data);
  EXPECT_EQ(scan->signers, 1U);
  EXPECT_EQ(scan->certificates.size(), 1U);
  EXPECT_FALSE(scan->is_detached);
  EXPECT_EQ(scan->content, "content");
}

TEST(CmsScanSigned, BagsOfCertificates) {
  SignedParts parts;
  parts.digests = parts.content = parts.signers = "";
  const std::string der = write(parts);
  const auto scan = scan_cms(der, {});
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->signers, 0U);
  EXPECT_TRUE(scan->is_detached);
}

TEST(CmsScanSigned, SignedData) {
  for (const std::uint32_t version : {0U, 2U, 4U, 5U})
    EXPECT_EQ(signed_with([&](auto& p) { p.version = version; }), Error::unsupported_version);
  EXPECT_EQ(signed_with([](auto& p) { p.content_type = oid::enveloped_data; }),
            Error::unsupported_type);
  EXPECT_EQ(signed_with([](auto& p) { p.content += null; }), Error::malformed);
  EXPECT_EQ(signed_with([](auto& p) { p.signers += p.signers; }), Error::too_many);
  // md5
  EXPECT_EQ(signed_with([](auto& p) {
              p.digests = write_algorithm("\x2a\x86\x48\x86\xf7\x0d\x02\x05"sv, null);
            }),
            Error::unsupported_algorithm);
  const std::string digest = write_algorithm(oid::sha256, "");
  EXPECT_EQ(signed_with([&](auto& p) { p.digests = digest + digest + digest + digest; }),
            Error::too_many);
}

TEST(CmsScanSigned, CertificatesInside) {
  const auto with = [](const std::string& certificates) {
    return signed_with([&](auto& p) { p.certificates = certificates; });
  };
  const std::string one = write_der(der_sequence, {});
  std::string nine;
  for (int i = 0; i < 9; ++i) nine += one;
  EXPECT_EQ(with(write_der(der_constructed(0), {nine})), Error::too_many);
  // Attribute certificates and other formats; revocation lists.
  for (const std::uint8_t number : std::initializer_list<std::uint8_t>{0, 1, 2, 3})
    EXPECT_EQ(with(write_der(der_constructed(0), {write_der(der_constructed(number), {})})),
              Error::unsupported_type);
  EXPECT_EQ(with(write_der(der_constructed(1), {one})), Error::unsupported_type);
}

TEST(CmsScanSigned, Signers) {
  const auto with = [](const SignerParts& signer) {
    return signed_with([&](auto& p) { p.signers = write(signer); });
  };
  EXPECT_EQ(with({.version = 3}), Error::unsupported_version);
  EXPECT_EQ(with({.version = 1, .identifier = write_der(der_context(0), {"ski"})}),
            Error::unsupported_version);
  EXPECT_EQ(with({.digest = write_algorithm("\x2b\x0e\x03\x02\x1a", null)}),
            Error::unsupported_algorithm);
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::ecdsa_sha256, null)}), Error::bad_parameters);
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::ecdsa_sha384, "")}), Error::bad_parameters);
  EXPECT_EQ(with({.algorithm = write_algorithm("\x2b\x65\x70", "")}), Error::unsupported_algorithm);
  EXPECT_EQ(with({.algorithm = write_algorithm(oid::rsa_pss, "")}), Error::bad_parameters);
  EXPECT_EQ(with({.algorithm = write_pss(oid::sha384, 32)}), Error::bad_parameters);
  EXPECT_EQ(with({.algorithm = write_pss(oid::sha256, 1025)}), Error::bad_parameters);
  EXPECT_EQ(with({.signature = ""}), Error::malformed);
  EXPECT_EQ(with({.signature = std::string(1025, 's')}), Error::malformed);
  for (const SignerParts& fine :
       {SignerParts{.version = 3, .identifier = write_der(der_context(0), {"ski"})},
        SignerParts{.attributes = ""}, SignerParts{.algorithm = write_pss(oid::sha256, 32)},
        SignerParts{.algorithm = write_algorithm(oid::sha256_with_rsa, null)}}) {
    SignedParts parts;
    parts.signers = write(fine);
    EXPECT_TRUE(scan_cms(write(parts), {}));
  }
}

TEST(CmsScanSigned, SignedAttributes) {
  const auto with = [](std::initializer_list<std::string_view> attributes) {
    return signed_with([&](auto& p) {
      p.signers = write(SignerParts{.attributes = write_der(der_constructed(0), attributes)});
    });
  };
  const std::string type = write_attribute(oid::content_type, write_der(der_oid, {oid::data}));
  const std::string digest =
      write_attribute(oid::message_digest, write_der(der_octet_string, {std::string(32, 'd')}));
  const auto time = [&](std::string_view value) {
    return with({type, digest, write_attribute(oid::signing_time, value)});
  };
  EXPECT_EQ(with({type}), Error::malformed);
  EXPECT_EQ(with({digest}), Error::malformed);
  EXPECT_EQ(with({type, type, digest}), Error::malformed);
  EXPECT_EQ(
      with({digest, write_attribute(oid::content_type, write_der(der_oid, {oid::signed_data}))}),
      Error::unsupported_type);
  EXPECT_EQ(with({type, write_attribute(oid::message_digest, "\x04\x01"
                                                             "d")}),
            Error::malformed);
  EXPECT_EQ(time(write_der(der_utc_time, {"2611251759Z"})), Error::malformed);
  EXPECT_EQ(time(write_der(der_utc_time, {"2611251759450"})), Error::malformed);
  EXPECT_EQ(time(write_der(der_utc_time, {"26112517594xZ"})), Error::malformed);
  EXPECT_EQ(time(write_der(der_generalized_time, {"20261125175945.1Z"})), Error::malformed);
  EXPECT_EQ(
      time(write_der(der_utc_time, {"261125175945Z"}) + write_der(der_utc_time, {"261125175945Z"})),
      Error::truncated);
}

} // namespace
} // namespace midcom::sip::e2m
