// SPDX-License-Identifier: GPL-3.0-or-later
// A service (RFC 4189 2.2) that has to do with bodies, as the proxy calls it: the first to see a
// message, and the one that gives the others the Disclosure they see it by. Each role has one
// (agent.cc): a gateway's reads (DisclosureService), an endpoint's seals and opens
// (EndpointService).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call_turns.h"
#include "daemon/disclosure.h"
#include "daemon/flow_table.h"
#include "daemon/peer_directory.h"
#include "sip/message.h"

namespace midcom {

class BodyService {
public:
  using Then = std::function<void(const Disclosure& disclosure, sip::TimePoint now)>;
  using Turn = CallTurns::Turn;

  virtual ~BodyService() = default;
  BodyService(const BodyService&) = delete;
  BodyService& operator=(const BodyService&) = delete;

  // Later messages of a busy call wait for their turn, whatever is beyond its share is dropped:
  // full.
  [[nodiscard]] bool is_busy(std::string_view call_id) const;
  [[nodiscard]] bool is_full(std::string_view call_id) const;
  void defer(std::string_view call_id, Turn turn);

  // Who sends a message to whom, and whose signature counts in its dialog.
  struct Sender {
    const FlowEntry& from;
    // Where the request came in first, when this is a later pass of it (a spiral) or its answer.
    const FlowEntry* entered = nullptr;
    PeerIndex asker = no_peer;              // of a response: who sent the request
    std::string pinned{};                   // signer of this dialog's earlier messages; empty: none
    PeerIndex onward = no_peer;             // where it goes
    const FlowEntry* onward_flow = nullptr; // null: none is open yet
    std::string recipient{}; // the user of ours whose keys open what is in it; empty: a middle's
  };
  // At once when no opener is needed. Else empty; `then` is called later.
  [[nodiscard]] virtual std::optional<Disclosure>
  read(const sip::MessagePtr& message, const Sender& sender, Then then, sip::TimePoint now) = 0;

  // `sent`, which this service has rewritten, was refused. True: another body may mend it, and
  // `then` is called later, with a Disclosure without `rewritten` if nothing can be done.
  struct Refusal {
    const sip::MessagePtr& request; // as it came
    const sip::MessagePtr& response;
    const Sender& sender; // of the request
    int attempt;          // how often it has been sent
  };
  [[nodiscard]] virtual bool mends(const Refusal& refusal, const Then& then, sip::TimePoint now) {
    static_cast<void>(refusal), static_cast<void>(then), static_cast<void>(now);
    return false;
  }
  // Whether an answer with a finding must not reach who asked: there is nobody after this service
  // who would see it too.
  [[nodiscard]] virtual bool ends_unreadable_answers() const { return false; }
  // What a refusal of this body offers to encrypt to.
  struct Offer {
    std::string_view type, octets;
  };
  [[nodiscard]] virtual Offer offer_to(const sip::Message& request) const = 0;
  // What a peer must do to be served, as Warning 380 lines (E2M.md 4); empty: nothing.
  [[nodiscard]] virtual std::string announced_policy(PeerIndex peer) const = 0;

protected:
  // `behind` is asked in this one's turn, and must outlive it or be its own; null: nobody.
  explicit BodyService(BodyService* behind = nullptr) : behind_(behind) {}
  CallTurns turns_;

private:
  BodyService* behind_;
};

} // namespace midcom
