// SPDX-License-Identifier: GPL-3.0-or-later
// The service that reads bodies for the others (RFC 4189 2.2; E2M.md): decides by policy what must
// be seen and signed, lets the openers do what needs keys, remembers what was signed already. While
// a message of a call is with an opener the call's later ones wait for it, in order.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/disclosure.h"
#include "daemon/disclosure_run.h"
#include "daemon/event_log.h"
#include "daemon/flow_table.h"
#include "daemon/opener_client.h"
#include "daemon/peer_directory.h"
#include "daemon/replay_cache.h"
#include "daemon/seen_disclosures.h"
#include "sip/message.h"

namespace midcom {

class DisclosureService {
public:
  using WallClock = std::function<std::int64_t()>; // seconds since the epoch
  using Then = std::function<void(const Disclosure& disclosure, sip::TimePoint now)>;
  using Turn = std::function<void(sip::TimePoint now)>;

  DisclosureService(const AgentConfig& config, const PeerDirectory& peers, OpenerClient& openers,
                    EventLog& log, WallClock wall_clock);

  // Later messages of a busy call wait for their turn: most_waiting of one Call-ID, whatever is
  // beyond is dropped. A call is busy no longer than an opener may take for each question.
  [[nodiscard]] bool is_busy(std::string_view call_id) const;
  [[nodiscard]] bool is_full(std::string_view call_id) const;
  void defer(std::string_view call_id, Turn turn);
  static constexpr std::size_t most_waiting = 64;

  // Who sends a message, and whose signature counts in its dialog.
  struct Sender {
    const FlowEntry& from;
    // Where the request came in first, when this is a later pass of it (a spiral) or its answer.
    const FlowEntry* entered = nullptr;
    PeerIndex asker = no_peer; // of a response: who sent the request
    std::string pinned{};      // signer of this dialog's earlier messages; empty: none
  };
  // At once when no opener is needed. Else empty; `then` is called later.
  [[nodiscard]] std::optional<Disclosure> read(const sip::MessagePtr& message, const Sender& sender,
                                               Then then, sip::TimePoint now);

  // What a peer must do to be served, as Warning 380 lines (E2M.md 4); empty: nothing.
  [[nodiscard]] std::string announced_policy(PeerIndex peer) const;

private:
  struct Reading {
    sip::MessagePtr message;
    DisclosureTerms terms;
    DisclosureRun::Expected expected;
    DisclosureRun run;
    std::string pair, author, seen_key;
    PeerIndex peer = no_peer;
    std::string source;
    Then then;
  };
  [[nodiscard]] DisclosureTerms terms_for(const sip::Message& message, const Sender& sender) const;
  [[nodiscard]] DisclosureRun::Expected expected_for(const sip::Message& message,
                                                     const Sender& sender) const;
  void ask(const std::shared_ptr<Reading>& reading, opener::Request question, sip::TimePoint now);
  void go_on(const std::shared_ptr<Reading>& reading, sip::TimePoint now);
  [[nodiscard]] Disclosure finish(Reading& reading, bool was_asked, sip::TimePoint now);
  void log(const Reading& reading, const Disclosure& disclosure);
  void take_turns(const std::string& call_id, sip::TimePoint now);

  const AgentConfig& config_;
  const PeerDirectory& peers_;
  OpenerClient& openers_;
  EventLog& log_;
  WallClock wall_clock_;
  ReplayCache replays_;
  std::unordered_map<std::string, std::deque<Turn>> waiting_; // by Call-ID, while it is busy
  SeenDisclosures seen_;
};

} // namespace midcom
