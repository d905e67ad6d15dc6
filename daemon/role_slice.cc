// SPDX-License-Identifier: GPL-3.0-or-later
// Every struct is taken apart by a structured binding: a field added to one of them doesn't compile
// until it is encoded here.
#include "daemon/role_slice.h"

#include <chrono>
#include <ratio>
#include <utility>

namespace midcom {

namespace {

constexpr std::size_t max_text = 4096;
constexpr std::size_t max_list = 65536;
constexpr std::size_t max_policy = 2 << 20;
constexpr std::size_t max_offer = max_own_certificate + 64;

template <class Wire, class Duration>
void duration(Wire& wire, Duration& value) {
  auto count = static_cast<std::uint64_t>(value.count());
  wire.number(count);
  if constexpr (!Wire::is_writer) {
    // Far beyond every bound of the configuration, far below an overflow.
    if (count > 1'000'000'000'000) return wire.fail(WireError::range);
    value = Duration(static_cast<typename Duration::rep>(count));
  }
}

template <class Wire, class... Numbers>
void numbers(Wire& wire, Numbers&... values) {
  (wire.number(values), ...);
}

template <class Wire, class... Durations>
void durations(Wire& wire, Durations&... values) {
  (duration(wire, values), ...);
}

template <class Wire>
void texts(Wire& wire, Field<Wire, std::vector<std::string>>& values) {
  list(wire, values, max_list,
       [](Wire& inner, Field<Wire, std::string>& value) { inner.text(value, max_text); });
}

template <class Wire, class Address>
void address_fields(Wire& wire, Address& address) { // sip's and pinhole's look alike
  auto family = static_cast<std::uint8_t>(address.family);
  wire.number(family);
  if constexpr (!Wire::is_writer) {
    if (family != 4 && family != 6) return wire.fail(WireError::range);
    address.family = static_cast<decltype(address.family)>(family);
  }
  wire.octets(address.octets.data(), address.octets.size());
}

template <class Wire>
void fields(Wire& wire, Field<Wire, sip::Endpoint>& value) {
  auto& [address, port] = value;
  address_fields(wire, address);
  wire.number(port);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, pinhole::Prefix>& value) {
  auto& [address, length] = value;
  address_fields(wire, address);
  wire.number(length);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, pinhole::PortRange>& value) {
  auto& [first, last] = value;
  numbers(wire, first, last);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Target>& value) {
  auto& [transport, address, tls_name] = value;
  wire.enumerator(transport, Transport::tls);
  fields(wire, address);
  wire.text(tls_name, max_text);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, ListenerConfig>& value) {
  auto& [name, transport, address, advertised] = value;
  wire.text(name, max_text);
  wire.enumerator(transport, Transport::tls);
  fields(wire, address);
  wire.text(advertised, max_text);
}

template <class Wire, class Value>
void optional_field(Wire& wire, Field<Wire, std::optional<Value>>& value) {
  bool is_there = value.has_value();
  wire.boolean(is_there);
  if constexpr (!Wire::is_writer) {
    value.reset();
    if (is_there) value.emplace();
  }
  if (value) fields(wire, *value);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, PeerConfig>& value);
template <class Wire>
void fields(Wire& wire, Field<Wire, RouteConfig>& value);
template <class Wire>
void fields(Wire& wire, Field<Wire, UserConfig>& value);
template <class Wire>
void fields(Wire& wire, Field<Wire, MiddleConfig>& value);

template <class Element, class Wire>
void values(Wire& wire, Field<Wire, std::vector<Element>>& elements) {
  list(wire, elements, max_list,
       [](Wire& inner, Field<Wire, Element>& element) { fields(inner, element); });
}

template <class Wire>
void fields(Wire& wire, Field<Wire, DisclosurePolicy>& value) {
  auto& [view, verify, opaque, legacy, on_bad_answer, answerer] = value;
  texts(wire, view);
  texts(wire, verify);
  wire.enumerator(opaque, DisclosurePolicy::Opaque::refuse);
  wire.enumerator(legacy, DisclosurePolicy::Legacy::refuse);
  wire.enumerator(on_bad_answer, DisclosurePolicy::BadAnswer::terminate);
  wire.enumerator(answerer, DisclosurePolicy::Answerer::any_trusted);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, PeerConfig>& value) {
  auto& [name, kind, networks, identities, interfaces, side, media_is_source, media, next_hop,
         is_registrar, keys, methods, max_calls, media_source, takes_tcp_media,
         resolves_media_names, disclosure] = value;
  wire.text(name, max_text);
  wire.enumerator(kind, PeerKind::trunk);
  values<pinhole::Prefix>(wire, networks);
  texts(wire, identities);
  texts(wire, interfaces);
  wire.text(side, max_text);
  wire.boolean(media_is_source);
  values<pinhole::Prefix>(wire, media);
  optional_field<Wire, Target>(wire, next_hop);
  wire.boolean(is_registrar);
  wire.enumerator(keys, KeyPolicy::allow);
  texts(wire, methods);
  wire.number(max_calls);
  wire.enumerator(media_source, pinhole::SourceRule::any_verified);
  wire.boolean(takes_tcp_media);
  wire.boolean(resolves_media_names);
  fields(wire, disclosure);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, RouteConfig>& value) {
  auto& [domain, peer] = value;
  wire.text(domain, max_text);
  wire.text(peer, max_text);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, TimeoutConfig>& value) {
  auto& [t1, t2, t4, timer_c, connect, handshake, idle, early, call, grace, ice_grace, commit,
         opener] = value;
  durations(wire, t1, t2, t4, timer_c, connect, handshake, idle, early, call, grace, ice_grace,
            commit, opener);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, sip::MessageLimits>& value) {
  auto& [message, headers, body, line, header_fields, header_values] = value;
  numbers(wire, message, headers, body, line, header_fields, header_values);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, sip::SdpLimits>& value) {
  auto& [size, line, lines, media, attributes, candidates] = value;
  numbers(wire, size, line, lines, media, attributes, candidates);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, LimitConfig>& value) {
  auto& [message, sdp, connections, connections_per_address, transactions, transactions_per_address,
         calls, streams_per_call, rules, rules_per_call, write_buffer] = value;
  fields(wire, message);
  fields(wire, sdp);
  numbers(wire, connections, connections_per_address, transactions, transactions_per_address, calls,
          streams_per_call, rules, rules_per_call, write_buffer);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, MediaConfig>& value) {
  auto& [has_early, one_way_after, inactivity, inactivity_on_hold] = value;
  wire.boolean(has_early);
  durations(wire, one_way_after, inactivity, inactivity_on_hold);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, DnsConfig>& value) {
  auto& [servers, timeout] = value;
  values<sip::Endpoint>(wire, servers);
  duration(wire, timeout);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, SmimeConfig>& value) {
  auto& [openers, date_window, replay_entries, certificate] = value;
  numbers(wire, openers, replay_entries);
  duration(wire, date_window);
  wire.text(certificate, max_own_certificate);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, UserConfig>& value) {
  auto& [address, offer] = value;
  wire.text(address, max_text);
  wire.text(offer, max_offer);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, MiddleConfig>& value) {
  auto& [name, certificate] = value;
  wire.text(name, max_text);
  wire.text(certificate, max_own_certificate);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, EndpointConfig>& value) {
  auto& [seal, trusted_middles, users, middles, contacts] = value;
  wire.enumerator(seal, SealPolicy::required);
  texts(wire, trusted_middles);
  values<UserConfig>(wire, users);
  values<MiddleConfig>(wire, middles);
  list(wire, contacts, max_list, [](Wire& inner, Field<Wire, std::string>& contact) {
    inner.text(contact, max_own_certificate);
  });
}

template <class Wire>
void fields(Wire& wire, Field<Wire, AgentConfig>& value) {
  auto& [names, listeners, peers, routes, media_ports, forbidden_ports, forbidden_hosts, timeouts,
         limits, media, dns, mode, smime, role, endpoint] = value;
  texts(wire, names);
  values<ListenerConfig>(wire, listeners);
  values<PeerConfig>(wire, peers);
  values<RouteConfig>(wire, routes);
  values<pinhole::PortRange>(wire, media_ports);
  values<pinhole::PortRange>(wire, forbidden_ports);
  values<pinhole::Prefix>(wire, forbidden_hosts);
  fields(wire, timeouts);
  fields(wire, limits);
  fields(wire, media);
  fields(wire, dns);
  wire.enumerator(mode, pinhole::Mode::observe);
  fields(wire, smime);
  wire.enumerator(role, StationRole::endpoint);
  fields(wire, endpoint);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, LogConfig>& value) {
  auto& [format, destination, file, level] = value;
  wire.enumerator(format, LogConfig::Format::json);
  wire.enumerator(destination, LogConfig::Destination::file);
  wire.text(file, max_text);
  wire.enumerator(level, Level::error);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, AgentSlice>& value) {
  auto& [config, log, client_verify, minimum_tls_version] = value;
  fields(wire, config);
  fields(wire, log);
  wire.enumerator(client_verify, TlsConfig::Verify::required);
  wire.number(minimum_tls_version);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, MiddleboxSlice>& value) {
  auto& [log, policy] = value;
  fields(wire, log);
  wire.text(policy, max_policy);
}

template <class Wire>
void fields(Wire& wire, Field<Wire, OpenerSlice>& value) {
  auto& [log, crl_policy, extended_key_usages, cek_lifetime, users] = value;
  fields(wire, log);
  wire.enumerator(crl_policy, OpenerConfig::CrlPolicy::required);
  texts(wire, extended_key_usages);
  duration(wire, cek_lifetime);
  texts(wire, users);
}

template <class Slice>
std::string encode_slice(const Slice& slice) {
  WireWriter writer;
  fields(writer, slice);
  return std::move(writer).finish();
}

template <class Slice>
std::expected<Slice, WireError> decode_slice(std::string_view bytes) {
  WireReader reader(bytes);
  Slice slice;
  fields(reader, slice);
  if (const auto error = reader.finish()) return std::unexpected(*error);
  return slice;
}

} // namespace

std::string encode(const AgentSlice& slice) {
  return encode_slice(slice);
}

std::string encode(const MiddleboxSlice& slice) {
  return encode_slice(slice);
}

std::string encode(const OpenerSlice& slice) {
  return encode_slice(slice);
}

std::expected<AgentSlice, WireError> decode_agent_slice(std::string_view bytes) {
  return decode_slice<AgentSlice>(bytes);
}

std::expected<MiddleboxSlice, WireError> decode_middlebox_slice(std::string_view bytes) {
  return decode_slice<MiddleboxSlice>(bytes);
}

std::expected<OpenerSlice, WireError> decode_opener_slice(std::string_view bytes) {
  return decode_slice<OpenerSlice>(bytes);
}

} // namespace midcom
