// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/private_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>
#include <vector>

#include "sip/e2m/der.h"
#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {
namespace {

constexpr int least_rsa_bits = 2048;
constexpr int most_rsa_bits = 8192; // what a stranger's key may cost us

int refuse_pass_phrase(char*, int, int, void*) {
  return -1;
}

// The peer's key for ECDH: an uncompressed point on our own curve, or null.
KeyHandle peer_key(const EVP_PKEY* ours, std::string_view point) {
  if (!point.starts_with('\x04')) return nullptr;
  KeyHandle peer(EVP_PKEY_new());
  if (!peer || EVP_PKEY_copy_parameters(peer.get(), ours) != 1) return nullptr;
  if (EVP_PKEY_set1_encoded_public_key(peer.get(), unsigned_octets(point), point.size()) != 1)
    return nullptr;
  return peer;
}

std::string modulus_of(const EVP_PKEY* key) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &number) != 1) return {};
  const std::unique_ptr<BIGNUM, Freer<BN_free>> owned(number);
  std::vector<unsigned char> octets(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, octets.data());
  return {octets.begin(), octets.end()};
}

Result<Secret> decrypt(EVP_PKEY* key, std::string_view encrypted, std::size_t most) {
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) != 1)
    return std::unexpected(Error::library);
  Secret whole(most);
  std::size_t size = most;
  if (EVP_PKEY_decrypt(context.get(), whole.octets().data(), &size, unsigned_octets(encrypted),
                       encrypted.size()) != 1)
    return std::unexpected(Error::undecipherable);
  return Secret::copy_of(std::string_view(reinterpret_cast<char*>(whole.octets().data()), size));
}

// The full check of the peer's key is left out: it would multiply by the group's order, which is as
// dear as the agreement itself and tells nothing new on curves of cofactor 1. That the point lies
// on the curve was seen when its octets became a key.
Result<Secret> derive(EVP_PKEY* ours, EVP_PKEY* peer) {
  const KeyContext context(EVP_PKEY_CTX_new(ours, nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer_ex(context.get(), peer, 0) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1)
    return std::unexpected(Error::library);
  Secret shared(size);
  if (EVP_PKEY_derive(context.get(), shared.octets().data(), &size) != 1 || size != shared.size())
    return std::unexpected(Error::undecipherable);
  return shared;
}

} // namespace

struct PrivateKey::Shared {
  KeyHandle key;
  KeyKind kind;
  std::string modulus; // of an RSA key, big-endian
  std::uint64_t operations = 0;
};

std::optional<KeyKind> kind_of(const EVP_PKEY* key) {
  if (key == nullptr) return std::nullopt;
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < least_rsa_bits || bits > most_rsa_bits) return std::nullopt;
    return KeyKind::rsa;
  }
  if (EVP_PKEY_is_a(key, "EC") != 1) return std::nullopt;
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) return std::nullopt;
  const std::string_view name(group.data(), length);
  if (name == SN_X9_62_prime256v1) return KeyKind::p256;
  if (name == SN_secp384r1) return KeyKind::p384;
  return std::nullopt;
}

Result<PrivateKey> PrivateKey::adopt(EVP_PKEY* key) {
  KeyHandle owned(key);
  if (!owned) return std::unexpected(Error::bad_key);
  const auto kind = kind_of(owned.get());
  if (!kind) return std::unexpected(Error::weak_key);
  std::string modulus = *kind == KeyKind::rsa ? modulus_of(owned.get()) : std::string();
  return PrivateKey(std::make_shared<Shared>(Shared{std::move(owned), *kind, std::move(modulus)}));
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  const CleanErrorQueue clean;
  const BioHandle text = read_from(pem);
  if (!text) return std::unexpected(Error::bad_key);
  return adopt(PEM_read_bio_PrivateKey(text.get(), nullptr, refuse_pass_phrase, nullptr));
}

Result<PrivateKey> PrivateKey::from_der(std::string_view der) {
  const CleanErrorQueue clean;
  if (!read_single(der) || der.size() > std::numeric_limits<int>::max())
    return std::unexpected(Error::bad_key);
  const unsigned char* cursor = unsigned_octets(der);
  return adopt(d2i_AutoPrivateKey(nullptr, &cursor, static_cast<long>(der.size())));
}

Result<PrivateKey> PrivateKey::generate(KeyKind kind) {
  const CleanErrorQueue clean;
  switch (kind) {
  case KeyKind::rsa:
    return adopt(EVP_RSA_gen(least_rsa_bits));
  case KeyKind::p256:
    return adopt(EVP_EC_gen(SN_X9_62_prime256v1));
  case KeyKind::p384:
    return adopt(EVP_EC_gen(SN_secp384r1));
  }
  return std::unexpected(Error::library);
}

std::string PrivateKey::pem() const {
  const CleanErrorQueue clean;
  const BioHandle text(BIO_new(BIO_s_secmem()));
  char* begin = nullptr;
  if (!text ||
      PEM_write_bio_PKCS8PrivateKey(text.get(), get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return {};
  const long size = BIO_get_mem_data(text.get(), &begin);
  return {begin, static_cast<std::size_t>(size)};
}

KeyKind PrivateKey::kind() const {
  return shared_->kind;
}

EVP_PKEY* PrivateKey::get() const {
  return shared_->key.get();
}

std::uint64_t PrivateKey::operations() const {
  return shared_->operations;
}

Result<Secret> PrivateKey::decrypt_oaep(std::string_view encrypted) const {
  const CleanErrorQueue clean;
  ++shared_->operations;
  const std::string& modulus = shared_->modulus;
  const std::string stand_in(modulus.size(), '\x01');
  const bool is_number = encrypted.size() == modulus.size() && encrypted < modulus;
  auto decrypted = decrypt(get(), is_number ? encrypted : stand_in, modulus.size());
  if (!is_number) return std::unexpected(Error::undecipherable);
  return decrypted;
}

Result<Secret> PrivateKey::agree(std::string_view point) const {
  const CleanErrorQueue clean;
  const KeyHandle peer = peer_key(get(), point);
  auto shared = agree_with(peer ? peer.get() : get());
  if (!peer) return std::unexpected(Error::undecipherable);
  return shared;
}

Result<Secret> PrivateKey::agree_with(EVP_PKEY* peer) const {
  const CleanErrorQueue clean;
  ++shared_->operations;
  return derive(get(), peer);
}

} // namespace midcom::sip::e2m
