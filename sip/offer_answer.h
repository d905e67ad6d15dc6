// SPDX-License-Identifier: GPL-3.0-or-later
// The offer/answer machine of one dialog or early dialog (RFC 3264, 3261 13.2.1, 3262, 3311, 6337;
// facts: which message may carry what is the table at the top of offer_answer.cc).
//
// caller: who sent the INVITE that made the dialog. callee: the other. A session *pair* is the two
// descriptions in force, whoever offered.
//
// Every event may come twice (retransmission, spiral) or late: then it changes nothing. A request
// that gets no final response is told as a response 408, one that midcomd refuses itself as the
// response it gives. A machine may begin in the middle of a dialog (after a restart): then the
// first INVITE or UPDATE with an offer begins. Copyable: a fork is a copy made after the INVITE.
//
// What it does in each state is in OFFER-ANSWER.md, made by running it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

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

  // What a message did to the session. After any but `nothing`, look at in_force() and open_offer()
  // again: with what it ended, an offer that waited may have begun.
  enum class Outcome : std::uint8_t {
    nothing,     // no description, or one that the rules say to ignore
    offered,     // an exchange is open; the pair in force is unchanged
    previewed,   // preview() holds a pair from an unreliable 1xx
    agreed,      // agreed() changed, or was confirmed (a refresh is a new pair of the same texts)
    rolled_back, // an open exchange failed; agreed() is what it was before
    violation, // breaks RFC 3264 in a way that can't be acted on (m= lines gone, moved, of another
               // type). A request or 1xx that violates changes nothing; a final response or ACK
               // closes its exchange without effect.
  };

  [[nodiscard]] Outcome on(const Request& request);
  [[nodiscard]] Outcome on(const Response& response);
  // A request of this CSeq, which has failed, never left: it may come again.
  void forget(Party from, std::uint32_t cseq);

  // The last completed exchange; empty before the first.
  [[nodiscard]] const std::optional<SessionPair>& agreed() const { return agreed_; }
  // Pair of an open exchange's offer and the description in an unreliable 1xx; empty otherwise.
  [[nodiscard]] const std::optional<SessionPair>& preview() const { return preview_; }
  // preview() while there is one and nothing is agreed for that exchange, else agreed().
  [[nodiscard]] const std::optional<SessionPair>& in_force() const;
  // The offer that waits for its answer; null when none.
  [[nodiscard]] SdpPtr open_offer() const { return open_ ? open_->offer : nullptr; }
  [[nodiscard]] std::optional<Party> open_offerer() const;

private:
  // The messages that may carry a description. "response" is the 2xx.
  enum class Carrier : std::uint8_t {
    invite,
    invite_unreliable, // 1xx
    invite_reliable,   // 1xx with 100rel
    invite_response,
    ack,
    prack,
    prack_response,
    update,
    update_response,
  };
  struct Pattern;
  static const Pattern patterns[];
  [[nodiscard]] static const Pattern* pattern_of(Carrier offer, Carrier answer);
  [[nodiscard]] static bool may_begin(Carrier offer);

  struct Open {
    SdpPtr offer;
    Party offerer;
    Carrier carrier;
    std::uint32_t cseq; // of the transaction that carried the offer
  };
  struct InviteContext { // the last INVITE and what to go back to when it fails (RFC 6141)
    std::uint32_t cseq;
    Party from;
    bool is_offerless;
    bool is_answered = false; // its exchange is complete: later descriptions in it are ignored
    bool is_finished = false; // its final response was seen
    bool is_acked = false;    // its 2xx was: no failure can follow it any more
    std::optional<SessionPair> before;
  };
  [[nodiscard]] Outcome take(const Request& request);
  [[nodiscard]] Outcome take(const Response& response);
  [[nodiscard]] Outcome on_offer(const Request& request);
  [[nodiscard]] Outcome on_ack(const Request& request);
  [[nodiscard]] Outcome on_prack(const Request& request);
  [[nodiscard]] Outcome on_invite_response(const Response& response);
  [[nodiscard]] Outcome on_invite_success(const Response& response);
  [[nodiscard]] Outcome on_other_response(const Response& response);

  [[nodiscard]] Outcome begin(const Request& request);
  [[nodiscard]] bool begin_waiting();
  [[nodiscard]] bool judge_waiting(const Response& response); // is what was open ended for it?
  [[nodiscard]] bool must_wait(const Request& request) const;
  [[nodiscard]] bool may_displace(const Request& waiting) const;

  [[nodiscard]] Outcome offer(const SdpPtr& sdp, Party from, Carrier carrier, std::uint32_t cseq);
  [[nodiscard]] Outcome answer(const SdpPtr& sdp, Carrier carrier);
  [[nodiscard]] Outcome preview_with(const SdpPtr& sdp);
  [[nodiscard]] Outcome drop_open();
  [[nodiscard]] Outcome roll_back();
  [[nodiscard]] bool is_repeated(const Request& request) const;
  [[nodiscard]] bool is_invite_pending() const { return invite_ && !invite_->is_finished; }

  std::optional<SessionPair> agreed_, preview_;
  std::optional<Open> open_;
  std::optional<InviteContext> invite_;
  // Each party's last request that came while another exchange was open. Whether it counts is the
  // far UA's to say (491 or 500: RFC 3261 14.2, 3311 5.2, 6337 4): it begins when the open exchange
  // has ended and it is not refused by then.
  std::optional<Request> waiting_[2];
  std::optional<std::uint32_t> last_cseq_[2]; // of each party's INVITEs and offers
};

} // namespace midcom::sip
