// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/policy.h"

#include <functional>

#include "pinhole/octets.h"

namespace midcom::pinhole {

namespace {

constexpr std::uint8_t encoding_version = 2;

template <class T, class Put>
void put_list(OctetWriter& out, const std::vector<T>& list, Put put) {
  out.u16(static_cast<std::uint16_t>(list.size()));
  for (std::size_t i = 0; i < static_cast<std::uint16_t>(list.size()); ++i) put(list[i]);
}

template <class T, class Get>
std::vector<T> get_list(OctetReader& in, Get get) {
  std::vector<T> list;
  for (unsigned left = in.u16(); left > 0 && in.is_good(); --left) list.push_back(get());
  return list;
}

void put_range(OctetWriter& out, const PortRange& range) {
  out.u16(range.first).u16(range.last);
}

PortRange get_range(OctetReader& in) {
  PortRange range;
  range.first = in.u16();
  range.last = in.u16();
  if (range.first > range.last) in.fail();
  return range;
}

bool get_bool(OctetReader& in) {
  const std::uint8_t value = in.u8();
  if (value > 1) in.fail();
  return value == 1;
}

void put_side(OctetWriter& out, const Side& side) {
  out.text(side.name);
  put_list(out, side.interfaces, [&](const std::string& name) { out.text(name); });
  put_list(out, side.media, [&](const Prefix& prefix) { out.prefix(prefix); });
  out.u8(side.is_tcp_inbound ? 1 : 0);
}

Side get_side(OctetReader& in) {
  Side side;
  side.name = in.text();
  side.interfaces = get_list<std::string>(in, [&] {
    std::string name = in.text();
    if (name.empty() || name.size() > 15) in.fail(); // IFNAMSIZ
    return name;
  });
  side.media = get_list<Prefix>(in, [&] { return in.prefix(); });
  side.is_tcp_inbound = get_bool(in);
  return side;
}

void put_allow(OctetWriter& out, const StaticAllow& allow) {
  out.text(allow.name).prefix(allow.server).u8(allow.protocol);
  put_range(out, allow.ports);
}

StaticAllow get_allow(OctetReader& in) {
  StaticAllow allow;
  allow.name = in.text();
  allow.server = in.prefix();
  allow.protocol = in.u8();
  if (allow.protocol != 6 && allow.protocol != 17) in.fail();
  allow.ports = get_range(in);
  return allow;
}

} // namespace

const Side* side_of(const Policy& policy, const Address& address) {
  const Side* found = nullptr;
  int longest = -1;
  for (const Side& side : policy.sides)
    for (const Prefix& prefix : side.media)
      if (prefix.length > longest && prefix.contains(address)) {
        found = &side;
        longest = prefix.length;
      }
  return found;
}

std::string encode(const Policy& policy) {
  OctetWriter out;
  out.u8(encoding_version).u8(static_cast<std::uint8_t>(policy.mode));
  out.u32(policy.mark).u32(policy.mask);
  put_list(out, policy.sides, [&](const Side& side) { put_side(out, side); });
  const auto put_ports = [&](const PortRange& range) { put_range(out, range); };
  const auto put_prefix = [&](const Prefix& prefix) { out.prefix(prefix); };
  put_list(out, policy.media_ports, put_ports);
  put_list(out, policy.forbidden_ports, put_ports);
  put_list(out, policy.forbidden_hosts, put_prefix);
  put_list(out, policy.own_addresses, put_prefix);
  put_list(out, policy.static_allows, [&](const StaticAllow& allow) { put_allow(out, allow); });
  out.u32(policy.max_rules).u32(policy.max_group_rules).u32(policy.max_lifetime_s);
  out.u32(policy.refresh_s).u8(policy.delete_conntrack ? 1 : 0).u32(policy.masked_features);
  out.u16(policy.queue).u32(policy.sink_rate);
  return out.take();
}

std::expected<Policy, std::string> decode_policy(std::string_view bytes) {
  OctetReader in(bytes);
  if (in.u8() != encoding_version) return std::unexpected("unknown version");
  Policy policy;
  const std::uint8_t mode = in.u8();
  if (mode > static_cast<std::uint8_t>(Mode::observe)) return std::unexpected("unknown mode");
  policy.mode = static_cast<Mode>(mode);
  policy.mark = in.u32();
  policy.mask = in.u32();
  const auto get_ports = [&] { return get_range(in); };
  const auto get_prefix = [&] { return in.prefix(); };
  policy.sides = get_list<Side>(in, [&] { return get_side(in); });
  policy.media_ports = get_list<PortRange>(in, get_ports);
  policy.forbidden_ports = get_list<PortRange>(in, get_ports);
  policy.forbidden_hosts = get_list<Prefix>(in, get_prefix);
  policy.own_addresses = get_list<Prefix>(in, get_prefix);
  policy.static_allows = get_list<StaticAllow>(in, [&] { return get_allow(in); });
  policy.max_rules = in.u32();
  policy.max_group_rules = in.u32();
  policy.max_lifetime_s = in.u32();
  policy.refresh_s = in.u32();
  policy.delete_conntrack = get_bool(in);
  policy.masked_features = in.u32();
  policy.queue = in.u16();
  policy.sink_rate = in.u32();
  if (!in.is_done()) return std::unexpected("truncated, trailing or invalid octets");
  if (policy.mark == 0 || (policy.mark & ~policy.mask) != 0)
    return std::unexpected("mark outside of its mask");
  if (policy.refresh_s < 3 || policy.max_lifetime_s == 0)
    return std::unexpected("lifetime or refresh too short");
  if (policy.max_rules == 0 || policy.max_rules > 1'000'000)
    return std::unexpected("number of rules out of range");
  if (policy.sink_rate == 0 || policy.sink_rate > 100'000)
    return std::unexpected("rate of a sink out of range");
  return policy;
}

} // namespace midcom::pinhole
