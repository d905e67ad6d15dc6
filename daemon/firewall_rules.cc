// SPDX-License-Identifier: GPL-3.0-or-later
// From descriptions to policy rules: what is believed, what the pair in force needs, what changes.
#include "daemon/firewall.h"

#include <netinet/in.h>

#include <algorithm>

#include "daemon/call_log.h"
#include "daemon/channel_codec.h"
#include "daemon/media_names.h"

namespace midcom {
namespace {

constexpr std::size_t seen_kept = 32;

bool has_key_material(const sip::Sdp& sdp) {
  return std::ranges::any_of(sdp.media(), [](const auto& media) { return media.has_key_material; });
}

void deny_all(const sip::Sdp& sdp, Reason reason, Judgement& judgement) {
  for (std::size_t i = 0; i < sdp.media().size(); ++i) judgement.denied.push_back({i, reason, {}});
}

// Without an ACK the answerer gives up after 64 * T1 and says BYE (RFC 3261 13.3.1.4): twice that.
sip::Duration unacknowledged_life(const AgentConfig& config) {
  return 128 * config.timeouts.t1;
}

template <class Open> // a rule or a sink
bool is_same_component(const Open& a, const pinhole::Rule& b) {
  return a.stream == b.stream && a.component == b.component;
}

// Does somebody check there what a new path may be (RFC 8445)?
bool has_checks(const Pinholes& pinholes, const pinhole::Rule& rule) {
  return std::ranges::any_of(pinholes.sinks, [&](const auto& sink) {
    return is_same_component(sink, rule) &&
           (pinholes.promise_of(sink).kinds & pinhole::kind_stun) != 0;
  });
}

// Which end is whose is not known for sure of what the kernel had.
bool is_same_flow(const pinhole::Rule& a, const pinhole::Rule& b) {
  return is_same_component(a, b) && ((a.a == b.a && a.b == b.b) || (a.a == b.b && a.b == b.a));
}

std::string_view sender_tag_of(const sip::Message& message) {
  return message.is_request() ? message.from().tag() : message.to().tag();
}

bool names_sender(const pinhole::Promise& promise, const pinhole::Endpoint& sender) {
  return std::ranges::any_of(promise.senders, [&](const auto& named) {
    return named.address == sender.address && (named.port == 0 || named.port == sender.port);
  });
}

// What the gate had admitted before this agent began is as good as admitted now, where the session
// names both its ends: learned ends have to be learned anew.
void take_over(Leg& leg, const Pinholes& wanted) {
  const auto is_over = [&](const pinhole::Rule& rule) { // closed, or taken over already
    return std::ranges::find(leg.open.rules, rule) == leg.open.rules.end() ||
           std::ranges::find(leg.admitted, rule, &AdmittedRule::rule) != leg.admitted.end();
  };
  for (const auto& rule : leg.adopted) {
    if (is_over(rule)) continue;
    const auto by = std::ranges::find_if(wanted.sinks, [&](const auto& sink) {
      return is_end_of(rule, sink) &&
             names_sender(wanted.promise_of(sink), sink.is_a ? rule.b : rule.a);
    });
    if (by != wanted.sinks.end())
      leg.admitted.push_back({rule, *by, wanted.promise_of(*by), false});
  }
}

} // namespace

Reason Firewall::judge_keys(const Call& call, const PeerConfig& peer, const sip::Sdp& sdp,
                            Judgement& judgement) {
  if (peer.keys == KeyPolicy::allow || !has_key_material(sdp)) return Reason::none;
  log_.write(call_event(Level::warning, "key.exposed", call)
                 .add("peer", peer.name)
                 .add("policy", peer.keys == KeyPolicy::warn ? "warn" : "hidden"));
  if (peer.keys == KeyPolicy::warn) return Reason::none;
  deny_all(sdp, Reason::keys_exposed, judgement);
  return Reason::keys_exposed;
}

Firewall::Description Firewall::describe(Call& call, const sip::Message& message,
                                         const Disclosure& body, const FlowEntry& from) {
  if (from.peer == no_peer || !body.description) return {};
  const PeerConfig& peer = peers_.at(from.peer);
  const auto sender_tag = sender_tag_of(message);
  const auto seen = std::ranges::find_if(call.seen, [&](const SeenDescription& s) {
    return s.cseq == message.cseq().number && s.sender_tag == sender_tag &&
           s.sdp->text() == *body.description;
  });
  // A later pass of the same bytes through a trunk was judged where it entered.
  if (seen != call.seen.end() && peer.kind == PeerKind::trunk)
    return {seen->sdp, seen->judgement.refusal};

  auto parsed = sip::Sdp::parse(*body.description, config_.limits.sdp, body.names);
  if (!parsed) {
    log_.write(call_event(Level::notice, "sdp.reject", call)
                   .add("src", from.info.remote.to_string())
                   .add("reason", word_of(Reason::sdp_syntax))
                   .add("detail", sip::to_string(parsed.error())));
    return {nullptr, Reason::sdp_syntax};
  }
  Judgement judgement = judge(config_, from.peer, from.info.remote.address, **parsed);
  Reason refusal = judgement.refusal;
  if (const Reason keys = judge_keys(call, peer, **parsed, judgement); keys != Reason::none)
    refusal = keys;
  for (const auto& denied : judgement.denied)
    if (!denied.address.empty())
      log_.write(call_event(Level::notice, "pinhole.deny", call)
                     .add("src", from.info.remote.to_string())
                     .add("peer", peer.name)
                     .add("reason", word_of(denied.reason))
                     .add("m", static_cast<std::uint64_t>(denied.stream))
                     .add("address", denied.address));
  if (seen != call.seen.end() && refusal == Reason::none) return {seen->sdp, Reason::none};
  if (call.seen.size() >= seen_kept)
    std::erase_if(call.seen, [](const auto& s) { return s.sdp.use_count() == 1; });
  call.seen.push_back(
      {std::string(sender_tag), message.cseq().number, *parsed, std::move(judgement)});
  return {*parsed, refusal};
}

PinnedNames Firewall::pinned_names(const sip::Message& message,
                                   std::string_view description) const {
  const CallPtr call = calls_.find(message);
  PinnedNames pinned;
  if (!call) return pinned;
  for (const SeenDescription& seen : call->seen) {
    if (seen.sender_tag != sender_tag_of(message) || seen.sdp->text() != description) continue;
    pinned = {seen.sdp->names(), seen.cseq == message.cseq().number};
    if (pinned.is_whole) break;
  }
  return pinned;
}

PinholeClient::Hooks Firewall::make_hooks(PinholeClient::Resume resume) {
  const auto to = [this](auto method) {
    return [this, method](const CallPtr& call, Leg& leg, auto&&... rest) {
      (this->*method)(call, leg, rest...);
    };
  };
  return {std::move(resume), to(&Firewall::on_expired), to(&Firewall::on_heard),
          to(&Firewall::on_counted)};
}

void Firewall::on_expired(const CallPtr& call, Leg& leg, sip::TimePoint now) {
  // Early media ends with its lifetime, the dialog with its transaction: it may still be answered.
  const bool is_early = leg.proof == Proof::invite && !leg.is_confirmed && !leg.is_ended;
  if (is_early && !call->is_offer(leg) && call->transactions > 0) return;
  leg.is_ended = true;
  watch_.forget(leg);
  sessions_.forget(leg);
  // The middlebox may be a little earlier.
  const bool is_session = leg.session.has_ended(now + std::chrono::seconds(1));
  const Reason reason = is_session ? Reason::session_expired : Reason::media_lifetime;
  if (!call->is_offer(leg) && call->is_over()) end_call(*call, reason, 0, now);
  drop_when_done(call, now);
}

// What the middlebox may still be asked for, without the sinks this leg has: they never take the
// last quarter of the table from plain calls.
std::size_t Firewall::room_for_sinks(const Leg& leg) const {
  const std::size_t most = config_.limits.rules - config_.limits.rules / 4;
  const std::size_t used = pinholes_.rules() + reserved_ - leg.open.size();
  const std::size_t free = most > used ? most - used : 0;
  return std::min({free, config_.limits.rules_per_call, max_sinks_in_message});
}

void Firewall::tell_left_out(Call& call, std::size_t left_out) {
  if (left_out == 0 || std::exchange(call.has_lacked_room, true)) return;
  log_.write(call_event(Level::notice, "pinhole.deny", call)
                 .add("reason", word_of(Reason::table_full))
                 .add("sinks", left_out));
}

void Firewall::open_offer(const CallPtr& call, sip::TimePoint now) {
  if (!pinholes_.has_gate() || !pinholes_.is_up()) return;
  if (!call->offer) call->offer = make_leg(*call, {}, Proof::invite);
  call->offer->is_ended = false;
  auto wanted = plan_.of_offer(*call, room_for_sinks(*call->offer));
  tell_left_out(*call, wanted.left_out);
  pinholes_.set(call, *call->offer, std::move(wanted.pinholes), true, now);
}

// The offerer has the answer now, and both sides listen on old and new until media arrives.
void Firewall::on_ack(const CallPtr& call, Leg& leg, const AwaitedAck& ack, sip::TimePoint now) {
  if (leg.awaits_ack == ack) leg.awaits_ack.reset();
  if (auto& replaced = leg.replaced; replaced && replaced->awaits == ack) {
    forget_wakeup(*call, leg.tag, replaced->until);
    replaced->awaits.reset();
    replaced->until = std::min(replaced->until, now + config_.timeouts.ice_grace);
    wakeups_.emplace(replaced->until, Wakeup{call, leg.tag});
  }
  for (auto& kept : leg.kept) {
    if (kept.awaits != ack) continue;
    forget_wakeup(*call, leg.tag, kept.until);
    kept.awaits.reset();
    kept.until = std::min(kept.until, now + grace_of(kept.rule, leg.open));
    wakeups_.emplace(kept.until, Wakeup{call, leg.tag});
  }
}

// Media goes on where it was until ICE has found a new path; nobody's consent lasts longer.
sip::Duration Firewall::grace_of(const pinhole::Rule& rule, const Pinholes& wanted) const {
  return has_checks(wanted, rule) ? config_.timeouts.ice_grace : config_.timeouts.grace;
}

void Firewall::forget_replaced(const Call& call, Leg& leg) {
  if (leg.replaced) forget_wakeup(call, leg.tag, leg.replaced->until);
  leg.replaced.reset();
}

// Of several restarts in a row the last is followed.
void Firewall::note_restart(const CallPtr& call, Leg& leg, sip::TimePoint now) {
  const auto& agreed = leg.exchange.agreed();
  if (!agreed || leg.agreed == agreed) return;
  const auto before = std::exchange(leg.agreed, agreed);
  // An exchange that failed after all.
  if (leg.replaced && leg.replaced->pair == *agreed) return forget_replaced(*call, leg);
  if (!before || !sip::restarts_ice(*before, *agreed)) return;
  forget_replaced(*call, leg);
  const auto until =
      now + (leg.awaits_ack ? unacknowledged_life(config_) : config_.timeouts.ice_grace);
  leg.replaced = {*before, until, leg.awaits_ack};
  wakeups_.emplace(until, Wakeup{call, leg.tag});
}

// When a port changed in a running session the old rule stays for a grace time (RFC 3264 8.3.1),
// which begins when the offerer is known to have the answer: one that gets a failure instead, or
// nothing, goes on as before (RFC 3261 14.1).
void Firewall::keep_replaced(const CallPtr& call, Leg& leg, const Pinholes& wanted, bool is_changed,
                             sip::TimePoint now) {
  const auto is_replaced = [&](const pinhole::Rule& old) {
    const auto is_its = [&](const auto& other) { return is_same_component(other, old); };
    return std::ranges::none_of(wanted.rules,
                                [&](const auto& rule) { return is_same_flow(rule, old); }) &&
           (std::ranges::any_of(wanted.rules, is_its) || std::ranges::any_of(wanted.sinks, is_its));
  };
  std::erase_if(leg.kept, [&](const auto& kept) { return !is_replaced(kept.rule); });
  // A port that is used again has to be heard again.
  std::erase_if(leg.heard, [&](const auto& heard) {
    return std::ranges::none_of(leg.open.rules, [&](const auto& rule) {
      return heard == std::pair{rule.a, rule.b} || heard == std::pair{rule.b, rule.a};
    });
  });
  // What goes without a change of the session was only of an offer, or its time is over.
  if (!is_changed || (!leg.is_confirmed && !leg.exchange.agreed())) return;
  for (const auto& old : leg.open.rules) {
    const bool is_kept =
        std::ranges::any_of(leg.kept, [&](const auto& kept) { return kept.rule == old; });
    if (is_kept || !is_replaced(old)) continue;
    const auto until =
        now + (leg.awaits_ack ? unacknowledged_life(config_) : grace_of(old, wanted));
    leg.kept.push_back({old, until, leg.awaits_ack});
    wakeups_.emplace(until, Wakeup{call, leg.tag});
  }
}

// Those the gate has made rules of stay with their sinks; what ICE has proven, and connections,
// also where a new description, candidates that follow, or a new generation of ICE have the same
// two ends. Without a gate there are no sinks, but what it has admitted before goes on.
void Firewall::add_admitted(Leg& leg, PinholePlan::Wanted& planned) const {
  Pinholes& wanted = planned.pinholes;
  std::erase_if(leg.admitted, [&](auto& known) {
    if (wanted.has(known.sink, known.promise) ||
        planned.kept_connections.contains(known.rule.stream))
      return false;
    const auto kind = known.rule.protocol == IPPROTO_TCP ? pinhole::kind_tcp : pinhole::kind_stun;
    const auto next = std::ranges::find_if(wanted.sinks, [&](const auto& sink) {
      if (known.is_crossed) return is_end_of(known.rule, sink);
      return (known.promise.kinds & kind) != 0 &&
             comes_of(known.rule, kind, sink, wanted.promise_of(sink));
    });
    if (next == wanted.sinks.end()) return true;
    known.sink = *next;
    known.promise = wanted.promise_of(*next);
    return false;
  });
  for (const auto& known : leg.admitted)
    if (wanted.rules.size() < config_.limits.rules_per_call &&
        std::ranges::find(wanted.rules, known.rule) == wanted.rules.end())
      wanted.rules.push_back(known.rule);
  if (pinholes_.has_gate()) return;
  wanted.sinks.clear();
  wanted.promises.clear();
}

// Makes the middlebox have what the leg needs.
void Firewall::apply(const CallPtr& call, Leg& leg, sip::TimePoint now, bool holds) {
  const bool is_changed =
      leg.in_force != leg.exchange.in_force() || leg.agreed != leg.exchange.agreed();
  leg.in_force = leg.exchange.in_force();
  note_restart(call, leg, now);
  auto planned = plan_.of_leg(*call, leg, room_for_sinks(leg));
  Pinholes& wanted = planned.pinholes;
  if (leg.proof == Proof::none && (wanted.empty() || !promote(*call, leg))) return;
  take_over(leg, wanted);
  add_admitted(leg, planned);
  keep_replaced(call, leg, wanted, is_changed, now);
  const std::size_t most = config_.limits.rules_per_call;
  for (const auto& kept : leg.kept)
    if (wanted.rules.size() < most) wanted.rules.push_back(kept.rule);
  tell_left_out(*call, planned.left_out + wanted.fit(most));
  wanted.normalize();
  const bool is_void = wanted.empty() && leg.adopted.empty();
  pinholes_.set(call, leg, std::move(wanted), holds, now);
  if (leg.proof == Proof::group && is_void && !leg.is_ended) return demote(*call, leg);
  const bool lives = leg.is_confirmed && !leg.is_ended;
  sessions_.set(call, leg, lives ? leg.session.end() : std::nullopt);
}

// What waited for the middlebox, or for a gate in it, is asked for now.
void Firewall::middlebox_up(std::uint32_t features, sip::TimePoint now) {
  const bool had_gate = pinholes_.has_gate();
  pinholes_.on_up(calls_, features, now);
  const bool has_new_gate = pinholes_.has_gate() && !had_gate;
  std::vector<std::pair<CallPtr, Leg*>> behind; // a leg may change its place, but stays
  for (const auto& [key, call] : calls_.all())
    for (auto& [tag, leg] : call->legs)
      if (!leg.is_ended && (leg.is_behind || (has_new_gate && leg.exchange.agreed())))
        behind.emplace_back(call, &leg);
  for (const auto& [call, leg] : behind) {
    leg->is_behind = false;
    apply(call, *leg, now);
  }
}

void Firewall::end_leg(const CallPtr& call, Leg& leg, sip::TimePoint now) {
  if (std::exchange(leg.is_ended, true)) return;
  for (const auto& kept : leg.kept) forget_wakeup(*call, leg.tag, kept.until);
  leg.kept.clear();
  forget_replaced(*call, leg);
  leg.admitted.clear();
  watch_.forget(leg);
  sessions_.forget(leg);
  pinholes_.set(call, leg, {}, true, now);
}

void Firewall::end_replaced(const CallPtr& call, Leg& leg, sip::TimePoint now) {
  leg.replaced.reset();
  for (auto& known : leg.admitted)
    if (known.promise.kinds == pinhole::kind_stun) known.is_crossed = true;
  apply(call, leg, now, false);
}

void Firewall::on_timer(sip::TimePoint now) {
  pinholes_.on_timer(now);
  while (!wakeups_.empty() && wakeups_.begin()->first <= now) {
    const Wakeup wakeup = std::move(wakeups_.begin()->second);
    wakeups_.erase(wakeups_.begin());
    const CallPtr call = wakeup.call.lock();
    if (!call) continue;
    if (wakeup.tag.empty()) {
      for (auto& [tag, leg] : call->legs)
        if (leg.proof == Proof::invite) end_leg(call, leg, now); // the kernel has the others' own
      end_call(*call, Reason::media_lifetime, 0, now);
      drop_when_done(call, now);
      continue;
    }
    const auto leg = call->legs.find(wakeup.tag);
    if (leg == call->legs.end()) continue;
    if (leg->second.replaced && leg->second.replaced->until <= now) {
      end_replaced(call, leg->second, now);
    }
    drop_kept(call, leg->second, [&](const KeptRule& kept) { return kept.until <= now; }, now);
  }
  while (const auto due = sessions_.pop_due(now))
    give_up(due->call, *due->leg, Reason::session_expired, now);
  for (const auto& [call, leg] : watch_.take_due(now)) {
    if (pinholes_.is_up())
      pinholes_.watch(call, *leg, now);
    else
      leg->media.active = now; // what nobody can see is no silence
  }
}

void Firewall::drop_kept(const CallPtr& call, Leg& leg,
                         const std::function<bool(const KeptRule&)>& is_over, sip::TimePoint now) {
  Pinholes rest = leg.open;
  for (const auto& kept : leg.kept)
    if (is_over(kept)) std::erase(rest.rules, kept.rule);
  if (std::erase_if(leg.kept, is_over) > 0) pinholes_.set(call, leg, std::move(rest), false, now);
}

// Media has arrived on the new flow in every direction that it carries: nobody needs the old one
// (RFC 3264 8.3.1). Whoever lacks the answer still may.
void Firewall::on_heard(const CallPtr& call, Leg& leg, sip::TimePoint now) {
  const auto is_heard = [&](const pinhole::Rule& rule) {
    return (!rule.from_a || leg.heard.contains({rule.a, rule.b})) &&
           (!rule.from_b || leg.heard.contains({rule.b, rule.a}));
  };
  const auto is_kept = [&](const pinhole::Rule& rule) {
    return std::ranges::any_of(leg.kept, [&](const auto& kept) { return kept.rule == rule; });
  };
  const auto is_over = [&](const KeptRule& kept) {
    // First come checks, and the old path carries the media until they have led to a new one.
    return !kept.awaits && !has_checks(leg.open, kept.rule) &&
           std::ranges::any_of(leg.open.rules, [&](const auto& rule) {
             return is_same_component(rule, kept.rule) && !is_kept(rule) && is_heard(rule);
           });
  };
  drop_kept(call, leg, is_over, now); // its wakeup finds nothing to do
}

void Firewall::on_counted(const CallPtr& call, Leg& leg,
                          const std::vector<pinhole::Counter>& present, sip::TimePoint now) {
  if (watch_.observe(*call, leg, present, now)) give_up(call, leg, Reason::media_timeout, now);
}

void Firewall::give_up(const CallPtr& call, Leg& leg, Reason reason, sip::TimePoint now) {
  const auto is_other = [&](const auto& pair) {
    return pair.second.id != leg.id && !pair.second.is_ended;
  };
  if (std::ranges::none_of(call->legs, is_other)) call->end_reason = reason;
  end_leg(call, leg, now);
  if (call->is_orphan && call->is_over()) end_call(*call, call->end_reason, 0, now);
  drop_when_done(call, now); // settle() tells, with the final counters
}

// One of them: what else ends at that time has its own.
void Firewall::forget_wakeup(const Call& call, const std::string& tag, sip::TimePoint when) {
  const auto [first, last] = wakeups_.equal_range(when);
  const auto found = std::find_if(first, last, [&](const auto& wakeup) {
    return wakeup.second.tag == tag && wakeup.second.call.lock().get() == &call;
  });
  if (found != last) wakeups_.erase(found);
}

void Firewall::forget_wakeups(const Call& call) {
  if (call.is_answered && !call.is_orphan)
    forget_wakeup(call, {}, call.answered + config_.timeouts.call);
  for (const auto& [tag, leg] : call.legs) {
    if (leg.replaced) forget_wakeup(call, tag, leg.replaced->until);
    for (const auto& kept : leg.kept) forget_wakeup(call, tag, kept.until);
  }
}

std::optional<sip::TimePoint> Firewall::next_deadline() const {
  auto next = pinholes_.next_deadline();
  const auto take = [&](sip::TimePoint other) { next = next ? std::min(*next, other) : other; };
  if (!wakeups_.empty()) take(wakeups_.begin()->first);
  if (const auto look = watch_.next_deadline()) take(*look);
  if (const auto end = sessions_.next()) take(*end);
  return next;
}

} // namespace midcom
