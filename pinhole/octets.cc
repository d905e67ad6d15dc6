// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/octets.h"

#include <algorithm>

namespace midcom::pinhole {

OctetWriter& OctetWriter::u8(std::uint8_t value) {
  bytes_.push_back(static_cast<char>(value));
  return *this;
}

OctetWriter& OctetWriter::u16(std::uint16_t value) {
  return u8(static_cast<std::uint8_t>(value >> 8)).u8(static_cast<std::uint8_t>(value));
}

OctetWriter& OctetWriter::u32(std::uint32_t value) {
  return u16(static_cast<std::uint16_t>(value >> 16)).u16(static_cast<std::uint16_t>(value));
}

OctetWriter& OctetWriter::text(std::string_view value) {
  const std::string_view kept = value.substr(0, 0xffff);
  u16(static_cast<std::uint16_t>(kept.size()));
  bytes_.append(kept);
  return *this;
}

OctetWriter& OctetWriter::raw(const std::uint8_t* data, std::size_t size) {
  bytes_.append(reinterpret_cast<const char*>(data), size);
  return *this;
}

OctetWriter& OctetWriter::prefix(const Prefix& value) {
  return u8(static_cast<std::uint8_t>(value.address.family))
      .raw(value.address.octets)
      .u8(value.length);
}

void OctetReader::raw(std::uint8_t* data, std::size_t size) {
  if (!is_good_ || rest_.size() < size) {
    is_good_ = false;
    std::fill_n(data, size, std::uint8_t{0});
    return;
  }
  std::copy_n(reinterpret_cast<const std::uint8_t*>(rest_.data()), size, data);
  rest_.remove_prefix(size);
}

std::uint8_t OctetReader::u8() {
  std::uint8_t value = 0;
  raw(&value, 1);
  return value;
}

std::uint16_t OctetReader::u16() {
  const unsigned high = u8();
  return static_cast<std::uint16_t>(high << 8 | u8());
}

std::uint32_t OctetReader::u32() {
  const std::uint32_t high = u16();
  return high << 16 | u16();
}

std::string OctetReader::text() {
  const std::size_t size = u16();
  return std::string(view(size));
}

std::string_view OctetReader::view(std::size_t size) {
  if (!is_good_ || rest_.size() < size) {
    is_good_ = false;
    return {};
  }
  const std::string_view value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

Prefix OctetReader::prefix() {
  Prefix value;
  const std::uint8_t family = u8();
  raw(value.address.octets);
  value.length = u8();
  value.address.family = static_cast<Family>(family);
  if (family != 4 && family != 6) fail();
  // One gate for lengths and host bits: the text form's.
  if (is_good_ && Prefix::parse(value.to_string()) != value) fail();
  return value;
}

} // namespace midcom::pinhole
