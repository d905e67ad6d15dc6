// SPDX-License-Identifier: GPL-3.0-or-later
// CMS messages put together from parts, so that a test can make one of them wrong. The defaults
// pass the scan; nothing in them decrypts or verifies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/der.h"

namespace midcom::sip::e2m {

[[nodiscard]] std::string write_algorithm(std::string_view algorithm, std::string_view parameters);
[[nodiscard]] std::string write_attribute(std::string_view type, std::string_view values);
[[nodiscard]] std::string write_content_info(std::string_view type, std::string_view content);
[[nodiscard]] std::string write_oaep(std::string_view digest, std::string_view mask_digest,
                                     std::string_view label = {},
                                     std::string_view digest_parameters = {});
[[nodiscard]] std::string write_pss(std::string_view digest, std::uint32_t salt);
[[nodiscard]] std::string write_point(std::size_t octets); // a BIT STRING
[[nodiscard]] std::string issuer_and_serial();
// EnvelopedData with this cipher and a recipient that is none.
[[nodiscard]] std::string write_enveloped_data(std::string_view cipher);

struct KeyTransParts {
  std::uint32_t version = 0;
  std::string identifier = issuer_and_serial();
  std::string algorithm = write_oaep(oid::sha256, oid::sha256);
  std::string encrypted = std::string(256, 'e');
};
[[nodiscard]] std::string write_key_trans(const KeyTransParts& parts = {});

struct KeyAgreeParts {
  std::uint32_t version = 3;
  std::string originator =
      write_der(der_constructed(1), {write_algorithm(oid::ec_public_key, ""), write_point(65)});
  std::string material{};
  std::string algorithm =
      write_algorithm(oid::ecdh_sha256_kdf, write_algorithm(oid::aes128_wrap, ""));
  std::string wrapped = std::string(24, 'w');
  std::size_t keys = 1;
};
[[nodiscard]] std::string write_key_agree(const KeyAgreeParts& parts = {});

struct KekParts {
  std::uint32_t version = 4;
  std::string identifier = "ref";
  std::string algorithm = write_algorithm(oid::aes128_wrap, "");
  std::string wrapped = std::string(24, 'w');
};
[[nodiscard]] std::string write_kek(const KekParts& parts = {});

struct EnvelopedParts {
  std::string version = write_der_number(0);
  std::string recipients = write_kek();
  std::string content_type{oid::data};
  std::string cipher{oid::aes128_gcm};
  std::string nonce = std::string(12, 'n');
  std::string tag_length = write_der_number(16);
  std::string encrypted = write_der(der_context(0), {"encrypted"});
  std::string mac = std::string(16, 'm');
  std::string attributes{};
};
[[nodiscard]] std::string write(const EnvelopedParts& parts);

[[nodiscard]] std::string signed_attributes();

struct SignerParts {
  std::uint32_t version = 1;
  std::string identifier = issuer_and_serial();
  std::string digest = write_algorithm(oid::sha256, "");
  std::string attributes = signed_attributes();
  std::string algorithm = write_algorithm(oid::ecdsa_sha256, "");
  std::string signature = std::string(70, 's');
};
[[nodiscard]] std::string write(const SignerParts& parts);

struct SignedParts {
  std::uint32_t version = 1;
  std::string digests = write_algorithm(oid::sha256, "");
  std::string content_type{oid::data};
  std::string content = write_der(der_constructed(0), {write_der(der_octet_string, {"content"})});
  std::string certificates = write_der(der_constructed(0), {write_der(der_sequence, {})});
  std::string signers = write(SignerParts{});
};
[[nodiscard]] std::string write(const SignedParts& parts);

} // namespace midcom::sip::e2m
