// SPDX-License-Identifier: GPL-3.0-or-later
// Explicit big-endian encoding. One description of a value's fields serves both directions:
//   template <class Wire> void fields(Wire& wire, Field<Wire, Rule>& rule) {
//   wire.number(rule.stream); ... }
// is run by a WireWriter and by a WireReader, so that the two can't disagree. A reader keeps its
// first error and gives zeroes from then on; finish() also refuses octets left over.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace midcom {

enum class WireError : std::uint8_t {
  truncated,    // ends before its fields do
  trailing,     // octets are left over
  range,        // a value outside its type: a bool that is neither 0 nor 1, an unknown enumerator
  count,        // more elements or characters than allowed
  unknown_kind, // no message of this kind
};
[[nodiscard]] std::string_view to_string(WireError error);

template <class Wire, class Value>
using Field = std::conditional_t<Wire::is_writer, const Value, Value>;

class WireWriter {
public:
  static constexpr bool is_writer = true;
  template <std::unsigned_integral Number>
    requires(!std::same_as<Number, bool>)
  void number(Number value) {
    for (std::size_t shift = sizeof(Number) * 8; shift > 0; shift -= 8)
      bytes_ += static_cast<char>(static_cast<std::uint8_t>(value >> (shift - 8)));
  }
  void boolean(bool value) { number(static_cast<std::uint8_t>(value ? 1 : 0)); }
  template <class Enum>
  void enumerator(Enum value, Enum /*last*/) {
    number(static_cast<std::underlying_type_t<Enum>>(value));
  }
  void octets(const std::uint8_t* data, std::size_t size);
  // A value beyond its bound is a broken invariant of the writer: throws std::length_error.
  void text(const std::string& value, std::size_t most);
  [[nodiscard]] std::size_t count(std::size_t size, std::size_t most);
  [[nodiscard]] std::string finish() && { return std::move(bytes_); }

private:
  std::string bytes_;
};

class WireReader {
public:
  static constexpr bool is_writer = false;
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  template <std::unsigned_integral Number>
    requires(!std::same_as<Number, bool>)
  void number(Number& value) {
    std::uint64_t sum = 0;
    for (const char octet : take(sizeof(Number)))
      sum = (sum << 8) | static_cast<std::uint8_t>(octet);
    value = static_cast<Number>(sum);
  }
  void boolean(bool& value);
  template <class Enum>
  void enumerator(Enum& value, Enum last) { // all values up to `last` exist
    std::underlying_type_t<Enum> raw{};
    number(raw);
    if (raw > static_cast<std::underlying_type_t<Enum>>(last)) {
      fail(WireError::range);
      raw = {};
    }
    value = static_cast<Enum>(raw);
  }
  void octets(std::uint8_t* data, std::size_t size);
  void text(std::string& value, std::size_t most);
  [[nodiscard]] std::size_t count(std::size_t, std::size_t most);
  void fail(WireError error);
  [[nodiscard]] bool has_failed() const { return error_.has_value(); }
  [[nodiscard]] std::optional<WireError> error() const { return error_; }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }
  [[nodiscard]] std::optional<WireError> finish();

private:
  [[nodiscard]] std::string_view take(std::size_t size);
  std::string_view rest_;
  std::optional<WireError> error_;
};

template <class Wire, std::size_t size>
void octet_array(Wire& wire, Field<Wire, std::array<std::uint8_t, size>>& value) {
  wire.octets(value.data(), size);
}

// `each(wire, element)` for every element; at most `most` of them.
template <class Wire, class Vector, class Each>
void list(Wire& wire, Vector& values, std::size_t most, Each each) {
  const std::size_t size = wire.count(values.size(), most);
  if constexpr (!Wire::is_writer) {
    values.clear();
    // Grows as octets are there, not as the count says.
    for (std::size_t index = 0; index < size && !wire.has_failed(); ++index)
      each(wire, values.emplace_back());
  } else {
    for (auto& value : values) each(wire, value);
  }
}

} // namespace midcom
