// SPDX-License-Identifier: GPL-3.0-or-later
// The flows this agent has, whose they are, and which identities have been pinned to them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "daemon/keyed_hash.h"
#include "daemon/network.h"
#include "daemon/peer_directory.h"
#include "pinhole/request.h"

namespace midcom {

struct FlowEntry {
  FlowInfo info;
  PeerIndex peer = no_peer;
  bool is_open = false;
  std::optional<Target> target;        // outbound flows
  std::vector<std::string> registered; // addresses of record proved by a registrar's 200
  std::unordered_set<std::uint64_t> client_transactions;
  std::string token; // its flow token, once one was needed

  // "san:NAME" and "aor:URI": what the flow has proved. Empty for a flow known by its address
  // alone.
  [[nodiscard]] std::vector<std::string> strong_identities() const;
  // "net:PEER/ADDRESS" over TCP and TLS; "" over UDP, whose source address proves nothing.
  [[nodiscard]] std::string network_identity(const PeerDirectory& peers) const;
  // Who it is, kept for later; without the flow's live transactions, which may be thousands.
  [[nodiscard]] FlowEntry without_transactions() const;
};

class FlowTable {
public:
  FlowTable(const PeerDirectory& peers, Network& network, std::size_t outbound_limit = 10000)
      : peers_(peers), network_(network), outbound_limit_(outbound_limit) {}

  void opened(const FlowInfo& flow);
  // The entry as it was; empty for an unknown flow.
  [[nodiscard]] std::optional<FlowEntry> closed(FlowId flow);
  [[nodiscard]] FlowEntry* find(FlowId flow);

  // The live or opening flow to a target, opened when there is none (RFC 5923: reuse only under the
  // identity it was opened and verified for). 0: there are as many such flows as may be.
  [[nodiscard]] FlowId to_target(const Target& target, PeerIndex peer);
  // RFC 5923 5: a verified inbound TLS flow whose peer asked for an alias serves its own identity's
  // target backwards.
  void alias(FlowId flow, const Target& target);

  [[nodiscard]] std::size_t size() const { return flows_.size(); }
  [[nodiscard]] const std::unordered_map<FlowId, FlowEntry>& all() const { return flows_; }
  // The flow that serves a target now; null when there is none.
  [[nodiscard]] const FlowEntry* find_target(const Target& target) const;

private:
  const PeerDirectory& peers_;
  Network& network_;
  std::size_t outbound_limit_;
  std::unordered_map<FlowId, FlowEntry> flows_;
  std::map<Target, FlowId> by_target_;
};

// The hashed identities of whoever is behind a flow. `preferred` picks among several addresses of
// record.
[[nodiscard]] pinhole::Participant participant_of(const FlowEntry& flow, const PeerDirectory& peers,
                                                  const KeyedHash& key, std::string_view preferred);

} // namespace midcom
