// SPDX-License-Identifier: GPL-3.0-or-later
// Requests inside dialogs: whose a leg is, and what follows from that for whoever asks.
//
// A response to an INVITE that this agent has forwarded proves a leg: its participants are the two
// whose flows these came over. A leg that a request names first is asked about in the kernel,
// before the request does anything: the group of a dialog of before this agent keeps the hashed
// identities of both. Either way a request of somebody else is refused and leaves no trace.
//
// What neither proves is nobody's. In a call whose INVITE was seen such a branch has no participant
// yet, so that there is nobody who could speak in it. In any other call it may be a dialog without
// media of before this agent: all may go on, each with an attempt of its own that touches nobody
// else's. Whose exchange makes the first rules owns them, as if the kernel had had them.
#include <algorithm>

#include "daemon/endpoint_conversion.h"
#include "daemon/firewall.h"
#include "daemon/keyed_hash.h"
#include "pinhole/rule_table.h"

namespace midcom {
namespace {

constexpr std::size_t legs_kept = 64; // of one call: forks of a call are far fewer
constexpr std::size_t attempts_kept = 16, attempts_of_one = 4;

bool is_trunk(const FlowEntry& flow, const PeerDirectory& peers) {
  return flow.peer != no_peer && peers.at(flow.peer).kind == PeerKind::trunk;
}

bool is_bare(const sip::Message& request) {
  return request.body().empty();
}

// A trunk that has proved its name carries the requests of others. Where the first half of their
// way may have been through another agent, what does no harm goes on: BYE, which closes nothing
// then, and ACK.
bool goes_on_unjudged(const FlowEntry& from, const PeerDirectory& peers, sip::Method method) {
  return is_trunk(from, peers) && !from.strong_identities().empty() &&
         (method == sip::Method::bye || method == sip::Method::ack);
}

} // namespace

CallPtr Firewall::take_up(const sip::Message& request, sip::TimePoint now) {
  const CallPtr call = calls_.create(request.call_id(), request.from().tag(), now);
  call->is_orphan = true;
  call->is_answered = true;
  call->answered = now;
  return call;
}

// The INVITE comes after requests that named its call: what they made of it is void.
void Firewall::begin(Call& call, sip::TimePoint now) {
  std::erase_if(call.legs, [](const auto& pair) { return pair.second.proof == Proof::none; });
  call.attempts.clear();
  call.is_orphan = false;
  call.is_answered = false;
  call.started = now;
}

Leg* Firewall::add_leg(Call& call, std::string_view tag, Proof proof) {
  if (call.legs.size() >= legs_kept)
    std::erase_if(call.legs, [](const auto& pair) { return pair.second.proof == Proof::none; });
  if (call.legs.size() >= legs_kept) return nullptr;
  Leg& leg = call.legs[std::string(tag)];
  leg = make_leg(call, tag, proof);
  return &leg;
}

Leg Firewall::make_leg(const Call& call, std::string_view tag, Proof proof) {
  Leg leg;
  leg.id = ++last_leg_;
  leg.tag = tag;
  leg.proof = proof;
  leg.session = SessionTimer(proof != Proof::none);
  leg.is_confirmed = proof == Proof::none; // a dialog of before this agent, if it is one
  leg.group = group_id(secrets_.group, call.call_id, call.caller_tag, tag);
  return leg;
}

Leg* Firewall::branch_of(const CallPtr& call, std::string_view tag, sip::TimePoint now) {
  if (const auto found = call->legs.find(tag); found != call->legs.end()) {
    Leg& known = found->second;
    if (known.proof == Proof::invite) return &known;
    // A dialog of before this agent is not made again by somebody's answer.
    if (!known.adopted.empty() || !known.open.empty()) return nullptr;
    end_leg(call, known, now);
    call->legs.erase(found);
    call->attempts.erase(std::string(tag));
  }
  // Nor is one of another call, the other way round.
  if (calls_.has_proved(call->call_id, tag, call->caller_tag)) return nullptr;
  Leg* const leg = add_leg(*call, tag, Proof::invite);
  if (leg != nullptr) leg->exchange = call->before_legs;
  return leg;
}

Leg* Firewall::leg_of(const Pass& pass, std::string_view tag) {
  const auto found = pass.call->legs.find(tag);
  if (found != pass.call->legs.end() && found->second.id == pass.leg) return &found->second;
  const auto [first, last] = pass.call->attempts.equal_range(tag);
  const auto attempt =
      std::find_if(first, last, [&](const auto& pair) { return pair.second.id == pass.leg; });
  return attempt == last ? nullptr : &attempt->second;
}

PartyRecord Firewall::record(const FlowEntry& flow, const sip::NameAddr& who) const {
  const bool is_udp = flow.info.transport == Transport::udp;
  return {true,
          flow.info.id,
          is_udp ? std::optional(flow.info.remote) : std::nullopt,
          flow.peer,
          std::string(who.uri.text),
          flow.strong_identities(),
          flow.network_identity(peers_),
          participant_of(flow, peers_, secrets_.identity, who.uri.address_of_record())};
}

Sender Firewall::sender_of(const FlowEntry& flow, const sip::NameAddr& who) const {
  return {flow.peer, false, to_pinhole(flow.info.remote.address),
          participant_of(flow, peers_, secrets_.identity, who.uri.address_of_record())};
}

bool Firewall::is_party(const PartyRecord& party, const FlowEntry& flow) const {
  if (!party.is_known) return false;
  if (flow.info.id == party.flow) return true;
  if (flow.info.transport == Transport::udp && party.datagram == flow.info.remote &&
      party.peer == flow.peer)
    return true;
  const auto strong = flow.strong_identities();
  const bool is_proved = std::ranges::any_of(strong, [&](const auto& s) {
    return std::ranges::find(party.strong, s) != party.strong.end();
  });
  if (is_proved) return true;
  if (!strong.empty() && !party.strong.empty()) return false;
  const auto network = flow.network_identity(peers_);
  return !network.empty() && network == party.network;
}

bool Firewall::carries(const Call& call, const Leg* leg, const sip::Message& request,
                       const FlowEntry& from) const {
  const bool is_calls = leg == nullptr || leg->proof == Proof::invite;
  const bool is_carrier = (is_calls && call.carriers.contains(from.peer)) ||
                          (leg != nullptr && leg->carriers.contains(from.peer));
  const auto is_ours = [&](const sip::Via& via) {
    return std::ranges::any_of(config_.listeners, [&](const auto& listener) {
      return sip::iequals(via.host, listener.advertised) ||
             via.host == listener.address.address.to_string();
    });
  };
  return is_carrier && (std::ranges::none_of(request.vias(), is_ours) || call.has_sent(request));
}

bool Firewall::is_caller(const Call& call, const sip::Message& request,
                         const FlowEntry& from) const {
  return is_party(call.caller, from) || carries(call, nullptr, request, from);
}

// A participant over UDP has no identity that could be kept. Then a phone's source address must be
// one that its media was believed at, a trunk's media must be inside its networks.
bool Firewall::owns(const Leg& leg, const Sender& sender) const {
  if (sender.is_carrier) return true;
  if (pinhole::is_participant(leg.owners, sender.hashed)) return true;
  const bool is_nameless = sender.hashed == pinhole::Participant{} && sender.peer != no_peer &&
                           std::ranges::find(leg.owners, sender.hashed) != leg.owners.end();
  if (!is_nameless) return false;
  const PeerConfig& peer = peers_.at(sender.peer);
  const auto is_its = [&](const pinhole::Address& address) {
    if (peer.kind == PeerKind::phones) return address == sender.address;
    return std::ranges::any_of(peer.media,
                               [&](const auto& network) { return network.contains(address); });
  };
  const auto has_its = [&](const pinhole::Rule& rule) {
    return is_its(rule.a.address) || is_its(rule.b.address);
  };
  return std::ranges::any_of(leg.adopted, has_its) || std::ranges::any_of(leg.open.rules, has_its);
}

bool Firewall::may_act(const Call& call, const Leg& leg, bool is_caller, const FlowEntry& from,
                       const Sender& sender) const {
  if (leg.proof == Proof::none) return true; // there is nothing to act on yet
  const bool is_calls = leg.proof == Proof::invite;
  const bool is_known = is_party(is_caller && is_calls ? call.caller
                                 : is_caller           ? leg.caller
                                                       : leg.callee,
                                 from);
  return is_known || sender.is_carrier || (!is_calls && owns(leg, sender));
}

// What nothing proves yet the kernel is asked about later, whatever the body says.
bool Firewall::may_belong(const sip::Message& request, const FlowEntry& from) const {
  switch (sip::method_of(request.cseq().method)) {
  case sip::Method::invite:
  case sip::Method::ack:
  case sip::Method::prack:
  case sip::Method::update:
  case sip::Method::bye:
    break;
  default:
    return true; // nobody is asked
  }
  const CallPtr call = calls_.find(request);
  if (!call || call->is_orphan || request.to().tag().empty()) return true;
  const bool is_from_caller = request.from().tag() == call->caller_tag;
  const auto leg = call->legs.find(is_from_caller ? request.to().tag() : request.from().tag());
  if (leg == call->legs.end() || leg->second.proof != Proof::invite) return true;
  Sender sender = sender_of(from, request.from());
  sender.is_carrier = carries(*call, &leg->second, request, from);
  return may_act(*call, leg->second, is_from_caller, from, sender) || may_be_kernels(leg->second);
}

std::string_view Firewall::pinned_signer(const sip::Message& message) const {
  const CallPtr call = calls_.find(message);
  if (!call) return {};
  const auto sender = message.is_request() ? message.from().tag() : message.to().tag();
  const auto leg = call->legs.find(sender);
  return leg == call->legs.end() ? std::string_view() : std::string_view(leg->second.signer);
}

// A branch without rules may have the tags of a dialog of before this agent, which somebody else
// has called anew: whoever is no party of the branch may be one of the dialog.
bool Firewall::may_be_kernels(const Leg& leg) const {
  return leg.proof == Proof::invite && leg.open.empty() && leg.inquiry == Inquiry::due &&
         pinholes_.is_up();
}

void Firewall::ask(const CallPtr& call, Leg& leg, const FlowEntry& from, bool is_caller,
                   sip::TimePoint now) {
  const std::string side(peers_.side_of(from.info.remote.address));
  pinholes_.ask(
      call, leg,
      [this, side, is_caller](const pinhole::Address& address) {
        return (peers_.side_of(address) == side) == is_caller;
      },
      now);
}

// The attempt is the leg now: the others have lost. False when the leg is somebody's.
bool Firewall::promote(Call& call, Leg& attempt) {
  const auto place = call.legs.find(attempt.tag);
  if (place != call.legs.end() && place->second.proof != Proof::none) return false;
  const auto [first, last] = call.attempts.equal_range(attempt.tag);
  const auto found =
      std::find_if(first, last, [&](const auto& pair) { return pair.second.id == attempt.id; });
  if (found == last) return false;
  auto node = call.attempts.extract(found);
  call.attempts.erase(attempt.tag);
  call.legs.erase(attempt.tag);
  call.legs.insert(std::move(node));
  attempt.proof = Proof::group;
  attempt.owners = {attempt.caller.hashed, attempt.callee.hashed};
  return true;
}

// Its exchange came to nothing, and with the rules goes what was owned.
void Firewall::demote(Call& call, Leg& leg) {
  auto node = call.legs.extract(leg.tag);
  leg.proof = Proof::none;
  sessions_.forget(leg);
  call.attempts.insert(std::move(node));
  if (Leg* const place = add_leg(call, leg.tag, Proof::none)) place->inquiry = Inquiry::answered;
}

// Whoever makes many attempts pushes out one's own.
void Firewall::make_room(Call& call, const FlowEntry& from) const {
  const auto is_own = [&](const auto& pair) {
    return is_party(pair.second.caller, from) || is_party(pair.second.callee, from);
  };
  const bool has_many =
      std::ranges::count_if(call.attempts, is_own) >= std::ptrdiff_t{attempts_of_one};
  if (!has_many && call.attempts.size() < attempts_kept) return;
  auto oldest = call.attempts.end();
  for (auto it = call.attempts.begin(); it != call.attempts.end(); ++it) {
    const bool is_older = oldest == call.attempts.end() || it->second.id < oldest->second.id;
    if (is_older && (!has_many || is_own(*it))) oldest = it;
  }
  call.attempts.erase(oldest);
}

// The attempt that the request belongs to, or begins; null when it says nothing that would be kept.
Leg* Firewall::attempt_of(const sip::Message& request, const FlowEntry& from, Call& call,
                          std::string_view tag) {
  const bool is_from_caller = request.from().tag() == call.caller_tag;
  const auto [first, last] = call.attempts.equal_range(tag);
  const auto is_its = [&](const auto& pair) {
    const Leg& attempt = pair.second;
    const auto shows = [&](const sip::Via& via) {
      return std::ranges::find(attempt.branches, via.branch()) != attempt.branches.end();
    };
    return is_party(is_from_caller ? attempt.caller : attempt.callee, from) ||
           (attempt.carriers.contains(from.peer) && std::ranges::any_of(request.vias(), shows));
  };
  const auto found = std::find_if(first, last, is_its);
  if (found != last) return &found->second;
  const bool may_begin =
      request.method() == "INVITE" || (request.method() != "ACK" && !is_bare(request));
  if (!may_begin) return nullptr;
  make_room(call, from);
  Leg& attempt = call.attempts.emplace(std::string(tag), make_leg(call, tag, Proof::none))->second;
  attempt.inquiry = Inquiry::answered;
  (is_from_caller ? attempt.caller : attempt.callee) = record(from, request.from());
  return &attempt;
}

std::optional<Verdict> Firewall::judge_unproved(const sip::Message& request, const Disclosure& body,
                                                const FlowEntry& from, Pass& pass, Leg*& leg,
                                                sip::TimePoint now) {
  const CallPtr& call = pass.call;
  const auto method = sip::method_of(request.cseq().method);
  const bool is_from_caller = request.from().tag() == call->caller_tag;
  const bool is_ack = method == sip::Method::ack;
  if (leg->inquiry == Inquiry::due && pinholes_.is_up()) {
    ask(call, *leg, from, is_from_caller, now);
    return Verdict{Verdict::Kind::again, Reason::none};
  }
  // In vain: the next request asks again, this one goes on without.
  if (leg->inquiry == Inquiry::failed) leg->inquiry = Inquiry::due;
  // A caller who isn't the one whose INVITE is here speaks in no branch of it.
  const bool is_callers = is_from_caller && is_caller(*call, request, from);
  if (!call->is_orphan && leg->inquiry == Inquiry::answered) {
    call->legs.erase(leg->tag);
    if (is_callers && (is_ack || is_bare(request))) return pass_by(request, body, from, *call);
    return Verdict{Verdict::Kind::refuse, Reason::not_participant};
  }
  if (leg->inquiry != Inquiry::answered && config_.mode != pinhole::Mode::observe) {
    // Nobody can say whose it is: the kernel will, when the BYE has its answer. But nobody speaks
    // in a branch before its answer.
    if (is_ack && (call->is_orphan || is_callers)) return pass_by(request, body, from, *call);
    if (method != sip::Method::bye) return Verdict{Verdict::Kind::refuse, Reason::middlebox_down};
    if (call->is_orphan) return std::nullopt;
    pass.leg = leg->id;
    pass.sender = sender_of(from, request.from());
    return Verdict{Verdict::Kind::refuse, Reason::middlebox_down};
  }
  if (method == sip::Method::bye) return std::nullopt;
  const std::string tag = leg->tag;
  leg = attempt_of(request, from, *call, tag);
  if (leg == nullptr) return pass_by(request, body, from, *call);
  return std::nullopt;
}

// What changes nothing here still says nothing that its sender may not say.
Verdict Firewall::pass_by(const sip::Message& request, const Disclosure& body,
                          const FlowEntry& from, Call& call) {
  const Reason refusal = describe(call, request, body, from).refusal;
  if (refusal != Reason::none) return {Verdict::Kind::refuse, refusal};
  return {};
}

Verdict Firewall::on_dialog_request(const sip::Message& request, const Disclosure& body,
                                    const FlowEntry& from, Pass& pass, sip::TimePoint now) {
  const auto method = sip::method_of(request.cseq().method);
  CallPtr call = calls_.find(request);
  if (!call) {
    if (method == sip::Method::ack && is_bare(request)) return {};
    call = take_up(request, now);
  }
  pass.call = call;
  call->commit_failure = Reason::none;
  const bool is_from_caller = request.from().tag() == call->caller_tag;
  const std::string_view tag = is_from_caller ? request.to().tag() : request.from().tag();
  // It names no dialog: there is nothing it could act on, nor the group of an offer.
  if (tag.empty()) return pass_by(request, body, from, *call);
  const auto found = call->legs.find(tag);
  Leg* leg = found != call->legs.end() ? &found->second : add_leg(*call, tag, Proof::none);
  if (leg == nullptr) return {Verdict::Kind::refuse, Reason::call_limit};
  if (leg->proof == Proof::none)
    if (const auto verdict = judge_unproved(request, body, from, pass, leg, now)) return *verdict;
  if (leg->proof != Proof::invite) pass.sender = sender_of(from, request.from());
  pass.sender.is_carrier = carries(*call, leg, request, from);
  if (!may_act(*call, *leg, is_from_caller, from, pass.sender)) {
    if (may_be_kernels(*leg)) {
      ask(call, *leg, from, is_from_caller, now);
      return {Verdict::Kind::again, Reason::none};
    }
    if (leg->inquiry == Inquiry::failed) leg->inquiry = Inquiry::due;
    if (leg->proof == Proof::group && goes_on_unjudged(from, peers_, method))
      return pass_by(request, body, from, *call);
    return {Verdict::Kind::refuse, Reason::not_participant};
  }
  pass.leg = leg->id;
  pass.is_proved = leg->proof != Proof::none;
  if (method == sip::Method::bye) return {};
  return on_leg_request(request, body, from, call, *leg, now);
}

Verdict Firewall::on_leg_request(const sip::Message& request, const Disclosure& body,
                                 const FlowEntry& from, const CallPtr& call, Leg& leg,
                                 sip::TimePoint now) {
  const auto method = sip::method_of(request.cseq().method);
  const Description description = describe(*call, request, body, from);
  if (description.refusal != Reason::none) return {Verdict::Kind::refuse, description.refusal};
  if (description.sdp && !pinholes_.is_up() && config_.mode != pinhole::Mode::observe &&
      method != sip::Method::ack)
    return {Verdict::Kind::refuse, Reason::middlebox_down};
  const bool is_from_caller = request.from().tag() == call->caller_tag;
  const auto party = is_from_caller ? sip::Party::caller : sip::Party::callee;
  const auto outcome = leg.exchange.on(
      sip::OfferAnswer::Request{method, party, request.cseq().number, description.sdp});
  if (outcome == sip::OfferAnswer::Outcome::violation && method != sip::Method::ack)
    return {Verdict::Kind::refuse, Reason::sdp_offer_answer};
  if (method == sip::Method::ack) on_ack(call, leg, {party, request.cseq().number}, now);
  apply(call, leg, now);
  if (leg.is_confirmed && outcome == sip::OfferAnswer::Outcome::agreed)
    watch_.begin(call, leg, now);
  return verdict_of(call);
}

} // namespace midcom
