// SPDX-License-Identifier: GPL-3.0-or-later
// Key octets: move-only, wiped when they go, in libcrypto's locked heap when the process has set
// one up (CRYPTO_secure_malloc_init) and it has room, in ordinary memory otherwise. Every buffer
// that holds a CEK, KEK or shared secret on its way is one of these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sip/e2m/error.h"

namespace midcom::sip::e2m {

class Secret {
public:
  Secret() = default;
  explicit Secret(std::size_t size); // zero octets
  [[nodiscard]] static Secret copy_of(std::string_view octets);
  [[nodiscard]] static Result<Secret> random(std::size_t size);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  [[nodiscard]] Secret clone() const;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<std::uint8_t> octets() { return {data_, size_}; }
  [[nodiscard]] std::span<const std::uint8_t> octets() const { return {data_, size_}; }

private:
  void wipe();
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// In time that depends on the sizes alone.
[[nodiscard]] bool operator==(const Secret& left, const Secret& right);

} // namespace midcom::sip::e2m
