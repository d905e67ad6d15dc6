// SPDX-License-Identifier: GPL-3.0-or-later
// Calls, requests and responses as the firewall service sees them. Whose a dialog is and who may
// act in it is in firewall_dialogs.cc, how sessions become rules in firewall_rules.cc.
#include "daemon/firewall.h"

#include <algorithm>

#include "daemon/call_log.h"
#include "daemon/keyed_hash.h"

namespace midcom {
namespace {

constexpr std::size_t branches_kept = 32;

sip::Method method_of(const sip::Message& message) {
  return sip::method_of(message.cseq().method);
}

bool is_reliable(const sip::Message& response) {
  return response.first(sip::HeaderName::rseq) != nullptr &&
         response.has_token(sip::HeaderName::require, "100rel");
}

bool is_challenge(int status) {
  return status == 401 || status == 407;
}

// The answers to BYE after which its sender takes the dialog for ended (RFC 3261 15.1.1), and 430:
// the far side can't be reached over the flow it had.
bool ends_dialog(int status) {
  return (status >= 200 && status < 300) || status == 481 || status == 408 || status == 430;
}

void remember(std::deque<std::string>& branches, std::string_view branch) {
  if (branches.size() >= branches_kept) branches.pop_front();
  branches.emplace_back(branch);
}

bool is_initial_invite(const sip::Message& request) {
  return method_of(request) == sip::Method::invite && request.to().tag().empty();
}

// The callee's tag; `last` is the response when the request has none yet.
std::string_view dialog_tag(const Call& call, const sip::Message& request,
                            const sip::Message& last) {
  if (request.to().tag().empty()) return last.to().tag();
  return request.from().tag() == call.caller_tag ? request.to().tag() : request.from().tag();
}

} // namespace

Firewall::Firewall(const AgentConfig& config, const PeerDirectory& peers,
                   const KeyedSecrets& secrets, MiddleboxPort& middlebox, EventLog& log,
                   PinholeClient::Resume resume)
    : config_(config), peers_(peers), secrets_(secrets), log_(log),
      pinholes_(config, middlebox, log, make_hooks(std::move(resume))), plan_(config, peers),
      watch_(config, log) {}

Verdict Firewall::verdict_of(const CallPtr& call) {
  return {call->awaiting > 0 ? Verdict::Kind::wait : Verdict::Kind::allow, Reason::none};
}

Verdict Firewall::on_request(const sip::Message& request, const Disclosure& body,
                             const FlowEntry& from, Pass& pass, sip::TimePoint now) {
  switch (method_of(request)) {
  case sip::Method::invite:
    if (request.to().tag().empty()) return on_invite(request, body, from, pass, now);
    return on_dialog_request(request, body, from, pass, now);
  case sip::Method::ack:
  case sip::Method::prack:
  case sip::Method::update:
  case sip::Method::bye:
    return on_dialog_request(request, body, from, pass, now);
  default:
    return request.method() == "INFO" ? on_info(request, from, pass, now) : Verdict{};
  }
}

Reason Firewall::admit(const Call& call, const sip::Sdp* sdp) const {
  if (live_calls_ >= config_.limits.calls) return Reason::call_limit;
  if (call.caller.peer != no_peer) {
    const auto found = calls_of_peer_.find(call.caller.peer);
    if (found != calls_of_peer_.end() && found->second >= peers_.at(call.caller.peer).max_calls)
      return Reason::call_limit;
  }
  if (sdp == nullptr) return Reason::none;
  if (sdp->media().size() > config_.limits.streams_per_call) return Reason::call_limit;
  if (config_.mode != pinhole::Mode::observe && !pinholes_.is_up()) return Reason::middlebox_down;
  if (pinholes_.rules() + reserved_ + 2 * sdp->media().size() > config_.limits.rules)
    return Reason::table_full;
  return Reason::none;
}

Verdict Firewall::on_invite(const sip::Message& request, const Disclosure& body,
                            const FlowEntry& from, Pass& pass, sip::TimePoint now) {
  CallPtr call = calls_.find(request);
  const bool is_new = !call || call->caller_tag != request.from().tag();
  // Only the caller tries again, and only whom the call was sent to sends it back.
  const bool is_first = is_new || call->is_orphan;
  if (!is_first && !is_caller(*call, request, from) && !call->has_sent(request))
    return {Verdict::Kind::refuse, Reason::not_participant};
  if (is_new) call = calls_.create(request.call_id(), request.from().tag(), now);
  if (call->is_orphan) begin(*call, now);
  pass.call = call;
  call->commit_failure = Reason::none;
  pass.is_entry = is_first || request.cseq().number > call->invite_cseq;
  if (from.peer != no_peer && peers_.at(from.peer).kind == PeerKind::trunk)
    call->carriers.insert(from.peer);
  if (pass.is_entry) {
    call->invite_cseq = request.cseq().number;
    call->caller = record(from, request.from());
    call->before_legs = {};
    call->has_failed = false;
    if (is_first)
      log_.write(call_event(Level::info, "call.start", *call)
                     .add("src", from.info.remote.to_string())
                     .add("peer", from.peer == no_peer ? "-" : peers_.at(from.peer).name)
                     .add("from", request.from().uri.text)
                     .add("to", request.to().uri.text));
  }
  const Description description = describe(*call, request, body, from);
  if (description.refusal != Reason::none) return {Verdict::Kind::refuse, description.refusal};
  if (pass.is_entry && call->counted_peer == no_peer) {
    if (const Reason reason = admit(*call, description.sdp.get()); reason != Reason::none)
      return {Verdict::Kind::refuse, reason};
    call->counted_peer = call->caller.peer;
    ++calls_of_peer_[call->counted_peer];
    ++live_calls_;
    call->reserved_rules = description.sdp ? 2 * description.sdp->media().size() : 2;
    reserved_ += call->reserved_rules;
  }
  const auto outcome = call->before_legs.on(sip::OfferAnswer::Request{
      sip::Method::invite, sip::Party::caller, request.cseq().number, description.sdp});
  if (outcome == sip::OfferAnswer::Outcome::violation)
    return {Verdict::Kind::refuse, Reason::sdp_offer_answer};
  if (pass.is_entry) open_offer(call, now);
  return verdict_of(call);
}

Verdict Firewall::on_response(const Pass& pass, const sip::Message& request,
                              const sip::Message& response, const Disclosure& body,
                              const FlowEntry& from, sip::TimePoint now) {
  const CallPtr& call = pass.call;
  if (!call) return {};
  call->commit_failure = Reason::none;
  const auto method = method_of(request);
  const int status = response.status();
  if (method == sip::Method::bye) return on_bye_answer(pass, request, status, now);

  const bool is_initial = is_initial_invite(request);
  if (is_initial && from.peer != no_peer && peers_.at(from.peer).kind == PeerKind::trunk)
    call->carriers.insert(from.peer);
  const bool is_from_caller = !is_initial && request.from().tag() != call->caller_tag;
  if (Leg* const leg = leg_of_answer(call, request, response, pass, from, now)) {
    if (!is_from_caller && body.signer && leg->signer.empty()) leg->signer = body.signer->uri;
    // A branch that had lost answers after all: a second dialog (RFC 3261 13.2.2.4).
    if (is_initial && status >= 200 && status < 300 && leg->has_lost && !call->is_over())
      leg->is_ended = leg->has_lost = false;
    // Late words on an attempt that has failed upstream open nothing.
    if (is_initial && (call->has_failed || request.cseq().number != call->invite_cseq))
      end_leg(call, *leg, now);
    const Description description = describe(*call, response, body, from);
    const auto party = is_from_caller ? sip::Party::caller : sip::Party::callee;
    const auto outcome = leg->exchange.on(sip::OfferAnswer::Response{
        method, party, request.cseq().number, status, is_reliable(response), description.sdp});
    if (outcome == sip::OfferAnswer::Outcome::violation)
      log_.write(call_event(Level::warning, "pinhole.deny", *call)
                     .add("reason", word_of(Reason::sdp_offer_answer))
                     .add("src", from.info.remote.to_string()));
    const bool is_success = status >= 200 && status < 300;
    // What is agreed confirms only a dialog whose INVITE wasn't seen: others may be early still.
    const bool is_sign =
        outcome == sip::OfferAnswer::Outcome::agreed && leg->proof != Proof::invite;
    if (is_success && (is_initial || is_sign)) leg->is_confirmed = true;
    const bool is_refreshed = is_success && refresh(pass, request, response, *leg, now);
    if (is_refreshed) leg->expires = {};
    if (is_success && method == sip::Method::invite && outcome == sip::OfferAnswer::Outcome::agreed)
      leg->awaits_ack = AwaitedAck{sip::other(party), request.cseq().number};
    if (status >= 300 && leg->awaits_ack == AwaitedAck{sip::other(party), request.cseq().number})
      leg->awaits_ack.reset();
    apply(call, *leg, now);
    if (is_refreshed) pinholes_.prolong(call, *leg, now);
    if (leg->is_confirmed && (outcome == sip::OfferAnswer::Outcome::agreed || is_initial))
      watch_.begin(call, *leg, now);
  }
  if (is_initial) on_invite_answer(pass, request, status, response.to().tag(), now);
  return verdict_of(call);
}

Leg* Firewall::leg_of_answer(const CallPtr& call, const sip::Message& request,
                             const sip::Message& response, const Pass& pass, const FlowEntry& from,
                             sip::TimePoint now) {
  const std::string_view tag = dialog_tag(*call, request, response);
  if (!is_initial_invite(request)) {
    Leg* const leg = leg_of(pass, tag);
    // Whoever answers has got the request from us.
    if (leg != nullptr && leg->proof == Proof::none)
      (request.from().tag() == call->caller_tag ? leg->callee : leg->caller) =
          record(from, response.to());
    return leg;
  }
  const auto known = call->legs.find(tag);
  const bool is_known = known != call->legs.end() && known->second.proof == Proof::invite;
  if (tag.empty() || (response.status() >= 300 && !is_known)) return nullptr;
  Leg* const leg = branch_of(call, tag, now);
  if (leg != nullptr && !leg->callee.is_known) leg->callee = record(from, response.to());
  return leg;
}

bool Firewall::refresh(const Pass& pass, const sip::Message& request, const sip::Message& response,
                       Leg& leg, sip::TimePoint now) const {
  const auto method = method_of(request);
  if (method != sip::Method::invite && method != sip::Method::update) return false;
  const bool is_from_caller = request.from().tag() == pass.call->caller_tag;
  // 64 * T1: so long a 2xx may be on its way, and so long the BYE of a refresh that did not come.
  const bool is_changed = leg.session.on_success(
      {is_from_caller ? sip::Party::caller : sip::Party::callee, request.cseq().number},
      session_life(response, 64 * config_.timeouts.t1), now);
  // Its life begins when the caller gets the answer: later passes may have had it long before.
  const bool has_arrived = is_initial_invite(request) && pass.is_entry && !leg.has_reached_caller;
  if (has_arrived) leg.session.restart(now);
  return has_arrived || (is_changed && leg.is_confirmed);
}

// An initial INVITE got a response: on the entry pass a 2xx confirms one leg and ends the others, a
// failure ends the call; on a later pass a failure ends one branch.
void Firewall::on_invite_answer(const Pass& pass, const sip::Message& request, int status,
                                std::string_view tag, sip::TimePoint now) {
  const CallPtr& call = pass.call;
  if (status < 200) return;
  const bool is_success = status < 300;
  if (!pass.is_entry || request.cseq().number != call->invite_cseq) {
    if (const auto leg = call->legs.find(tag); !is_success && leg != call->legs.end())
      if (!leg->second.is_confirmed) end_leg(call, leg->second, now);
    return;
  }
  reserved_ -= std::exchange(call->reserved_rules, 0);
  for (auto& [other_tag, leg] : call->legs) {
    if (leg.proof != Proof::invite) continue; // no branch of this INVITE
    if (is_success && other_tag == tag) leg.has_reached_caller = true;
    // A 2xx that was overtaken by the caller's failure has made no dialog.
    const bool is_lost = is_success ? !leg.is_confirmed : !leg.has_reached_caller;
    if (!is_lost || (is_success && other_tag == tag)) continue;
    if (!leg.is_ended) leg.has_lost = is_success;
    end_leg(call, leg, now);
  }
  if (call->offer) end_leg(call, *call->offer, now);
  if (!is_success) {
    call->has_failed = true;
    if (!is_challenge(status) && call->is_over()) end_call(*call, Reason::none, status, now);
    return;
  }
  if (std::exchange(call->is_answered, true)) return;
  call->answered = now;
  wakeups_.emplace(now + config_.timeouts.call, Wakeup{call, {}});
  log_.write(call_event(Level::info, "call.answer", *call)
                 .add("code", static_cast<std::uint64_t>(status))
                 .add("media", plan_.media_word(*call, tag))
                 .add("leg", tag));
}

Verdict Firewall::on_bye_answer(const Pass& pass, const sip::Message& request, int status,
                                sip::TimePoint now) {
  const CallPtr& call = pass.call;
  if (status < 200 || !ends_dialog(status)) return {};
  const auto found = call->legs.find(dialog_tag(*call, request, request));
  if (pass.leg == 0 || found == call->legs.end() || found->second.is_ended) return verdict_of(call);
  Leg& leg = found->second;
  // What was nobody's may have become somebody's since.
  const bool is_participants = (pass.is_proved && leg.id == pass.leg) ||
                               (leg.proof == Proof::group && owns(leg, pass.sender));
  if (is_participants)
    end_leg(call, leg, now);
  else if (leg.proof == Proof::none && (leg.inquiry != Inquiry::answered || leg.may_have_sinks))
    pinholes_.release_unknown(call, leg, pass.sender.hashed, now);
  return verdict_of(call);
}

Verdict Firewall::on_own_answer(const Pass& pass, const sip::Message& request, int status,
                                Reason reason, sip::TimePoint now) {
  const CallPtr& call = pass.call;
  if (!call) return {};
  const auto method = method_of(request);
  // It can't be forwarded: the participant's word is enough.
  if (method == sip::Method::bye) return on_bye_answer(pass, request, 408, now);
  if (is_initial_invite(request)) {
    on_invite_answer(pass, request, status, {}, now);
    if (pass.is_entry && reason != Reason::none && call->is_over())
      end_call(*call, reason, status, now);
    return verdict_of(call);
  }
  Leg* const leg = leg_of(pass, dialog_tag(*call, request, request));
  if (leg == nullptr) return {};
  const bool is_from_caller = request.from().tag() == call->caller_tag;
  const auto party = is_from_caller ? sip::Party::callee : sip::Party::caller;
  static_cast<void>(leg->exchange.on(
      sip::OfferAnswer::Response{method, party, request.cseq().number, status, false, nullptr}));
  if (leg->awaits_ack == AwaitedAck{sip::other(party), request.cseq().number})
    leg->awaits_ack.reset();
  apply(call, *leg, now);
  return verdict_of(call);
}

void Firewall::withdraw(const Pass& pass, const sip::Message& request, sip::TimePoint now) {
  const CallPtr& call = pass.call;
  if (!call) return;
  if (pass.is_entry) {
    call->invite_cseq.reset();
    if (call->offer) end_leg(call, *call->offer, now);
    return;
  }
  static_cast<void>(on_own_answer(pass, request, 408, Reason::none, now));
  const bool is_from_caller = request.from().tag() == call->caller_tag;
  if (Leg* const leg = leg_of(pass, dialog_tag(*call, request, request)))
    leg->exchange.forget(is_from_caller ? sip::Party::caller : sip::Party::callee,
                         request.cseq().number);
}

void Firewall::on_sent(const Pass& pass, const sip::Message& request, const FlowEntry& to,
                       std::string_view branch) {
  if (!pass.call) return;
  const bool is_trunk = to.peer != no_peer && peers_.at(to.peer).kind == PeerKind::trunk;
  if (!is_initial_invite(request)) {
    Leg* const leg = leg_of(pass, dialog_tag(*pass.call, request, request));
    if (leg == nullptr) return;
    if (is_trunk) leg->carriers.insert(to.peer);
    if (leg->proof == Proof::none) return remember(leg->branches, branch);
  } else if (is_trunk) {
    pass.call->carriers.insert(to.peer);
  }
  remember(pass.call->branches, branch);
}

void Firewall::attach(const Pass& pass) {
  if (pass.call) ++pass.call->transactions;
}

void Firewall::detach(const Pass& pass, sip::TimePoint now) {
  if (!pass.call) return;
  --pass.call->transactions;
  drop_when_done(pass.call, now);
}

void Firewall::drop_when_done(const CallPtr& call, sip::TimePoint now) {
  if (call->transactions > 0 || call->awaiting > 0) return;
  for (auto& [tag, leg] : call->legs) {
    // Without a transaction there is no early dialog.
    if (leg.proof == Proof::invite && !leg.is_confirmed) end_leg(call, leg, now);
  }
  if (call->offer) end_leg(call, *call->offer, now);
  // What isn't of this agent's making and has no rules is nothing to keep: the kernel tells as
  // much.
  std::erase_if(call->legs, [this](const auto& pair) {
    const bool is_void = pair.second.proof != Proof::invite && pair.second.open.empty();
    if (is_void) pinholes_.forget(pair.second);
    if (is_void) sessions_.forget(pair.second);
    return is_void;
  });
  if (call->is_orphan) call->attempts.clear();
  if (call->awaiting > 0 || !call->is_over())
    return; // comes again when the release is acknowledged
  settle(call, now);
  reserved_ -= std::exchange(call->reserved_rules, 0);
  uncount(*call);
  forget_wakeups(*call);
  pinholes_.forget(*call);
  calls_.erase(*call);
}

void Firewall::settle(const CallPtr& call, sip::TimePoint now) {
  if (call->is_answered && !call->is_orphan && call->is_over())
    end_call(*call, call->end_reason, 0, now);
}

// An ended call that only waits for its transactions' last retransmissions counts in no limit.
void Firewall::uncount(Call& call) {
  if (call.counted_peer == no_peer) return;
  --calls_of_peer_[std::exchange(call.counted_peer, no_peer)];
  --live_calls_;
}

void Firewall::end_call(Call& call, Reason reason, int status, sip::TimePoint now) {
  uncount(call);
  if (std::exchange(call.is_ended, true)) return;
  write_call_end(log_, call, reason, status, now);
}

} // namespace midcom
