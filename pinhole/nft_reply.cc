// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/nft_reply.h"

#include <algorithm>
#include <cstring>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

namespace midcom::pinhole {

namespace {

constexpr std::size_t header_size = NLMSG_HDRLEN + sizeof(nfgenmsg);

struct Attribute {
  std::uint16_t type = 0;
  std::string_view payload;
};

// Walks attributes; ends at the first that doesn't fit.
class Attributes {
public:
  explicit Attributes(std::string_view bytes) : rest_(bytes) {}
  std::optional<Attribute> next() {
    nlattr header{};
    if (rest_.size() < sizeof header) return std::nullopt;
    std::memcpy(&header, rest_.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > rest_.size()) return std::nullopt;
    const Attribute attribute{static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
                              rest_.substr(sizeof header, header.nla_len - sizeof header)};
    rest_.remove_prefix(std::min<std::size_t>(NLA_ALIGN(header.nla_len), rest_.size()));
    return attribute;
  }

private:
  std::string_view rest_;
};

std::string_view find(std::string_view bytes, std::uint16_t type) {
  Attributes attributes(bytes);
  while (const auto attribute = attributes.next())
    if (attribute->type == type) return attribute->payload;
  return {};
}

std::uint64_t number(std::string_view big_endian) {
  std::uint64_t value = 0;
  for (const char octet : big_endian.substr(0, 8))
    value = value << 8 | static_cast<std::uint8_t>(octet);
  return value;
}

std::string_view without_final_zero(std::string_view text) {
  return text.substr(0, text.find('\0'));
}

struct Message {
  std::uint16_t type = 0; // of the nftables subsystem
  std::uint32_t sender = 0;
  std::string_view attributes;
};

std::optional<Message> open(std::string_view bytes) {
  nlmsghdr header{};
  if (bytes.size() < header_size) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.nlmsg_len != bytes.size()) return std::nullopt;
  if (header.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) return std::nullopt;
  return Message{static_cast<std::uint16_t>(header.nlmsg_type & 0xff), header.nlmsg_pid,
                 bytes.substr(header_size)};
}

std::optional<FlowKey> decode_key(std::string_view octets) {
  if (octets.size() != 16 && octets.size() != 40) return std::nullopt;
  const std::size_t size = octets.size() == 16 ? 4 : 16;
  FlowKey key;
  for (Endpoint* endpoint : {&key.source, &key.destination}) {
    endpoint->address.family = size == 4 ? Family::ipv4 : Family::ipv6;
    std::memcpy(endpoint->address.octets.data(), octets.data(), size);
    endpoint->port = static_cast<std::uint16_t>(number(octets.substr(size, 2)));
    octets.remove_prefix(size + 4);
  }
  return key;
}

FlowCounter decode_counter(std::string_view expression) {
  if (without_final_zero(find(expression, NFTA_EXPR_NAME)) != "counter") return {};
  const std::string_view data = find(expression, NFTA_EXPR_DATA);
  return {number(find(data, NFTA_COUNTER_PACKETS)), number(find(data, NFTA_COUNTER_BYTES))};
}

std::optional<StoredFlow> decode_element(std::string_view element) {
  const auto key = decode_key(find(find(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE));
  if (!key) return std::nullopt;
  return StoredFlow{*key, std::string(find(element, NFTA_SET_ELEM_USERDATA)),
                    decode_counter(find(element, NFTA_SET_ELEM_EXPR))};
}

} // namespace

std::optional<std::vector<StoredFlow>> decode_elements(std::string_view message) {
  const auto opened = open(message);
  if (!opened || (opened->type != NFT_MSG_NEWSETELEM && opened->type != NFT_MSG_DELSETELEM))
    return std::nullopt;
  std::vector<StoredFlow> flows;
  Attributes elements(find(opened->attributes, NFTA_SET_ELEM_LIST_ELEMENTS));
  while (const auto element = elements.next())
    if (auto flow = decode_element(element->payload)) flows.push_back(std::move(*flow));
  return flows;
}

std::optional<std::uint32_t> decode_table_flags(std::string_view message) {
  const auto opened = open(message);
  if (!opened || opened->type != NFT_MSG_NEWTABLE) return std::nullopt;
  return static_cast<std::uint32_t>(number(find(opened->attributes, NFTA_TABLE_FLAGS)));
}

std::optional<std::uint32_t> decode_generation(std::string_view message) {
  const auto opened = open(message);
  if (!opened || opened->type != NFT_MSG_NEWGEN) return std::nullopt;
  return static_cast<std::uint32_t>(number(find(opened->attributes, NFTA_GEN_ID)));
}

std::optional<TableEvent> decode_event(std::string_view message) {
  const auto opened = open(message);
  if (!opened) return std::nullopt;
  TableEvent event{{}, opened->sender};
  // The table's name is attribute 1 of tables, chains, rules, sets, elements, objects and flow
  // tables alike.
  static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
                NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1);
  if (opened->type != NFT_MSG_NEWGEN && opened->type != NFT_MSG_TRACE)
    event.table = without_final_zero(find(opened->attributes, NFTA_TABLE_NAME));
  return event;
}

} // namespace midcom::pinhole
