// SPDX-License-Identifier: GPL-3.0-or-later
// DER (X.690) as far as CMS and certificates need it. Reading: a bounded cursor over elements with
// definite lengths in their shortest form and low tag numbers; anything else is an error. Writing:
// whole elements from their contents. Octets are binary strings, views live as long as their
// source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "sip/e2m/error.h"

namespace midcom::sip::e2m {

using DerTag = std::uint8_t; // the identifier octet: class, constructed bit and number

inline constexpr DerTag der_integer = 0x02;
inline constexpr DerTag der_bit_string = 0x03;
inline constexpr DerTag der_octet_string = 0x04;
inline constexpr DerTag der_null = 0x05;
inline constexpr DerTag der_oid = 0x06;
inline constexpr DerTag der_utc_time = 0x17;
inline constexpr DerTag der_generalized_time = 0x18;
inline constexpr DerTag der_sequence = 0x30;
inline constexpr DerTag der_set = 0x31;
// [number], primitive or constructed; number is below 31.
[[nodiscard]] constexpr DerTag der_context(std::uint8_t number) {
  return static_cast<DerTag>(0x80U | number);
}
[[nodiscard]] constexpr DerTag der_constructed(std::uint8_t number) {
  return static_cast<DerTag>(0xa0U | number);
}

struct DerElement {
  DerTag tag = 0;
  std::string_view content;
  std::string_view whole; // identifier and length octets too
};

class DerReader {
public:
  explicit DerReader(std::string_view octets) : octets_(octets) {}

  [[nodiscard]] bool at_end() const { return octets_.empty(); }
  [[nodiscard]] bool stands_at(DerTag tag) const;
  [[nodiscard]] Result<DerElement> next();
  // The content of the next element, which must have this tag.
  [[nodiscard]] Result<std::string_view> take(DerTag tag);
  [[nodiscard]] Result<DerReader> enter(DerTag tag);
  // A non-negative INTEGER in its shortest form, up to `maximum`.
  [[nodiscard]] Result<std::uint32_t> take_number(std::uint32_t maximum);

private:
  std::string_view octets_;
};

// The one element that `octets` consist of.
[[nodiscard]] Result<DerElement> read_single(std::string_view octets);

// `octets` are one element; it and all that is constructed within, down to `depth` levels, keep to
// the rules above. Does not recurse.
[[nodiscard]] Result<void> check_well_formed(std::string_view octets, std::size_t depth);

[[nodiscard]] std::string write_der(DerTag tag, std::initializer_list<std::string_view> contents);
[[nodiscard]] std::string write_der_number(std::uint32_t value);
// SET OF: members in the order DER wants.
[[nodiscard]] std::string write_der_set(DerTag tag, std::vector<std::string> members);

} // namespace midcom::sip::e2m
