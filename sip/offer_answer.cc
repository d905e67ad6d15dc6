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
// stays refused. A direction that the offer doesn't allow is no reason to break the call: what
// passes is what both allow (media_plan.h).
bool is_answer_to(const Sdp& offer, const Sdp& answer) {
  return std::ranges::equal(offer.media(), answer.media(), [](const auto& asked, const auto& got) {
    return got.port == 0 || (!is_refused(asked) && asked.type == got.type);
  });
}

// What tells a stream from its neighbours: a=mid (RFC 5888) or its type.
std::string_view identity_of(const SdpMedia& media) {
  return media.attribute("mid").value_or(media.type);
}

// Does the offer put a live stream in another one's slot? Which is which would be anybody's guess.
// A slot whose stream was refused may take any other (RFC 3264 8.1), and a live one may become of a
// type that no other has left: audio turns into T.38 (8.3.3).
bool has_moved(const SessionPair& before, const Sdp& offer) {
  const auto caller = before.caller->media(), callee = before.callee->media();
  const auto previous = before.offerer == Party::caller ? caller : callee;
  const auto is_changed = [&](std::size_t i) {
    return !is_refused(caller[i]) && !is_refused(callee[i]) && !is_refused(offer.media()[i]) &&
           identity_of(previous[i]) != identity_of(offer.media()[i]);
  };
  for (std::size_t i = 0; i < previous.size(); ++i)
    for (std::size_t j = 0; j < previous.size() && is_changed(i); ++j)
      if (is_changed(j) && identity_of(previous[i]) == identity_of(offer.media()[j])) return true;
  return false;
}

// RFC 3264 8: a later offer never has fewer m= lines, and they stay where they were. That the same
// o= version means the same text, and that o= keeps its other values, is not asked for: user agents
// change ports under an old version, and what passes follows from the text, never from o= (RFC 6337
// 5.2.5 leaves it to the receiver).
bool may_succeed(const std::optional<SessionPair>& before, const Sdp& offer) {
  return !before ||
         (offer.media().size() >= before->caller->media().size() && !has_moved(*before, offer));
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
  const Outcome outcome = take(request);
  return begin_waiting() && outcome == Outcome::nothing ? Outcome::offered : outcome;
}

OfferAnswer::Outcome OfferAnswer::on(const Response& response) {
  const bool is_displaced = judge_waiting(response);
  const Outcome outcome = take(response);
  const bool has_begun = begin_waiting() || is_displaced;
  return has_begun && outcome == Outcome::nothing ? Outcome::offered : outcome;
}

void OfferAnswer::forget(Party from, std::uint32_t cseq) {
  auto& last = last_cseq_[std::to_underlying(from)];
  if (last == cseq) last = cseq > 0 ? std::optional(cseq - 1) : std::nullopt;
}

OfferAnswer::Outcome OfferAnswer::take(const Request& request) {
  switch (request.method) {
  case Method::invite:
    return on_offer(request);
  case Method::ack:
    return on_ack(request);
  case Method::prack:
    return request.sdp ? on_prack(request) : Outcome::nothing;
  case Method::update:
    return request.sdp ? on_offer(request) : Outcome::nothing;
  default:
    return Outcome::nothing; // what CANCEL does comes with the 487
  }
}

