// SPDX-License-Identifier: GPL-3.0-or-later
// nftables objects as netlink messages, written to a batch and read from replies, by libnftnl:
// nobody else includes its headers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pinhole/kernel.h"
#include "pinhole/nft_batch.h"

struct nftnl_expr;
struct nftnl_rule;

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

// A set of flows: source address . port . destination address . port, with timeout and counter. Of
// sinks: address . port, with timeout; expressions are each element's own.
struct SetKind {
  Family family = Family::ipv4;
  bool is_sinks = false;
};
void new_set(NftBatch& batch, std::string_view table, std::string_view set, SetKind kind,
             std::uint32_t id, std::uint32_t size);

struct Limit {             // of a sink's packets; over it a lookup doesn't find the element
  std::uint32_t rate = 0;  // per second; the burst is half of it
  bool has_counter = true; // counts what comes, also over the limit
};
struct Element {
  FlowKey key;
  std::uint64_t timeout_ms = 0;    // never 0: that would be for ever
  std::uint64_t expiration_ms = 0; // what is left of it; 0: all
  std::string_view userdata{};
  FlowCounter counter{}; // its first value
  Limit limit{};         // of a sink: always
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

// One rule; expressions in order. It is added to the batch when it goes out of scope.
class Rule {
public:
  Rule(NftBatch& batch, std::string_view table, std::string_view chain);
  ~Rule();
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;
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

  struct Free {
    void operator()(nftnl_rule* rule) const;
  };

private:
  // Gives an expression that belongs to the rule.
  nftnl_expr* add(const char* name);
  NftBatch& batch_;
  std::unique_ptr<nftnl_rule, Free> rule_;
};

// Of a reply or an event: one whole netlink message with its header, as the kernel sends it.
// Elements whose key isn't a flow or sink of ours are left out; a set with "tcp" in its name has
// those of TCP. nullopt: not an element message.
[[nodiscard]] std::optional<std::vector<StoredFlow>> decode_elements(std::string_view message);
[[nodiscard]] std::optional<std::uint32_t> decode_table_flags(std::string_view message);
[[nodiscard]] std::optional<std::uint32_t> decode_generation(std::string_view message);

struct TableEvent {
  std::string table;        // "" for events about no table (NEWGEN)
  std::uint32_t sender = 0; // netlink port of who caused it
};
[[nodiscard]] std::optional<TableEvent> decode_event(std::string_view message);

} // namespace midcom::pinhole::nft
