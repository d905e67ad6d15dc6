// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/channel_codec.h"

#include <array>

#include "daemon/wire_variant.h"

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
void fields(Wire& wire, Field<Wire, Sink>& sink) {
  wire.number(sink.stream);
  wire.number(sink.component);
  wire.number(sink.protocol);
  fields(wire, sink.at);
  wire.boolean(sink.is_a);
  wire.number(sink.promise);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Promise>& promise) {
  wire.number(promise.kinds);
  if constexpr (!Wire::is_writer)
    if ((promise.kinds & ~all_kinds) != 0) wire.fail(WireError::range);
  wire.boolean(promise.awaits_answer);
  wire.enumerator(promise.source, SourceRule::any_verified);
  wire.number(promise.session);
  list(wire, promise.senders, max_senders,
       [](Wire& inner, Field<Wire, Endpoint>& sender) { fields(inner, sender); });
  octet_array<Wire, 16>(wire, promise.payload_types);
  wire.text(promise.receiver_ufrag, max_ice_string);
  wire.text(promise.sender_ufrag, max_ice_string);
  wire.text(promise.receiver_password, max_ice_string);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Counter>& counter) {
  wire.number(counter.stream);
  wire.number(counter.component);
  fields(wire, counter.source);
  fields(wire, counter.destination);
  wire.number(counter.packets);
  wire.number(counter.bytes);
  wire.number(counter.protocol);
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
  list(wire, request.sinks, max_sinks_in_message,
       [](Wire& inner, Field<Wire, Sink>& sink) { fields(inner, sink); });
  list(wire, request.promises, max_promises,
       [](Wire& inner, Field<Wire, Promise>& promise) { fields(inner, promise); });
  if constexpr (!Wire::is_writer)
    for (const Sink& sink : request.sinks)
      if (sink.promise >= request.promises.size()) wire.fail(WireError::range);
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
void fields(Wire& wire, Field<Wire, event::Admitted>& event) {
  octet_array<Wire, 16>(wire, event.group);
  fields(wire, event.rule);
  wire.number(event.kind);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, event::FirstPacket>& event) {
  octet_array<Wire, 16>(wire, event.group);
  wire.number(event.stream);
  wire.number(event.component);
  fields(wire, event.source);
  fields(wire, event.destination);
  wire.number(event.delay_ms);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, event::GateCounters>& event) {
  wire.number(event.queued);
  wire.number(event.admitted);
  wire.number(event.parked);
  wire.number(event.released);
  wire.number(event.dropped);
  wire.number(event.overrun);
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
void fields(Wire& wire, Field<Wire, control::StartOpener>& start) {
  wire.number(start.uid);
  wire.number(start.gid);
}

template <class Wire>
void opener_number(Wire& wire, Field<Wire, std::uint8_t>& number, std::uint8_t least) {
  wire.number(number);
  if constexpr (!Wire::is_writer)
    if (number < least || number > max_openers) wire.fail(WireError::range);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, control::Peer>& peer) {
  opener_number(wire, peer.opener, 0);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, control::OpenerViolation>& violation) {
  opener_number(wire, violation.opener, 1);
}

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

constexpr auto each_field = [](auto& wire, auto& message) { fields(wire, message); };

} // namespace

std::string encode(const pinhole::Request& request) {
  return encode_variant(request, KindBase::middlebox_request, each_field);
}

std::string encode(const pinhole::Reply& reply) {
  return encode_variant(reply, KindBase::middlebox_reply, each_field);
}

std::string encode(const Control& message) {
  return encode_variant(message, KindBase::control, each_field);
}

std::expected<pinhole::Request, WireError> decode_request(std::string_view bytes) {
  return decode_variant<pinhole::Request>(bytes, KindBase::middlebox_request, each_field);
}

std::expected<pinhole::Reply, WireError> decode_reply(std::string_view bytes) {
  return decode_variant<pinhole::Reply>(bytes, KindBase::middlebox_reply, each_field);
}

std::expected<std::vector<pinhole::Request>, WireError> decode_requests(std::string_view record) {
  return decode_variants<pinhole::Request>(record, KindBase::middlebox_request, each_field);
}

std::expected<std::vector<pinhole::Reply>, WireError> decode_replies(std::string_view record) {
  return decode_variants<pinhole::Reply>(record, KindBase::middlebox_reply, each_field);
}

std::expected<Control, WireError> decode_control(std::string_view bytes) {
  return decode_variant<Control>(bytes, KindBase::control, each_field);
}

} // namespace midcom
