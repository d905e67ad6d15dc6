// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/transfer_encoding.h"

#include <array>
#include <cstdint>
#include <optional>

#include "sip/cursor.h"

namespace midcom::sip {
namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_value = 64;

constexpr std::array<std::uint8_t, 256> base64_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_value);
  for (std::size_t i = 0; i < base64_alphabet.size(); ++i)
    values[static_cast<std::uint8_t>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}

constexpr std::array<std::uint8_t, 256> values = base64_values();

bool accept_line_end(Cursor& cursor) {
  if (!cursor.rest().starts_with("\r\n")) return false;
  cursor.rewind(cursor.offset() + 2);
  return true;
}

char take(Cursor& cursor) {
  const char c = cursor.peek();
  cursor.rewind(cursor.offset() + 1);
  return c;
}

// After the first "=": what was read of the last group decides how many must stand there.
Result<void> read_padding(Cursor& cursor, unsigned digits, std::uint32_t group) {
  const bool is_whole = (digits == 2 && cursor.accept('=') && (group & 0xf) == 0) ||
                        (digits == 3 && (group & 0x3) == 0);
  while (accept_line_end(cursor)) {
  }
  if (!is_whole || !cursor.at_end()) return std::unexpected(Error::bad_encoding);
  return {};
}

std::optional<char> take_hex_pair(Cursor& cursor) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  const std::size_t high = digits.find(take(cursor));
  const std::size_t low = digits.find(take(cursor));
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

bool is_literal(char c) {
  return c == '\t' || (c >= ' ' && c <= '~');
}

} // namespace

Result<std::string> decode_base64(std::string_view text, std::size_t most) {
  std::string out;
  std::uint32_t group = 0;
  unsigned digits = 0;
  Cursor cursor(text);
  while (!cursor.at_end()) {
    if (accept_line_end(cursor)) continue;
    const char c = take(cursor);
    if (c == '=') {
      const auto padded = read_padding(cursor, digits, group);
      if (!padded) return std::unexpected(padded.error());
      digits = 0;
      break;
    }
    const std::uint8_t value = values[static_cast<std::uint8_t>(c)];
    if (value == no_value) return std::unexpected(Error::bad_encoding);
    group = (group << 6) | value;
    if (++digits == 1) continue;
    if (out.size() == most) return std::unexpected(Error::too_long);
    out += static_cast<char>((group >> (8 - 2 * digits)) & 0xff);
    if (digits == 4) digits = 0;
  }
  if (digits != 0) return std::unexpected(Error::bad_encoding);
  return out;
}

Result<std::string> decode_quoted_printable(std::string_view text, std::size_t most) {
  std::string out;
  Cursor cursor(text);
  char before = '\0';
  while (!cursor.at_end()) {
    if (accept_line_end(cursor)) {
      // Such white space was added on the way, or the sender's is lost: RFC 2045 6.7 (3).
      if (before == ' ' || before == '\t') return std::unexpected(Error::bad_encoding);
      out += "\r\n";
      before = '\n';
    } else if (cursor.accept('=')) {
      before = '=';
      if (accept_line_end(cursor)) continue;
      const auto octet = take_hex_pair(cursor);
      if (!octet) return std::unexpected(Error::bad_encoding);
      out += *octet;
    } else {
      before = take(cursor);
      if (!is_literal(before)) return std::unexpected(Error::bad_encoding);
      out += before;
    }
    if (out.size() > most) return std::unexpected(Error::too_long);
  }
  if (before == ' ' || before == '\t') return std::unexpected(Error::bad_encoding);
  return out;
}

Result<std::string> decode(const MimePart& part, std::size_t most) {
  switch (part.encoding) {
  case TransferEncoding::base64:
    return decode_base64(part.body, most);
  case TransferEncoding::quoted_printable:
    return decode_quoted_printable(part.body, most);
  case TransferEncoding::identity:
    break;
  }
  if (part.body.size() > most) return std::unexpected(Error::too_long);
  return std::string(part.body);
}

} // namespace midcom::sip
