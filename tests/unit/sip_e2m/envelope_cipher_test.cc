// SPDX-License-Identifier: GPL-3.0-or-later
// The arithmetic against published vectors and libcrypto's own encoding.
#include "sip/e2m/envelope_cipher.h"

#include <gtest/gtest.h>
#include <openssl/asn1.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include <array>

namespace midcom::sip::e2m {
namespace {

std::string from_hex(std::string_view hex) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    octets += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return octets;
}

Secret secret_of(std::string_view hex) {
  return Secret::copy_of(from_hex(hex));
}

// RFC 3394 4.1 and 4.6.
TEST(EnvelopeCipher, WrapsLikeTheRfc) {
  const Secret kek = secret_of("000102030405060708090a0b0c0d0e0f");
  const Secret key = secret_of("00112233445566778899aabbccddeeff");
  const std::string wrapped = from_hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
  EXPECT_EQ(wrap_key(kek, key), wrapped);
  EXPECT_TRUE(*unwrap_key(kek, wrapped) == key);

  const Secret large =
      secret_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const Secret content =
      secret_of("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(
      wrap_key(large, content),
      from_hex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"));
}

TEST(EnvelopeCipher, AWrappedKeyThatWasTouchedIsNone) {
  const Secret kek = Secret::random(16).value();
  const std::string wrapped = wrap_key(kek, Secret::random(16).value()).value();
  for (std::size_t at = 0; at < wrapped.size(); ++at) {
    std::string changed = wrapped;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_EQ(unwrap_key(kek, changed).error(), Error::undecipherable);
  }
  for (const std::size_t size : {0U, 8U, 16U, 23U, 32U, 48U})
    EXPECT_EQ(unwrap_key(kek, std::string(size, 'x')).error(), Error::undecipherable);
}

TEST(EnvelopeCipher, KeysOfOtherSizesAreRefused) {
  for (const std::size_t size : {0U, 8U, 24U, 33U}) {
    const Secret odd = Secret::random(size).value();
    const Secret key = Secret::random(16).value();
    EXPECT_FALSE(wrap_key(odd, key));
    EXPECT_FALSE(wrap_key(key, odd));
    EXPECT_FALSE(unwrap_key(odd, std::string(24, 'x')));
    EXPECT_FALSE(encrypt_gcm(odd, std::string(12, 'n'), "content"));
    EXPECT_FALSE(decrypt_gcm(odd, std::string(12, 'n'), "", "content", std::string(16, 't')));
  }
}

// The GCM specification's test case 4.
TEST(EnvelopeCipher, AssociatedDataIsCovered) {
  const Secret key = secret_of("feffe9928665731c6d6a8f9467308308");
  const std::string nonce = from_hex("cafebabefacedbaddecaf888");
  const std::string associated = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const std::string encrypted =
      from_hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
               "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091");
  const std::string tag = from_hex("5bc94fbc3221a5db94fae95ae7121a47");
  const auto content = decrypt_gcm(key, nonce, associated, encrypted, tag);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->substr(0, 4), from_hex("d9313225"));
  EXPECT_FALSE(decrypt_gcm(key, nonce, "", encrypted, tag));
  EXPECT_FALSE(decrypt_gcm(key, nonce, associated, encrypted, tag.substr(0, 4)));
}

std::string shared_info_of_libcrypto(AesSize wrap, std::string_view keying_material) {
  X509_ALGOR* algorithm = X509_ALGOR_new();
  X509_ALGOR_set0(algorithm,
                  OBJ_nid2obj(wrap == AesSize::aes128 ? NID_id_aes128_wrap : NID_id_aes256_wrap),
                  V_ASN1_UNDEF, nullptr);
  ASN1_OCTET_STRING* material = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(material, reinterpret_cast<const unsigned char*>(keying_material.data()),
                        static_cast<int>(keying_material.size()));
  unsigned char* der = nullptr;
  const int size =
      CMS_SharedInfo_encode(&der, algorithm, keying_material.empty() ? nullptr : material,
                            static_cast<int>(key_octets(wrap)));
  std::string encoded(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  ASN1_OCTET_STRING_free(material);
  X509_ALGOR_free(algorithm);
  return encoded;
}

// ANSI X9.63: one digest of secret, counter and info is enough for these sizes.
std::string kdf_by_hand(std::string_view secret, const EVP_MD* digest, const std::string& info,
                        std::size_t size) {
  const std::string input = std::string(secret) + std::string("\0\0\0\1", 4) + info;
  std::array<unsigned char, EVP_MAX_MD_SIZE> output{};
  unsigned int length = 0;
  EVP_Digest(input.data(), input.size(), output.data(), &length, digest, nullptr);
  return {output.begin(), output.begin() + static_cast<std::ptrdiff_t>(size)};
}

TEST(EnvelopeCipher, DerivesAsLibcryptoEncodesIt) {
  const std::string shared(32, 's');
  for (const AesSize wrap : {AesSize::aes128, AesSize::aes256}) {
    for (const std::string_view material : {"", "user keying material"}) {
      for (const Hash hash : {Hash::sha256, Hash::sha384}) {
        const EVP_MD* digest = hash == Hash::sha256 ? EVP_sha256() : EVP_sha384();
        const auto given = material.empty() ? std::nullopt : std::optional(material);
        const auto derived = derive_wrap_key(Secret::copy_of(shared), hash, wrap, given);
        ASSERT_TRUE(derived);
        EXPECT_TRUE(*derived == Secret::copy_of(kdf_by_hand(
                                    shared, digest, shared_info_of_libcrypto(wrap, material),
                                    key_octets(wrap))));
      }
    }
  }
}

} // namespace
} // namespace midcom::sip::e2m
