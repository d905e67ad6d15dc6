// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/endpoint.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace midcom::pinhole {

namespace {

std::size_t size_of(Family family) {
  return family == Family::ipv4 ? 4 : 16;
}

// The first `length` bits of both are equal.
bool same_bits(const Address& left, const Address& right, unsigned length) {
  const std::size_t whole = length / 8;
  if (!std::equal(left.octets.begin(), left.octets.begin() + static_cast<std::ptrdiff_t>(whole),
                  right.octets.begin()))
    return false;
  const unsigned rest = length % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xffU << (8 - rest) & 0xffU;
  return ((left.octets[whole] ^ right.octets[whole]) & mask) == 0;
}

bool has_host_bits(const Prefix& prefix) {
  Address rest = prefix.address;
  for (std::size_t i = 0; i < rest.octets.size(); ++i) {
    const int kept = static_cast<int>(prefix.length) - static_cast<int>(i * 8);
    if (kept >= 8)
      rest.octets[i] = 0;
    else if (kept > 0)
      rest.octets[i] = static_cast<std::uint8_t>(rest.octets[i] & (0xffU >> kept));
  }
  return std::ranges::any_of(rest.octets, [](std::uint8_t octet) { return octet != 0; });
}

bool is_special_ipv4(const std::array<std::uint8_t, 16>& octets) {
  return octets[0] == 0 || octets[0] == 127 || (octets[0] == 169 && octets[1] == 254) ||
         octets[0] >= 224;
}

bool is_special_ipv6(const std::array<std::uint8_t, 16>& octets) {
  if (octets[0] == 0xff) return true;
  if (octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80) return true;
  if (!std::all_of(octets.begin(), octets.begin() + 10, [](std::uint8_t o) { return o == 0; }))
    return false;
  // ::, ::1, ::/96 (IPv4-compatible) and ::ffff:0:0/96 (IPv4-mapped)
  return (octets[10] == 0 && octets[11] == 0) || (octets[10] == 0xff && octets[11] == 0xff);
}

} // namespace

std::optional<Address> Address::parse(std::string_view text) {
  const std::string copy(text);
  if (copy.size() != text.size() || copy.find('\0') != std::string::npos) return std::nullopt;
  Address address;
  address.family = text.find(':') == std::string_view::npos ? Family::ipv4 : Family::ipv6;
  const int family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
  if (inet_pton(family, copy.c_str(), address.octets.data()) != 1) return std::nullopt;
  return address;
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(family == Family::ipv4 ? AF_INET : AF_INET6, octets.data(), text, sizeof text);
  return text;
}

bool Address::is_special() const {
  return family == Family::ipv4 ? is_special_ipv4(octets) : is_special_ipv6(octets);
}

std::string Endpoint::to_string() const {
  const std::string host = address.to_string();
  return (address.family == Family::ipv4 ? host : "[" + host + "]") + ":" + std::to_string(port);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto bits = static_cast<std::uint8_t>(size_of(address->family) * 8);
  Prefix prefix{*address, bits};
  if (slash == std::string_view::npos) return prefix;
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), prefix.length);
  if (error != std::errc{} || end != digits.data() + digits.size() || prefix.length > bits)
    return std::nullopt;
  if (has_host_bits(prefix)) return std::nullopt;
  return prefix;
}

std::string Prefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

bool Prefix::contains(const Address& other) const {
  return address.family == other.family && same_bits(address, other, length);
}

bool Prefix::overlaps(const Prefix& other) const {
  return address.family == other.address.family &&
         same_bits(address, other.address, std::min(length, other.length));
}

} // namespace midcom::pinhole
