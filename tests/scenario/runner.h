// SPDX-License-Identifier: GPL-3.0-or-later
// Runs the steps of one scenario against a World.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/scenario/parties.h"
#include "tests/scenario/script.h"
#include "tests/scenario/sealing.h"
#include "tests/scenario/world.h"

namespace midcom::scenario {

class Runner {
public:
  // `name` is the script's stem: Call-ID of its calls.
  explicit Runner(const std::string& name);

  // Throws Failure at the first step that doesn't hold.
  void run(const std::vector<Step>& steps);
  [[nodiscard]] std::string trace() const { return trace_; }

private:
  struct Row {
    const char* command;
    void (Runner::*run)(const Step&);
  };
  static const Row rows[];
  struct Destination { // where the agent may connect to
    std::string name;
    World::ConnectOutcome outcome = World::ConnectOutcome::succeed;
    std::vector<std::string> identities;
  };

  void run_step(Step step);
  void make_world();
  void note(const std::string& text);
  void settle_and_give(const std::string& name, Wire wire);
  void check_rest(const Step& step); // nothing unexpected is left at the end

  void config(const Step& step);
  void contacts(const Step& step);
  void flow(const Step& step);
  void target(const Step& step);
  void receive(const Step& step);
  void receive_raw(const Step& step);
  void repeat(const Step& step);
  void reply(const Step& step);
  void forward(const Step& step);
  void expect_send(const Step& step);
  void expect_nothing(const Step& step);
  void expect_unchanged(const Step& step);
  void expect_body_identical(const Step& step);
  void expect_rules(const Step& step);
  void expect_sinks(const Step& step);
  void gate(const Step& step);
  void expect_fate(const Step& step);
  void lose_gate(const Step& step);
  void expect_pass(const Step& step);
  void expect_blocked(const Step& step);
  void expect_log(const Step& step);
  void expect_no_log(const Step& step);
  void expect_not_in_log(const Step& step);
  void expect_counts(const Step& step);
  void expect_connect(const Step& step);
  void expect_closed(const Step& step);
  void pass(const Step& step);
  void hold_middlebox(const Step& step);
  void release_middlebox(const Step& step);
  void fail_middlebox(const Step& step);
  void start_middlebox(const Step& step);
  void fail_commits(const Step& step);
  void restart(const Step& step);
  void hold_openers(const Step& step);
  void release_openers(const Step& step);
  void restart_openers(const Step& step);
  void expect_key_operations(const Step& step);
  void expect_opened(const Step& step);
  void names(const Step& step);
  void hold_names(const Step& step);
  void release_names(const Step& step);
  void expect_lookups(const Step& step);
  void close(const Step& step);
  void break_stream(const Step& step);
  void connect_ok(const Step& step);
  void connect_fail(const Step& step);
  void connect_hold(const Step& step);
  void set(const Step& step);
  void ignore(const Step& step);

  bool matches(const Step& step, const std::string& line, const Wire& wire,
               const std::string& bytes, const Party& party) const;

  Parties parties_;
  std::unique_ptr<Sealing> sealing_; // made when the configuration has [smime]
  std::string config_text_;
  std::vector<std::string> contacts_;
  std::unique_ptr<World> world_;
  std::map<FlowId, std::string> names_;
  std::map<std::pair<Transport, sip::Endpoint>, Destination> destinations_;
  std::vector<std::string> connects_; // not yet expected
  std::set<std::string> closed_;
  std::map<std::string, std::string> alike_; // first of the answers that must be alike
  std::set<std::size_t> used_log_;
  std::map<std::string, std::uint32_t> packets_; // that GATE has named
  Wire last_given_;                              // last message any party gave to the agent
  Wire last_taken_;                              // last message any party expected
  std::set<std::string> ignored_;                // parties whose unexpected messages don't matter
  std::string trace_;
};

} // namespace midcom::scenario
