// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/nft_message.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/gen.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <new>

namespace midcom::pinhole::nft {

namespace {

constexpr std::uint8_t inet = NFPROTO_INET;

static_assert(int(Rule::network) == int(NFT_PAYLOAD_NETWORK_HEADER) &&
              int(Rule::transport) == int(NFT_PAYLOAD_TRANSPORT_HEADER));
static_assert(int(Rule::equal) == int(NFT_CMP_EQ) && int(Rule::differs) == int(NFT_CMP_NEQ));

// The library's objects, each freed by its own function.
struct Free {
  void operator()(const nftnl_table* table) const { nftnl_table_free(table); }
  void operator()(const nftnl_chain* chain) const { nftnl_chain_free(chain); }
  void operator()(const nftnl_set* set) const { nftnl_set_free(set); } // with its elements
  void operator()(const nftnl_gen* generation) const { nftnl_gen_free(generation); }
};
template <class T>
using Object = std::unique_ptr<T, Free>;

template <class T>
T* checked(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

Object<nftnl_table> make_table(std::string_view table) {
  Object<nftnl_table> object(checked(nftnl_table_alloc()));
  nftnl_table_set_str(object.get(), NFTNL_TABLE_NAME, std::string(table).c_str());
  return object;
}

Object<nftnl_chain> make_chain(std::string_view table, std::string_view chain) {
  Object<nftnl_chain> object(checked(nftnl_chain_alloc()));
  nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TABLE, std::string(table).c_str());
  nftnl_chain_set_str(object.get(), NFTNL_CHAIN_NAME, std::string(chain).c_str());
  return object;
}

Object<nftnl_set> make_set(std::string_view table, std::string_view set) {
  Object<nftnl_set> object(checked(nftnl_set_alloc()));
  nftnl_set_set_str(object.get(), NFTNL_SET_TABLE, std::string(table).c_str());
  nftnl_set_set_str(object.get(), NFTNL_SET_NAME, std::string(set).c_str());
  return object;
}

nlmsghdr* add(NftBatch& batch, std::uint16_t message, std::uint16_t flags,
              std::uint8_t family = inet) {
  return batch.add(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), flags, family);
}

// Each part of a concatenation starts at a multiple of four octets.
std::string key_octets(const FlowKey& key) {
  const std::size_t size = key.source.address.family == Family::ipv4 ? 4 : 16;
  std::string octets;
  for (const Endpoint* endpoint : {&key.source, &key.destination}) {
    if (endpoint == &key.source && is_sink(key)) continue;
    octets.append(reinterpret_cast<const char*>(endpoint->address.octets.data()), size);
    octets.push_back(static_cast<char>(endpoint->port >> 8));
    octets.push_back(static_cast<char>(endpoint->port));
    octets.append(2, '\0');
  }
  return octets;
}

void set_octets(nftnl_set_elem* element, std::uint16_t attribute, std::string_view octets) {
  nftnl_set_elem_set(element, attribute, octets.data(), static_cast<std::uint32_t>(octets.size()));
}

void set_octets(nftnl_expr* expression, std::uint16_t attribute, std::string_view octets) {
  nftnl_expr_set(expression, attribute, octets.data(), static_cast<std::uint32_t>(octets.size()));
}

// It belongs to the set.
nftnl_set_elem* add_element(nftnl_set& set, const FlowKey& key) {
  nftnl_set_elem* element = checked(nftnl_set_elem_alloc());
  nftnl_set_elem_add(&set, element);
  set_octets(element, NFTNL_SET_ELEM_KEY, key_octets(key));
  return element;
}

void add_counter(nftnl_set_elem& element, const FlowCounter& first) {
  nftnl_expr* counter = checked(nftnl_expr_alloc("counter"));
  nftnl_set_elem_add_expr(&element, counter);
  nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, first.bytes);
  nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, first.packets);
}

