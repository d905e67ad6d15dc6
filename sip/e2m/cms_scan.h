// SPDX-License-Identifier: GPL-3.0-or-later
// The allow-list scan of a CMS body. It runs before anything of libcrypto sees the octets: whatever
// kind, version, algorithm, parameter or length is not named here ends the message. What passes is
//
//   AuthEnvelopedData (RFC 5083) of id-data, AES-128-GCM or AES-256-GCM with a nonce of 12 and a
//   tag of 16 octets, for recipients by RSAES-OAEP with SHA-256 (RFC 4055), by ephemeral-static
//   ECDH on P-256 or P-384 with the SHA-256 or SHA-384 KDF and AES key wrap (RFC 5753), or by a KEK
//   (AES key wrap); SignedData (RFC 5652) of id-data, with SHA-256, -384 or -512 and ECDSA,
//   RSASSA-PSS or RSA PKCS #1; with no signer at all it is a bag of certificates.
//
// Enveloped-data is recognised for its error's sake. Lengths are definite and the shortest, nothing
// follows the ContentInfo. The views of a CmsScan live as long as the octets scanned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sip/e2m/error.h"

namespace midcom::sip::e2m {

struct CmsLimits {
  std::size_t octets = 65536;
  std::size_t recipients = 32;
  std::size_t certificates = 8;
  std::size_t signers = 1;
  std::size_t attributes = 16; // in one set
  std::size_t depth = 24;      // certificates reach about 12
};

inline constexpr std::size_t gcm_nonce_octets = 12;
inline constexpr std::size_t gcm_tag_octets = 16;
inline constexpr std::size_t most_reference_octets = 128; // of a CEKReference and a KEK identifier

enum class CmsKind : std::uint8_t { auth_enveloped, signed_data };
enum class AesSize : std::uint8_t { aes128, aes256 };
enum class Hash : std::uint8_t { sha256, sha384, sha512 };

[[nodiscard]] constexpr std::size_t key_octets(AesSize size) {
  return size == AesSize::aes128 ? 16 : 32;
}

struct RecipientScan {
  enum class Kind : std::uint8_t { key_trans, key_agree, kek };
  enum class NamedBy : std::uint8_t { issuer_and_serial, key_identifier, kek_reference };
  Kind kind = Kind::key_trans;
  NamedBy named_by = NamedBy::issuer_and_serial;
  std::string_view identifier; // DER of IssuerAndSerialNumber, or the octets of the identifier
  std::string_view encrypted_key;
  AesSize wrap = AesSize::aes128; // key_agree and kek
  // key_agree alone:
  Hash kdf = Hash::sha256;
  std::string_view originator_point; // uncompressed: its size tells the curve
  std::optional<std::string_view> user_keying_material;
};

struct CmsScan {
  CmsKind kind = CmsKind::auth_enveloped;

  // auth_enveloped
  std::vector<RecipientScan> recipients;
  AesSize cipher = AesSize::aes128;
  std::string_view nonce, encrypted_content, mac;
  std::string_view authenticated_attributes; // the element as it stands, tag [1]; empty when absent
  std::optional<std::string_view> cek_reference;
  std::optional<std::uint32_t> cek_max_decrypts; // only beside a reference (RFC 3185 5)

  // signed_data
  bool is_detached = false;
  std::string_view content; // eContent
  std::vector<std::string_view> certificates;
  std::size_t signers = 0;
};

[[nodiscard]] Result<CmsScan> scan_cms(std::string_view der, const CmsLimits& limits);

} // namespace midcom::sip::e2m
