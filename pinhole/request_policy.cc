// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/request_policy.h"

#include <algorithm>

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

bool is_well_formed(const Rule& rule) {
  return is_well_formed(rule.a.address) && is_well_formed(rule.b.address) &&
         rule.a.address.family == rule.b.address.family && rule.protocol == 17 &&
         rule.component != 0 && (rule.from_a || rule.from_b);
}

bool may_be_media(const Policy& policy, const Address& address) {
  return !address.is_special() && !is_in(policy.own_addresses, address) &&
         !is_in(policy.forbidden_hosts, address) && side_of(policy, address) != nullptr;
}

bool may_be_media(const Policy& policy, std::uint16_t port) {
  return port != 0 && is_in(policy.media_ports, port) && !is_in(policy.forbidden_ports, port);
}

} // namespace

Result check(const Policy& policy, const Rule& rule) {
  if (!is_well_formed(rule)) return Result::malformed;
  if (!may_be_media(policy, rule.a.address) || !may_be_media(policy, rule.b.address))
    return Result::forbidden_address;
  if (!may_be_media(policy, rule.a.port) || !may_be_media(policy, rule.b.port))
    return Result::forbidden_port;
  if (side_of(policy, rule.a.address) == side_of(policy, rule.b.address)) return Result::same_side;
  return Result::ok;
}

Result check_lifetime(const Policy& policy, std::uint32_t lifetime_s) {
  return lifetime_s == 0 || lifetime_s > policy.max_lifetime_s ? Result::lifetime : Result::ok;
}

Result check(const Policy& policy, const request::SetGroup& request) {
  if (request.rules.empty()) return Result::ok; // a release asks for nothing
  if (request.rules.size() > policy.max_group_rules) return Result::too_many_rules;
  if (const Result result = check_lifetime(policy, request.lifetime_s); result != Result::ok)
    return result;
  for (const Rule& rule : request.rules)
    if (const Result result = check(policy, rule); result != Result::ok) return result;
  return Result::ok;
}

} // namespace midcom::pinhole
