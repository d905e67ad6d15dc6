// SPDX-License-Identifier: GPL-3.0-or-later
// What user agents do at random. They know the rules and mostly keep them.
#include <algorithm>

#include "tests/firewall/call.h"

namespace midcom::firewall_test {

namespace {

using sip::Method;
using Carrier = NaiveExchanges::Place;

constexpr int failures[] = {302, 404, 480, 486, 488, 491, 500, 603};

} // namespace

Call::Transaction* Call::pending_invite(const Leg& leg) {
  for (Transaction& one : transactions_)
    if (one.method == Method::invite && !one.is_answered &&
        (one.tag == leg.tag || (one.tag.empty() && !leg.is_confirmed)))
      return &one;
  return nullptr;
}

bool Call::invite() {
  const bool is_first = transactions_.empty();
  if (!is_first && (!transactions_[invite_].is_answered || !reference_.is_over() ||
                    !dice_.happens(30) || transactions_.size() > 20))
    return false;
  const Description* sdp = nullptr;
  if (dice_.happens(85)) sdp = &keep(describer_.offer(Party::caller, 10, nullptr), nullptr);
  if (!is_first) ++counts_["invite again"];
  repeats_.clear();
  if (gateway_.calls() == 0) reference_.forget();
  for (Leg& leg : legs_) {
    leg.is_ended = true;
    leg.awaiting_ack.clear();
  }
  most_legs_ = legs_.size() + (dice_.happens(60) ? 1 : 1 + dice_.below(4));
  invite_ = send(Method::invite, Party::caller, nullptr, sdp);
  if (sdp == nullptr) ++counts_["offerless"];
  return true;
}

std::optional<Call::Response> Call::next_response(unsigned forks_percent) {
  Leg* leg = live_leg(false);
  const bool may_fork = !transactions_[invite_].is_answered && legs_.size() < most_legs_;
  const bool is_new = may_fork && (leg == nullptr || dice_.happens(forks_percent));
  if (is_new) leg = &new_leg();
  if (leg == nullptr) return std::nullopt;
  Transaction* const invite = pending_invite(*leg);
  if (invite == nullptr) return std::nullopt;
  if (is_new) reference_.begin(leg->tag);
  return Response{leg, number_of(*invite), sip::other(invite->from)};
}

bool Call::provisional() {
  const auto next = next_response(35);
  if (!next) return false;
  const auto& [leg, number, from] = *next;
  const auto& open = exchange_of(*leg).open();
  const bool is_reliable = dice_.happens(45);
  const Description* sdp = nullptr;
  if (open && open->place == Carrier::invite) {
    if (dice_.happens(65)) {
      const bool is_same = !leg->previewed.empty() && dice_.happens(50);
      sdp = is_same ? &known_.at(leg->previewed) : answer_of(*leg, from);
      leg->previewed = sdp->name;
    }
  } else if (!open && transactions_[number].request->body().empty() && is_reliable &&
             dice_.happens(75)) {
    sdp = offer_of(*leg, from);
  } else if (dice_.happens(4) && !leg->said[from == Party::caller ? 0 : 1].empty()) {
    sdp = &known_.at(leg->said[from == Party::caller ? 0 : 1]); // it means nothing
  }
  if (is_reliable) leg->unacknowledged.push_back(number);
  if (sdp != nullptr) ++counts_[is_reliable ? "reliable 1xx" : "preview"];
  respond(number, leg, dice_.happens(50) ? 180 : 183, is_reliable, sdp);
  return true;
}

bool Call::accept() {
  const auto next = next_response(15);
  if (!next) return false;
  const auto& [leg, number, from] = *next;
  const auto& open = exchange_of(*leg).open();
  const Description* sdp = nullptr;
  if (open && open->place == Carrier::invite) {
    if (!leg->previewed.empty() && dice_.happens(60))
      sdp = dice_.happens(85) ? &known_.at(leg->previewed) : nullptr;
    else if (dice_.happens(97))
      sdp = answer_of(*leg, from);
  } else if (!open && transactions_[number].request->body().empty() && dice_.happens(90)) {
    sdp = offer_of(*leg, from); // it means nothing where a 1xx had it before
  }
  leg->previewed.clear();
  leg->is_confirmed = true;
  leg->awaiting_ack.push_back(number);
  respond(number, leg, 200, false, sdp);
  if (transactions_[number].tag.empty()) {
    ++counts_["answered"];
    for (Leg& other : legs_) other.is_ended |= !other.is_confirmed;
  }
  return true;
}

// Another branch answers too: a second dialog, if its caller hasn't hung up meanwhile.
bool Call::accept_late() {
  const Transaction& invite = transactions_[invite_];
  if (!invite.is_answered || invite.is_finished) return false;
  for (Leg& leg : legs_) {
    const auto* known = reference_.find(leg.tag);
    if (leg.is_confirmed || known == nullptr || !known->has_lost || !dice_.happens(30)) continue;
    const auto& open = known->exchange.open();
    const Description* sdp = nullptr;
    if (open && open->place == Carrier::invite) sdp = answer_of(leg, Party::callee);
    leg.is_confirmed = true;
    leg.is_ended = reference_.is_over();
    leg.awaiting_ack.push_back(invite_);
    ++counts_["late 2xx"];
    respond(invite_, &leg, 200, false, sdp);
    return true;
  }
  return false;
}

bool Call::reject() {
  Leg* const leg = live_leg(false);
  Transaction* invite = leg == nullptr ? nullptr : pending_invite(*leg);
  if (invite == nullptr && !transactions_[invite_].is_answered) invite = &transactions_[invite_];
  if (invite == nullptr) return false;
  const std::size_t number = number_of(*invite);
  const bool is_initial = invite->tag.empty();
  ++counts_[is_initial ? "failure" : "re-INVITE fails"];
  if (leg != nullptr) leg->previewed.clear();
  if (is_initial)
    for (Leg& each : legs_) each.is_ended |= !each.is_confirmed;
  if (dice_.happens(12)) {
    time_out(number, 408, Reason::timeout);
  } else {
    const bool is_cancelled = dice_.happens(25);
    if (is_cancelled) ++counts_["cancelled"];
    respond(number, leg, is_cancelled ? 487 : dice_.pick(failures), false, nullptr);
  }
  return true;
}

bool Call::prack() {
  Leg* const leg = live_leg(false);
  if (leg == nullptr || leg->unacknowledged.empty()) return false;
  const std::size_t number = leg->unacknowledged.front();
  leg->unacknowledged.erase(leg->unacknowledged.begin());
  const Party from = transactions_[number].from;
  const auto& open = exchange_of(*leg).open();
  const Description* sdp = nullptr;
  if (open && open->place == Carrier::provisional) {
    if (dice_.happens(93)) sdp = answer_of(*leg, from);
    if (sdp != nullptr) ++counts_["answer in PRACK"];
  } else if (!open && exchange_of(*leg).agreed() && dice_.happens(45)) {
    sdp = offer_of(*leg, from);
    ++counts_["offer in PRACK"];
  }
  static_cast<void>(send(Method::prack, from, leg, sdp));
  return true;
}

bool Call::update() {
  Leg* const leg = live_leg(false);
  if (leg == nullptr) return false;
  const auto& exchange = exchange_of(*leg);
  const bool may_offer = (!exchange.open() && exchange.agreed()) || dice_.happens(6);
  const Party from = dice_.happens(50) ? Party::caller : Party::callee;
  const Description* sdp = may_offer ? offer_of(*leg, from) : nullptr;
  if (sdp == nullptr && !dice_.happens(15)) return false;
  if (exchange.open()) ++counts_["glare"];
  if (sdp != nullptr) ++counts_["UPDATE"];
  static_cast<void>(send(Method::update, from, leg, sdp));
  return true;
}

bool Call::reinvite() {
  Leg* const leg = live_leg(true);
  if (leg == nullptr) return false;
  const auto& exchange = exchange_of(*leg);
  const bool is_busy = exchange.open() || pending_invite(*leg) != nullptr;
  if (is_busy && !dice_.happens(5)) return false;
  const Party from = dice_.happens(50) ? Party::caller : Party::callee;
  const Description* sdp = dice_.happens(75) ? offer_of(*leg, from) : nullptr;
  if (is_busy) ++counts_["glare"];
  ++counts_["re-INVITE"];
  leg->previewed.clear();
  leg->unacknowledged.clear();
  static_cast<void>(send(Method::invite, from, leg, sdp));
  return true;
}

// PRACK, UPDATE and BYE are answered.
bool Call::answer_pending() {
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < transactions_.size(); ++i)
    if (!transactions_[i].is_answered && transactions_[i].method != Method::invite)
      waiting.push_back(i);
  if (waiting.empty()) return false;
  const std::size_t number = dice_.pick(waiting);
  const Transaction& asked = transactions_[number];
  Leg& leg = *find(asked.tag);
  if (asked.method == Method::bye) {
    if (dice_.happens(15)) {
      respond(number, &leg, 401, false, nullptr);
      return true;
    }
    reference_.on_end(leg.tag);
    leg.is_ended = true;
    if (dice_.happens(15))
      time_out(number, 408, Reason::timeout);
    else
      respond(number, &leg, dice_.happens(85) ? 200 : 481, false, nullptr);
    return true;
  }
  if (dice_.happens(4)) {
    time_out(number, 408, Reason::timeout);
    return true;
  }
  const auto& open = exchange_of(leg).open();
  const bool is_own = open && open->by == asked.from && open->cseq == asked.cseq;
  const bool is_glare = open && !is_own && !asked.request->body().empty();
  if (dice_.happens(is_glare ? 85 : 12)) {
    respond(number, &leg, is_glare ? 491 : dice_.happens(50) ? 488 : 500, false, nullptr);
    return true;
  }
  const Description* sdp =
      is_own && dice_.happens(97) ? answer_of(leg, sip::other(asked.from)) : nullptr;
  respond(number, &leg, 200, false, sdp);
  return true;
}

