// SPDX-License-Identifier: GPL-3.0-or-later
// nftables objects as netlink messages of a batch. Raw attributes, because libnftnl 1.2.4 has
// neither DESTROYSETELEM, PERSIST nor elements with a counter's first value.
#pragma once

#include <cstdint>
#include <string_view>

#include "pinhole/flow.h"
#include "pinhole/nft_batch.h"

namespace midcom::pinhole::nft {

// Newer than Debian 12's headers.
inline constexpr std::uint32_t flag_owner = 2, flag_persist = 4;
inline constexpr std::uint16_t message_destroy_element = 30;

void new_table(NftBatch& batch, std::string_view table, std::uint32_t flags = 0);
void delete_table(NftBatch& batch, std::string_view table);
void get_table(NftBatch& batch, std::string_view table);
void new_chain(NftBatch& batch, std::string_view table, std::string_view chain);
// In the forward hook; the policy is accept.
void new_forward_chain(NftBatch& batch, std::string_view table, std::string_view chain,
                       int priority);
void delete_rules(NftBatch& batch, std::string_view table); // of all chains

// A set of flows: source address . port . destination address . port, with timeout and counter.
void new_flow_set(NftBatch& batch, std::string_view table, std::string_view set, Family family,
                  std::uint32_t id, std::uint32_t size);

struct Element {
  FlowKey key;
  std::uint64_t timeout_ms = 0;    // never 0: that would be for ever
  std::uint64_t expiration_ms = 0; // what is left of it; 0: all
  std::string_view userdata{};
  FlowCounter counter{}; // its first value
};
// An element that is there gets its time again (Feature timeout_update), and keeps all else.
void new_element(NftBatch& batch, std::string_view table, std::string_view set,
                 const Element& element);
enum class Absent : std::uint8_t { is_error, is_fine }; // is_fine needs destroy_element
// The reply has the element with its final counter (NLM_F_ECHO).
void delete_element(NftBatch& batch, std::string_view table, std::string_view set,
                    const FlowKey& key, Absent absent);
void get_elements(NftBatch& batch, std::string_view table, std::string_view set,
                  const FlowKey* keys, std::size_t count);
void dump_elements(NftBatch& batch, std::string_view table, std::string_view set);
void get_generation(NftBatch& batch);

// One rule; expressions in order. The message is whole when it goes out of scope.
class Rule {
public:
  Rule(NftBatch& batch, std::string_view table, std::string_view chain);
  enum Base : std::uint32_t { network = 1, transport = 2 };
  enum Compare : std::uint32_t { equal = 0, differs = 1 };
  // Registers are the 4-octet ones, counted from 0.
  Rule& meta(std::uint32_t key, unsigned to);
  Rule& set_mark(unsigned from);
  Rule& payload(Base base, std::uint32_t offset, std::uint32_t size, unsigned to);
  Rule& bitwise(unsigned reg, std::string_view mask, std::string_view flip); // (reg & mask) ^ flip
  Rule& compare(unsigned reg, Compare how, std::string_view value);
  Rule& range(unsigned reg, std::string_view first, std::string_view last);
  Rule& lookup(std::string_view set, unsigned reg);
  Rule& conntrack(std::uint32_t key, unsigned to);
  Rule& count();
  Rule& verdict(std::int32_t code, std::string_view chain = {});
  Rule& queue(std::uint16_t number);        // native expression
  Rule& compat_queue(std::uint16_t number); // xt NFQUEUE through nft_compat

private:
  NftBatch& batch_;
  Nest expressions_;
};

} // namespace midcom::pinhole::nft
