// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/offer_answer.h"

#include <algorithm>
#include <span>
#include <utility>

namespace midcom::sip {

// RFC 6337 table 1, and the preview of RFC 3261 13.2.1 (an answer that doesn't close the exchange).
// What is in no row is neither an offer nor an answer: it is ignored.
struct OfferAnswer::Pattern {
  int number; // in RFC 6337; 0: preview
  Carrier offer;
  Carrier answer;
  bool is_initial; // column "Ini": may be the first exchange of a dialog
};

const OfferAnswer::Pattern OfferAnswer::patterns[] = {
    // Offer                     Answer                     Ini
    {1, Carrier::invite, Carrier::invite_response, true},
    {2, Carrier::invite_response, Carrier::ack, true},
    {3, Carrier::invite, Carrier::invite_reliable, true},
    {4, Carrier::invite_reliable, Carrier::prack, true},
    {5, Carrier::prack, Carrier::prack_response, false},
    {6, Carrier::update, Carrier::update_response, false},
    {0, Carrier::invite, Carrier::invite_unreliable, true},
};

namespace {

constexpr std::pair<std::string_view, Method> method_names[] = {
    {"INVITE", Method::invite}, {"ACK", Method::ack}, {"PRACK", Method::prack},
    {"UPDATE", Method::update}, {"BYE", Method::bye}, {"CANCEL", Method::cancel},
};

bool is_same(const SdpPtr& a, const SdpPtr& b) {
  return a == b || (a && b && a->text() == b->text());
}

// RFC 8843 6: port 0 with a=bundle-only is an offer to share another stream's port.
bool is_refused(const SdpMedia& offered) {
  return offered.port == 0 && !offered.attribute("bundle-only");
}

// RFC 3264 6: as many m= lines in the same order and of the same types; what the offer has refused
// stays refused.
bool is_answer_to(const Sdp& offer, const Sdp& answer) {
  return std::ranges::equal(offer.media(), answer.media(), [](const auto& asked, const auto& got) {
    return got.port == 0 || (!is_refused(asked) && asked.type == got.type);
  });
}

// RFC 3264 8: a later offer never has fewer m= lines.
bool may_succeed(const std::optional<SessionPair>& before, const Sdp& offer) {
  return !before || offer.media().size() >= before->caller->media().size();
}

SessionPair make_session_pair(const SdpPtr& offer, Party offerer, const SdpPtr& answer) {
  if (offerer == Party::caller) return {offer, answer, offerer};
  return {answer, offer, offerer};
}

} // namespace

Method method_of(std::string_view text) {
  const auto* found =
      std::ranges::find(method_names, text, &std::pair<std::string_view, Method>::first);
  return found == std::end(method_names) ? Method::other : found->second;
}

const OfferAnswer::Pattern* OfferAnswer::pattern_of(Carrier offer, Carrier answer) {
  for (const Pattern& pattern : patterns)
    if (pattern.offer == offer && pattern.answer == answer) return &pattern;
  return nullptr;
}

bool OfferAnswer::may_begin(Carrier offer) {
  return std::ranges::any_of(patterns, [&](const Pattern& pattern) {
    return pattern.offer == offer && pattern.is_initial;
  });
}

const std::optional<SessionPair>& OfferAnswer::in_force() const {
  return preview_ ? preview_ : agreed_;
}

std::optional<Party> OfferAnswer::open_offerer() const {
  if (!open_) return std::nullopt;
  return open_->offerer;
}

OfferAnswer::Outcome OfferAnswer::on(const Request& request) {
  switch (request.method) {
  case Method::invite:
    return on_invite(request);
  case Method::ack:
    return on_ack(request);
  case Method::prack:
    return on_prack(request);
  case Method::update:
    return on_update(request);
  default:
    return Outcome::nothing; // what CANCEL does comes with the 487
  }
}

OfferAnswer::Outcome OfferAnswer::on(const Response& response) {
  switch (response.method) {
  case Method::invite:
    return on_invite_response(response);
  case Method::prack:
  case Method::update:
    return on_other_response(response);
  default:
    return Outcome::nothing;
  }
}

// --- requests

OfferAnswer::Outcome OfferAnswer::on_invite(const Request& request) {
  if (is_repeated(request)) {
    const bool is_changed = open_ && open_->carrier == Carrier::invite &&
                            open_->cseq == request.cseq && open_->offerer == request.from &&
                            !is_same(open_->offer, request.sdp);
    return is_changed ? violate() : Outcome::nothing;
  }
  // Glare is the far UA's to refuse (491, RFC 3261 14.2). The same party's next INVITE shows that
  // the one before has ended in a way that was not seen here.
  const bool is_pending = invite_ && !invite_->is_finished;
  if (is_pending && invite_->from != request.from) {
    crossing_ = request;
    return Outcome::nothing;
  }
  const bool is_ack_missing = open_ && open_->carrier == Carrier::invite_response;
  if (!is_pending && !is_ack_missing && !may_follow_open(request.from)) return Outcome::nothing;
  const auto& before = is_pending ? invite_->before : agreed_;
  if (request.sdp && !may_succeed(before, *request.sdp)) return violate();

  const Outcome undone = is_pending ? roll_back() : Outcome::nothing;
  open_.reset();
  preview_.reset();
  invite_ = InviteContext{
      .cseq = request.cseq, .from = request.from, .is_offerless = !request.sdp, .before = agreed_};
  last_cseq_[std::to_underlying(request.from)] = request.cseq;
  if (!request.sdp) return undone;
  return offer(request.sdp, request.from, Carrier::invite, request.cseq);
}

// The ACK to a 2xx ends every exchange its INVITE began, answered or not.
OfferAnswer::Outcome OfferAnswer::on_ack(const Request& request) {
  if (!invite_ || !invite_->is_finished || invite_->cseq != request.cseq ||
      invite_->from != request.from)
    return Outcome::nothing;
  invite_->is_acked = true;
  if (!open_) return Outcome::nothing;
  const bool is_awaited =
      open_->carrier == Carrier::invite_response || open_->carrier == Carrier::invite_reliable;
  if (!is_awaited) return Outcome::nothing;
  if (!request.sdp || !pattern_of(open_->carrier, Carrier::ack)) return drop_open();
  const Outcome outcome = answer(request.sdp, Carrier::ack);
  open_.reset();
  return outcome;
}

OfferAnswer::Outcome OfferAnswer::on_prack(const Request& request) {
  if (!request.sdp || !invite_ || invite_->from != request.from || is_repeated(request))
    return Outcome::nothing;
  if (open_ && pattern_of(open_->carrier, Carrier::prack)) {
    const Outcome outcome = answer(request.sdp, Carrier::prack);
    if (outcome == Outcome::agreed) last_cseq_[std::to_underlying(request.from)] = request.cseq;
    return outcome;
  }
  // Pattern 5: only what acknowledges the 1xx with the answer may offer.
  if (invite_->is_offerless || !invite_->is_answered || !may_follow_open(request.from))
    return Outcome::nothing;
  return offer(request.sdp, request.from, Carrier::prack, request.cseq);
}

OfferAnswer::Outcome OfferAnswer::on_update(const Request& request) {
  if (!request.sdp || is_repeated(request) || !may_follow_open(request.from))
    return Outcome::nothing;
  const bool is_early = invite_ && !invite_->is_finished;
  if (is_early && !agreed_ && !may_begin(Carrier::update)) return Outcome::nothing;
  return offer(request.sdp, request.from, Carrier::update, request.cseq);
}

// --- responses

OfferAnswer::Outcome OfferAnswer::on_invite_response(const Response& response) {
  if (crossing_ && response.status >= 300 && crossing_->cseq == response.cseq &&
      crossing_->from != response.from)
    crossing_.reset();
  if (!invite_ || invite_->cseq != response.cseq || invite_->from == response.from)
    return Outcome::nothing;
  // A failure after a 2xx: the 2xx got lost between two passes, and its request's sender has only
  // the failure to go by (RFC 3261 14.1: the session stays as it was).
  if (response.status >= 300 && !invite_->is_acked) {
    invite_->is_finished = invite_->is_acked = true;
    return on_invite_failure();
  }
  if (invite_->is_finished) return Outcome::nothing;
  if (response.status >= 200) return on_invite_success(response);
  if (!response.sdp || invite_->is_answered) return Outcome::nothing;
  if (open_ && open_->carrier == Carrier::invite)
    return response.is_reliable ? answer(response.sdp, Carrier::invite_reliable)
                                : preview_with(response.sdp);
  if (!response.is_reliable || !invite_->is_offerless || open_) return Outcome::nothing;
  return offer(response.sdp, response.from, Carrier::invite_reliable, response.cseq);
}

OfferAnswer::Outcome OfferAnswer::on_invite_failure() {
  const Outcome outcome = roll_back();
  if (const auto next = std::exchange(crossing_, std::nullopt)) static_cast<void>(on_invite(*next));
  return outcome;
}

OfferAnswer::Outcome OfferAnswer::on_invite_success(const Response& response) {
  invite_->is_finished = true;
  if (invite_->is_answered) return Outcome::nothing;
  if (open_ && open_->carrier == Carrier::invite) {
    // A 2xx without the answer it must carry: both sides have gone by the preview, if there was one
    // (RFC 3261 13.2.1); without one there is no new session.
    const SdpPtr sdp = response.sdp ? response.sdp
                       : preview_
                           ? (response.from == Party::caller ? preview_->caller : preview_->callee)
                           : nullptr;
    if (!sdp) return drop_open();
    const Outcome outcome = answer(sdp, Carrier::invite_response);
    if (outcome == Outcome::violation) static_cast<void>(drop_open());
    return outcome;
  }
  if (!response.sdp || !invite_->is_offerless || open_) return Outcome::nothing;
  return offer(response.sdp, response.from, Carrier::invite_response, response.cseq);
}

OfferAnswer::Outcome OfferAnswer::on_other_response(const Response& response) {
  const bool is_prack = response.method == Method::prack;
  const Carrier asked = is_prack ? Carrier::prack : Carrier::update;
  if (response.status < 200 || !open_ || open_->carrier != asked || open_->cseq != response.cseq ||
      open_->offerer == response.from)
    return Outcome::nothing;
  if (response.status >= 300 || !response.sdp) return drop_open();
  const Outcome outcome =
      answer(response.sdp, is_prack ? Carrier::prack_response : Carrier::update_response);
  open_.reset();
  return outcome;
}

// --- what they do

OfferAnswer::Outcome OfferAnswer::offer(const SdpPtr& sdp, Party from, Carrier carrier,
                                        std::uint32_t cseq) {
  if (!may_succeed(agreed_, *sdp)) return violate();
  open_ = Open{sdp, from, carrier, cseq};
  if (carrier == Carrier::prack || carrier == Carrier::update)
    last_cseq_[std::to_underlying(from)] = cseq;
  return Outcome::offered;
}

OfferAnswer::Outcome OfferAnswer::answer(const SdpPtr& sdp, Carrier carrier) {
  if (!pattern_of(open_->carrier, carrier)) return Outcome::nothing;
  if (!is_answer_to(*open_->offer, *sdp)) return violate();
  SessionPair pair = make_session_pair(open_->offer, open_->offerer, sdp);
  // The answer that was previewed confirms that very pair.
  const bool is_confirmed =
      preview_ && is_same(preview_->caller, pair.caller) && is_same(preview_->callee, pair.callee);
  agreed_ = is_confirmed ? *preview_ : std::move(pair);
  if (open_->carrier != Carrier::prack && open_->carrier != Carrier::update)
    invite_->is_answered = true;
  preview_.reset();
  open_.reset();
  return Outcome::agreed;
}

OfferAnswer::Outcome OfferAnswer::preview_with(const SdpPtr& sdp) {
  if (!is_answer_to(*open_->offer, *sdp)) return violate();
  SessionPair pair = make_session_pair(open_->offer, open_->offerer, sdp);
  if (preview_ && is_same(preview_->caller, pair.caller) && is_same(preview_->callee, pair.callee))
    return Outcome::nothing;
  preview_ = std::move(pair);
  return Outcome::previewed;
}

OfferAnswer::Outcome OfferAnswer::drop_open() {
  open_.reset();
  preview_.reset();
  return Outcome::rolled_back;
}

// RFC 6337 3.4: everything agreed since the INVITE goes, also what UPDATE has changed. An UPDATE
// still open has its own response to come.
OfferAnswer::Outcome OfferAnswer::roll_back() {
  const bool is_own_open = open_ && open_->carrier != Carrier::update;
  const bool is_changed = is_own_open || preview_ || agreed_ != invite_->before;
  if (is_own_open) open_.reset();
  preview_.reset();
  agreed_ = invite_->before;
  return is_changed ? Outcome::rolled_back : Outcome::nothing;
}

OfferAnswer::Outcome OfferAnswer::violate() {
  error_ = Error::mismatch;
  return Outcome::violation;
}

bool OfferAnswer::is_repeated(const Request& request) const {
  const auto& last = last_cseq_[std::to_underlying(request.from)];
  return last && request.cseq <= *last;
}

// One exchange at a time: another offer is the far UA's to refuse (491 or 500, RFC 3311 5.2). Only
// the offerer of an UPDATE or PRACK whose response was not seen goes on with its next request.
bool OfferAnswer::may_follow_open(Party from) const {
  if (!open_) return true;
  const bool is_own_transaction =
      open_->carrier == Carrier::prack || open_->carrier == Carrier::update;
  return is_own_transaction && open_->offerer == from;
}

} // namespace midcom::sip
