// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/channel_codec.h"

#include <array>
#include <type_traits>

namespace midcom {

namespace {

using namespace pinhole; // the values described below are all the middlebox's

template <class Wire>
void fields(Wire& wire, Field<Wire, Address>& address) {
  std::uint8_t family = static_cast<std::uint8_t>(address.family);
  wire.number(family);
  if constexpr (!Wire::is_writer) {
    if (family != 4 && family != 6) {
      wire.fail(WireError::range);
      return;
    }
    address.family = static_cast<Family>(family);
    address.octets = {};
  }
  wire.octets(address.octets.data(), address.family == Family::ipv4 ? 4 : 16);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Endpoint>& endpoint) {
  fields(wire, endpoint.address);
  wire.number(endpoint.port);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Participant>& participant) {
  octet_array<Wire, 8>(wire, participant.strong);
  octet_array<Wire, 8>(wire, participant.network);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Rule>& rule) {
  wire.number(rule.stream);
  wire.number(rule.component);
  wire.number(rule.protocol);
  fields(wire, rule.a);
  fields(wire, rule.b);
  wire.boolean(rule.from_a);
  wire.boolean(rule.from_b);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Counter>& counter) {
  wire.number(counter.stream);
  wire.number(counter.component);
  fields(wire, counter.source);
  fields(wire, counter.destination);
  wire.number(counter.packets);
  wire.number(counter.bytes);
}

template <class Wire>
void counter_list(Wire& wire, Field<Wire, std::vector<Counter>>& counters) {
  list(wire, counters, max_counters_in_message,
       [](Wire& inner, Field<Wire, Counter>& counter) { fields(inner, counter); });
}

template <class Wire>
void fields(Wire& wire, Field<Wire, request::SetGroup>& request) {
  wire.number(request.transaction);
  octet_array<Wire, 16>(wire, request.group);
  fields(wire, request.participants[0]);
  fields(wire, request.participants[1]);
  wire.number(request.lifetime_s);
  list(wire, request.rules, max_rules_in_message,
       [](Wire& inner, Field<Wire, Rule>& rule) { fields(inner, rule); });
}

template <class Wire>
void fields(Wire& wire, Field<Wire, request::Release>& request) {
  wire.number(request.transaction);
  octet_array<Wire, 16>(wire, request.group);
  fields(wire, request.asker);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, request::ChangeLifetime>& request) {
  wire.number(request.transaction);
  octet_array<Wire, 16>(wire, request.group);
  wire.number(request.lifetime_s);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, request::Status>& request) {
  wire.number(request.transaction);
  octet_array<Wire, 16>(wire, request.group);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, request::List>& request) {
  wire.number(request.transaction);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, reply::Done>& reply) {
  wire.number(reply.transaction);
  wire.enumerator(reply.result, Result::malformed);
  counter_list(wire, reply.counters);
  fields(wire, reply.participants[0]);
  fields(wire, reply.participants[1]);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, reply::Groups>& reply) {
  wire.number(reply.transaction);
  list(wire, reply.groups, max_groups_in_message,
       [](Wire& inner, Field<Wire, GroupId>& group) { octet_array<Wire, 16>(inner, group); });
  wire.boolean(reply.more);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, event::GroupEvent>& event) {
  octet_array<Wire, 16>(wire, event.group);
  wire.enumerator(event.cause, event::Cause::repaired);
  counter_list(wire, event.counters);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, event::TableRepaired>& event) {
  wire.number(event.gap_us);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, event::Ready>& event) {
  wire.number(event.features);
  wire.number(event.adopted_groups);
  wire.number(event.adopted_elements);
  wire.text(event.description, max_description);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, control::StartAgent>& start) {
  wire.number(start.uid);
  wire.number(start.gid);
  wire.number(start.listeners);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, control::StartMiddlebox>& start) {
  wire.number(start.uid);
  wire.number(start.gid);
}

template <class Wire>
void fields(Wire&, Field<Wire, control::Peer>&) {}
template <class Wire>
void fields(Wire&, Field<Wire, control::Stop>&) {}
template <class Wire>
void fields(Wire&, Field<Wire, control::Up>&) {}
template <class Wire>
void fields(Wire&, Field<Wire, control::Violation>&) {}

template <class Wire>
void fields(Wire& wire, Field<Wire, control::Ping>& ping) {
  wire.number(ping.number);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, control::Pong>& pong) {
  wire.number(pong.number);
}

// The kind octet is the family's base plus the alternative's index: a reply sent where a request
// is awaited is an unknown kind.
enum class Base : std::uint8_t { request = 0x10, reply = 0x40, control = 0x80 };

template <class Variant>
std::string encode_variant(const Variant& message, Base base) {
  WireWriter writer;
  writer.number(static_cast<std::uint8_t>(static_cast<std::size_t>(base) + message.index()));
  std::visit([&](const auto& alternative) { fields(writer, alternative); }, message);
  return std::move(writer).finish();
}

template <class Variant, std::size_t index = 0>
bool read_alternative(WireReader& reader, std::size_t wanted, Variant& message) {
  if constexpr (index == std::variant_size_v<Variant>) {
    return false;
  } else {
    if (index != wanted) return read_alternative<Variant, index + 1>(reader, wanted, message);
    fields(reader, message.template emplace<index>());
    return true;
  }
}

template <class Variant>
std::expected<Variant, WireError> decode_variant(std::string_view bytes, Base base) {
  WireReader reader(bytes);
  std::uint8_t kind = 0;
  reader.number(kind);
  if (reader.has_failed()) return std::unexpected(WireError::truncated);
  Variant message;
  // A kind below the base wraps to an index that no variant has.
  const std::size_t index = std::size_t{kind} - static_cast<std::size_t>(base);
  if (!read_alternative(reader, index, message)) return std::unexpected(WireError::unknown_kind);
  if (const auto error = reader.finish()) return std::unexpected(*error);
  return message;
}

} // namespace

std::string encode(const pinhole::Request& request) {
  return encode_variant(request, Base::request);
}

std::string encode(const pinhole::Reply& reply) {
  return encode_variant(reply, Base::reply);
}

std::string encode(const Control& message) {
  return encode_variant(message, Base::control);
}

std::expected<pinhole::Request, WireError> decode_request(std::string_view bytes) {
  return decode_variant<pinhole::Request>(bytes, Base::request);
}

std::expected<pinhole::Reply, WireError> decode_reply(std::string_view bytes) {
  return decode_variant<pinhole::Reply>(bytes, Base::reply);
}

std::expected<Control, WireError> decode_control(std::string_view bytes) {
  return decode_variant<Control>(bytes, Base::control);
}

} // namespace midcom