bool Call::acknowledge() {
  std::vector<Leg*> waiting;
  for (Leg& leg : legs_)
    if (!leg.awaiting_ack.empty() && reference_.find(leg.tag) != nullptr) waiting.push_back(&leg);
  if (waiting.empty() || reference_.is_over()) return false;
  Leg& leg = *dice_.pick(waiting);
  const Transaction& invite = transactions_[leg.awaiting_ack.front()];
  leg.awaiting_ack.erase(leg.awaiting_ack.begin());
  const auto& open = exchange_of(leg).open();
  const Description* sdp = nullptr;
  if (open && open->place == Carrier::final && dice_.happens(95)) {
    sdp = answer_of(leg, invite.from);
    ++counts_["answer in ACK"];
  }
  send_ack(leg, invite, sdp);
  return true;
}

bool Call::trickle() {
  Leg* const leg = live_leg(false);
  if (leg == nullptr) return false;
  const Party from = dice_.happens(50) ? Party::caller : Party::callee;
  const auto which = static_cast<std::size_t>(from == Party::caller ? 0 : 1);
  std::string name = leg->said[which];
  if (from == Party::caller && name.empty() && exchange_of(*leg).open())
    name = exchange_of(*leg).open()->offer.name;
  if (name.empty()) return false;
  const Description& description = known_.at(name);
  if (description.owner != from || !std::ranges::any_of(description.streams, &Stream::has_ice))
    return false;
  auto& said = leg->fragments[which];
  said.push_back(describer_.fragment(description, said));
  const Fragment& fragment = said.back();
  std::uint32_t& cseq = from == Party::caller ? caller_cseq_ : leg->callee_cseq;
  ++cseq;
  note(std::string(from == Party::caller ? "> " : "< ") + "INFO in " + leg->tag + "\n" +
       firewall_test::text_of(fragment));
  auto message =
      sip::Message::parse(text_of_request("INFO", from, leg, cseq, firewall_test::text_of(fragment),
                                          "application/trickle-ice-sdpfrag"),
                          sip::Framing::stream, {});
  if (!message) return false;
  Pass pass;
  const Verdict verdict = gateway_.request(**message, {}, flow_of(leg, from), pass);
  if (verdict.kind == Verdict::Kind::refuse) fail("an INFO is refused");
  reference_.on_fragment(leg->tag, from, fragment, gateway_.now());
  gateway_.finish(pass);
  ++counts_["trickle"];
  return true;
}