// It ends the rule when there are more.
void add_limit(nftnl_set_elem& element, std::uint32_t rate) {
  nftnl_expr* limit = checked(nftnl_expr_alloc("limit"));
  nftnl_set_elem_add_expr(&element, limit);
  nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_RATE, rate);
  nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_UNIT, 1); // second
  nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_BURST, std::max(rate / 2, 1U));
  nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
  nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

unsigned reg32(unsigned index) {
  return NFT_REG32_00 + index;
}

} // namespace

void new_table(NftBatch& batch, std::string_view table, std::uint32_t flags) {
  const auto object = make_table(table);
  nftnl_table_set_u32(object.get(), NFTNL_TABLE_FLAGS, flags);
  nftnl_table_nlmsg_build_payload(add(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE), object.get());
}

void delete_table(NftBatch& batch, std::string_view table) {
  nftnl_table_nlmsg_build_payload(add(batch, NFT_MSG_DELTABLE, 0), make_table(table).get());
}

void get_table(NftBatch& batch, std::string_view table) {
  nftnl_table_nlmsg_build_payload(add(batch, NFT_MSG_GETTABLE, 0), make_table(table).get());
}

void new_chain(NftBatch& batch, std::string_view table, std::string_view chain) {
  nftnl_chain_nlmsg_build_payload(add(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE),
                                  make_chain(table, chain).get());
}

void new_forward_chain(NftBatch& batch, std::string_view table, std::string_view chain,
                       int priority) {
  const auto object = make_chain(table, chain);
  nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_HOOKNUM, NF_INET_FORWARD);
  nftnl_chain_set_s32(object.get(), NFTNL_CHAIN_PRIO, priority);
  nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
  nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TYPE, "filter");
  nftnl_chain_nlmsg_build_payload(add(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE), object.get());
}

void delete_rules(NftBatch& batch, std::string_view table) {
  const std::unique_ptr<nftnl_rule, Rule::Free> rule(checked(nftnl_rule_alloc()));
  nftnl_rule_set_str(rule.get(), NFTNL_RULE_TABLE, std::string(table).c_str());
  nftnl_rule_nlmsg_build_payload(add(batch, NFT_MSG_DELRULE, 0), rule.get());
}

void new_set(NftBatch& batch, std::string_view table, std::string_view set, SetKind kind,
             std::uint32_t id, std::uint32_t size) {
  // nft's own numbers of the types ipv4_addr, ipv6_addr and inet_service, so that it can list them.
  const std::uint32_t address = kind.family == Family::ipv4 ? 7 : 8, port = 13;
  const std::uint32_t half = address << 6 | port;
  const std::uint32_t half_size = kind.family == Family::ipv4 ? 8 : 20;
  const auto object = make_set(table, set);
  nftnl_set_set_u32(object.get(), NFTNL_SET_FLAGS, NFT_SET_TIMEOUT);
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_TYPE, kind.is_sinks ? half : half << 12 | half);
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_LEN, kind.is_sinks ? half_size : 2 * half_size);
  nftnl_set_set_u32(object.get(), NFTNL_SET_ID, id);
  nftnl_set_set_u32(object.get(), NFTNL_SET_DESC_SIZE, size);
  if (!kind.is_sinks) nftnl_set_add_expr(object.get(), checked(nftnl_expr_alloc("counter")));
  nftnl_set_nlmsg_build_payload(add(batch, NFT_MSG_NEWSET, NLM_F_CREATE), object.get());
}

void new_element(NftBatch& batch, std::string_view table, std::string_view set,
                 const Element& element) {
  const auto object = make_set(table, set);
  nftnl_set_elem* one = add_element(*object, element.key);
  const std::uint64_t timeout_ms = std::max<std::uint64_t>(element.timeout_ms, 1);
  nftnl_set_elem_set_u64(one, NFTNL_SET_ELEM_TIMEOUT, timeout_ms);
  // Without it a re-added element with the same timeout as before isn't prolonged.
  nftnl_set_elem_set_u64(one, NFTNL_SET_ELEM_EXPIRATION,
                         element.expiration_ms == 0 ? timeout_ms : element.expiration_ms);
  if (!element.userdata.empty()) set_octets(one, NFTNL_SET_ELEM_USERDATA, element.userdata);
  const bool is_limited = element.limit.rate != 0;
  if (element.counter.packets != 0 || (is_limited && element.limit.has_counter))
    add_counter(*one, element.counter);
  if (is_limited) add_limit(*one, element.limit.rate);
  nftnl_set_elems_nlmsg_build_payload(add(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE), object.get());
}

