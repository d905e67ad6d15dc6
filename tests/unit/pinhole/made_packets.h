// SPDX-License-Identifier: GPL-3.0-or-later
// Packets made by hand for the tests and benchmarks of the gate. STUN's proofs are computed here
// independently of what is tested.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pinhole/flow.h"

namespace midcom::pinhole::made {

[[nodiscard]] std::string from_hex(std::string_view digits);
[[nodiscard]] Endpoint at(std::string_view address, int port);

// From the IP header on.
[[nodiscard]] std::string udp(const Endpoint& source, const Endpoint& destination,
                              std::string_view payload);
[[nodiscard]] std::string tcp(const Endpoint& source, const Endpoint& destination,
                              std::uint8_t flags);
inline constexpr std::uint8_t fin = 1, syn = 2, rst = 4, ack = 16;

struct Stun {
  std::string_view username = "recv:send";
  std::string_view password = "a password of the receiver";
  enum class Proof : std::uint8_t { none, sha1, sha256, both };
  Proof proof = Proof::sha1;
  bool has_fingerprint = true;
};
[[nodiscard]] std::string stun(const Stun& parts);
void append_stun_attribute(std::string& message, std::uint16_t type, std::string_view value);
void append_stun_fingerprint(std::string& message);

[[nodiscard]] std::string client_hello();
[[nodiscard]] std::string rtp(std::uint8_t payload_type, std::size_t size = 160);
[[nodiscard]] std::string rtcp(); // SR and SDES
[[nodiscard]] std::string udptl();

// RFC 5769 2.1 to 2.3; of all the password is this one.
inline constexpr std::string_view rfc5769_password = "VOkJxbRl1RmTxUk/WvJxBt";
[[nodiscard]] std::string rfc5769_request();
[[nodiscard]] std::string rfc5769_ipv4_response();
[[nodiscard]] std::string rfc5769_ipv6_response();

} // namespace midcom::pinhole::made
