// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/flow_table.h"

#include <algorithm>

#include "daemon/keyed_hash.h"

namespace midcom {

FlowEntry FlowEntry::without_transactions() const {
  return {.info = info,
          .peer = peer,
          .is_open = is_open,
          .target = target,
          .registered = registered,
          .client_transactions = {},
          .token = token};
}

std::vector<std::string> FlowEntry::strong_identities() const {
  std::vector<std::string> identities;
  for (const auto& name : info.identities) identities.push_back("san:" + name);
  for (const auto& address : registered) identities.push_back("aor:" + address);
  return identities;
}

std::string FlowEntry::network_identity(const PeerDirectory& peers) const {
  if (info.transport == Transport::udp || peer == no_peer) return {};
  return "net:" + peers.at(peer).name + "/" + info.remote.address.to_string();
}

void FlowTable::opened(const FlowInfo& flow) {
  FlowEntry& entry = flows_[flow.id];
  entry.info = flow;
  entry.is_open = true;
  if (!entry.target) entry.peer = peers_.peer_of(flow);
}

std::optional<FlowEntry> FlowTable::closed(FlowId flow) {
  const auto found = flows_.find(flow);
  if (found == flows_.end()) return std::nullopt;
  FlowEntry entry = std::move(found->second);
  flows_.erase(found);
  std::erase_if(by_target_, [&](const auto& pair) { return pair.second == flow; });
  return entry;
}

FlowEntry* FlowTable::find(FlowId flow) {
  const auto found = flows_.find(flow);
  return found == flows_.end() ? nullptr : &found->second;
}

const FlowEntry* FlowTable::find_target(const Target& target) const {
  const auto id = by_target_.find(target);
  if (id == by_target_.end()) return nullptr;
  const auto found = flows_.find(id->second);
  return found == flows_.end() ? nullptr : &found->second;
}

FlowId FlowTable::to_target(const Target& target, PeerIndex peer) {
  if (const auto found = by_target_.find(target); found != by_target_.end()) return found->second;
  if (by_target_.size() >= outbound_limit_) return 0;
  const FlowId id = network_.connect(target);
  FlowEntry& entry = flows_[id];
  entry.info.id = id;
  entry.info.transport = target.transport;
  entry.info.remote = target.address;
  entry.info.is_inbound = false;
  entry.info.listener = peers_.listener_for(target.transport, target.address.address);
  entry.target = target;
  entry.peer = peer;
  by_target_[target] = id;
  return id;
}

void FlowTable::alias(FlowId flow, const Target& target) {
  by_target_.try_emplace(target, flow);
}

pinhole::Participant participant_of(const FlowEntry& flow, const PeerDirectory& peers,
                                    const KeyedHash& key, std::string_view preferred) {
  const auto identities = flow.strong_identities();
  const auto wanted = std::ranges::find(identities, "aor:" + std::string(preferred));
  const std::string_view strong = wanted != identities.end() ? std::string_view(*wanted)
                                  : identities.empty()       ? std::string_view()
                                                             : identities.front();
  return {hashed_identity(key, strong), hashed_identity(key, flow.network_identity(peers))};
}

} // namespace midcom