void delete_element(NftBatch& batch, std::string_view table, std::string_view set,
                    const FlowKey& key, Absent absent) {
  const std::uint16_t plain = NFT_MSG_DELSETELEM;
  const auto object = make_set(table, set);
  add_element(*object, key);
  nftnl_set_elems_nlmsg_build_payload(
      add(batch, absent == Absent::is_fine ? message_destroy_element : plain, NLM_F_ECHO),
      object.get());
}

void get_elements(NftBatch& batch, std::string_view table, std::string_view set,
                  const FlowKey* keys, std::size_t count) {
  const auto object = make_set(table, set);
  for (std::size_t i = 0; i < count; ++i) add_element(*object, keys[i]);
  nftnl_set_elems_nlmsg_build_payload(add(batch, NFT_MSG_GETSETELEM, NLM_F_ACK), object.get());
}

void dump_elements(NftBatch& batch, std::string_view table, std::string_view set) {
  nftnl_set_elems_nlmsg_build_payload(add(batch, NFT_MSG_GETSETELEM, NLM_F_DUMP),
                                      make_set(table, set).get());
}

void get_generation(NftBatch& batch) {
  add(batch, NFT_MSG_GETGEN, 0, NFPROTO_UNSPEC);
}

void Rule::Free::operator()(nftnl_rule* rule) const {
  nftnl_rule_free(rule);
}

Rule::Rule(NftBatch& batch, std::string_view table, std::string_view chain)
    : batch_(batch), rule_(checked(nftnl_rule_alloc())) {
  nftnl_rule_set_str(rule_.get(), NFTNL_RULE_TABLE, std::string(table).c_str());
  nftnl_rule_set_str(rule_.get(), NFTNL_RULE_CHAIN, std::string(chain).c_str());
}

Rule::~Rule() {
  nftnl_rule_nlmsg_build_payload(nft::add(batch_, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND),
                                 rule_.get());
}

nftnl_expr* Rule::add(const char* name) {
  nftnl_expr* expression = checked(nftnl_expr_alloc(name));
  nftnl_rule_add_expr(rule_.get(), expression);
  return expression;
}

Rule& Rule::meta(std::uint32_t key, unsigned to) {
  nftnl_expr* expression = add("meta");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, key);
  nftnl_expr_set_u32(expression, NFTNL_EXPR_META_DREG, reg32(to));
  return *this;
}

Rule& Rule::set_mark(unsigned from) {
  nftnl_expr* expression = add("meta");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_META_KEY, NFT_META_MARK);
  nftnl_expr_set_u32(expression, NFTNL_EXPR_META_SREG, reg32(from));
  return *this;
}

Rule& Rule::payload(Base base, std::uint32_t offset, std::uint32_t size, unsigned to) {
  nftnl_expr* expression = add("payload");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_DREG, reg32(to));
  nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, base);
  nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
  nftnl_expr_set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, size);
  return *this;
}

Rule& Rule::bitwise(unsigned reg, std::string_view mask, std::string_view flip) {
  nftnl_expr* expression = add("bitwise");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_SREG, reg32(reg));
  nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_DREG, reg32(reg));
  nftnl_expr_set_u32(expression, NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()));
  set_octets(expression, NFTNL_EXPR_BITWISE_MASK, mask);
  set_octets(expression, NFTNL_EXPR_BITWISE_XOR, flip);
  return *this;
}

