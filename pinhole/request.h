// SPDX-License-Identifier: GPL-3.0-or-later
// What an agent asks of the middlebox and what it answers: RFC 5189 transactions, declarative per
// group
// ("group G has exactly these rules"). Values only; daemon/channel_codec puts them on the wire.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pinhole/endpoint.h"
#include "pinhole/promise.h"

namespace midcom::pinhole {

using GroupId = std::array<std::uint8_t, 16>; // 128 bits of an HMAC over Call-ID and tags
using Identity = std::array<std::uint8_t, 8>; // 64 bits of an HMAC over an identity; all 0: unknown

// Whom a group belongs to: the identity of the participant's flow (certificate, address of record)
// and its network address. Kept in the kernel with every element.
struct Participant {
  Identity strong{};
  Identity network{};
  auto operator<=>(const Participant&) const = default;
};
using Participants = std::array<Participant, 2>; // in no order

// One enabled policy rule: an exact flow between an internal (A0) and external (A3) endpoint. Over
// TCP the connection itself (SYN) needs a sink besides.
struct Rule {
  std::uint16_t stream = 0;   // index of the m= line
  std::uint8_t component = 1; // 1 RTP, 2 RTCP
  std::uint8_t protocol = 17; // IPPROTO_UDP or IPPROTO_TCP
  Endpoint a, b;
  bool from_a = true, from_b = true; // which directions carry packets; at least one
  auto operator<=>(const Rule&) const = default;
};

// A reserved policy rule: a receive address whose sender isn't known yet. What arrives there and is
// in no rule goes to the gate; whom the gate admits gets a rule of the same group, stream and
// component.
struct Sink {
  std::uint16_t stream = 0;
  std::uint8_t component = 1;
  std::uint8_t protocol = 17;
  Endpoint at;
  bool is_a = true;         // `at` is end a of the rules that come of it
  std::uint8_t promise = 0; // index in SetGroup::promises
  auto operator<=>(const Sink&) const = default;
};

// Closed list. The words are in to_string() and are the ones of the log.
enum class Result : std::uint8_t {
  ok,
  unknown_group,
  not_participant,   // the asking identity is none of the group's
  conflict,          // the 5-tuple is live for another pair of participants
  forbidden_address, // special, the gateway's own, forbidden host, or on no side
  forbidden_port,
  same_side,      // both ends on one side
  too_many_rules, // of one group
  table_full,     // sets are full: 503 with Retry-After
  lifetime,       // beyond the policy's maximum
  kernel,         // netlink failed; nothing was changed
  malformed,
};
[[nodiscard]] std::string_view to_string(Result result);

namespace request {
// Group `group` has exactly `rules` and `sinks` from now on, for at most `lifetime_s` more seconds,
// and besides what the gate has admitted through sinks whose address and promise are the same as
// before. Neither rules nor sinks: the group is released and the reply carries final counters.
struct SetGroup {
  std::uint64_t transaction;
  GroupId group;
  Participants participants;
  std::uint32_t lifetime_s;
  std::vector<Rule> rules;
  std::vector<Sink> sinks = {};
  std::vector<Promise> promises = {}; // no more than max_promises, nor than sinks
};
// Releases a group that the agent may never have seen (after its restart) when `asker` is one of
// the participants the kernel remembers.
struct Release {
  std::uint64_t transaction;
  GroupId group;
  Participant asker;
};
// Changes the lifetime of a group (seconds from now).
struct ChangeLifetime {
  std::uint64_t transaction;
  GroupId group;
  std::uint32_t lifetime_s;
};
struct Status { // participants, rules and counters of one group
  std::uint64_t transaction;
  GroupId group;
};
struct List { // ids of all groups
  std::uint64_t transaction;
};
} // namespace request
using Request = std::variant<request::SetGroup, request::Release, request::ChangeLifetime,
                             request::Status, request::List>;

inline constexpr std::size_t max_promises = 32;

struct Counter {
  std::uint16_t stream = 0;
  std::uint8_t component = 1;
  Endpoint source, destination; // the direction counted
  std::uint64_t packets = 0, bytes = 0;
  std::uint8_t protocol = 17;
  auto operator<=>(const Counter&) const = default;
};

namespace reply {
struct Done {
  std::uint64_t transaction;
  Result result;
  std::vector<Counter>
      counters; // final ones of the elements that went, or the present ones (Status)
  Participants participants = {}; // of the group (Status)
};
struct Groups { // answer to List; `more` says that another one of the same transaction follows
  std::uint64_t transaction;
  std::vector<GroupId> groups;
  bool more;
};
} // namespace reply

namespace event {
enum class Cause : std::uint8_t { expired, lost, repaired };
struct GroupEvent { // a group ended by its deadline, or was lost with the tables
  GroupId group;
  Cause cause;
  std::vector<Counter> counters;
};
// The gate has admitted a sender: the group has this rule from now on.
struct Admitted {
  GroupId group;
  Rule rule;
  std::uint8_t kind; // of Kind: what proved it
};
// The first packet of a flow that the group has, `delay_ms` after the flow was opened (resolution:
// a quarter of it).
struct FirstPacket {
  GroupId group;
  std::uint16_t stream;
  std::uint8_t component;
  Endpoint source, destination;
  std::uint32_t delay_ms;
};
// What the gate has done since the middlebox began.
struct GateCounters {
  std::uint64_t queued = 0, admitted = 0, parked = 0, released = 0, dropped = 0, overrun = 0;
  auto operator<=>(const GateCounters&) const = default;
};
struct TableRepaired { // someone flushed our tables; `gap_us` from the event to the ack
  std::uint32_t gap_us;
};
struct Ready { // first message after start: what the kernel can do, how much was adopted
  std::uint32_t features;
  std::uint32_t adopted_groups, adopted_elements;
  std::string description; // feature words for the log
};
} // namespace event
using Reply = std::variant<reply::Done, reply::Groups, event::GroupEvent, event::TableRepaired,
                           event::Ready, event::Admitted, event::FirstPacket, event::GateCounters>;

} // namespace midcom::pinhole
