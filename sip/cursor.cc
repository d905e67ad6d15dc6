// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/cursor.h"

#include <algorithm>

namespace midcom::sip {

std::string_view Cursor::since(std::size_t offset) const {
  return offset <= offset_ ? text_.substr(offset, offset_ - offset) : std::string_view{};
}

bool Cursor::accept(char c) {
  if (at_end() || text_[offset_] != c) return false;
  ++offset_;
  return true;
}

std::string_view Cursor::take_while(const CharSet& set) {
  const std::size_t begin = offset_;
  while (!at_end() && set.has(text_[offset_])) ++offset_;
  return since(begin);
}

std::string_view Cursor::take_until(const CharSet& set) {
  const std::size_t begin = offset_;
  while (!at_end() && !set.has(text_[offset_])) ++offset_;
  return since(begin);
}

Result<std::string_view> Cursor::take_some(const CharSet& set) {
  if (at_end()) return std::unexpected(Error::truncated);
  const std::string_view taken = take_while(set);
  if (taken.empty()) return std::unexpected(Error::syntax);
  return taken;
}

Result<std::string_view> Cursor::take_quoted() {
  const std::size_t begin = offset_;
  if (!accept('"')) return std::unexpected(Error::syntax);
  while (!at_end()) {
    const char c = text_[offset_++];
    if (c == '"') return since(begin);
    if (c == '\\' && !at_end()) ++offset_;
  }
  return std::unexpected(Error::truncated);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && space_chars.has(text.front())) text.remove_prefix(1);
  while (!text.empty() && space_chars.has(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t maximum) {
  if (text.empty()) return std::unexpected(Error::bad_number);
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!digit_chars.has(c)) return std::unexpected(Error::bad_number);
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (digit > maximum || value > (maximum - digit) / 10)
      return std::unexpected(Error::bad_number);
    value = value * 10 + digit;
  }
  return value;
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace midcom::sip
