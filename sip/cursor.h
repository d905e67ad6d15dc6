// SPDX-License-Identifier: GPL-3.0-or-later
// The bounded cursor every parser of SIP text reads through, and the character sets of RFC 3261 25.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sip/error.h"

namespace midcom::sip {

class CharSet {
public:
  constexpr explicit CharSet(std::string_view members) { add(members); }
  constexpr CharSet(const CharSet& base, std::string_view more) : table_(base.table_) { add(more); }
  [[nodiscard]] constexpr bool has(char c) const { return table_[static_cast<std::uint8_t>(c)]; }

private:
  constexpr void add(std::string_view members) {
    for (const char c : members) table_[static_cast<std::uint8_t>(c)] = true;
  }
  std::array<bool, 256> table_{};
};

inline constexpr CharSet digit_chars("0123456789");
inline constexpr CharSet hex_chars(digit_chars, "abcdefABCDEF");
inline constexpr CharSet alpha_chars("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
inline constexpr CharSet alnum_chars(alpha_chars, "0123456789");
inline constexpr CharSet token_chars(alnum_chars, "-.!%*_+`'~");
inline constexpr CharSet unreserved_chars(alnum_chars, "-_.!~*'()");
inline constexpr CharSet
    space_chars(" \t\r\n"); // CR and LF: the gate lets them stand in folds only

class Cursor {
public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return offset_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[offset_]; }
  [[nodiscard]] std::size_t offset() const { return offset_; }
  void rewind(std::size_t offset) { offset_ = offset < text_.size() ? offset : text_.size(); }
  [[nodiscard]] std::string_view rest() const { return text_.substr(offset_); }
  [[nodiscard]] std::string_view since(std::size_t offset) const;

  bool accept(char c);
  std::string_view take_while(const CharSet& set);
  std::string_view take_until(const CharSet& set);
  void skip_space() { take_while(space_chars); }
  // 1*set, Error::syntax when there is none, Error::truncated at the end.
  [[nodiscard]] Result<std::string_view> take_some(const CharSet& set);
  // A quoted string with its quotes; the cursor stands on the first one.
  [[nodiscard]] Result<std::string_view> take_quoted();

private:
  std::string_view text_;
  std::size_t offset_ = 0;
};

// Without leading and trailing white space, folds included.
[[nodiscard]] std::string_view trim(std::string_view text);
// Takes the first line off, and gives it without its end.
[[nodiscard]] std::string_view next_line(std::string_view& rest);
// 1*DIGIT up to `maximum`, nothing else around it.
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t maximum);
[[nodiscard]] char to_lower(char c);

} // namespace midcom::sip
