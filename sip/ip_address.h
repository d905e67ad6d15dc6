// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace midcom::sip {

// An IPv4 or IPv6 address literal. IPv4 uses the first four octets; the rest are 0.
struct IpAddress {
  enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> octets{};

  // Strict: four decimal numbers without leading zeros, or RFC 4291 text without brackets or zone.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const; // RFC 5952 for IPv6, no brackets

  [[nodiscard]] bool is_unspecified() const;
  auto operator<=>(const IpAddress&) const = default;
};

// Address and port as SDP and Via give them. port 0 means "no port".
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  [[nodiscard]] std::string to_string() const; // "192.0.2.1:5061", "[2001:db8::1]:5061"
  auto operator<=>(const Endpoint&) const = default;
};

} // namespace midcom::sip
