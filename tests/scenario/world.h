// SPDX-License-Identifier: GPL-3.0-or-later
// The whole agent and the whole middlebox engine between fakes: clock, network, kernel, log. The
// scripts and the simulation drive it; nothing happens but what they ask for.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/agent.h"
#include "tests/scenario/middlebox_side.h"
#include "tests/scenario/name_side.h"
#include "tests/scenario/opener_side.h"

namespace midcom::scenario {

using sip::TimePoint;

class RecordingLog final : public EventLog {
public:
  void write(const Event& event) override { events_.push_back(event); }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  void clear() { events_.clear(); }

private:
  std::vector<Event> events_;
};

class World final : private Network, private MiddleboxPort {
public:
  enum class ConnectOutcome { succeed, fail, hold };
  struct Hooks {
    // Bytes the agent puts on a flow.
    std::function<void(FlowId, const std::string&)> sent;
    // A connection the agent asks for; identities it will prove.
    std::function<ConnectOutcome(FlowId, const Target&, std::vector<std::string>&)> connecting;
    // The agent closed a flow, or its process died.
    std::function<void(FlowId)> closed;
    // Bytes for a flow that is no more.
    std::function<void(FlowId, const std::string&)> undelivered = {};
    // The agent is about to hear how a request of its has gone.
    std::function<void(const pinhole::Request&, pinhole::Result)> acknowledged = {};
  };

  // `material`: of the openers, when the configuration has any.
  World(AgentConfig config, const pinhole::Policy& policy, Hooks hooks, std::uint64_t seed,
        OpenerMaterial material = {});
  ~World() override;

  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] std::int64_t wall_clock() const; // seconds since the epoch
  [[nodiscard]] const AgentConfig& config() const { return config_; }
  [[nodiscard]] RecordingLog& log() { return log_; }
  [[nodiscard]] MiddleboxSide& middlebox() { return *middlebox_; }
  [[nodiscard]] Agent::Counts counts() const { return agent_->counts(); }

  // Network side. The agent reacts at once; what it starts is done by settle() or the steps.
  FlowId open(FlowInfo flow); // an inbound one; gives it its id
  void finish_connect(FlowId flow, ConnectOutcome outcome);
  void receive(FlowId flow, std::string bytes);
  void break_stream(FlowId flow, sip::Error error, std::string header_block);
  void hang_up(FlowId flow, std::string_view reason = "closed"); // the far end or the network does
  [[nodiscard]] bool is_open(FlowId flow) const;
  [[nodiscard]] const FlowInfo* info(FlowId flow) const;

  // Channel side, one thing at a time.
  [[nodiscard]] bool has_posted() const { return !posted_.empty(); }
  void run_posted(); // one network event the agent caused
  [[nodiscard]] bool has_requests() const { return middlebox_runs_ && !requests_.empty(); }
  void run_requests(); // the middlebox takes all that waits (one batch)
  [[nodiscard]] bool has_replies() const { return !replies_.empty(); }
  void run_reply(); // the agent gets one reply
  [[nodiscard]] const std::deque<pinhole::Request>& unacknowledged() const { return unacked_; }

  // A packet arrives at the firewall and goes through the gate if it comes to that. Its number.
  std::uint32_t deliver(const pinhole::FlowKey& packet, std::string_view payload);

  // The openers answer at once unless they are held.
  [[nodiscard]] OpenerSide& openers() { return *openers_; }
  void hold_openers(bool held) { openers_held_ = held; }
  void restart_openers();

  // So do the name servers.
  [[nodiscard]] NameSide& names() { return names_; }
  void hold_names(bool held) { names_held_ = held; }

  void settle(); // all of the above until nothing is left; respects hold
  void hold_middlebox(bool held) { held_ = held; }

  // Time goes on: timers of agent and middlebox fire in order, everything settles between them.
  void pass(sip::Duration time);
  // Sets the clock without settling (the simulation does that); fires what is due.
  void advance_to(TimePoint when);
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  void restart_agent();
  void stop_middlebox();
  void start_middlebox();
  [[nodiscard]] bool middlebox_runs() const { return middlebox_runs_; }
  // The agent has heard event::Ready on its present channel.
  [[nodiscard]] bool is_ready() const { return is_ready_; }

private:
  struct Flow {
    FlowInfo info;
    bool connecting = false, closing = false;
    std::vector<sip::Bytes> queued;
  };

  void send(FlowId flow, sip::Bytes bytes) override;
  [[nodiscard]] FlowId connect(const Target& target) override;
  void close(FlowId flow) override;
  void send(const pinhole::Request& request) override;

  void start_agent();
  void connect_openers();
  void fire_due();
  void take_replies(std::vector<pinhole::Reply> replies);
  void remove_flow(FlowId flow, std::string_view reason);

  AgentConfig config_;
  Secrets secrets_;
  Hooks hooks_;
  std::uint64_t random_;
  TimePoint now_{std::chrono::seconds(1000000)};
  RecordingLog log_;
  std::unique_ptr<MiddleboxSide> middlebox_;
  std::unique_ptr<OpenerSide> openers_;
  bool openers_held_ = false;
  NameSide names_;
  bool names_held_ = false;
  bool middlebox_runs_ = false, held_ = false, is_ready_ = false;
  FlowId next_flow_ = 1;
  std::map<FlowId, Flow> flows_;
  std::deque<std::function<void()>> posted_;
  std::deque<pinhole::Request> requests_; // sent by the agent, not yet taken by the middlebox
  std::deque<pinhole::Request> unacked_;  // sent by the agent, its reply not yet delivered
  std::deque<pinhole::Reply> replies_;
  std::unique_ptr<Agent> agent_;
};

} // namespace midcom::scenario
