// SPDX-License-Identifier: GPL-3.0-or-later
// From descriptions to policy rules: what is believed, what the pair in force needs, what changes.
#include "daemon/firewall.h"

#include <algorithm>

#include "daemon/call_log.h"
#include "daemon/keyed_hash.h"
#include "sip/media_plan.h"

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

bool is_same_component(const pinhole::Rule& a, const pinhole::Rule& b) {
  return a.stream == b.stream && a.component == b.component;
}

// Which end is whose is not known for sure of what the kernel had.
bool is_same_flow(const pinhole::Rule& a, const pinhole::Rule& b) {
  return is_same_component(a, b) && ((a.a == b.a && a.b == b.b) || (a.a == b.b && a.b == b.a));
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
  const auto sender_tag = message.is_request() ? message.from().tag() : message.to().tag();
  const auto seen = std::ranges::find_if(call.seen, [&](const SeenDescription& s) {
    return s.cseq == message.cseq().number && s.sender_tag == sender_tag &&
           s.sdp->text() == *body.description;
  });
  // A later pass of the same bytes through a trunk was judged where it entered.
  if (seen != call.seen.end() && peer.kind == PeerKind::trunk)
    return {seen->sdp, seen->judgement.refusal};

  auto parsed = sip::Sdp::parse(*body.description, config_.limits.sdp);
  if (!parsed) {
    log_.write(call_event(Level::notice, "sdp.reject", call)
                   .add("src", from.info.remote.to_string())
                   .add("reason", word_of(Reason::sdp_syntax))
                   .add("detail", sip::to_string(parsed.error())));
    return {nullptr, Reason::sdp_syntax};
  }
  Judgement judgement = judge(config_, peer, from.info.remote.address, **parsed);
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

std::string_view Firewall::media_word(const Call& call, std::string_view tag) const {
  const auto leg = call.legs.find(tag);
  if (leg == call.legs.end() || !leg->second.exchange.in_force()) return "none";
  if (!leg->second.rules.empty()) return "pinholes";
  const auto flows = sip::plan_media(*leg->second.exchange.in_force()).flows;
  const bool is_local = std::ranges::any_of(flows, [&](const auto& flow) {
    const auto side = peers_.side_of(flow.caller.address);
    return !side.empty() && side == peers_.side_of(flow.callee.address);
  });
  return is_local ? "local" : "none";
}

std::vector<pinhole::Rule> Firewall::wanted_rules(const Call& call, const Leg& leg) const {
  const auto& pair = leg.exchange.in_force();
  if (leg.is_ended) return {};
  if (!pair) return leg.adopted;
  const auto* caller = call.find_seen(pair->caller.get());
  const auto* callee = call.find_seen(pair->callee.get());
  if (caller == nullptr || callee == nullptr) return {};
  std::vector<pinhole::Rule> rules;
  for (const auto& flow : sip::plan_media(*pair).flows) {
    if (caller->judgement.is_denied(flow.stream) || callee->judgement.is_denied(flow.stream))
      continue;
    const auto side = peers_.side_of(flow.caller.address);
    const auto other_side = peers_.side_of(flow.callee.address);
    if (side.empty() || other_side.empty() || side == other_side) continue;
    rules.push_back({static_cast<std::uint16_t>(flow.stream),
                     static_cast<std::uint8_t>(flow.component), 17, to_pinhole(flow.caller),
                     to_pinhole(flow.callee), flow.from_caller, flow.from_callee});
  }
  std::ranges::sort(rules);
  return rules;
}

// The offerer has the answer now, and both sides listen on old and new until media arrives.
void Firewall::on_ack(const CallPtr& call, Leg& leg, const AwaitedAck& ack, sip::TimePoint now) {
  if (leg.awaits_ack == ack) leg.awaits_ack.reset();
  for (auto& kept : leg.kept) {
    if (kept.awaits != ack) continue;
    forget_wakeup(*call, leg.tag, kept.until);
    kept.awaits.reset();
    kept.until = std::min(kept.until, now + config_.timeouts.grace);
    wakeups_.emplace(kept.until, Wakeup{call, leg.tag});
  }
}

// When a port changed in a running session the old rule stays for a grace time (RFC 3264 8.3.1),
// which begins when the offerer is known to have the answer: one that gets a failure instead, or
// nothing, goes on as before (RFC 3261 14.1).
void Firewall::keep_replaced(const CallPtr& call, Leg& leg,
                             const std::vector<pinhole::Rule>& wanted, sip::TimePoint now) {
  const auto is_replaced = [&](const pinhole::Rule& old) {
    return std::ranges::none_of(wanted,
                                [&](const auto& rule) { return is_same_flow(rule, old); }) &&
           std::ranges::any_of(wanted,
                               [&](const auto& rule) { return is_same_component(rule, old); });
  };
  std::erase_if(leg.kept, [&](const auto& kept) { return !is_replaced(kept.rule); });
  if (!leg.is_confirmed && !leg.exchange.agreed()) return;
  const auto until = now + (leg.awaits_ack ? unacknowledged_life(config_) : config_.timeouts.grace);
  for (const auto& old : leg.rules) {
    const bool is_kept =
        std::ranges::any_of(leg.kept, [&](const auto& kept) { return kept.rule == old; });
    if (is_kept || !is_replaced(old)) continue;
    leg.kept.push_back({old, until, leg.awaits_ack});
    wakeups_.emplace(until, Wakeup{call, leg.tag});
  }
}

// Makes the middlebox have what the leg needs.
void Firewall::apply(const CallPtr& call, Leg& leg, sip::TimePoint now) {
  auto rules = wanted_rules(*call, leg);
  if (leg.proof == Proof::none && (rules.empty() || !promote(*call, leg))) return;
  keep_replaced(call, leg, rules, now);
  for (const auto& kept : leg.kept) rules.push_back(kept.rule);
  std::ranges::sort(rules);
  const bool is_void = rules.empty() && leg.adopted.empty();
  pinholes_.set_rules(call, leg, std::move(rules), true, now);
  if (leg.proof == Proof::group && is_void && !leg.is_ended) demote(*call, leg);
}

void Firewall::end_leg(const CallPtr& call, Leg& leg, sip::TimePoint now) {
  if (std::exchange(leg.is_ended, true)) return;
  for (const auto& kept : leg.kept) forget_wakeup(*call, leg.tag, kept.until);
  leg.kept.clear();
  pinholes_.set_rules(call, leg, {}, true, now);
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
    auto rules = leg->second.rules;
    for (const auto& kept : leg->second.kept)
      if (kept.until <= now) std::erase(rules, kept.rule);
    std::erase_if(leg->second.kept, [&](const auto& kept) { return kept.until <= now; });
    pinholes_.set_rules(call, leg->second, std::move(rules), false, now);
  }
}

void Firewall::forget_wakeup(const Call& call, const std::string& tag, sip::TimePoint when) {
  const auto [first, last] = wakeups_.equal_range(when);
  for (auto it = first; it != last;) {
    const bool is_it = it->second.tag == tag && it->second.call.lock().get() == &call;
    it = is_it ? wakeups_.erase(it) : std::next(it);
  }
}

void Firewall::forget_wakeups(const Call& call) {
  if (call.is_answered && !call.is_orphan)
    forget_wakeup(call, {}, call.answered + config_.timeouts.call);
  for (const auto& [tag, leg] : call.legs)
    for (const auto& kept : leg.kept) forget_wakeup(call, tag, kept.until);
}

std::optional<sip::TimePoint> Firewall::next_deadline() const {
  auto next = pinholes_.next_deadline();
  if (!wakeups_.empty() && (!next || wakeups_.begin()->first < *next))
    next = wakeups_.begin()->first;
  return next;
}

} // namespace midcom
