// SPDX-License-Identifier: GPL-3.0-or-later
// What the processes say to each other, octet by octet: a message's first octet is the kind, all
// numbers are big-endian, an address is its family and 4 or 16 octets, a list its 32-bit count and
// its elements. One message is one SOCK_SEQPACKET record; only requests to the middlebox and its
// replies follow each other in one, as many as there are in a turn. Decoding consumes every octet
// and checks every count and enumerator; what fails is no message, and the receiver ends the
// channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/wire.h"
#include "pinhole/request.h"

namespace midcom {

// The largest messages keep below max_channel_message (channel.h).
inline constexpr std::size_t max_rules_in_message = 1024;
inline constexpr std::size_t max_sinks_in_message = 256;
inline constexpr std::size_t max_counters_in_message = 2048;
inline constexpr std::size_t max_groups_in_message = 4096;
inline constexpr std::size_t max_description = 4096;
inline constexpr std::uint8_t max_openers = 16;

// Agent and middlebox. encode() throws std::length_error beyond the bounds above.
[[nodiscard]] std::string encode(const pinhole::Request& request);
[[nodiscard]] std::string encode(const pinhole::Reply& reply);
[[nodiscard]] std::expected<pinhole::Request, WireError> decode_request(std::string_view bytes);
[[nodiscard]] std::expected<pinhole::Reply, WireError> decode_reply(std::string_view bytes);
// Of a record of several. All or nothing.
[[nodiscard]] std::expected<std::vector<pinhole::Request>, WireError>
decode_requests(std::string_view record);
[[nodiscard]] std::expected<std::vector<pinhole::Reply>, WireError>
decode_replies(std::string_view record);

// Supervisor and its children: fixed messages.
namespace control {
// To the agent, the first message. Descriptors in order: empty directory, agent slice, secrets,
// certificate, key, trusted CA, then the listening sockets, then the control socket if there is
// one.
struct StartAgent {
  std::uint32_t uid, gid, listeners;
  auto operator<=>(const StartAgent&) const = default;
};
// To the middlebox, the first message. Descriptors: empty directory, middlebox slice.
struct StartMiddlebox {
  std::uint32_t uid, gid;
  auto operator<=>(const StartMiddlebox&) const = default;
};
// To an opener, the first message. Descriptors: empty directory, opener slice, certificate, key,
// authorities, revocation lists, then certificate and key of each user of the slice.
struct StartOpener {
  std::uint32_t uid, gid;
  auto operator<=>(const StartOpener&) const = default;
};
// To one of two: the descriptor is its end of a new channel between them; an older one is over.
struct Peer {
  std::uint8_t opener = 0; // to the agent: which opener, from 1; 0 is the middlebox. To others 0
  auto operator<=>(const Peer&) const = default;
};
struct Ping { // answered by a Pong with the same number from the event loop
  std::uint64_t number;
  auto operator<=>(const Ping&) const = default;
};
struct Stop { // end in good order
  auto operator<=>(const Stop&) const = default;
};
// From each: privileges are dropped and proven to be, the event loop is about to run.
struct Up {
  auto operator<=>(const Up&) const = default;
};
// From middlebox or opener: the agent sent what is no message; the supervisor ends that agent.
struct Violation {
  auto operator<=>(const Violation&) const = default;
};
struct Pong {
  std::uint64_t number;
  auto operator<=>(const Pong&) const = default;
};
// From the agent: this opener sent what is no message, or no answer to a request; the supervisor
// ends it.
struct OpenerViolation {
  std::uint8_t opener; // from 1
  auto operator<=>(const OpenerViolation&) const = default;
};
} // namespace control
using Control = std::variant<control::StartAgent, control::StartMiddlebox, control::Peer,
                             control::Ping, control::Stop, control::Up, control::Pong,
                             control::Violation, control::StartOpener, control::OpenerViolation>;
inline constexpr std::size_t descriptors_before_listeners = 6;

[[nodiscard]] std::string encode(const Control& message);
[[nodiscard]] std::expected<Control, WireError> decode_control(std::string_view bytes);

} // namespace midcom
