// SPDX-License-Identifier: GPL-3.0-or-later
// What must hold in the simulation, told by the user agents themselves and not by the daemon: which
// descriptions they really exchanged, what the agent was given, what it has sent on.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/scenario/wire.h"
#include "tests/scenario/world.h"

namespace midcom::scenario {

// The slowest middlebox of the simulation, and a timer's turn.
inline constexpr std::chrono::seconds slack{4};

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Model {
public:
  struct Media { // where one side of one stream listens: RTP on port, RTCP on the next
    std::string address;
    std::uint16_t port = 0;
    bool is_lie = false; // the policy has no place for it
    std::string body;    // the description that says so
  };

  Model(World& world, sip::Duration grace, sip::Duration lifetime)
      : world_(world), grace_(grace), lifetime_(lifetime) {}

  // Told by the user agents. `answer` is the body that completes the pair; bodies are unique.
  void made_offer(const std::string& call, const std::string& body);
  void made_answer(const std::string& call, const std::string& leg, const std::string& body,
                   const Media& caller, const Media& callee);
  // A description names what its sender may not: as an offer it is refused, as an answer it opens
  // nothing.
  void made_lie(const std::string& body) { lies_.insert(body); }
  // Somebody outside the call wrote it.
  void made_forgery(const std::string& body) { forged_bodies_.insert(body); }
  // A message reaches the agent. `by_participant`: over its sender's own flow.
  void given(const Wire& message, bool by_participant);
  // The agent has put a message on the flow of one of the call's two user agents, or of a proxy.
  enum class To { caller, callee, proxy, other };
  // `proves`: over a transport on which it can prove who it is (DESIGN.md: never UDP alone).
  void sent(const Wire& message, To to, bool proves);
  void sent_to_forger(const Wire& message);
  // The agent has said it to somebody who is gone.
  void unheard(const Wire& message, To to);
  void agent_restarted();
  void acknowledged(const pinhole::Request& request, pinhole::Result result);

  // After every step. Throws Violation.
  void check();
  void check_empty(); // nothing passes, nothing is remembered

  [[nodiscard]] std::size_t checks() const { return checks_; }

private:
  struct Pair {
    std::string call, leg;
    Media caller, callee;
    bool is_believed = false, is_forwarded = false;
    bool is_unheard = false;        // it has left, to somebody who was gone
    bool is_lie = false;            // one of the two descriptions
    int agent = 0;                  // which one was first given the answer
    std::string invite;             // whose 2xx carried its answer: invite_of()
    bool is_replaced = false;       // nothing need pass any more
    std::optional<TimePoint> until; // superseded: allowed till then
    std::string by;                 // ... by the exchange of that INVITE, until its ACK
  };
  // Receive addresses that wait for media before there is an answer.
  struct Offer {
    std::string call, leg; // no leg: of the initial INVITE
    std::vector<pinhole::Endpoint> at;
    bool is_given = false;
    std::optional<TimePoint> until; // answered by the agent
    TimePoint kept{};               // what an agent that died had asked for it
    int given_to = -1;              // the agent that was given it last ...
    bool is_late = false;           // ... when its dialog had ended
    std::string request{};          // request_of() what has brought it
  };
  struct Leg {
    bool is_answered = false, is_confirmed = false, bye_given = false;
    bool is_unheard = false;  // its BYE came while nobody could be asked about its sender
    bool is_accepted = false; // a 2xx has reached an agent
    int known_to = -1;        // the agent that was given an answer of this branch last
    bool is_first = false;    // of the call's branches: a caller ends the others at once
    std::optional<TimePoint> ended, until;
    std::optional<TimePoint> since; // first answer forwarded
    // Its session lives until the first, and no longer than the second (RFC 4028).
    std::optional<TimePoint> session_least, session_most;
    TimePoint session_given{};
  };
  struct Call {
    std::map<std::string, Leg> legs;
    std::optional<TimePoint> failed;
    int failed_by = 0;                                    // which agent said so
    std::vector<std::pair<TimePoint, int>> failed_before; // the same, of before it began anew
    bool is_orphan = false;                               // its agent has died
    int invited = -1;         // the agent that has sent its INVITE on last ...
    bool is_answered = false; // ... and has answered it
    bool has_failure = false; // the INVITE's failure was given
  };
  // What somebody else has written in a participant's name, by the branch of its Via.
  struct Forgery {
    std::string call, leg, method;
    bool has_body;
    bool is_known, is_kernels; // when it was given
    bool is_answered = false;  // by its first final response
    bool was_unjudged = false; // it went on while nobody could be asked
  };

  [[nodiscard]] std::vector<Directed> flows_of(const Pair& pair) const;
  [[nodiscard]] std::string why_not_allowed(const Pair& pair);
  void forwarded(Pair& pair);
  void given_forgery(const Wire& message);
  void judge_forgery(Forgery& forgery, const Wire& message);
  [[nodiscard]] bool is_known(const std::string& call, const std::string& leg);
  [[nodiscard]] bool is_kernels(const std::string& call, const std::string& leg);
  [[nodiscard]] bool is_away();
  void judge_answer_to_lie(const Wire& message);
  void given_offer(const Wire& message);
  void given_refresh(const Wire& message);
  void sent_refresh(const Wire& message, To to);
  [[nodiscard]] bool may_wait(const Offer& offer);
  void answered(const std::string& call, int status);
  void answered_late(const Wire& message);
  void check_sinks();
  void leave_to_fate(const Pair& by);
  void ended(const std::string& call, const std::string& leg);
  [[nodiscard]] sip::Duration life_of(const Leg& leg) const;
  void failed(const std::string& call);
  void supersede(const Pair& by);
  void acknowledged(const std::string& invite, const std::string& leg);
  void refused(const std::string& invite);
  void watch_middlebox();
  [[nodiscard]] bool must_pass(const Pair& pair);
  [[nodiscard]] TimePoint end_of_tolerance();

  World& world_;
  sip::Duration grace_, lifetime_;
  std::map<std::string, Call> calls_;
  std::vector<Pair> pairs_;
  std::map<std::string, std::string> bodies_; // body -> call
  std::map<std::string, Offer> offers_;       // by body
  std::set<std::string> lies_, forged_bodies_;
  std::map<std::string, Forgery> forgeries_;
  std::map<std::string, TimePoint> refreshes_; // request_of() -> when its first 2xx was given
  std::set<std::string> lying_requests_;       // request_of()
  std::map<std::string, int>
      passed_; // body -> which of the agents, one after the other, sent it on last
  int agent_ = 0;
  TimePoint restarted_{};                  // the last of them began
  std::set<Directed> acknowledged_;        // flows the kernel was said to have
  std::map<std::string, int> last_invite_; // CSeq of what was given, by sender and leg
  std::set<std::string> refused_;          // INVITEs of dialogs whose sender has got a failure
  std::map<std::string, std::vector<std::size_t>> answers_; // body -> pairs
  std::map<Directed, std::vector<std::size_t>> by_flow_;
  bool middlebox_down_ = false;
  TimePoint middlebox_back_{};
  std::size_t checks_ = 0;
};

// "c7-two" of a message: the To or From tag that is the callee's ("" when there is none yet).
[[nodiscard]] std::string leg_of(const Wire& message);
// The Via branch of what somebody else wrote in a participant's name, which keeps it wherever it
// goes; empty when it is none.
[[nodiscard]] std::string forged_branch(const Wire& message);
[[nodiscard]] bool is_forged(const Wire& message);

} // namespace midcom::scenario
