// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/request_policy.h"

#include <algorithm>
#include <netinet/in.h>

namespace midcom::pinhole {

namespace {

bool is_in(const std::vector<Prefix>& prefixes, const Address& address) {
  return std::ranges::any_of(prefixes, [&](const Prefix& p) { return p.contains(address); });
}

bool is_in(const std::vector<PortRange>& ranges, std::uint16_t port) {
  return std::ranges::any_of(ranges,
                             [&](PortRange r) { return r.first <= port && port <= r.last; });
}

bool is_well_formed(const Address& address) {
  if (address.family == Family::ipv6) return true;
  return address.family == Family::ipv4 &&
         std::all_of(address.octets.begin() + 4, address.octets.end(),
                     [](std::uint8_t octet) { return octet == 0; });
}

bool is_transport(std::uint8_t protocol) {
  return protocol == IPPROTO_UDP || protocol == IPPROTO_TCP;
}

bool is_well_formed(const Rule& rule) {
  return is_well_formed(rule.a.address) && is_well_formed(rule.b.address) &&
         rule.a.address.family == rule.b.address.family && is_transport(rule.protocol) &&
         rule.component != 0 && (rule.from_a || rule.from_b);
}

bool may_be_media(const Policy& policy, const Address& address) {
  return !address.is_special() && !is_in(policy.own_addresses, address) &&
         !is_in(policy.forbidden_hosts, address) && side_of(policy, address) != nullptr;
}

bool may_be_media(const Policy& policy, std::uint16_t port) {
  return port != 0 && is_in(policy.media_ports, port) && !is_in(policy.forbidden_ports, port);
}

// The end that connects takes its port from wherever its system does (RFC 6335 6).
bool may_connect(const Policy& policy, std::uint16_t port) {
  return port >= 1024 && !is_in(policy.forbidden_ports, port);
}

bool may_be_connected_to(const Policy& policy, const Endpoint& at) {
  return may_be_media(policy, at.port) && side_of(policy, at.address)->is_tcp_inbound;
}

Result check_ports(const Policy& policy, const Rule& rule) {
  if (rule.protocol == IPPROTO_UDP)
    return may_be_media(policy, rule.a.port) && may_be_media(policy, rule.b.port)
               ? Result::ok
               : Result::forbidden_port;
  if (!may_connect(policy, rule.a.port) || !may_connect(policy, rule.b.port))
    return Result::forbidden_port;
  return may_be_connected_to(policy, rule.a) || may_be_connected_to(policy, rule.b)
             ? Result::ok
             : Result::forbidden_port;
}

Result check(const Policy& policy, const Sink& sink, std::size_t promises) {
  if (!is_well_formed(sink.at.address) || !is_transport(sink.protocol) || sink.component == 0 ||
      sink.promise >= promises)
    return Result::malformed;
  if (!may_be_media(policy, sink.at.address)) return Result::forbidden_address;
  if (!may_be_media(policy, sink.at.port)) return Result::forbidden_port;
  if (sink.protocol == IPPROTO_TCP && !may_be_connected_to(policy, sink.at))
    return Result::forbidden_address;
  return Result::ok;
}

bool is_well_formed(const Promise& promise) {
  return promise.kinds != 0 && (promise.kinds & ~all_kinds) == 0 &&
         promise.source <= SourceRule::any_verified && promise.senders.size() <= max_senders &&
         std::ranges::all_of(
             promise.senders,
             [](const Endpoint& sender) { return is_well_formed(sender.address); }) &&
         promise.receiver_ufrag.size() <= max_ice_string &&
         promise.sender_ufrag.size() <= max_ice_string &&
         promise.receiver_password.size() <= max_ice_string;
}

} // namespace

Result check(const Policy& policy, const Rule& rule) {
  if (!is_well_formed(rule)) return Result::malformed;
  if (!may_be_media(policy, rule.a.address) || !may_be_media(policy, rule.b.address))
    return Result::forbidden_address;
  if (const Result result = check_ports(policy, rule); result != Result::ok) return result;
  if (side_of(policy, rule.a.address) == side_of(policy, rule.b.address)) return Result::same_side;
  return Result::ok;
}

Result check_sender(const Policy& policy, const Promise& promise, const Address& receiver,
                    const Address& source) {
  const Side* const receivers = side_of(policy, receiver);
  const Side* const sources = side_of(policy, source);
  bool is_known = false;
  for (const Endpoint& sender : promise.senders) {
    const Side* const side = side_of(policy, sender.address);
    if (side == nullptr || side == receivers) continue;
    if (side == sources) return Result::ok;
    is_known = true;
  }
  return is_known ? Result::forbidden_address : Result::ok;
}

Result check_lifetime(const Policy& policy, std::uint32_t lifetime_s) {
  return lifetime_s == 0 || lifetime_s > policy.max_lifetime_s ? Result::lifetime : Result::ok;
}

Result check(const Policy& policy, const request::SetGroup& request) {
  // A release asks for nothing.
  if (request.rules.empty() && request.sinks.empty()) return Result::ok;
  if (request.rules.size() + request.sinks.size() > policy.max_group_rules)
    return Result::too_many_rules;
  // No more than are used: a group's memory is bounded by its rules.
  if (request.promises.size() > std::min(max_promises, request.sinks.size()) ||
      !std::ranges::all_of(request.promises, [](const Promise& p) { return is_well_formed(p); }))
    return Result::malformed;
  if (const Result result = check_lifetime(policy, request.lifetime_s); result != Result::ok)
    return result;
  for (const Rule& rule : request.rules)
    if (const Result result = check(policy, rule); result != Result::ok) return result;
  for (const Sink& sink : request.sinks)
    if (const Result result = check(policy, sink, request.promises.size()); result != Result::ok)
      return result;
  return Result::ok;
}

} // namespace midcom::pinhole
