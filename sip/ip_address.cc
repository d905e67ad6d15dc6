// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/ip_address.h"

#include <algorithm>
#include <cstddef>

#include "sip/cursor.h"

namespace midcom::sip {
namespace {

using Groups = std::array<std::uint16_t, 8>;

bool read_ipv4(std::string_view text, std::uint8_t* octets) {
  Cursor cursor(text);
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && !cursor.accept('.')) return false;
    const std::string_view digits = cursor.take_while(digit_chars);
    // "010" is 8 to some and 10 to others: nobody's address.
    if (digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return false;
    const auto value = parse_number(digits, 255);
    if (!value) return false;
    octets[i] = static_cast<std::uint8_t>(*value);
  }
  return cursor.at_end();
}

std::optional<std::uint16_t> read_group(std::string_view digits) {
  if (digits.empty() || digits.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : digits) {
    const char lower = to_lower(c);
    const int nibble = lower >= 'a' ? lower - 'a' + 10 : lower - '0';
    value = value * 16 + static_cast<unsigned>(nibble);
  }
  return static_cast<std::uint16_t>(value);
}

// One side of "::", or the whole address when there is none. Returns the number of groups, or -1.
int read_groups(std::string_view text, Groups& groups, bool may_end_in_ipv4) {
  if (text.empty()) return 0;
  Cursor cursor(text);
  int count = 0;
  while (true) {
    if (count == 8) return -1;
    const std::string_view rest = cursor.rest();
    const auto index = static_cast<std::size_t>(count);
    std::array<std::uint8_t, 4> v4{};
    if (may_end_in_ipv4 && count < 7 && rest.find(':') == std::string_view::npos &&
        read_ipv4(rest, v4.data())) {
      groups[index] = static_cast<std::uint16_t>(v4[0] << 8 | v4[1]);
      groups[index + 1] = static_cast<std::uint16_t>(v4[2] << 8 | v4[3]);
      return count + 2;
    }
    const auto group = read_group(cursor.take_while(hex_chars));
    if (!group) return -1;
    groups[index] = *group;
    ++count;
    if (cursor.at_end()) return count;
    if (!cursor.accept(':')) return -1;
  }
}

std::optional<Groups> read_ipv6(std::string_view text) {
  Groups head{}, tail{};
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (read_groups(text, head, true) != 8) return std::nullopt;
    return head;
  }
  const int before = read_groups(text.substr(0, gap), head, false);
  const int after = read_groups(text.substr(gap + 2), tail, true);
  if (before < 0 || after < 0 || before + after > 7) return std::nullopt;
  std::copy_n(tail.begin(), after, head.end() - after);
  return head;
}

std::string ipv4_text(const std::uint8_t* octets) {
  std::string out;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) out += '.';
    out += std::to_string(octets[i]);
  }
  return out;
}

std::string hex_text(unsigned value) {
  std::string out;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned nibble = value >> shift & 15U;
    if (nibble != 0 || !out.empty() || shift == 0) out += "0123456789abcdef"[nibble];
  }
  return out;
}

// The first longest run of at least two zero groups (RFC 5952 4.2).
std::pair<int, int> zero_run(const Groups& groups) {
  int best = 8, best_length = 1;
  for (int i = 0; i < 8; ++i) {
    int length = 0;
    while (i + length < 8 && groups[static_cast<std::size_t>(i + length)] == 0) ++length;
    if (length > best_length) best = i, best_length = length;
    i += length;
  }
  return {best, best == 8 ? 0 : best_length};
}

std::string ipv6_text(const std::array<std::uint8_t, 16>& octets) {
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
  if (std::equal(mapped.begin(), mapped.end(), octets.begin()))
    return "::ffff:" + ipv4_text(octets.data() + 12);
  Groups groups{};
  for (std::size_t i = 0; i < 8; ++i)
    groups[i] = static_cast<std::uint16_t>(octets[2 * i] << 8 | octets[2 * i + 1]);
  const auto [gap, length] = zero_run(groups);
  std::string out;
  for (int i = 0; i < 8; ++i) {
    if (i == gap) {
      out += "::";
      i += length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += hex_text(groups[static_cast<std::size_t>(i)]);
  }
  return out;
}

} // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  IpAddress address;
  if (text.find(':') == std::string_view::npos) {
    if (!read_ipv4(text, address.octets.data())) return std::nullopt;
    return address;
  }
  const auto groups = read_ipv6(text);
  if (!groups) return std::nullopt;
  address.family = Family::ipv6;
  for (std::size_t i = 0; i < 8; ++i) {
    address.octets[2 * i] = static_cast<std::uint8_t>((*groups)[i] >> 8);
    address.octets[2 * i + 1] = static_cast<std::uint8_t>((*groups)[i] & 255);
  }
  return address;
}

std::string IpAddress::to_string() const {
  return family == Family::ipv4 ? ipv4_text(octets.data()) : ipv6_text(octets);
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(octets, [](std::uint8_t octet) { return octet == 0; });
}

std::string Endpoint::to_string() const {
  const std::string port_text = ":" + std::to_string(port);
  if (address.family == IpAddress::Family::ipv4) return address.to_string() + port_text;
  return "[" + address.to_string() + "]" + port_text;
}

} // namespace midcom::sip
