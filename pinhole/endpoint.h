// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses as the middlebox has them. pinhole includes nothing of sip/: the agent's view of an
// address crosses the channel as octets and is judged here again.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace midcom::pinhole {

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

struct Address {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> octets{}; // IPv4 in the first four, the rest 0
  [[nodiscard]] static std::optional<Address> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  // Never media: unspecified, loopback, multicast, link-local, broadcast, 0/8, 240/4, IPv4-mapped.
  [[nodiscard]] bool is_special() const;
  auto operator<=>(const Address&) const = default;
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Endpoint&) const = default;
};

// 192.0.2.0/24, 2001:db8::/32; a bare address is its own prefix. Host bits must be 0.
struct Prefix {
  Address address;
  std::uint8_t length = 0;
  [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool contains(const Address& other) const;
  [[nodiscard]] bool overlaps(const Prefix& other) const;
  auto operator<=>(const Prefix&) const = default;
};

} // namespace midcom::pinhole
