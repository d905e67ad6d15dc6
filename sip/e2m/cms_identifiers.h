// SPDX-License-Identifier: GPL-3.0-or-later
// Object identifiers of the profile, as the content octets of their DER.
#pragma once

#include <string_view>

namespace midcom::sip::e2m::oid {

using std::string_view_literals::operator""sv;

// RFC 5652, 5083: content types
inline constexpr auto data = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"sv;
inline constexpr auto signed_data = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"sv;
inline constexpr auto enveloped_data = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"sv;
inline constexpr auto auth_enveloped_data = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"sv;

// RFC 5652 11: attributes; RFC 3185: id-aa 30 and 31
inline constexpr auto content_type = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"sv;
inline constexpr auto message_digest = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"sv;
inline constexpr auto signing_time = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"sv;
inline constexpr auto cek_reference = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x1e"sv;
inline constexpr auto cek_max_decrypts = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x1f"sv;

// RFC 3565, 5084: AES
inline constexpr auto aes128_cbc = "\x60\x86\x48\x01\x65\x03\x04\x01\x02"sv;
inline constexpr auto aes192_cbc = "\x60\x86\x48\x01\x65\x03\x04\x01\x16"sv;
inline constexpr auto aes256_cbc = "\x60\x86\x48\x01\x65\x03\x04\x01\x2a"sv;
inline constexpr auto aes128_gcm = "\x60\x86\x48\x01\x65\x03\x04\x01\x06"sv;
inline constexpr auto aes256_gcm = "\x60\x86\x48\x01\x65\x03\x04\x01\x2e"sv;
inline constexpr auto aes128_wrap = "\x60\x86\x48\x01\x65\x03\x04\x01\x05"sv;
inline constexpr auto aes256_wrap = "\x60\x86\x48\x01\x65\x03\x04\x01\x2d"sv;

// RFC 5754: digests
inline constexpr auto sha256 = "\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv;
inline constexpr auto sha384 = "\x60\x86\x48\x01\x65\x03\x04\x02\x02"sv;
inline constexpr auto sha512 = "\x60\x86\x48\x01\x65\x03\x04\x02\x03"sv;

// RFC 4055: RSA
inline constexpr auto rsa_encryption = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv;
inline constexpr auto rsa_oaep = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"sv;
inline constexpr auto mgf1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"sv;
inline constexpr auto rsa_pss = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"sv;
inline constexpr auto sha256_with_rsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"sv;
inline constexpr auto sha384_with_rsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"sv;
inline constexpr auto sha512_with_rsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"sv;

// RFC 5753, 5480: elliptic curves
inline constexpr auto ec_public_key = "\x2a\x86\x48\xce\x3d\x02\x01"sv;
inline constexpr auto p256 = "\x2a\x86\x48\xce\x3d\x03\x01\x07"sv;
inline constexpr auto p384 = "\x2b\x81\x04\x00\x22"sv;
inline constexpr auto ecdh_sha256_kdf = "\x2b\x81\x04\x01\x0b\x01"sv;
inline constexpr auto ecdh_sha384_kdf = "\x2b\x81\x04\x01\x0b\x02"sv;
inline constexpr auto ecdsa_sha256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;
inline constexpr auto ecdsa_sha384 = "\x2a\x86\x48\xce\x3d\x04\x03\x03"sv;
inline constexpr auto ecdsa_sha512 = "\x2a\x86\x48\xce\x3d\x04\x03\x04"sv;

} // namespace midcom::sip::e2m::oid
