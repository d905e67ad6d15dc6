// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/sip/naive_exchanges.h"

#include <algorithm>

namespace midcom::sip {

void NaiveExchanges::on(const Event& event) {
  if (event.status == 0)
    on_request(event);
  else
    on_response(event);
  start_waiting();
}

std::optional<NaiveExchanges::Pair> NaiveExchanges::agreed() const {
  if (history_.empty()) return std::nullopt;
  return pair_of(history_.back());
}

std::optional<NaiveExchanges::Pair> NaiveExchanges::preview() const {
  if (!preview_) return std::nullopt;
  return Pair{open_->by, open_->offer.name, preview_.name};
}

bool NaiveExchanges::may_offer(const NaiveDescription& offer) const {
  return may_offer(offer, is_pending() ? static_cast<int>(invites_.size()) - 1 : -1);
}

bool NaiveExchanges::takes(const Event& event) const {
  if (!event.sdp || event.method == Method::ack) return true;
  if (event.method == Method::prack) {
    if (invites_.empty() || invites_.back().from != event.from ||
        event.cseq <= invites_.back().cseq)
      return true;
    if (is_open_at(Place::provisional)) return fits(open_->offer, event.sdp);
    if (!is_pending() || !invites_.back().has_offer || !invites_.back().is_answered) return true;
  }
  return may_offer(event.sdp) && (must_wait(event) || may_offer(event.sdp, -1));
}

bool NaiveExchanges::fits(const NaiveDescription& offer, const NaiveDescription& answer) {
  if (offer.lines.size() != answer.lines.size()) return false;
  for (std::size_t i = 0; i < offer.lines.size(); ++i)
    if (!answer.lines[i].is_zero &&
        (offer.lines[i].is_zero || offer.lines[i].type != answer.lines[i].type))
      return false;
  return true;
}

NaiveExchanges::Pair NaiveExchanges::pair_of(const Agreed& agreed) {
  return {agreed.by, agreed.offer.name, agreed.answer.name};
}

bool NaiveExchanges::is_pending() const {
  return !invites_.empty() && !invites_.back().is_finished;
}

bool NaiveExchanges::may_offer(const NaiveDescription& offer, int within) const {
  const auto before = std::find_if(history_.rbegin(), history_.rend(), [&](const Agreed& a) {
    return within < 0 || a.within != within;
  });
  if (before == history_.rend()) return true;
  const auto &asked = before->offer.lines, &got = before->answer.lines, &next = offer.lines;
  if (next.size() < asked.size()) return false;
  const auto is_changed = [&](std::size_t i) {
    return !asked[i].is_zero && !got[i].is_zero && !next[i].is_zero &&
           asked[i].identity != next[i].identity;
  };
  for (std::size_t i = 0; i < asked.size(); ++i)
    for (std::size_t j = 0; j < asked.size(); ++j)
      if (is_changed(i) && is_changed(j) && asked[i].identity == next[j].identity) return false;
  return true;
}

void NaiveExchanges::on_request(const Event& event) {
  switch (event.method) {
  case Method::invite:
    return ask(event);
  case Method::update:
    if (event.sdp) ask(event);
    return;
  case Method::prack:
    if (event.sdp && last() != nullptr && last()->from == event.from && event.cseq > last()->cseq)
      on_prack(event);
    return;
  case Method::ack:
    if (last() != nullptr && last()->is_finished && last()->from == event.from &&
        last()->cseq == event.cseq)
      on_ack(event);
    return;
  default:
    return;
  }
}

void NaiveExchanges::on_prack(const Event& event) {
  if (is_open_at(Place::provisional))
    conclude(event.sdp);
  else if (is_pending() && last()->has_offer && last()->is_answered)
    ask(event);
}

void NaiveExchanges::on_ack(const Event& event) {
  last()->is_settled = true;
  if (is_open_at(Place::final) && event.sdp) conclude(event.sdp);
  if (is_open_at(Place::final) || is_open_at(Place::provisional)) open_.reset();
}

bool NaiveExchanges::must_wait(const Event& event) const {
  return open_ || (event.method == Method::invite && is_pending());
}

void NaiveExchanges::ask(const Event& event) {
  if (event.cseq <= highest_[event.from]) return;
  if (event.sdp && !may_offer(event.sdp)) return;
  if (must_wait(event)) {
    highest_[event.from] = event.cseq;
    waiting_[event.from] = event;
  } else {
    start(event);
  }
}

void NaiveExchanges::start(const Event& event) {
  if (event.sdp && !may_offer(event.sdp, -1)) return;
  highest_[event.from] = std::max(highest_[event.from], event.cseq);
  if (event.method == Method::invite)
    invites_.push_back({event.from, event.cseq, static_cast<bool>(event.sdp)});
  else if (is_pending() && history_.empty())
    return;
  const Place place = event.method == Method::invite  ? Place::invite
                      : event.method == Method::prack ? Place::prack
                                                      : Place::update;
  if (event.sdp) open_ = Open{event.from, place, event.cseq, event.sdp};
}

void NaiveExchanges::start_waiting() {
  for (const Party party : {Party::caller, Party::callee}) {
    const auto found = waiting_.find(party);
    if (found == waiting_.end() || must_wait(found->second)) continue;
    const Event event = found->second;
    waiting_.erase(found);
    start(event);
  }
}

void NaiveExchanges::conclude(const NaiveDescription& answer) {
  if (!fits(open_->offer, answer)) return;
  const bool is_of_invite = open_->place != Place::prack && open_->place != Place::update;
  const bool may_fail = last() != nullptr && !last()->is_settled;
  history_.push_back(
      {open_->by, open_->offer, answer, may_fail ? static_cast<int>(invites_.size()) - 1 : -1});
  if (is_of_invite) last()->is_answered = true;
  open_.reset();
  preview_ = {};
}

void NaiveExchanges::fail_invite() {
  last()->is_finished = last()->is_settled = true;
  const int index = static_cast<int>(invites_.size()) - 1;
  std::erase_if(history_, [&](const Agreed& agreed) { return agreed.within == index; });
  if (open_ && open_->place != Place::update) open_.reset();
  preview_ = {};
}

void NaiveExchanges::judge(const Event& response) {
  const auto found = waiting_.find(other(response.from));
  if (found == waiting_.end() || found->second.method != response.method ||
      found->second.cseq != response.cseq || response.status == 100)
    return;
  if (response.status >= 300) {
    waiting_.erase(found);
    return;
  }
  if (response.method == Method::invite && is_pending()) return;
  if (is_open_at(Place::invite) || is_open_at(Place::provisional)) return;
  open_.reset();
  preview_ = {};
  const Event taken = found->second;
  waiting_.erase(found);
  start(taken);
}

void NaiveExchanges::on_response(const Event& event) {
  judge(event);
  if (event.method == Method::invite) return on_invite_response(event);
  const Place place = event.method == Method::prack ? Place::prack : Place::update;
  if (event.method != Method::prack && event.method != Method::update) return;
  if (event.status < 200 || !is_open_at(place) || open_->cseq != event.cseq ||
      open_->by == event.from)
    return;
  if (event.status < 300 && event.sdp) conclude(event.sdp);
  if (is_open_at(place)) open_.reset();
}

void NaiveExchanges::on_invite_response(const Event& event) {
  if (last() == nullptr || last()->cseq != event.cseq || last()->from == event.from) return;
  if (event.status >= 300 && !last()->is_settled) return fail_invite();
  if (last()->is_finished) return;
  const bool is_final = event.status >= 200;
  if (is_final) last()->is_finished = true;
  if (last()->is_answered) return;
  if (is_open_at(Place::invite)) return on_answer(event, is_final);
  if (!event.sdp || last()->has_offer || !(is_final || event.is_reliable)) return;
  if (open_ && (open_->place != Place::update || open_->by == event.from)) return;
  if (!may_offer(event.sdp, -1)) return;
  open_ = Open{event.from, is_final ? Place::final : Place::provisional, event.cseq, event.sdp};
}

void NaiveExchanges::on_answer(const Event& event, bool is_final) {
  const NaiveDescription sdp = !event.sdp && is_final ? preview_ : event.sdp;
  if (is_final || event.is_reliable) {
    if (sdp) conclude(sdp);
    if (is_final && is_open_at(Place::invite)) {
      open_.reset();
      preview_ = {};
    }
  } else if (sdp && fits(open_->offer, sdp)) {
    preview_ = sdp;
  }
}

} // namespace midcom::sip
