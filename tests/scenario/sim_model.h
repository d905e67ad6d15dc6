// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold in the simulation, told by the user agents themselves and not by the daemon: which
// descriptions they really exchanged, what the agent was given, what it has sent on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/scenario/wire.h"
#include "tests/scenario/world.h"

namespace midcom::scenario {

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Model {
public:
  struct Media { // where one side of one stream listens: RTP on port, RTCP on the next
    std::string address;
    std::uint16_t port = 0;
  };

  Model(World& world, sip::Duration grace, sip::Duration lifetime)
      : world_(world), grace_(grace), lifetime_(lifetime) {}

  // Told by the user agents. `answer` is the body that completes the pair; bodies are unique.
  void made_offer(const std::string& call, const std::string& body);
  void made_answer(const std::string& call, const std::string& leg, const std::string& body,
                   const Media& caller, const Media& callee);
  // A message reaches the agent. `by_participant`: over its sender's own flow.
  void given(const Wire& message, bool by_participant);
  // The agent has put a message on the flow of one of the call's two user agents, or of a proxy.
  enum class To { caller, callee, proxy, other };
  // `proves`: over a transport on which it can prove who it is (DESIGN.md: never UDP alone).
  void sent(const Wire& message, To to, bool proves);
  void agent_restarted();

  // After every step. Throws Violation.
  void check();
  void check_empty(); // nothing passes, nothing is remembered

  [[nodiscard]] std::size_t checks() const { return checks_; }

private:
  struct Pair {
    std::string call, leg;
    Media caller, callee;
    bool is_believed = false, is_forwarded = false, is_acknowledged = false;
    std::optional<TimePoint> until; // superseded: allowed till then
  };
  struct Leg {
    bool is_answered = false, is_confirmed = false, bye_given = false;
    bool is_first = false; // of the call's branches: a caller ends the others at once
    std::optional<TimePoint> ended, until;
    std::optional<TimePoint> since; // first answer forwarded
  };
  struct Call {
    std::map<std::string, Leg> legs;
    std::optional<TimePoint> failed;
    bool is_orphan = false; // its agent has died
  };

  [[nodiscard]] std::vector<Directed> flows_of(const Pair& pair) const;
  [[nodiscard]] std::string why_not_allowed(const Pair& pair);
  void forwarded(Pair& pair);
  void ended(const std::string& call, const std::string& leg);
  void supersede(const Pair& by);
  void watch_middlebox();
  [[nodiscard]] bool must_pass(const Pair& pair);
  [[nodiscard]] TimePoint end_of_tolerance() const;

  World& world_;
  sip::Duration grace_, lifetime_;
  std::map<std::string, Call> calls_;
  std::vector<Pair> pairs_;
  std::map<std::string, std::string> bodies_;               // body -> call
  std::map<std::string, std::vector<std::size_t>> answers_; // body -> pairs
  std::map<Directed, std::vector<std::size_t>> by_flow_;
  bool middlebox_down_ = false;
  TimePoint middlebox_back_{};
  std::size_t checks_ = 0;
};

// "c7-two" of a message: the To or From tag that is the callee's ("" when there is none yet).
[[nodiscard]] std::string leg_of(const Wire& message);

} // namespace midcom::scenario
