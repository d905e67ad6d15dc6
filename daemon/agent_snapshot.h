// SPDX-License-Identifier: GPL-3.0-or-later
// What the agent has at one moment, as values for those who only look: the control socket. No key
// material is reachable from here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/latency_histogram.h"
#include "daemon/network.h"
#include "pinhole/request.h"

namespace midcom {

struct AgentSnapshot {
  struct Status {
    bool is_middlebox_up = false;
    std::string features; // words of the kernel's features
    std::uint32_t adopted_groups = 0, adopted_elements = 0;
    std::size_t flows = 0, calls = 0, transactions = 0, rules = 0;
    bool has_gate = false;
    pinhole::event::GateCounters gate;
    LatencyHistogram commits{}; // of rules that a message waited for
  };
  struct Flow {
    FlowInfo info;
    bool is_open = false;
    std::string peer; // "-": none
    std::vector<std::string> registered;
  };
  struct Peer {
    std::string name, side;
    bool is_trunk = false;
    std::optional<Target> next_hop;
    // Of the flow to the next hop: "up", "opening", "down"; "none" when there is no next hop.
    std::string state;
    std::size_t flows = 0;
  };
  struct Leg {
    std::string tag, callee_peer;
    bool is_answered = false, is_ended = false;
    std::vector<pinhole::Rule> rules; // a is the caller's end
    std::vector<pinhole::Sink> sinks;
  };
  struct Call {
    std::string call_id, caller_peer;
    bool is_answered = false;
    bool is_taken_up = false; // not seen from its INVITE on
    std::chrono::seconds age{};
    std::vector<Leg> legs;
  };

  Status status;
  std::size_t total = 0; // before the bound
  std::vector<Flow> flows;
  std::vector<Peer> peers;
  std::vector<Call> calls;
};

// Which part to copy, and how much of it at most: the agent does nothing else meanwhile.
struct SnapshotQuery {
  enum class Part : std::uint8_t { status, flows, peers, calls };
  Part part = Part::status;
  std::string call_id = {}; // calls: this one only; empty: all
  std::size_t most = 2000;
};

class Firewall;
class FlowTable;
struct AgentConfig;

// Everything but status.
[[nodiscard]] AgentSnapshot take_snapshot(const AgentConfig& config, const FlowTable& flows,
                                          const Firewall* firewall, const SnapshotQuery& query,
                                          std::chrono::steady_clock::time_point now);

} // namespace midcom