OfferAnswer::Outcome OfferAnswer::take(const Response& response) {
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

OfferAnswer::Outcome OfferAnswer::on_offer(const Request& request) {
  if (is_repeated(request)) {
    const bool is_changed = request.method == Method::invite && open_ &&
                            open_->carrier == Carrier::invite && open_->cseq == request.cseq &&
                            open_->offerer == request.from && !is_same(open_->offer, request.sdp);
    return is_changed ? Outcome::violation : Outcome::nothing;
  }
  // Its sender may know already that the pending INVITE has failed.
  const auto& before = is_invite_pending() ? invite_->before : agreed_;
  if (request.sdp && !may_succeed(before, *request.sdp)) return Outcome::violation;
  const bool is_waiting = must_wait(request);
  const Outcome outcome = is_waiting ? Outcome::nothing : begin(request);
  if (is_waiting) waiting_[std::to_underlying(request.from)] = request;
  if (outcome != Outcome::violation) last_cseq_[std::to_underlying(request.from)] = request.cseq;
  return outcome;
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

// Which 1xx it acknowledges is not looked at: an offer in a wrong PRACK counts if it is answered.
OfferAnswer::Outcome OfferAnswer::on_prack(const Request& request) {
  if (!invite_ || invite_->from != request.from || request.cseq <= invite_->cseq)
    return Outcome::nothing;
  if (open_ && pattern_of(open_->carrier, Carrier::prack))
    return answer(request.sdp, Carrier::prack);
  // Pattern 5: only what acknowledges the 1xx with the answer may offer.
  if (!is_invite_pending() || invite_->is_offerless || !invite_->is_answered)
    return Outcome::nothing;
  return on_offer(request);
}

OfferAnswer::Outcome OfferAnswer::begin(const Request& request) {
  if (request.sdp && !may_succeed(agreed_, *request.sdp)) return Outcome::violation;
  if (request.method == Method::invite) {
    invite_ = InviteContext{.cseq = request.cseq,
                            .from = request.from,
                            .is_offerless = !request.sdp,
                            .before = agreed_};
    if (!request.sdp) return Outcome::nothing;
    return offer(request.sdp, request.from, Carrier::invite, request.cseq);
  }
  const Carrier carrier = request.method == Method::prack ? Carrier::prack : Carrier::update;
  if (is_invite_pending() && !agreed_ && !may_begin(carrier)) return Outcome::nothing;
  return offer(request.sdp, request.from, carrier, request.cseq);
}

// --- one exchange at a time

// A second INVITE waits for the first even where neither offers anything (RFC 3261 14.2).
bool OfferAnswer::must_wait(const Request& request) const {
  return open_ || (request.method == Method::invite && is_invite_pending());
}

bool OfferAnswer::begin_waiting() {
  bool has_begun = false;
  for (auto& waiting : waiting_) {
    if (!waiting || must_wait(*waiting)) continue;
    const Request request = *std::exchange(waiting, std::nullopt);
    has_begun = begin(request) == Outcome::offered || has_begun;
  }
  return has_begun;
}

// What is refused never counts. What is taken shows that its receiver has ended, or never begun,
// what is open here: the answer comes later or not at all (RFC 6337 4.1, 4.2).
bool OfferAnswer::judge_waiting(const Response& response) {
  auto& waiting = waiting_[std::to_underlying(other(response.from))];
  if (!waiting || waiting->method != response.method || waiting->cseq != response.cseq ||
      response.status <= 100)
    return false;
  if (response.status >= 300) waiting.reset();
  if (!waiting || !may_displace(*waiting)) return false;
  static_cast<void>(drop_open());
  static_cast<void>(begin(*std::exchange(waiting, std::nullopt)));
  return true;
}

// A pending INVITE can't be overtaken: who answers another one before it breaks RFC 3261 14.2.
bool OfferAnswer::may_displace(const Request& waiting) const {
  if (waiting.method == Method::invite && is_invite_pending()) return false;
  return open_->carrier == Carrier::update || open_->carrier == Carrier::prack ||
         open_->carrier == Carrier::invite_response;
}

// --- responses

OfferAnswer::Outcome OfferAnswer::on_invite_response(const Response& response) {
  if (!invite_ || invite_->cseq != response.cseq || invite_->from == response.from)
    return Outcome::nothing;
  // A failure after a 2xx: the 2xx got lost between two passes, and its request's sender has only
  // the failure to go by (RFC 3261 14.1: the session stays as it was).
  if (response.status >= 300 && !invite_->is_acked) {
    invite_->is_finished = invite_->is_acked = true;
    return roll_back();
  }
  if (invite_->is_finished) return Outcome::nothing;
  if (response.status >= 200) return on_invite_success(response);
  if (!response.sdp || invite_->is_answered) return Outcome::nothing;
  if (open_ && open_->carrier == Carrier::invite)
    return response.is_reliable ? answer(response.sdp, Carrier::invite_reliable)
                                : preview_with(response.sdp);
  if (!response.is_reliable || !invite_->is_offerless) return Outcome::nothing;
  return offer(response.sdp, response.from, Carrier::invite_reliable, response.cseq);
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
  if (!response.sdp || !invite_->is_offerless) return Outcome::nothing;
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

// An offer in a response comes from who would have to answer an UPDATE that is open: it refuses
// that, or has answered it before (RFC 6337 figures 4, 5 and 12).
OfferAnswer::Outcome OfferAnswer::offer(const SdpPtr& sdp, Party from, Carrier carrier,
                                        std::uint32_t cseq) {
  if (open_ && (open_->carrier != Carrier::update || open_->offerer == from))
    return Outcome::nothing;
  if (!may_succeed(agreed_, *sdp)) return Outcome::violation;
  open_ = Open{sdp, from, carrier, cseq};
  return Outcome::offered;
}

OfferAnswer::Outcome OfferAnswer::answer(const SdpPtr& sdp, Carrier carrier) {
  if (!pattern_of(open_->carrier, carrier)) return Outcome::nothing;
  if (!is_answer_to(*open_->offer, *sdp)) return Outcome::violation;
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
  if (!is_answer_to(*open_->offer, *sdp)) return Outcome::violation;
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

// A failure undoes everything agreed since the INVITE, however many exchanges and whoever began
// them (RFC 3261 14.1, 6337 3.4). RFC 6141 doesn't let completed exchanges survive: 3.3 asks the
// answerer to send a 2xx instead of a failure once something has changed, and by 3.4 a failure that
// comes all the same brings the session back to before the INVITE (3.7: "makes the session return
// to its pre-re-INVITE state"); the parties then agree anew where they differ, and that exchange is
// seen here. What began before the INVITE can't end within it: INVITE waits. An UPDATE that is open
// has its own response to come, and what is agreed by that is later than the failure.
OfferAnswer::Outcome OfferAnswer::roll_back() {
  const bool is_own_open = open_ && open_->carrier != Carrier::update;
  const bool is_changed = is_own_open || preview_ || agreed_ != invite_->before;
  if (is_own_open) open_.reset();
  preview_.reset();
  agreed_ = invite_->before;
  return is_changed ? Outcome::rolled_back : Outcome::nothing;
}

bool OfferAnswer::is_repeated(const Request& request) const {
  const auto& last = last_cseq_[std::to_underlying(request.from)];
  return last && request.cseq <= *last;
}

} // namespace midcom::sip
