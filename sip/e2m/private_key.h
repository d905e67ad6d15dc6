// SPDX-License-Identifier: GPL-3.0-or-later
// A private key and what is done with it. Copies share one key. Only RSA of 2048 to 8192 bits,
// P-256 and P-384 become one.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sip/e2m/error.h"
#include "sip/e2m/secret.h"

namespace midcom::sip::e2m {

enum class KeyKind : std::uint8_t { rsa, p256, p384 };

// nullopt: a kind or size of key this profile neither encrypts to nor signs with.
[[nodiscard]] std::optional<KeyKind> kind_of(const EVP_PKEY* key);

class PrivateKey {
public:
  // The first key of the text; an encrypted one is refused, nobody is asked for a pass phrase.
  [[nodiscard]] static Result<PrivateKey> from_pem(std::string_view pem);
  [[nodiscard]] static Result<PrivateKey> from_der(std::string_view der);
  // Takes over one reference, also when it refuses.
  [[nodiscard]] static Result<PrivateKey> adopt(EVP_PKEY* key);
  [[nodiscard]] static Result<PrivateKey> generate(KeyKind kind);
  [[nodiscard]] std::string pem() const; // PKCS #8, unencrypted

  [[nodiscard]] KeyKind kind() const;
  [[nodiscard]] EVP_PKEY* get() const;

  // RSAES-OAEP with SHA-256 and MGF1-SHA-256. Octets that are no number below the modulus fail only
  // after the operation was done with others. Precondition: an RSA key.
  [[nodiscard]] Result<Secret> decrypt_oaep(std::string_view encrypted) const;
  // ECDH with an uncompressed point. When it is none of the curve the operation is done all the
  // same, with our own point, and fails afterwards. Precondition: an EC key.
  [[nodiscard]] Result<Secret> agree(std::string_view point) const;
  // The same with a key from a certificate that was looked at before. Precondition: the same curve.
  [[nodiscard]] Result<Secret> agree_with(EVP_PKEY* peer) const;
  // How often the three above were called on this key: what a peer's messages cost.
  [[nodiscard]] std::uint64_t operations() const;

private:
  struct Shared;
  explicit PrivateKey(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  std::shared_ptr<Shared> shared_; // never null but in an object moved from
};

} // namespace midcom::sip::e2m
