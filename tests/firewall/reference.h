// SPDX-License-Identifier: GPL-3.0-or-later
// What must, and what may, be open for one call: told of every message, it keeps the history of
// each (early) dialog and computes all of it anew.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sip/transaction.h"
#include "tests/firewall/needs.h"

namespace midcom::firewall_test {

using sip::NaiveExchanges;

// The middlebox's own names for what the reference can't know of: how long things stay.
struct GraceTimes {
  sip::Duration plain{std::chrono::seconds(2)};
  sip::Duration ice{std::chrono::seconds(30)};
  sip::Duration unacknowledged{std::chrono::seconds(64)};
};

class Reference {
public:
  using Event = NaiveExchanges::Event;
  using Pair = NaiveExchanges::Pair;
  struct Admitted {
    Needs::Flow to, back; // towards the wait, and the other way
    Needs::Wait by;
    bool is_crossed = false;  // between two generations of ICE
    bool is_doubtful = false; // perhaps so
    bool is_optional = false;
  };
  struct AwaitedAck {
    Party from;
    std::uint32_t cseq;
    bool operator==(const AwaitedAck&) const = default;
  };
  struct Leg {
    NaiveExchanges exchange;
    bool is_confirmed = false, is_ended = false, has_lost = false, has_heard = false;
    std::vector<Fragment> fragments[2]; // caller's, callee's
    std::optional<AwaitedAck> awaits;
    std::vector<Admitted> admitted;

    struct Recent { // of a session before
      Needs::Flow flow;
      sip::TimePoint until;
      std::optional<AwaitedAck> awaits;
      bool is_optional = false;
    };
    struct Replaced { // the session before ICE began again
      Pair pair;
      sip::TimePoint until;
      std::optional<AwaitedAck> awaits;
    };
    std::vector<Recent> recent;
    std::optional<Replaced> replaced;
    std::optional<Pair> agreed, in_force; // when they were last looked at
    Needs needs, optional;                // now
  };
  struct Counts { // how often each thing was seen
    int ice = 0, bundles = 0, tcp = 0, restarts = 0, rollbacks = 0, graces = 0, previews = 0;
  };

  Reference(const Terms& terms, const std::map<std::string, Description>& known)
      : terms_(terms), known_(known) {}

  void forget() { legs_.clear(); }    // the dialogs of a call that has ended
  void begin(const std::string& tag); // the INVITE's dialog with that tag is about to be named
  // The messages that midcomd lets pass.
  void on_invite(const Event& event);
  void on_invite_response(const std::string& tag, const Event& event, sip::TimePoint now);
  void on_message(const std::string& tag, const Event& event, sip::TimePoint now);
  void on_fragment(const std::string& tag, Party from, const Fragment& fragment,
                   sip::TimePoint now);
  void on_end(const std::string& tag); // BYE was answered
  void on_admitted(const std::string& tag, const Admitted& admitted);
  void pass_time(sip::TimePoint now);

  [[nodiscard]] Leg* find(const std::string& tag);
  [[nodiscard]] const std::map<std::string, Leg>& legs() const { return legs_; }
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] const Counts& counts() const { return counts_; }
  // Of the call's own offer too. Each wait with the tag of its leg.
  [[nodiscard]] Needs required() const;
  [[nodiscard]] Needs allowed() const;

private:
  [[nodiscard]] View view(const Leg& leg, const std::string& name) const;
  [[nodiscard]] Needs needs_of(const Leg& leg, const Pair& pair) const;
  void find_needs(Leg& leg) const;
  void add_crossed(const Leg& leg, const Pair& pair, Needs& needs, Needs& optional) const;
  void add_replaced(const Leg& leg, const Pair& pair, Needs& needs, Needs& optional) const;
  void add_offer(const Leg& leg, const std::optional<Pair>& pair, Needs& needs,
                 Needs& optional) const;
  [[nodiscard]] bool restarts_ice(const Pair& before, const Pair& after) const;
  void note_restart(Leg& leg, sip::TimePoint now);
  static void note_doubt(const Leg& leg, Admitted& one);
  static void keep_admitted(Leg& leg);
  void update(Leg& leg, sip::TimePoint now);
  [[nodiscard]] static std::map<Needs::Flow, bool> flows_of(const Leg& leg);
  void keep_recent(Leg& leg, const std::map<Needs::Flow, bool>& before, bool is_changed,
                   sip::TimePoint now);
  [[nodiscard]] sip::Duration grace_of(const Leg& leg, const Needs::Flow& flow) const;
  void end(Leg& leg);
  void count(const Leg& leg, const Event& event, const std::optional<Pair>& before);

  const Terms& terms_;
  const std::map<std::string, Description>& known_;
  GraceTimes times_;
  NaiveExchanges invite_; // before any dialog
  std::uint32_t invite_cseq_ = 0;
  std::optional<std::string> offer_; // of an INVITE that has no final answer
  bool has_failed_ = false;
  std::map<std::string, Leg> legs_;
  Counts counts_;
};

} // namespace midcom::firewall_test
