// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace midcom::sip::e2m {

Secret::Secret(std::size_t size) : size_(size) {
  if (size == 0) return;
  void* memory = OPENSSL_secure_zalloc(size);
  // The locked heap may be full; OPENSSL_secure_clear_free knows which heap a buffer came from.
  if (memory == nullptr) memory = OPENSSL_zalloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  data_ = static_cast<std::uint8_t*>(memory);
}

Secret Secret::copy_of(std::string_view octets) {
  Secret copy(octets.size());
  std::transform(octets.begin(), octets.end(), copy.data_,
                 [](char octet) { return static_cast<std::uint8_t>(octet); });
  return copy;
}

Result<Secret> Secret::random(std::size_t size) {
  Secret drawn(size);
  if (size > std::numeric_limits<int>::max() ||
      RAND_priv_bytes(drawn.data_, static_cast<int>(size)) != 1)
    return std::unexpected(Error::library);
  return drawn;
}

Secret::~Secret() {
  wipe();
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret Secret::clone() const {
  Secret copy(size_);
  std::copy(octets().begin(), octets().end(), copy.data_);
  return copy;
}

void Secret::wipe() {
  if (data_ != nullptr) OPENSSL_secure_clear_free(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

bool operator==(const Secret& left, const Secret& right) {
  if (left.size() != right.size()) return false;
  return left.empty() ||
         CRYPTO_memcmp(left.octets().data(), right.octets().data(), left.size()) == 0;
}

} // namespace midcom::sip::e2m
