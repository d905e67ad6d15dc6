// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/agent_snapshot.h"

#include <algorithm>

#include "daemon/firewall.h"
#include "daemon/flow_table.h"

namespace midcom {

namespace {

std::string peer_name(const AgentConfig& config, PeerIndex peer) {
  return peer == no_peer ? "-" : config.peers[peer].name;
}

void copy_flows(const AgentConfig& config, const FlowTable& flows, std::size_t most,
                AgentSnapshot& out) {
  out.total = flows.size();
  for (const auto& [id, flow] : flows.all()) {
    if (out.flows.size() == most) break;
    out.flows.push_back({flow.info, flow.is_open, peer_name(config, flow.peer), flow.registered});
  }
  std::ranges::sort(out.flows, {}, [](const auto& flow) { return flow.info.id; });
}

std::string state_of(const FlowTable& flows, const std::optional<Target>& target) {
  if (!target) return "none";
  const FlowEntry* flow = flows.find_target(*target);
  if (flow == nullptr) return "down";
  return flow->is_open ? "up" : "opening";
}

void copy_peers(const AgentConfig& config, const FlowTable& flows, AgentSnapshot& out) {
  out.total = config.peers.size();
  for (const PeerConfig& peer : config.peers)
    out.peers.push_back({peer.name, peer.side, peer.kind == PeerKind::trunk, peer.next_hop,
                         state_of(flows, peer.next_hop)});
  for (const auto& [id, flow] : flows.all()) {
    if (flow.peer != no_peer) ++out.peers[flow.peer].flows;
  }
}

AgentSnapshot::Call copy_of(const AgentConfig& config, const Call& call, sip::TimePoint now) {
  AgentSnapshot::Call copy{
      .call_id = call.call_id,
      .caller_peer = peer_name(config, call.caller.is_known ? call.caller.peer : no_peer),
      .is_answered = call.is_answered,
      .is_taken_up = call.is_orphan,
      .age = std::chrono::duration_cast<std::chrono::seconds>(now - call.started),
      .legs = {}};
  for (const auto& [tag, leg] : call.legs)
    copy.legs.push_back({tag, peer_name(config, leg.callee.is_known ? leg.callee.peer : no_peer),
                         leg.is_confirmed, leg.is_ended, leg.open.rules, leg.open.sinks});
  return copy;
}

void copy_calls(const AgentConfig& config, const CallTable& calls, const SnapshotQuery& query,
                sip::TimePoint now, AgentSnapshot& out) {
  for (const auto& [key, call] : calls.all()) {
    if (!query.call_id.empty() && call->call_id != query.call_id) continue;
    ++out.total;
    if (out.calls.size() < query.most) out.calls.push_back(copy_of(config, *call, now));
  }
  std::ranges::sort(out.calls, std::ranges::greater(), &AgentSnapshot::Call::age);
}

} // namespace

AgentSnapshot take_snapshot(const AgentConfig& config, const FlowTable& flows,
                            const Firewall* firewall, const SnapshotQuery& query,
                            sip::TimePoint now) {
  AgentSnapshot out;
  using Part = SnapshotQuery::Part;
  if (query.part == Part::flows) copy_flows(config, flows, query.most, out);
  if (query.part == Part::peers) copy_peers(config, flows, out);
  if (query.part == Part::calls && firewall != nullptr)
    copy_calls(config, firewall->call_table(), query, now, out);
  return out;
}

} // namespace midcom
