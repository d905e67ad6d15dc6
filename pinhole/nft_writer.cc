// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/nft_writer.h"

#include <algorithm>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string>

namespace midcom::pinhole::nft {

namespace {

constexpr std::uint8_t inet = NFPROTO_INET;

constexpr std::uint16_t type_of(std::uint16_t message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

static_assert(int(Rule::network) == int(NFT_PAYLOAD_NETWORK_HEADER) &&
              int(Rule::transport) == int(NFT_PAYLOAD_TRANSPORT_HEADER));
static_assert(int(Rule::equal) == int(NFT_CMP_EQ) && int(Rule::differs) == int(NFT_CMP_NEQ));

// Each part of a concatenation starts at a multiple of four octets.
std::string key_octets(const FlowKey& key) {
  const std::size_t size = key.source.address.family == Family::ipv4 ? 4 : 16;
  std::string octets;
  for (const Endpoint* endpoint : {&key.source, &key.destination}) {
    octets.append(reinterpret_cast<const char*>(endpoint->address.octets.data()), size);
    octets.push_back(static_cast<char>(endpoint->port >> 8));
    octets.push_back(static_cast<char>(endpoint->port));
    octets.append(2, '\0');
  }
  return octets;
}

void put_data(NftBatch& batch, std::uint16_t attribute, std::string_view value) {
  const Nest data = batch.nest(attribute);
  batch.put_octets(NFTA_DATA_VALUE, value.data(), value.size());
}

void put_key(NftBatch& batch, const FlowKey& key) {
  put_data(batch, NFTA_SET_ELEM_KEY, key_octets(key));
}

void put_counter(NftBatch& batch, const FlowCounter& counter) {
  const Nest expression = batch.nest(NFTA_SET_ELEM_EXPR);
  batch.put_text(NFTA_EXPR_NAME, "counter");
  const Nest data = batch.nest(NFTA_EXPR_DATA);
  batch.put_u64(NFTA_COUNTER_BYTES, counter.bytes);
  batch.put_u64(NFTA_COUNTER_PACKETS, counter.packets);
}

void start_elements(NftBatch& batch, std::uint16_t message, std::uint16_t flags,
                    std::string_view table, std::string_view set) {
  batch.add(type_of(message), flags, inet);
  batch.put_text(NFTA_SET_ELEM_LIST_TABLE, table);
  batch.put_text(NFTA_SET_ELEM_LIST_SET, set);
}

unsigned reg32(unsigned index) {
  return NFT_REG32_00 + index;
}

} // namespace

void new_table(NftBatch& batch, std::string_view table, std::uint32_t flags) {
  batch.add(type_of(NFT_MSG_NEWTABLE), NLM_F_CREATE, inet);
  batch.put_text(NFTA_TABLE_NAME, table);
  batch.put_u32(NFTA_TABLE_FLAGS, flags);
}

void delete_table(NftBatch& batch, std::string_view table) {
  batch.add(type_of(NFT_MSG_DELTABLE), 0, inet);
  batch.put_text(NFTA_TABLE_NAME, table);
}

void get_table(NftBatch& batch, std::string_view table) {
  batch.add(type_of(NFT_MSG_GETTABLE), 0, inet);
  batch.put_text(NFTA_TABLE_NAME, table);
}

void new_chain(NftBatch& batch, std::string_view table, std::string_view chain) {
  batch.add(type_of(NFT_MSG_NEWCHAIN), NLM_F_CREATE, inet);
  batch.put_text(NFTA_CHAIN_TABLE, table);
  batch.put_text(NFTA_CHAIN_NAME, chain);
}

void new_forward_chain(NftBatch& batch, std::string_view table, std::string_view chain,
                       int priority) {
  new_chain(batch, table, chain);
  {
    const Nest hook = batch.nest(NFTA_CHAIN_HOOK);
    batch.put_u32(NFTA_HOOK_HOOKNUM, NF_INET_FORWARD);
    batch.put_u32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(priority));
  }
  batch.put_u32(NFTA_CHAIN_POLICY, NF_ACCEPT);
  batch.put_text(NFTA_CHAIN_TYPE, "filter");
}

void delete_rules(NftBatch& batch, std::string_view table) {
  batch.add(type_of(NFT_MSG_DELRULE), 0, inet);
  batch.put_text(NFTA_RULE_TABLE, table);
}

void new_flow_set(NftBatch& batch, std::string_view table, std::string_view set, Family family,
                  std::uint32_t id, std::uint32_t size) {
  // nft's own numbers of the types ipv4_addr, ipv6_addr and inet_service, so that it can list them.
  const std::uint32_t address = family == Family::ipv4 ? 7 : 8, port = 13;
  const std::uint32_t half = address << 6 | port;
  batch.add(type_of(NFT_MSG_NEWSET), NLM_F_CREATE, inet);
  batch.put_text(NFTA_SET_TABLE, table);
  batch.put_text(NFTA_SET_NAME, set);
  batch.put_u32(NFTA_SET_FLAGS, NFT_SET_TIMEOUT);
  batch.put_u32(NFTA_SET_KEY_TYPE, half << 12 | half);
  batch.put_u32(NFTA_SET_KEY_LEN, family == Family::ipv4 ? 16 : 40);
  batch.put_u32(NFTA_SET_ID, id);
  {
    const Nest description = batch.nest(NFTA_SET_DESC);
    batch.put_u32(NFTA_SET_DESC_SIZE, size);
  }
  const Nest expression = batch.nest(NFTA_SET_EXPR);
  batch.put_text(NFTA_EXPR_NAME, "counter");
}

void new_element(NftBatch& batch, std::string_view table, std::string_view set,
                 const Element& element) {
  start_elements(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, set);
  const Nest list = batch.nest(NFTA_SET_ELEM_LIST_ELEMENTS);
  const Nest item = batch.nest(NFTA_LIST_ELEM);
  put_key(batch, element.key);
  const std::uint64_t timeout_ms = std::max<std::uint64_t>(element.timeout_ms, 1);
  batch.put_u64(NFTA_SET_ELEM_TIMEOUT, timeout_ms);
  // Without it a re-added element with the same timeout as before isn't prolonged.
  batch.put_u64(NFTA_SET_ELEM_EXPIRATION,
                element.expiration_ms == 0 ? timeout_ms : element.expiration_ms);
  if (!element.userdata.empty())
    batch.put_octets(NFTA_SET_ELEM_USERDATA, element.userdata.data(), element.userdata.size());
  if (element.counter.packets != 0) put_counter(batch, element.counter);
}

void delete_element(NftBatch& batch, std::string_view table, std::string_view set,
                    const FlowKey& key, Absent absent) {
  const std::uint16_t plain = NFT_MSG_DELSETELEM;
  start_elements(batch, absent == Absent::is_fine ? message_destroy_element : plain, NLM_F_ECHO,
                 table, set);
  const Nest list = batch.nest(NFTA_SET_ELEM_LIST_ELEMENTS);
  const Nest item = batch.nest(NFTA_LIST_ELEM);
  put_key(batch, key);
}

void get_elements(NftBatch& batch, std::string_view table, std::string_view set,
                  const FlowKey* keys, std::size_t count) {
  start_elements(batch, NFT_MSG_GETSETELEM, NLM_F_ACK, table, set);
  const Nest list = batch.nest(NFTA_SET_ELEM_LIST_ELEMENTS);
  for (std::size_t i = 0; i < count; ++i) {
    const Nest item = batch.nest(NFTA_LIST_ELEM);
    put_key(batch, keys[i]);
  }
}

void dump_elements(NftBatch& batch, std::string_view table, std::string_view set) {
  start_elements(batch, NFT_MSG_GETSETELEM, NLM_F_DUMP, table, set);
}

void get_generation(NftBatch& batch) {
  batch.add(type_of(NFT_MSG_GETGEN), 0, NFPROTO_UNSPEC);
}

namespace {

Nest start_rule(NftBatch& batch, std::string_view table, std::string_view chain) {
  batch.add(type_of(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND, inet);
  batch.put_text(NFTA_RULE_TABLE, table);
  batch.put_text(NFTA_RULE_CHAIN, chain);
  return batch.nest(NFTA_RULE_EXPRESSIONS);
}

// Runs `put` inside LIST_ELEM { NAME, DATA { ... } }.
template <class Put>
void put_expression(NftBatch& batch, std::string_view name, Put put) {
  const Nest item = batch.nest(NFTA_LIST_ELEM);
  batch.put_text(NFTA_EXPR_NAME, name);
  const Nest data = batch.nest(NFTA_EXPR_DATA);
  put();
}

} // namespace

Rule::Rule(NftBatch& batch, std::string_view table, std::string_view chain)
    : batch_(batch), expressions_(start_rule(batch, table, chain)) {}

Rule& Rule::meta(std::uint32_t key, unsigned to) {
  put_expression(batch_, "meta", [&] {
    batch_.put_u32(NFTA_META_DREG, reg32(to));
    batch_.put_u32(NFTA_META_KEY, key);
  });
  return *this;
}

Rule& Rule::set_mark(unsigned from) {
  put_expression(batch_, "meta", [&] {
    batch_.put_u32(NFTA_META_KEY, NFT_META_MARK);
    batch_.put_u32(NFTA_META_SREG, reg32(from));
  });
  return *this;
}

Rule& Rule::payload(Base base, std::uint32_t offset, std::uint32_t size, unsigned to) {
  put_expression(batch_, "payload", [&] {
    batch_.put_u32(NFTA_PAYLOAD_DREG, reg32(to));
    batch_.put_u32(NFTA_PAYLOAD_BASE, base);
    batch_.put_u32(NFTA_PAYLOAD_OFFSET, offset);
    batch_.put_u32(NFTA_PAYLOAD_LEN, size);
  });
  return *this;
}

Rule& Rule::bitwise(unsigned reg, std::string_view mask, std::string_view flip) {
  put_expression(batch_, "bitwise", [&] {
    batch_.put_u32(NFTA_BITWISE_SREG, reg32(reg));
    batch_.put_u32(NFTA_BITWISE_DREG, reg32(reg));
    batch_.put_u32(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()));
    put_data(batch_, NFTA_BITWISE_MASK, mask);
    put_data(batch_, NFTA_BITWISE_XOR, flip);
  });
  return *this;
}

Rule& Rule::compare(unsigned reg, Compare how, std::string_view value) {
  put_expression(batch_, "cmp", [&] {
    batch_.put_u32(NFTA_CMP_SREG, reg32(reg));
    batch_.put_u32(NFTA_CMP_OP, how);
    put_data(batch_, NFTA_CMP_DATA, value);
  });
  return *this;
}

Rule& Rule::range(unsigned reg, std::string_view first, std::string_view last) {
  put_expression(batch_, "range", [&] {
    batch_.put_u32(NFTA_RANGE_SREG, reg32(reg));
    batch_.put_u32(NFTA_RANGE_OP, NFT_RANGE_EQ);
    put_data(batch_, NFTA_RANGE_FROM_DATA, first);
    put_data(batch_, NFTA_RANGE_TO_DATA, last);
  });
  return *this;
}

Rule& Rule::lookup(std::string_view set, unsigned reg) {
  put_expression(batch_, "lookup", [&] {
    batch_.put_text(NFTA_LOOKUP_SET, set);
    batch_.put_u32(NFTA_LOOKUP_SREG, reg32(reg));
  });
  return *this;
}

Rule& Rule::conntrack(std::uint32_t key, unsigned to) {
  put_expression(batch_, "ct", [&] {
    batch_.put_u32(NFTA_CT_DREG, reg32(to));
    batch_.put_u32(NFTA_CT_KEY, key);
  });
  return *this;
}

Rule& Rule::count() {
  put_expression(batch_, "counter", [] {});
  return *this;
}

Rule& Rule::verdict(std::int32_t code, std::string_view chain) {
  put_expression(batch_, "immediate", [&] {
    batch_.put_u32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    const Nest data = batch_.nest(NFTA_IMMEDIATE_DATA);
    const Nest verdict = batch_.nest(NFTA_DATA_VERDICT);
    batch_.put_u32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
    if (!chain.empty()) batch_.put_text(NFTA_VERDICT_CHAIN, chain);
  });
  return *this;
}

Rule& Rule::queue(std::uint16_t number) {
  put_expression(batch_, "queue", [&] {
    batch_.put_u16(NFTA_QUEUE_NUM, number);
    batch_.put_u16(NFTA_QUEUE_TOTAL, 1);
    batch_.put_u16(NFTA_QUEUE_FLAGS, 0); // no bypass: it would skip the rest of the chain
  });
  return *this;
}

Rule& Rule::compat_queue(std::uint16_t number) {
  // xt_NFQ_info_v3 {queuenum, queues_total, flags}, padded to 8 octets; host byte order.
  const std::uint16_t info[4] = {number, 1, 0, 0};
  put_expression(batch_, "target", [&] {
    batch_.put_text(NFTA_TARGET_NAME, "NFQUEUE");
    batch_.put_u32(NFTA_TARGET_REV, 3);
    batch_.put_octets(NFTA_TARGET_INFO, info, sizeof info);
  });
  return *this;
}

} // namespace midcom::pinhole::nft
