// SPDX-License-Identifier: GPL-3.0-or-later
// The far ends of a script: named flows and targets, what each has sent and received, and the
// headers a scenario needn't write because a user agent would.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/scenario/wire.h"
#include "tests/scenario/world.h"

namespace midcom::scenario {

struct Party {
  FlowId flow = 0; // the newest of this name
  std::string sent_by, transport;
  std::deque<Wire> inbox;            // sent by the agent, not yet expected by the script
  std::deque<std::string> raw_inbox; // the same as bytes
  std::map<std::string, Wire> taken; // last one expected, by method or status
  std::map<std::string, std::string> taken_bytes;
  std::map<std::string, Wire> given; // last one sent to the agent, by method or status
  std::string last_given_bytes;
  std::vector<std::string> route_set; // of its last dialog
  int cseq = 0, branches = 0;
};

class Parties {
public:
  explicit Parties(std::string call_id) : call_id_(std::move(call_id)) {}

  [[nodiscard]] Party& of(const std::string& name) { return parties_[name]; }
  [[nodiscard]] std::map<std::string, Party>& all() { return parties_; }

  // A request from a block: start line, headers, blank line, body. Missing headers are filled in.
  // Pseudo headers: "In-Dialog: PEER", "Body: sdp ...", "-Name:" (leave that header out).
  [[nodiscard]] Wire request(const std::string& name, const std::vector<std::string>& block);
  // An answer of `name` to the last `method` it took.
  [[nodiscard]] Wire response(const std::string& name, const std::string& method,
                              const std::string& status_and_reason, std::string tag,
                              const std::vector<std::string>& block);
  // As a proxy: what `name` took last under `key` goes on, options uri= route= record-route=no.
  [[nodiscard]] Wire forward(const std::string& name, const std::string& key,
                             const std::map<std::string, std::string>& options);
  void sent(const std::string& name, const Wire& wire, const std::string& bytes);
  void took(const std::string& name, const Wire& wire, const std::string& bytes);

  void set(const std::string& name, std::string value) { variables_[name] = std::move(value); }
  // "${alice.200.Record-Route.reversed}", "${bob.INVITE.Via.branch}", "${name}". Throws
  // std::runtime_error for an unknown one.
  [[nodiscard]] std::string expand(const std::string& text) const;

private:
  [[nodiscard]] std::string look_up(const std::string& variable) const;
  [[nodiscard]] std::string next_via(Party& party, const std::string& name);

  std::string call_id_;
  std::map<std::string, Party> parties_;
  std::map<std::string, std::string> variables_;
};

// "sdp 10.1.0.10 40000 dir=sendonly v=2 proto=RTP/SAVP rtcp=NNN mux video=PORT attr=..." as a body.
[[nodiscard]] std::string make_sdp(const std::vector<std::string>& words);

} // namespace midcom::scenario
