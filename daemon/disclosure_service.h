// SPDX-License-Identifier: GPL-3.0-or-later
// The service that reads bodies for the others (RFC 4189 2.2; E2M.md): decides by policy what must
// be seen and signed, lets the openers do what needs keys, remembers what was signed already. While
// a message of a call is with an opener the call's later ones wait for it, in order.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/body_service.h"
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

// Whose CEKs a message's are kept with: both directions of a dialog, and the messages between two
// users outside of one, are one pair.
[[nodiscard]] std::string pair_of(const sip::Message& message);

class DisclosureService final : public BodyService {
public:
  using WallClock = std::function<std::int64_t()>; // seconds since the epoch

  DisclosureService(const AgentConfig& config, const PeerDirectory& peers, OpenerClient& openers,
                    EventLog& log, WallClock wall_clock);

  // A call is busy no longer than an opener may take for each question.
  [[nodiscard]] std::optional<Disclosure> read(const sip::MessagePtr& message, const Sender& sender,
                                               Then then, sip::TimePoint now) override;
  [[nodiscard]] Offer offer_to(const sip::Message& request) const override;
  [[nodiscard]] std::string announced_policy(PeerIndex peer) const override;

private:
  struct Reading {
    sip::MessagePtr message;
    DisclosureTerms terms;
    DisclosureRun::Expected expected;
    DisclosureRun run;
    std::string pair, author, seen_key, recipient;
    PeerIndex peer = no_peer;
    std::string source;
    Then then;
  };
  [[nodiscard]] DisclosureTerms terms_for(const sip::Message& message, const Sender& sender) const;
  [[nodiscard]] DisclosureRun::Expected expected_for(const sip::Message& message,
                                                     const Sender& sender) const;
  void ask(const std::shared_ptr<Reading>& reading, DisclosureRun::Asked question,
           sip::TimePoint now);
  void go_on(const std::shared_ptr<Reading>& reading, sip::TimePoint now);
  [[nodiscard]] Disclosure finish(Reading& reading, bool was_asked, sip::TimePoint now);
  void log(const Reading& reading, const Disclosure& disclosure);

  const AgentConfig& config_;
  const PeerDirectory& peers_;
  OpenerClient& openers_;
  EventLog& log_;
  WallClock wall_clock_;
  ReplayCache replays_;
  SeenDisclosures seen_;
};

} // namespace midcom
