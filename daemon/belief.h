// SPDX-License-Identifier: GPL-3.0-or-later
// Belief (DESIGN.md "Sides, peers, identity, belief"): which receive addresses of a description are
// taken as true, judged where the UA's own message enters. The defence against NAT slipstreaming.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/peer_directory.h"
#include "daemon/reasons.h"
#include "sip/sdp.h"

namespace midcom {

struct DeniedAddress {
  std::size_t stream;
  Reason reason;
  std::string address; // as written, with its port; empty: it is not about the address
};

struct Judgement {
  std::vector<DeniedAddress> denied; // default addresses that are not believed: no rule for them
  Reason refusal = Reason::none; // why the whole description deserves a refusal: a denied default
                                 // address of a stream without ICE
  std::size_t candidates_left_out = 0; // forbidden ICE candidates: only counted
  // Whose word the description is, and where it came from: what is_believed() needs.
  PeerIndex peer = no_peer;
  sip::IpAddress source;
  [[nodiscard]] bool is_denied(std::size_t stream) const;
  // All of it, whatever its addresses: the description itself breaks a policy.
  [[nodiscard]] bool is_blocked(std::size_t stream) const;
};

// `source` is where the description's own message came from.
[[nodiscard]] Judgement judge(const AgentConfig& config, PeerIndex peer,
                              const sip::IpAddress& source, const sip::Sdp& sdp);

// One address that `peer` names in a message from `source`, a candidate for instance; port 0: any.
[[nodiscard]] bool is_believed(const AgentConfig& config, PeerIndex peer,
                               const sip::IpAddress& source, const sip::Endpoint& endpoint);

} // namespace midcom