bool Call::bye() {
  Leg* const leg = live_leg(!dice_.happens(10));
  if (leg == nullptr) return false;
  static_cast<void>(
      send(Method::bye, dice_.happens(50) ? Party::caller : Party::callee, leg, nullptr));
  return true;
}

bool Call::repeat() {
  if (repeats_.empty() || reference_.is_over()) return false; // a call that nobody knows any more
  const Repeat& one =
      repeats_[repeats_.size() - 1 - dice_.below(std::min<std::size_t>(3, repeats_.size()))];
  note("again: " + one.text);
  one.again();
  ++counts_["repeated"];
  return true;
}

bool Call::wait() {
  static constexpr int lengths_ms[] = {100,   500,   1900,  2000,  2100,  10000,
                                       15000, 20000, 29900, 30000, 30100, 64100};
  const std::chrono::milliseconds length(dice_.pick(lengths_ms));
  if (gateway_.now() + length > begun_ + std::chrono::seconds(280)) return false;
  note("wait " + std::to_string(length.count()) + " ms");
  gateway_.pass_time(length);
  reference_.pass_time(gateway_.now());
  // The server transaction of a 2xx lasts 64 * T1 (RFC 6026).
  for (Transaction& one : transactions_)
    if (one.is_answered && !one.is_finished &&
        one.answered + std::chrono::seconds(32) <= gateway_.now())
      finish(one);
  return true;
}

} // namespace midcom::firewall_test
