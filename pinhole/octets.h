// SPDX-License-Identifier: GPL-3.0-or-later
// Big-endian encoding of fixed records. The reader is strict: one failed read makes all later ones
// fail, and a decoder accepts only when is_done().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "pinhole/endpoint.h"

namespace midcom::pinhole {

class OctetWriter {
public:
  OctetWriter& u8(std::uint8_t value);
  OctetWriter& u16(std::uint16_t value);
  OctetWriter& u32(std::uint32_t value);
  OctetWriter& text(std::string_view value); // at most 65535 octets; longer is cut
  OctetWriter& raw(const std::uint8_t* data, std::size_t size);
  template <std::size_t N>
  OctetWriter& raw(const std::array<std::uint8_t, N>& octets) {
    return raw(octets.data(), N);
  }
  OctetWriter& prefix(const Prefix& value);
  [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
  std::string bytes_;
};

class OctetReader {
public:
  explicit OctetReader(std::string_view bytes) : rest_(bytes) {}
  [[nodiscard]] std::uint8_t u8();
  [[nodiscard]] std::uint16_t u16();
  [[nodiscard]] std::uint32_t u32();
  [[nodiscard]] std::string text();
  [[nodiscard]] std::string_view view(std::size_t size); // of the octets given; empty when bad
  void skip(std::size_t size) { static_cast<void>(view(size)); }
  template <std::size_t N>
  void raw(std::array<std::uint8_t, N>& octets) {
    raw(octets.data(), N);
  }
  [[nodiscard]] Prefix prefix(); // fails on a bad family, length or host bits
  void fail() { is_good_ = false; }
  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] bool is_done() const { return is_good_ && rest_.empty(); }

private:
  void raw(std::uint8_t* data, std::size_t size);
  std::string_view rest_;
  bool is_good_ = true;
};

} // namespace midcom::pinhole
