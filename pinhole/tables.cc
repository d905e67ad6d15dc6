// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/tables.h"

#include <algorithm>
#include <array>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string>
#include <utility>
#include <vector>

#include "pinhole/features.h"
#include "pinhole/nft_message.h"

namespace midcom::pinhole {

namespace {

using nft::Rule;

constexpr int clear_priority = -12, flow_priority = -11, decide_priority = -10;
constexpr std::uint32_t conntrack_established = 2; // NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
constexpr std::array<std::uint8_t, 2> transports{IPPROTO_UDP, IPPROTO_TCP};
constexpr std::array families{Family::ipv4, Family::ipv6};
constexpr std::uint8_t tcp_syn = 0x02, tcp_ack = 0x10;

enum class End : std::uint8_t { source, destination };

std::string host_order(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string network_order(std::uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string octet(unsigned value) {
  return {static_cast<char>(value)};
}

// mark = (mark & ~mask) | mark_bits
void replace_mark(Rule& rule, std::uint32_t mask, std::uint32_t bits) {
  rule.meta(NFT_META_MARK, 0).bitwise(0, host_order(~mask), host_order(bits)).set_mark(0);
}

void match_family(Rule& rule, Family family) {
  rule.meta(NFT_META_NFPROTO, 0);
  rule.compare(0, Rule::equal, octet(family == Family::ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
}

void load_address(Rule& rule, Family family, End end, unsigned to) {
  if (family == Family::ipv4)
    rule.payload(Rule::network, end == End::source ? 12 : 16, 4, to);
  else
    rule.payload(Rule::network, end == End::source ? 8 : 24, 16, to);
}

void load_port(Rule& rule, End end, unsigned to) {
  rule.payload(Rule::transport, end == End::source ? 0 : 2, 2, to);
}

void match_prefix(Rule& rule, const Prefix& prefix, End end) {
  const Family family = prefix.address.family;
  match_family(rule, family);
  if (prefix.length == 0) return;
  const std::size_t size = family == Family::ipv4 ? 4 : 16;
  load_address(rule, family, end, 0);
  std::string mask(size, '\0');
  for (std::size_t bit = 0; bit < prefix.length; ++bit)
    mask[bit / 8] = static_cast<char>(mask[bit / 8] | 0x80 >> bit % 8);
  if (prefix.length < size * 8) rule.bitwise(0, mask, std::string(size, '\0'));
  rule.compare(0, Rule::equal, {reinterpret_cast<const char*>(prefix.address.octets.data()), size});
}

void match_protocol(Rule& rule, std::uint8_t protocol) {
  rule.meta(NFT_META_L4PROTO, 0).compare(0, Rule::equal, octet(protocol));
}

void match_ports(Rule& rule, PortRange ports, End end) {
  load_port(rule, end, 0);
  rule.range(0, network_order(ports.first), network_order(ports.last));
}

std::string side_chain(std::size_t index) {
  return "from_side_" + std::to_string(index);
}

void make_source_chains(NftBatch& batch, std::string_view table, const Policy& policy) {
  nft::new_chain(batch, table, "sources");
  for (std::size_t i = 0; i < policy.sides.size(); ++i) nft::new_chain(batch, table, side_chain(i));
}

// A packet with a source address of a side comes in by one of the side's interfaces; `forged` is
// for all others.
void write_source_check(NftBatch& batch, std::string_view table, const Policy& policy,
                        std::int32_t forged) {
  struct Network {
    Prefix prefix;
    std::size_t side;
  };
  std::vector<Network> networks;
  for (std::size_t i = 0; i < policy.sides.size(); ++i) {
    const Side& side = policy.sides[i];
    for (const Prefix& prefix : side.media) networks.push_back({prefix, i});
    if (side.interfaces.empty()) continue;
    for (const std::string& name : side.interfaces) {
      std::string padded = name;
      padded.resize(16); // IFNAMSIZ
      Rule rule(batch, table, side_chain(i));
      rule.meta(NFT_META_IIFNAME, 0).compare(0, Rule::equal, padded).verdict(NFT_RETURN);
    }
    Rule(batch, table, side_chain(i)).count().verdict(forged);
  }
  // The longest prefix says whose an address is.
  std::ranges::sort(networks, [](const auto& l, const auto& r) {
    return std::pair(r.prefix.length, l.side) < std::pair(l.prefix.length, r.side);
  });
  for (const Network& network : networks) {
    Rule rule(batch, table, "sources");
    match_prefix(rule, network.prefix, End::source);
    if (policy.sides[network.side].interfaces.empty())
      rule.verdict(NFT_RETURN);
    else
      rule.verdict(NFT_GOTO, side_chain(network.side));
  }
}

// Protected address -> server, and the replies of such conversations.
void write_static_allow(NftBatch& batch, std::string_view table, const StaticAllow& allow) {
  {
    Rule rule(batch, table, "decide");
    match_prefix(rule, allow.server, End::destination);
    match_protocol(rule, allow.protocol);
    match_ports(rule, allow.ports, End::destination);
    rule.verdict(NFT_JUMP, "from_protected");
  }
  Rule rule(batch, table, "decide");
  match_prefix(rule, allow.server, End::source);
  match_protocol(rule, allow.protocol);
  match_ports(rule, allow.ports, End::source);
  rule.conntrack(NFT_CT_DIRECTION, 0).compare(0, Rule::equal, octet(1)); // of a reply
  rule.conntrack(NFT_CT_STATE, 0);
  rule.bitwise(0, host_order(conntrack_established), host_order(0));
  rule.compare(0, Rule::differs, host_order(0)).verdict(NF_ACCEPT);
}

void write_protection(NftBatch& batch, std::string_view table, const Policy& policy) {
  for (const Side& side : policy.sides)
    for (const Prefix& prefix : side.media) {
      {
        Rule accept(batch, table, "from_protected");
        match_prefix(accept, prefix, End::source);
        accept.verdict(NF_ACCEPT);
      }
      for (const End end : {End::source, End::destination}) {
        Rule drop(batch, table, "decide");
        match_prefix(drop, prefix, end);
        drop.count().verdict(NF_DROP);
      }
    }
}

void write_static_table(NftBatch& batch, std::string_view table, const Policy& policy) {
  nft::new_forward_chain(batch, table, "clear_mark", clear_priority);
  nft::new_forward_chain(batch, table, "decide", decide_priority);
  nft::new_chain(batch, table, "from_protected");
  make_source_chains(batch, table, policy);
  nft::delete_rules(batch, table);
  {
    Rule clear(batch, table, "clear_mark");
    replace_mark(clear, policy.mask, 0);
  }
  write_source_check(batch, table, policy, NF_DROP);
  Rule(batch, table, "decide")
      .meta(NFT_META_MARK, 0)
      .bitwise(0, host_order(policy.mask), host_order(0))
      .compare(0, Rule::equal, host_order(policy.mark))
      .verdict(NF_ACCEPT); // its source was looked at before it was marked
  Rule(batch, table, "decide").verdict(NFT_JUMP, "sources");
  for (const StaticAllow& allow : policy.static_allows) write_static_allow(batch, table, allow);
  write_protection(batch, table, policy);
}

std::string set_name(bool is_sinks, std::uint8_t protocol, Family family) {
  std::string name = is_sinks ? "sinks_" : "flows_";
  name += protocol == IPPROTO_TCP ? "tcp" : "udp";
  name += family == Family::ipv4 ? '4' : '6';
  return name;
}

// The first segment of a connection, or any but that.
void match_syn(Rule& rule, Rule::Compare how) {
  rule.payload(Rule::transport, 13, 1, 0);
  rule.bitwise(0, octet(tcp_syn | tcp_ack), octet(0));
  rule.compare(0, how, octet(tcp_syn));
}

// Who may begin a connection is the sinks' business alone: its first segment is in no flow.
void write_lookup(NftBatch& batch, const Policy& policy, std::uint8_t protocol, Family family) {
  const unsigned address_registers = family == Family::ipv4 ? 1 : 4;
  Rule rule(batch, flow_table, "mark_flows");
  match_family(rule, family);
  match_protocol(rule, protocol);
  if (protocol == IPPROTO_TCP) match_syn(rule, Rule::differs);
  load_address(rule, family, End::source, 0);
  load_port(rule, End::source, address_registers);
  load_address(rule, family, End::destination, address_registers + 1);
  load_port(rule, End::destination, 2 * address_registers + 1);
  rule.lookup(set_name(false, protocol, family), 0);
  replace_mark(rule, policy.mask, policy.mark);
  rule.verdict(NF_ACCEPT);
}

// "Destination unreachable" and "packet too big" to the sender of a live flow, about that flow:
// path MTU discovery needs them. The tuple is of the packet quoted, but for its source address, in
// whose place stands the address that the error goes to. Quoted packets have no options.
void write_error_lookup(NftBatch& batch, const Policy& policy, std::uint8_t protocol,
                        Family family) {
  const bool is_ipv4 = family == Family::ipv4;
  const unsigned address_registers = is_ipv4 ? 1 : 4;
  const std::uint32_t quoted = 8; // octets of ICMP's own header
  const std::uint32_t quoted_ports = quoted + (is_ipv4 ? 20 : 40);
  Rule rule(batch, flow_table, "mark_flows");
  match_family(rule, family);
  match_protocol(rule, is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
  rule.payload(Rule::transport, 0, 1, 0);
  if (is_ipv4) {
    rule.compare(0, Rule::equal, octet(ICMP_DEST_UNREACH));
    rule.payload(Rule::transport, quoted, 1, 0).compare(0, Rule::equal, octet(0x45));
  } else {
    rule.range(0, octet(ICMPV6_DEST_UNREACH), octet(ICMPV6_PKT_TOOBIG));
  }
  rule.payload(Rule::transport, quoted + (is_ipv4 ? 9 : 6), 1, 0);
  rule.compare(0, Rule::equal, octet(protocol));
  load_address(rule, family, End::destination, 0);
  rule.payload(Rule::transport, quoted_ports, 2, address_registers);
  rule.payload(Rule::transport, quoted + (is_ipv4 ? 16 : 24), is_ipv4 ? 4 : 16,
               address_registers + 1);
  rule.payload(Rule::transport, quoted_ports + 2, 2, 2 * address_registers + 1);
  rule.lookup(set_name(false, protocol, family), 0);
  replace_mark(rule, policy.mask, policy.mark);
  rule.verdict(NF_ACCEPT);
}

// No bypass: without a listener the packet is gone. Over its element's limit it isn't found, and
// goes on unmarked.
void write_sink_lookup(NftBatch& batch, const Policy& policy, std::uint32_t features,
                       std::uint8_t protocol, Family family) {
  Rule rule(batch, flow_table, "mark_flows");
  match_family(rule, family);
  match_protocol(rule, protocol);
  if (protocol == IPPROTO_TCP) match_syn(rule, Rule::equal);
  load_address(rule, family, End::destination, 0);
  load_port(rule, End::destination, family == Family::ipv4 ? 1 : 4);
  rule.lookup(set_name(true, protocol, family), 0);
  if ((features & native_queue) != 0)
    rule.queue(policy.queue);
  else
    rule.compat_queue(policy.queue);
}

void write_sets(NftBatch& batch, const Policy& policy, std::uint32_t features) {
  // Two elements a rule, and as many again: expired elements count until they are collected.
  const std::uint32_t size = 4 * policy.max_rules;
  std::uint32_t id = 0;
  for (const bool is_sinks : {false, true})
    for (const std::uint8_t protocol : transports)
      for (const Family family : families)
        if (!is_sinks || (features & gate) != 0)
          nft::new_set(batch, flow_table, set_name(is_sinks, protocol, family),
                       {.family = family, .is_sinks = is_sinks}, ++id, size);
}

} // namespace

std::string set_of(const FlowKey& key) {
  return set_name(is_sink(key), key.protocol, key.destination.address.family);
}

std::vector<std::string> all_sets(std::uint32_t features) {
  std::vector<std::string> names;
  for (const bool is_sinks : {false, true})
    for (const std::uint8_t protocol : transports)
      for (const Family family : families)
        if (!is_sinks || (features & gate) != 0)
          names.push_back(set_name(is_sinks, protocol, family));
  return names;
}

void write_base_table(NftBatch& batch, const Policy& policy, std::uint32_t) {
  write_static_table(batch, base_table, policy);
}

void write_guard_table(NftBatch& batch, const Policy& policy, std::uint32_t) {
  write_static_table(batch, guard_table, policy);
}

void write_flow_table(NftBatch& batch, const Policy& policy, std::uint32_t features) {
  write_sets(batch, policy, features);
  nft::new_forward_chain(batch, flow_table, "mark_flows", flow_priority);
  make_source_chains(batch, flow_table, policy);
  nft::delete_rules(batch, flow_table);
  {
    Rule clear(batch, flow_table, "mark_flows");
    replace_mark(clear, policy.mask, 0);
  }
  write_source_check(batch, flow_table, policy, NF_ACCEPT); // unmarked
  Rule(batch, flow_table, "mark_flows").verdict(NFT_JUMP, "sources");
  for (const std::uint8_t protocol : transports)
    for (const Family family : families) {
      write_lookup(batch, policy, protocol, family);
      if (policy.mode == Mode::appliance) write_error_lookup(batch, policy, protocol, family);
    }
  if ((features & gate) == 0) return;
  for (const std::uint8_t protocol : transports)
    for (const Family family : families)
      write_sink_lookup(batch, policy, features, protocol, family);
}

} // namespace midcom::pinhole
