// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/envelope_cipher.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <utility>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/der.h"
#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {
namespace {

using KdfContext = std::unique_ptr<EVP_KDF_CTX, Freer<EVP_KDF_CTX_free>>;

constexpr std::size_t wrap_overhead = 8;
constexpr std::size_t most_content_octets = std::size_t{1} << 30U;

unsigned char* unsigned_octets_of(std::string& octets) {
  return reinterpret_cast<unsigned char*>(octets.data());
}

// Each found once: looking an algorithm up costs as much as what it does for a short text.
const EVP_CIPHER* gcm_cipher(const Secret& key) {
  static const EVP_CIPHER* const aes128 = EVP_CIPHER_fetch(nullptr, SN_aes_128_gcm, nullptr);
  static const EVP_CIPHER* const aes256 = EVP_CIPHER_fetch(nullptr, SN_aes_256_gcm, nullptr);
  return key.size() == key_octets(AesSize::aes128) ? aes128 : aes256;
}

const EVP_CIPHER* wrap_cipher(const Secret& key) {
  static const EVP_CIPHER* const aes128 = EVP_CIPHER_fetch(nullptr, SN_id_aes128_wrap, nullptr);
  static const EVP_CIPHER* const aes256 = EVP_CIPHER_fetch(nullptr, SN_id_aes256_wrap, nullptr);
  return key.size() == key_octets(AesSize::aes128) ? aes128 : aes256;
}

bool has_key_size(const Secret& key) {
  return key.size() == key_octets(AesSize::aes128) || key.size() == key_octets(AesSize::aes256);
}

CipherContext start_wrap(const Secret& kek, bool is_wrapping) {
  CipherContext context(EVP_CIPHER_CTX_new());
  if (!context || !has_key_size(kek)) return nullptr;
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  if (EVP_CipherInit_ex(context.get(), wrap_cipher(kek), nullptr, kek.octets().data(), nullptr,
                        is_wrapping ? 1 : 0) != 1)
    return nullptr;
  return context;
}

bool is_gcm_input(const Secret& key, std::string_view nonce, std::string_view content) {
  return has_key_size(key) && nonce.size() == gcm_nonce_octets &&
         content.size() <= most_content_octets;
}

const char* name_of(Hash hash) {
  switch (hash) {
  case Hash::sha256:
    return SN_sha256;
  case Hash::sha384:
    return SN_sha384;
  case Hash::sha512:
    return SN_sha512;
  }
  return SN_sha256;
}

std::string shared_info(AesSize wrap, std::optional<std::string_view> keying_material) {
  const auto bits = static_cast<std::uint32_t>(key_octets(wrap) * 8);
  const std::string length{'\0', '\0', static_cast<char>(bits >> 8U),
                           static_cast<char>(bits & 0xffU)};
  const std::string supplied =
      write_der(der_constructed(2), {write_der(der_octet_string, {length})});
  if (!keying_material) return write_der(der_sequence, {wrap_algorithm(wrap), supplied});
  const std::string party =
      write_der(der_constructed(0), {write_der(der_octet_string, {*keying_material})});
  return write_der(der_sequence, {wrap_algorithm(wrap), party, supplied});
}

} // namespace

Result<GcmSealed> encrypt_gcm(const Secret& key, std::string_view nonce, std::string_view content) {
  const CleanErrorQueue clean;
  if (!is_gcm_input(key, nonce, content)) return std::unexpected(Error::bad_request);
  GcmSealed sealed{std::string(content.size(), '\0'), std::string(gcm_tag_octets, '\0')};
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (!context ||
      EVP_EncryptInit_ex(context.get(), gcm_cipher(key), nullptr, key.octets().data(),
                         unsigned_octets(nonce)) != 1 ||
      EVP_EncryptUpdate(context.get(), unsigned_octets_of(sealed.encrypted), &size,
                        unsigned_octets(content), static_cast<int>(content.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), unsigned_octets_of(sealed.tag), &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, gcm_tag_octets,
                          sealed.tag.data()) != 1)
    return std::unexpected(Error::library);
  return sealed;
}

