// SPDX-License-Identifier: GPL-3.0-or-later
// From the descriptions in force, and what is believed of them, to what must be open in the
// firewall. No state: the call has it all.
#pragma once

#include <cstddef>
#include <set>
#include <string_view>

#include "daemon/agent_config.h"
#include "daemon/call.h"
#include "daemon/peer_directory.h"
#include "daemon/pinholes.h"
#include "sip/media_plan.h"

namespace midcom {

class PinholePlan {
public:
  PinholePlan(const AgentConfig& config, const PeerDirectory& peers)
      : config_(config), peers_(peers) {}

  struct Wanted {
    Pinholes pinholes;                        // in order
    std::size_t left_out = 0;                 // beyond a bound
    std::set<std::uint16_t> kept_connections; // streams whose admitted rules stay in any case
  };
  // Of the pair in force and, beside it, of an offer inside the dialog that has no answer yet. At
  // most `room` sinks.
  [[nodiscard]] Wanted of_leg(const Call& call, const Leg& leg, std::size_t room) const;
  // Of the INVITE's offer before any answer.
  [[nodiscard]] Wanted of_offer(const Call& call, std::size_t room) const;

  // For the log: "pinholes", "local" (both ends on one side: nothing to open) or "none".
  [[nodiscard]] std::string_view media_word(const Call& call, std::string_view tag) const;

private:
  struct Views { // of the two descriptions; null: not there
    const SeenDescription *caller = nullptr, *callee = nullptr;
  };
  [[nodiscard]] static Views views_of(const Call& call, const sip::SessionPair& pair);
  // What was agreed on goes on beside a preview, which may come to nothing (RFC 3261 14.1).
  void add_agreed(const Call& call, const Leg& leg, std::size_t room, Wanted& out) const;
  // What goes on beside the pair in force while ICE starts again: the session of before, and checks
  // between the candidates of the one and of the other.
  void add_replaced(const Call& call, const Leg& leg, std::size_t room, Wanted& out) const;
  void add_crossed(const Call& call, const Leg& leg, const sip::SessionPair& pair, std::size_t room,
                   Wanted& out) const;
  void add_rules(const sip::MediaPlan& plan, const Views& views, Pinholes& out) const;
  void add_sinks(const sip::MediaPlan& plan, const Views& views, std::size_t room,
                 Wanted& out) const;
  [[nodiscard]] bool is_wanted(const sip::MediaSink& sink, const SeenDescription& receiver,
                               const SeenDescription* sender) const;
  [[nodiscard]] bool is_believed(const SeenDescription& description,
                                 const sip::Endpoint& endpoint) const;
  // False when some of its senders are left out.
  [[nodiscard]] bool add_senders(const sip::MediaSink& sink, const SeenDescription& sender,
                                 pinhole::Promise& promise) const;

  const AgentConfig& config_;
  const PeerDirectory& peers_;
};

} // namespace midcom