Rule& Rule::compare(unsigned reg, Compare how, std::string_view value) {
  nftnl_expr* expression = add("cmp");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_SREG, reg32(reg));
  nftnl_expr_set_u32(expression, NFTNL_EXPR_CMP_OP, how);
  set_octets(expression, NFTNL_EXPR_CMP_DATA, value);
  return *this;
}

Rule& Rule::range(unsigned reg, std::string_view first, std::string_view last) {
  nftnl_expr* expression = add("range");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_RANGE_SREG, reg32(reg));
  nftnl_expr_set_u32(expression, NFTNL_EXPR_RANGE_OP, NFT_RANGE_EQ);
  set_octets(expression, NFTNL_EXPR_RANGE_FROM_DATA, first);
  set_octets(expression, NFTNL_EXPR_RANGE_TO_DATA, last);
  return *this;
}

Rule& Rule::lookup(std::string_view set, unsigned reg) {
  nftnl_expr* expression = add("lookup");
  nftnl_expr_set_str(expression, NFTNL_EXPR_LOOKUP_SET, std::string(set).c_str());
  nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_SREG, reg32(reg));
  return *this;
}

Rule& Rule::conntrack(std::uint32_t key, unsigned to) {
  nftnl_expr* expression = add("ct");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_KEY, key);
  nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_DREG, reg32(to));
  return *this;
}

Rule& Rule::count() {
  add("counter");
  return *this;
}

Rule& Rule::verdict(std::int32_t code, std::string_view chain) {
  nftnl_expr* expression = add("immediate");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
  nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code));
  if (!chain.empty())
    nftnl_expr_set_str(expression, NFTNL_EXPR_IMM_CHAIN, std::string(chain).c_str());
  return *this;
}

Rule& Rule::queue(std::uint16_t number) {
  nftnl_expr* expression = add("queue");
  nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_NUM, number);
  nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_TOTAL, 1);
  // No bypass: it would skip the rest of the chain.
  nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_FLAGS, 0);
  return *this;
}

Rule& Rule::compat_queue(std::uint16_t number) {
  // xt_NFQ_info_v3 {queuenum, queues_total, flags}, padded to 8 octets; host byte order.
  const std::uint16_t info[4] = {number, 1, 0, 0};
  nftnl_expr* expression = add("target");
  nftnl_expr_set_str(expression, NFTNL_EXPR_TG_NAME, "NFQUEUE");
  nftnl_expr_set_u32(expression, NFTNL_EXPR_TG_REV, 3);
  // The library keeps this block and frees it.
  void* kept = std::memcpy(checked(std::malloc(sizeof info)), info, sizeof info);
  nftnl_expr_set(expression, NFTNL_EXPR_TG_INFO, kept, sizeof info);
  return *this;
}

namespace {

// nullptr: not one whole message of the nftables subsystem.
const nlmsghdr* open(std::string_view message) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
  if (message.size() < NLMSG_HDRLEN + sizeof(nfgenmsg)) return nullptr;
  if (header->nlmsg_len != message.size()) return nullptr;
  return header->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES ? header : nullptr;
}

int type_of(const nlmsghdr* header) {
  return header->nlmsg_type & 0xff;
}

std::string_view octets_of(nftnl_set_elem* element, std::uint16_t attribute) {
  std::uint32_t size = 0;
  const void* data = nftnl_set_elem_get(element, attribute, &size);
  return data == nullptr ? std::string_view()
                         : std::string_view(static_cast<const char*>(data), size);
}

std::optional<FlowKey> decode_key(std::string_view octets) {
  const bool is_sink = octets.size() == 8 || octets.size() == 20;
  if (!is_sink && octets.size() != 16 && octets.size() != 40) return std::nullopt;
  const std::size_t size = octets.size() <= 16 ? 4 : 16;
  const auto octet = [&](std::size_t at) { return static_cast<std::uint8_t>(octets[at]); };
  FlowKey key;
  for (Endpoint* endpoint : {&key.source, &key.destination}) {
    endpoint->address.family = size == 4 ? Family::ipv4 : Family::ipv6;
    if (is_sink && endpoint == &key.source) continue;
    std::memcpy(endpoint->address.octets.data(), octets.data(), size);
    endpoint->port = static_cast<std::uint16_t>(octet(size) << 8 | octet(size + 1));
    octets.remove_prefix(size + 4);
  }
  return key;
}