Result<std::string> decrypt_gcm(const Secret& key, std::string_view nonce,
                                std::string_view associated, std::string_view encrypted,
                                std::string_view tag) {
  const CleanErrorQueue clean;
  if (!is_gcm_input(key, nonce, encrypted) || associated.size() > most_content_octets ||
      tag.size() != gcm_tag_octets)
    return std::unexpected(Error::undecipherable);
  std::string content(encrypted.size(), '\0');
  std::string expected(tag);
  std::array<unsigned char, gcm_tag_octets> rest{};
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool fits =
      context &&
      EVP_DecryptInit_ex(context.get(), gcm_cipher(key), nullptr, key.octets().data(),
                         unsigned_octets(nonce)) == 1 &&
      (associated.empty() ||
       EVP_DecryptUpdate(context.get(), nullptr, &size, unsigned_octets(associated),
                         static_cast<int>(associated.size())) == 1) &&
      EVP_DecryptUpdate(context.get(), unsigned_octets_of(content), &size,
                        unsigned_octets(encrypted), static_cast<int>(encrypted.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, gcm_tag_octets, expected.data()) ==
          1 &&
      EVP_DecryptFinal_ex(context.get(), rest.data(), &size) == 1;
  if (fits) return content;
  OPENSSL_cleanse(content.data(), content.size());
  return std::unexpected(Error::undecipherable);
}

Result<std::string> wrap_key(const Secret& kek, const Secret& key) {
  const CleanErrorQueue clean;
  const CipherContext context = start_wrap(kek, true);
  if (!context || !has_key_size(key)) return std::unexpected(Error::bad_request);
  std::string wrapped(key.size() + wrap_overhead, '\0');
  int size = 0;
  if (EVP_CipherUpdate(context.get(), unsigned_octets_of(wrapped), &size, key.octets().data(),
                       static_cast<int>(key.size())) != 1 ||
      static_cast<std::size_t>(size) != wrapped.size())
    return std::unexpected(Error::library);
  return wrapped;
}

Result<Secret> unwrap_key(const Secret& kek, std::string_view wrapped) {
  const CleanErrorQueue clean;
  const CipherContext context = start_wrap(kek, false);
  if (!context) return std::unexpected(Error::undecipherable);
  if (wrapped.size() != 16 + wrap_overhead && wrapped.size() != 32 + wrap_overhead)
    return std::unexpected(Error::undecipherable);
  // Room for as much as goes in: the padded variants of the cipher write that much.
  Secret room(wrapped.size());
  int size = 0;
  if (EVP_CipherUpdate(context.get(), room.octets().data(), &size, unsigned_octets(wrapped),
                       static_cast<int>(wrapped.size())) != 1 ||
      static_cast<std::size_t>(size) != wrapped.size() - wrap_overhead)
    return std::unexpected(Error::undecipherable);
  return Secret::copy_of({reinterpret_cast<char*>(room.octets().data()), wrapped.size() - 8});
}

Result<Secret> derive_wrap_key(const Secret& shared, Hash hash, AesSize wrap,
                               std::optional<std::string_view> keying_material) {
  const CleanErrorQueue clean;
  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_X963KDF, nullptr);
  const KdfContext context(kdf != nullptr ? EVP_KDF_CTX_new(kdf) : nullptr);
  if (!context) return std::unexpected(Error::library);
  std::string info = shared_info(wrap, keying_material);
  Secret input = shared.clone();
  std::string digest = name_of(hash);
  const std::array<OSSL_PARAM, 4> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, input.octets().data(), input.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  Secret derived(key_octets(wrap));
  if (EVP_KDF_derive(context.get(), derived.octets().data(), derived.size(), parameters.data()) !=
      1)
    return std::unexpected(Error::library);
  return derived;
}

std::string wrap_algorithm(AesSize size) {
  return write_der(
      der_sequence,
      {write_der(der_oid, {size == AesSize::aes256 ? oid::aes256_wrap : oid::aes128_wrap})});
}

} // namespace midcom::sip::e2m
