// SPDX-License-Identifier: GPL-3.0-or-later
// One call: user agents of some discipline say what they please, the gateway gets it as SIP texts,
// the reference as what was meant. After every step both are compared.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/firewall/describer.h"
#include "tests/firewall/gateway.h"
#include "tests/firewall/reference.h"

namespace midcom::firewall_test {

using Counts = std::map<std::string, int>; // how often each thing has happened

class Call {
public:
  Call(unsigned seed, Counts& counts);

  // False when the gateway and the reference differ, or the gateway failed: trace() says how.
  [[nodiscard]] bool run();
  [[nodiscard]] const std::string& trace() const { return trace_; }

private:
  struct Transaction {
    sip::MessagePtr request;
    Pass pass;
    Party from = Party::caller;
    sip::Method method = sip::Method::invite;
    std::uint32_t cseq = 0;
    std::string tag; // of its dialog; empty: the INVITE that begins the call
    bool is_answered = false, is_finished = false;
    sip::TimePoint answered{};
  };
  struct Leg {
    std::string tag;
    int number = 0; // of the callee
    FlowEntry callee;
    std::uint32_t callee_cseq = 0;
    bool is_confirmed = false, is_ended = false;
    std::vector<std::size_t> unacknowledged; // INVITEs whose reliable 1xx has no PRACK yet
    std::vector<std::size_t> awaiting_ack;   // INVITEs with a 2xx
    std::string said[2];                     // last description, caller's and callee's
    std::vector<Fragment> fragments[2];
    std::set<Needs::Wait> learnt; // where a sender's port was found out
    std::string previewed;        // last description in a 1xx
  };
  struct Repeat { // a message that may come once more
    std::function<void()> again;
    std::string text;
  };

  // call.cc
  void step();
  void end_all();
  [[nodiscard]] bool compare();
  void fail(const std::string& why);
  void note(const std::string& text);

  // call_steps.cc: what user agents do. False: it was not possible now.
  bool invite();
  struct Response {
    Leg* leg;
    std::size_t number; // of the INVITE among transactions_
    Party from;
  };
  // Of an INVITE, in a dialog that there is, or that the response makes.
  std::optional<Response> next_response(unsigned forks_percent);
  bool provisional();
  bool accept();
  bool accept_late();
  bool reject();
  bool prack();
  bool update();
  bool reinvite();
  bool answer_pending();
  bool acknowledge();
  bool trickle();
  bool bye();
  bool repeat();
  bool wait();

  // call_packets.cc
  bool packet();
  [[nodiscard]] std::string payload_for(const pinhole::Promise& promise, pinhole::Kind kind,
                                        bool is_right);

  // call_messages.cc
  [[nodiscard]] const FlowEntry& flow_of(const Leg* leg, Party party) const;
  [[nodiscard]] Leg* live_leg(bool is_confirmed);
  [[nodiscard]] Leg* find(const std::string& tag);
  Leg& new_leg();
  [[nodiscard]] std::string text_of_request(const std::string& method, Party from, const Leg* leg,
                                            std::uint32_t cseq, const std::string& sdp,
                                            const std::string& type);
  std::size_t send(sip::Method method, Party from, Leg* leg, const Description* sdp);
  void send_ack(Leg& leg, const Transaction& invite, const Description* sdp);
  void respond(std::size_t transaction, Leg* leg, int status, bool is_reliable,
               const Description* sdp);
  void time_out(std::size_t transaction, int status, Reason reason);
  void finish(Transaction& transaction);
  const Description& keep(Description description, Leg* leg);
  [[nodiscard]] const Description* offer_of(Leg& leg, Party party);
  [[nodiscard]] const Description* answer_of(Leg& leg, Party party);
  [[nodiscard]] const std::string& sdp_of(const Description* description) const;
  [[nodiscard]] NaiveExchanges& exchange_of(Leg& leg);
  [[nodiscard]] Transaction* pending_invite(const Leg& leg);
  [[nodiscard]] std::size_t number_of(const Transaction& transaction) const;

  Dice dice_;
  Counts& counts_;
  Terms terms_;
  Describer describer_;
  Gateway gateway_;
  std::map<std::string, Description> known_;
  std::map<std::string, std::string> texts_;
  Reference reference_;
  FlowEntry caller_;
  std::uint32_t caller_cseq_ = 0;
  int branches_ = 0;
  std::deque<Transaction> transactions_;
  std::deque<Leg> legs_;
  std::size_t invite_ = 0; // the transaction of the INVITE that began the call
  std::size_t most_legs_ = 1;
  std::vector<Repeat> repeats_;
  sip::TimePoint begun_;
  std::string trace_;
  bool has_failed_ = false;
};

} // namespace midcom::firewall_test
