// SPDX-License-Identifier: GPL-3.0-or-later
// One seed of the simulation: stations, a registrar that forwards, links that lose, repeat and
// reorder, processes that die; calls by dice. The model looks on after every step.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "tests/scenario/sim_call.h"
#include "tests/scenario/sim_model.h"
#include "tests/scenario/world.h"

namespace midcom::scenario {

struct Figures {
  std::size_t steps = 0, checks = 0, messages = 0, calls = 0, lost = 0, repeated = 0, reordered = 0;
  std::size_t agent_restarts = 0, middlebox_restarts = 0, hang_ups = 0, forgeries = 0,
              answers_488 = 0, stray_packets = 0;
  Figures& operator+=(const Figures& other);
};

class SimNet {
public:
  // `honest`: no user agent lies; else the dice fall as they do with liars.
  SimNet(const Config& config, std::uint64_t seed, bool traces, bool honest);

  // Throws Violation or another std::exception.
  void run();
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] const std::string& trace() const { return trace_; }
  [[nodiscard]] long elapsed_ms() const; // of its time, as the trace has it

private:
  enum class Kind { phone, registered, trunk, core };
  struct Party {
    Station station;
    Kind kind;
    Transport transport;
    std::string listener, identity;
    FlowId flow = 0;
    std::deque<std::string> to_agent, to_party;
  };

  void add(const char* name, Kind kind, Transport transport, const char* listener,
           const char* address, std::uint16_t port, const char* identity = "");
  void note(const std::string& text);
  void note_log(); // what the agent has logged since
  void sent(FlowId flow, const std::string& bytes);
  [[nodiscard]] Model::To to_whom(const SimCall& call, std::size_t party) const;
  [[nodiscard]] std::size_t party_of(const Target& target) const;
  void open(Party& party);
  void transmit(std::size_t party, const Wire& wire);
  void new_call();
  void step(bool finishing);
  void pass_quietly();
  void disaster();
  void forge(const SimCall& call);
  bool move_packet(bool fair);
  void to_agent(std::size_t party, bool fair);
  void to_party(std::size_t party, bool fair);
  [[nodiscard]] std::string take(std::deque<std::string>& queue, bool is_udp, bool fair,
                                 bool& lost);
  void core_receives(const Wire& wire);
  void registers(std::size_t party);
  void middlebox_turn();
  void stray_packet();
  void go_on(sip::Duration time);
  [[nodiscard]] SimCall* call_of(const Wire& wire);
  [[nodiscard]] TimePoint now() const { return world_->now(); }

  Dice dice_, mischief_, stray_; // apart, so that honest calls go on as ever
  bool traces_, honest_;
  std::string trace_;
  Figures figures_;
  std::vector<Party> parties_;
  std::map<FlowId, std::size_t> by_flow_;
  std::unique_ptr<World> world_;
  std::unique_ptr<Model> model_;
  std::vector<std::unique_ptr<SimCall>> calls_;
  std::map<std::string, std::string> paths_; // of the core: user -> Path
  std::set<std::string> refused_by_core_;
  std::uint16_t next_port_ = 20000;
  int registrations_ = 0;
  TimePoint waiting_since_{};
  std::size_t noted_events_ = 0;
  std::optional<TimePoint> middlebox_back_;
};

} // namespace midcom::scenario
