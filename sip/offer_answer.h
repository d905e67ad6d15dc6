// SPDX-License-Identifier: GPL-3.0-or-later
// The offer/answer machine of one dialog or early dialog (RFC 3264, 3261 13.2.1, 3262, 3311, 6337;
// facts: which message may carry what is the table at the top of offer_answer.cc).
//
// caller: who sent the INVITE that made the dialog. callee: the other. A session *pair* is the two
// descriptions in force, whoever offered.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sip/error.h"
#include "sip/sdp.h"

namespace midcom::sip {

enum class Party : std::uint8_t { caller, callee };
[[nodiscard]] constexpr Party other(Party party) {
  return party == Party::caller ? Party::callee : Party::caller;
}

enum class Method : std::uint8_t { invite, ack, prack, update, bye, cancel, other };
[[nodiscard]] Method method_of(std::string_view text);

struct SessionPair {
  SdpPtr caller;
  SdpPtr callee;
  Party offerer = Party::caller;                       // of the exchange that made this pair
  bool operator==(const SessionPair&) const = default; // by identity of the descriptions
};

class OfferAnswer {
public:
  struct Request {
    Method method;
    Party from;
    std::uint32_t cseq;
    SdpPtr sdp; // null when the request has none
  };
  struct Response {
    Method method; // of the request it answers
    Party from;    // who sent the response
    std::uint32_t cseq;
    int status;       // 101..699
    bool is_reliable; // 1xx with Require: 100rel and RSeq
    SdpPtr sdp;
  };

  // What a message did to the session.
  enum class Outcome : std::uint8_t {
    nothing,     // no description, or one that the rules say to ignore
    offered,     // an exchange is open; the pair in force is unchanged
    previewed,   // preview() holds a pair from an unreliable 1xx
    agreed,      // agreed() changed (or was confirmed)
    rolled_back, // an open exchange failed; agreed() is what it was before
    violation,   // breaks the rules in a way that can't be acted on (m= count changed, ...): see
                 // error()
  };

  [[nodiscard]] Outcome on(const Request& request);
  [[nodiscard]] Outcome on(const Response& response);

  // The last completed exchange; empty before the first.
  [[nodiscard]] const std::optional<SessionPair>& agreed() const { return agreed_; }
  // Pair of an open exchange's offer and the description in an unreliable 1xx; empty otherwise.
  [[nodiscard]] const std::optional<SessionPair>& preview() const { return preview_; }
  // preview() while there is one and nothing is agreed for that exchange, else agreed().
  [[nodiscard]] const std::optional<SessionPair>& in_force() const;
  // The offer that waits for its answer; null when none.
  [[nodiscard]] SdpPtr open_offer() const { return open_ ? open_->offer : nullptr; }
  [[nodiscard]] std::optional<Party> open_offerer() const;
  [[nodiscard]] Error error() const { return error_; }

private:
  struct Open {
    SdpPtr offer;
    Party offerer;
    Method method;      // of the message that carried the offer
    std::uint32_t cseq; // of the transaction that carried the offer
    bool in_response;   // offer came in a response (offerless INVITE)
  };
  struct InviteContext { // a live INVITE transaction and what to go back to when it fails (RFC
                         // 6141)
    std::uint32_t cseq;
    Party from;
    bool answered; // its exchange is complete: later descriptions in it are ignored
    bool is_offerless;
    std::optional<SessionPair> before;
  };
  [[nodiscard]] Outcome complete(SdpPtr answer, Party from);

  std::optional<SessionPair> agreed_, preview_;
  std::optional<Open> open_;
  std::optional<InviteContext> invite_;
  Error error_ = Error::mismatch;
};

} // namespace midcom::sip
