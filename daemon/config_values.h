// SPDX-License-Identifier: GPL-3.0-or-later
// Values of midcomd.conf as text: each parser says what it expects and, where it can tell, what was
// probably meant.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "daemon/network.h"
#include "pinhole/policy.h"

namespace midcom {

struct BadValue {
  std::string message;
  std::string suggestion; // "" when there is none
};
template <class T>
using ConfigValue = std::expected<T, BadValue>;

struct TransportAddress {
  Transport transport = Transport::tls;
  sip::Endpoint address;
};

// A number with a unit: ms, s, m, h, d.
[[nodiscard]] ConfigValue<std::chrono::milliseconds> parse_duration(std::string_view text);
[[nodiscard]] ConfigValue<std::uint64_t> parse_count(std::string_view text);
// Octets; k and M are 1024 and 1024 * 1024.
[[nodiscard]] ConfigValue<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] ConfigValue<std::uint32_t> parse_mark(std::string_view text);       // decimal or 0x
[[nodiscard]] ConfigValue<pinhole::PortRange> parse_ports(std::string_view text); // "N" or "N-M"
[[nodiscard]] ConfigValue<pinhole::Prefix> parse_network(std::string_view text);
// "tls:192.0.2.1:5061", "udp:[2001:db8::1]:5060"; never a wildcard, never a host name.
[[nodiscard]] ConfigValue<TransportAddress> parse_transport_address(std::string_view text);
// A host name, in lower case.
[[nodiscard]] ConfigValue<sip::Endpoint> parse_name_server(std::string_view text); // ADDRESS
[[nodiscard]] ConfigValue<std::string> parse_host_name(std::string_view text);
// What may follow [peer, [listen or [allow, and the name of a side.
[[nodiscard]] ConfigValue<std::string> parse_word(std::string_view text);
[[nodiscard]] ConfigValue<std::string> parse_user(std::string_view text);
[[nodiscard]] ConfigValue<std::string> parse_interface(std::string_view text);
[[nodiscard]] ConfigValue<std::string> parse_method(std::string_view text);
// "type/subtype" without parameters, in lower case.
[[nodiscard]] ConfigValue<std::string> parse_content_type(std::string_view text);
// "any", or an object identifier in dots; "email" is id-kp-emailProtection.
[[nodiscard]] ConfigValue<std::string> parse_key_usage(std::string_view text);
// "sip:alice@example.com", as Uri::address_of_record has it.
[[nodiscard]] ConfigValue<std::string> parse_address_of_record(std::string_view text);
[[nodiscard]] ConfigValue<std::string> parse_absolute_path(std::string_view text);
// Index in `words`.
[[nodiscard]] ConfigValue<std::size_t> parse_choice(std::string_view text,
                                                    std::span<const std::string_view> words);

// The candidate with the smallest edit distance when that is small enough to be a slip, else "".
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            std::span<const std::string_view> candidates);
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> candidates);

[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration); // "30s", "500ms"
[[nodiscard]] std::string ports_text(const pinhole::PortRange& ports);

} // namespace midcom