int read_counter(nftnl_expr* expression, void* counter) {
  if (std::string_view(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME)) == "counter")
    *static_cast<FlowCounter*>(counter) = {nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_PACKETS),
                                           nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_BYTES)};
  return 0;
}

int read_element(nftnl_set_elem* element, void* flows) {
  const auto key = decode_key(octets_of(element, NFTNL_SET_ELEM_KEY));
  if (!key) return 0;
  StoredFlow flow{*key, std::string(octets_of(element, NFTNL_SET_ELEM_USERDATA)), {}};
  nftnl_set_elem_expr_foreach(element, read_counter, &flow.counter);
  static_cast<std::vector<StoredFlow>*>(flows)->push_back(std::move(flow));
  return 0;
}

int read_table_name(const nlattr* attribute, void* name) {
  // Attribute 1 of tables, chains, rules, sets, elements, objects and flow tables alike, so that no
  // object needs to be made.
  static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
                NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1);
  if (mnl_attr_get_type(attribute) == NFTA_TABLE_NAME &&
      mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
    *static_cast<std::string*>(name) = mnl_attr_get_str(attribute);
  return MNL_CB_OK;
}

} // namespace

std::optional<std::vector<StoredFlow>> decode_elements(std::string_view message) {
  const nlmsghdr* header = open(message);
  if (header == nullptr ||
      (type_of(header) != NFT_MSG_NEWSETELEM && type_of(header) != NFT_MSG_DELSETELEM))
    return std::nullopt;
  const Object<nftnl_set> set(checked(nftnl_set_alloc()));
  if (nftnl_set_elems_nlmsg_parse(header, set.get()) < 0) return std::nullopt;
  std::vector<StoredFlow> flows;
  nftnl_set_elem_foreach(set.get(), read_element, &flows);
  const char* name = nftnl_set_get_str(set.get(), NFTNL_SET_NAME);
  if (name != nullptr && std::string_view(name).find("tcp") != std::string_view::npos)
    for (StoredFlow& flow : flows) flow.key.protocol = IPPROTO_TCP;
  return flows;
}

std::optional<std::uint32_t> decode_table_flags(std::string_view message) {
  const nlmsghdr* header = open(message);
  if (header == nullptr || type_of(header) != NFT_MSG_NEWTABLE) return std::nullopt;
  const Object<nftnl_table> table(checked(nftnl_table_alloc()));
  if (nftnl_table_nlmsg_parse(header, table.get()) < 0) return std::nullopt;
  return nftnl_table_get_u32(table.get(), NFTNL_TABLE_FLAGS);
}

std::optional<std::uint32_t> decode_generation(std::string_view message) {
  const nlmsghdr* header = open(message);
  if (header == nullptr || type_of(header) != NFT_MSG_NEWGEN) return std::nullopt;
  const Object<nftnl_gen> generation(checked(nftnl_gen_alloc()));
  if (nftnl_gen_nlmsg_parse(header, generation.get()) < 0) return std::nullopt;
  return nftnl_gen_get_u32(generation.get(), NFTNL_GEN_ID);
}

std::optional<TableEvent> decode_event(std::string_view message) {
  const nlmsghdr* header = open(message);
  if (header == nullptr) return std::nullopt;
  TableEvent event{{}, header->nlmsg_pid};
  if (type_of(header) == NFT_MSG_NEWGEN || type_of(header) == NFT_MSG_TRACE) return event;
  mnl_attr_parse(header, sizeof(nfgenmsg), read_table_name, &event.table);
  return event;
}

} // namespace midcom::pinhole::nft
