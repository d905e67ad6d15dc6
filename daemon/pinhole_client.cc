// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pinhole_client.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "daemon/call_log.h"
#include "pinhole/features.h"

namespace midcom {

using pinhole::Result;

Reason reason_of(Result result) {
  switch (result) {
  case Result::ok:
    return Reason::none;
  case Result::unknown_group:
  case Result::not_participant:
    return Reason::not_participant;
  case Result::conflict:
    return Reason::media_conflict;
  case Result::forbidden_address:
    return Reason::media_forbidden_address;
  case Result::forbidden_port:
    return Reason::media_forbidden_port;
  case Result::same_side:
    return Reason::media_no_side;
  case Result::too_many_rules:
  case Result::table_full:
    return Reason::table_full;
  case Result::lifetime:
  case Result::kernel:
  case Result::malformed:
    return Reason::middlebox_down;
  }
  return Reason::middlebox_down;
}

namespace {

// Rules from what is counted: each direction of a flow has its own counter.
std::vector<pinhole::Rule> rules_of(const std::vector<pinhole::Counter>& counters,
                                    const PinholeClient::IsCaller& is_caller) {
  std::vector<pinhole::Rule> rules;
  for (const auto& counter : counters) {
    const bool from_a = is_caller(counter.source.address);
    const auto& a = from_a ? counter.source : counter.destination;
    const auto& b = from_a ? counter.destination : counter.source;
    const auto known = std::ranges::find_if(rules, [&](const auto& rule) {
      return rule.a == a && rule.b == b && rule.stream == counter.stream &&
             rule.component == counter.component && rule.protocol == counter.protocol;
    });
    auto& rule = known != rules.end()
                     ? *known
                     : rules.emplace_back(pinhole::Rule{counter.stream, counter.component,
                                                        counter.protocol, a, b, false, false});
    (from_a ? rule.from_a : rule.from_b) = true;
  }
  std::ranges::sort(rules);
  return rules;
}

// It is in force as before until an exchange is agreed.
bool is_kernels(const Leg& leg) {
  return leg.proof == Proof::group && !leg.exchange.agreed();
}

// No lifetime is 0.
std::uint32_t seconds_between(sip::TimePoint now, sip::TimePoint end) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(end - now).count();
  return static_cast<std::uint32_t>(std::max<std::int64_t>(left, 1));
}

bool are_same(const pinhole::Participants& one, const pinhole::Participants& other) {
  return one == other || (one[0] == other[1] && one[1] == other[0]);
}

} // namespace

std::size_t PinholeClient::GroupHash::operator()(const pinhole::GroupId& group) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, group.data(), sizeof value);
  return value;
}

bool PinholeClient::Pending::is_watch() const {
  return std::holds_alternative<pinhole::request::Status>(request) && !is_inquiry();
}

bool PinholeClient::Pending::is_release() const {
  return after.empty() && !std::holds_alternative<pinhole::request::Status>(request);
}

PinholeClient::PinholeClient(const AgentConfig& config, MiddleboxPort& middlebox, EventLog& log,
                             Hooks hooks)
    : config_(config), middlebox_(middlebox), log_(log), hooks_(std::move(hooks)) {}

void PinholeClient::assume(Leg& leg, Pinholes pinholes) {
  rules_ += pinholes.size();
  rules_ -= leg.open.size();
  leg.open = std::move(pinholes);
}

pinhole::request::SetGroup PinholeClient::set_group(const Call& call, const Leg& leg,
                                                    const Pinholes& pinholes, sip::TimePoint now) {
  const bool is_groups = leg.proof == Proof::group;
  return {next_transaction_++,
          leg.group,
          is_groups ? leg.owners : pinhole::Participants{call.caller.hashed, leg.callee.hashed},
          seconds_between(now, end_of(leg, pinholes, now)),
          pinholes.rules,
          pinholes.sinks,
          pinholes.promises};
}

// What only waits for an answer waits no longer than a call may ring.
std::chrono::seconds PinholeClient::lifetime_of(const Leg& leg, const Pinholes& pinholes) const {
  const bool is_offer = pinholes.rules.empty() && !pinholes.promises.empty() &&
                        std::ranges::all_of(pinholes.promises, &pinhole::Promise::awaits_answer);
  const bool is_long = (leg.is_confirmed || leg.is_ended) && !is_offer;
  return is_long ? config_.timeouts.call : config_.timeouts.early;
}

// A change in a session is no refresh of it: its end stays.
sip::TimePoint PinholeClient::end_of(const Leg& leg, const Pinholes& pinholes,
                                     sip::TimePoint now) const {
  const sip::TimePoint end = now + lifetime_of(leg, pinholes);
  return leg.is_confirmed && leg.session.end() ? std::min(end, *leg.session.end()) : end;
}

void PinholeClient::set(const CallPtr& call, Leg& leg, Pinholes pinholes, bool holds,
                        sip::TimePoint now) {
  // Of what an agent before this one had asked for only the rules are known.
  const bool is_known = !leg.is_ended || !leg.may_have_sinks;
  if (pinholes == leg.open && is_known) {
    // The answer confirms what the preview opened: the same rules, for the life of the call now.
    // What the kernel had keeps its own until an exchange is agreed.
    const bool is_short =
        (leg.lifetime != lifetime_of(leg, pinholes) || leg.expires == sip::TimePoint{}) &&
        !is_kernels(leg);
    if (is_up_ && is_short && !pinholes.empty()) reassert(call, leg, holds, now);
    return;
  }
  const bool is_less = leg.open.includes(pinholes);
  if (!is_up_ && !is_less) { // what closes is told when the middlebox is back
    leg.is_behind = true;
    call->commit_failure = Reason::middlebox_down;
    return;
  }
  for (const auto& rule : pinholes.rules) leg.caller_endpoints.insert(rule.a);
  auto request = set_group(*call, leg, pinholes, now);
  const auto transaction = request.transaction;
  leg.may_have_sinks = false;
  groups_[leg.group] = {call, leg.tag, leg.id};
  leg.lifetime = lifetime_of(leg, pinholes);
  leg.expires = end_of(leg, pinholes, now);
  Pending pending{call,     leg.tag,  leg.id,          std::move(request),
                  leg.open, pinholes, holds && is_up_, {}};
  assume(leg, std::move(pinholes));
  submit(std::move(pending), transaction, now);
}

void PinholeClient::reassert(const CallPtr& call, Leg& leg, bool holds, sip::TimePoint now) {
  auto request = set_group(*call, leg, leg.open, now);
  const auto transaction = request.transaction;
  leg.lifetime = lifetime_of(leg, leg.open);
  leg.expires = end_of(leg, leg.open, now);
  submit({call, leg.tag, leg.id, std::move(request), leg.open, leg.open, holds, {}}, transaction,
         now);
}

void PinholeClient::watch(const CallPtr& call, const Leg& leg, sip::TimePoint now) {
  const pinhole::request::Status request{next_transaction_++, leg.group};
  submit({call, leg.tag, leg.id, request, {}, {}, false, {}}, request.transaction, now);
}

void PinholeClient::release_unknown(const CallPtr& call, Leg& leg,
                                    const pinhole::Participant& asker, sip::TimePoint now) {
  pinhole::request::Release request{next_transaction_++, leg.group, asker};
  const auto transaction = request.transaction;
  submit({call, leg.tag, leg.id, request, leg.open, {}, is_up_, {}}, transaction, now);
}

void PinholeClient::prolong(const CallPtr& call, const Leg& leg, sip::TimePoint now) {
  if (!is_kernels(leg) || leg.open.empty()) return;
  // Of those that wait for the middlebox the last counts.
  const auto is_earlier = [&](const Pending& pending) {
    return pending.leg == leg.id &&
           std::holds_alternative<pinhole::request::ChangeLifetime>(pending.request);
  };
  if (!is_up_) std::erase_if(pending_, [&](const auto& entry) { return is_earlier(entry.second); });
  const auto end = end_of(leg, leg.open, now);
  const pinhole::request::ChangeLifetime request{next_transaction_++, leg.group,
                                                 seconds_between(now, end)};
  submit({call, leg.tag, leg.id, request, leg.open, leg.open, false, {}}, request.transaction, now);
}

void PinholeClient::ask(const CallPtr& call, Leg& leg, IsCaller is_caller, sip::TimePoint now) {
  leg.inquiry = Inquiry::made;
  pinhole::request::Status request{next_transaction_++, leg.group};
  submit({call, leg.tag, leg.id, request, {}, {}, true, std::move(is_caller)}, request.transaction,
         now);
}

Leg* PinholeClient::leg_of(const Pending& pending) {
  return pending.call->find_leg(pending.tag, pending.leg);
}

void PinholeClient::submit(Pending pending, std::uint64_t transaction, sip::TimePoint now) {
  if (pending.holds) ++pending.call->awaiting;
  pending.asked = now;
  if (is_up_) middlebox_.send(pending.request);
  deadlines_.set(transaction, now + config_.timeouts.commit);
  pending_.emplace(transaction, std::move(pending));
}

void PinholeClient::on_reply(const pinhole::Reply& reply, sip::TimePoint now) {
  if (const auto* done = std::get_if<pinhole::reply::Done>(&reply))
    on_done(*done, now);
  else if (const auto* event = std::get_if<pinhole::event::GroupEvent>(&reply))
    on_group_event(*event, now);
  else if (const auto* admitted = std::get_if<pinhole::event::Admitted>(&reply))
    on_admitted(*admitted);
  else if (const auto* first = std::get_if<pinhole::event::FirstPacket>(&reply))
    on_first_packet(*first, now);
  else if (const auto* gate = std::get_if<pinhole::event::GateCounters>(&reply))
    gate_ = *gate;
}

void PinholeClient::on_done(const pinhole::reply::Done& done, sip::TimePoint now) {
  const auto found = pending_.find(done.transaction);
  if (found == pending_.end()) return; // its commit time had passed
  deadlines_.set(done.transaction, std::nullopt);
  // The middlebox says when it is in step with the kernel again: on_up() asks once more.
  if (done.result == Result::kernel && found->second.is_release())
    return let_go(found->second, now);
  Pending pending = std::move(found->second);
  pending_.erase(found);
  if (pending.holds && !pending.after.empty()) commits_.add(now - pending.asked);
  settle(pending, done, now);
}

void PinholeClient::let_go(Pending& pending, sip::TimePoint now) {
  if (!std::exchange(pending.holds, false)) return;
  const CallPtr call = pending.call;
  --call->awaiting;
  finish(call, now);
}

void PinholeClient::settle(const Pending& pending, const pinhole::reply::Done& done,
                           sip::TimePoint now) {
  if (Leg* const leg = leg_of(pending)) {
    if (pending.is_watch()) {
      if (done.result == Result::ok) hooks_.counted(pending.call, *leg, done.counters, now);
    } else if (pending.is_inquiry())
      settle_inquiry(pending, *leg, done);
    else
      settle_change(pending, *leg, done);
  }
  const bool is_release = pending.after.empty();
  if (!pending.holds) return; // no message rests on it
  // Of the INVITE's offer nothing but early media depends.
  const bool is_offer = pending.call->offer && pending.call->offer->id == pending.leg;
  if (done.result != Result::ok && !is_release && !is_offer)
    pending.call->commit_failure = reason_of(done.result);
  --pending.call->awaiting;
  finish(pending.call, now);
}

void PinholeClient::settle_inquiry(const Pending& pending, Leg& leg,
                                   const pinhole::reply::Done& done) {
  const bool is_known = done.result == Result::ok || done.result == Result::unknown_group;
  leg.inquiry = is_known ? Inquiry::answered : Inquiry::failed;
  if (done.result != Result::ok || leg.proof == Proof::group || !leg.open.empty()) return;
  // Nothing has passed there: whose it is counts no more than of a dialog without media.
  leg.may_have_sinks = done.counters.empty();
  if (leg.proof == Proof::none && leg.may_have_sinks) return;
  if (leg.proof == Proof::invite) {
    // Its own group, opened by an agent before: nothing new. Else it was no branch of this call.
    if (are_same(done.participants, {pending.call->caller.hashed, leg.callee.hashed})) return;
    leg.exchange = {};
    leg.session = SessionTimer(false);
    leg.is_confirmed = true;
  }
  leg.proof = Proof::group;
  leg.owners = done.participants;
  leg.adopted = rules_of(done.counters, pending.is_caller);
  for (const auto& rule : leg.adopted) leg.caller_endpoints.insert(rule.a);
  groups_[leg.group] = {pending.call, leg.tag, leg.id};
  assume(leg, {leg.adopted, {}, {}});
}

void PinholeClient::settle_change(const Pending& pending, Leg& leg,
                                  const pinhole::reply::Done& done) {
  add_up(leg, done.counters, leg.media.ended);
  // A later request may be on its way already: only what it still rests on is taken back.
  const bool took_effect = done.result == Result::ok || pending.after.empty();
  if (!took_effect && leg.open == pending.after) assume(leg, pending.before);
  if (done.result == Result::kernel) leg.is_behind = true;
  const bool is_gone = done.result == Result::ok || done.result == Result::unknown_group;
  if (is_gone && std::holds_alternative<pinhole::request::Release>(pending.request)) {
    leg.is_ended = true;
    leg.adopted.clear();
    assume(leg, {});
  }
  log_result(pending, leg, done.result);
}

void PinholeClient::finish(const CallPtr& call, sip::TimePoint now) {
  if (call->awaiting == 0) hooks_.resume(call, now);
}

void PinholeClient::log_result(const Pending& pending, const Leg& leg, Result result) {
  if (result != Result::ok && pending.after.empty()) {
    log_.write(call_event(Level::notice, "pinhole.release", *pending.call)
                   .add("result", pinhole::to_string(result)));
    return;
  }
  if (result != Result::ok && pending.before == pending.after) return; // told when it was asked
  if (result != Result::ok) {
    log_.write(call_event(Level::warning, "pinhole.deny", *pending.call)
                   .add("reason", word_of(reason_of(result))));
    return;
  }
  write_changes(log_, *pending.call, leg, pending.before, pending.after);
}

PinholeClient::Owned PinholeClient::owner_of(const pinhole::GroupId& group) const {
  const auto found = groups_.find(group);
  const CallPtr call = found == groups_.end() ? nullptr : found->second.call.lock();
  Leg* const leg = call ? call->find_leg(found->second.tag, found->second.leg) : nullptr;
  if (leg == nullptr) return {};
  return {call, leg};
}

void PinholeClient::on_group_event(const pinhole::event::GroupEvent& event, sip::TimePoint now) {
  const auto [call, leg] = owner_of(event.group);
  if (!call || event.cause == pinhole::event::Cause::repaired) return;
  add_up(*leg, event.counters, leg->media.ended);
  leg->adopted.clear();
  leg->admitted.clear();
  assume(*leg, {});
  hooks_.expired(call, *leg, now);
}

// A change of this sink is on its way: what was admitted before it may be gone after it.
bool PinholeClient::is_changing(const Leg& leg, const pinhole::Sink& sink,
                                const pinhole::Promise& promise) const {
  return std::ranges::any_of(pending_, [&](const auto& entry) {
    const Pending& pending = entry.second;
    return pending.leg == leg.id && !pending.is_watch() && !pending.is_inquiry() &&
           !(pending.before.has(sink, promise) && pending.after.has(sink, promise));
  });
}

// The middlebox has the rule already, and so has whatever it is about to be told.
void PinholeClient::on_admitted(const pinhole::event::Admitted& event) {
  const auto [call, leg] = owner_of(event.group);
  if (!call) return;
  const auto& sinks = leg->open.sinks;
  const auto is_its = [&](const auto& known) {
    return comes_of(event.rule, static_cast<pinhole::Kind>(event.kind), known,
                    leg->open.promise_of(known));
  };
  // Where several may be it, one that stays: which it was doesn't matter then.
  auto sink = std::ranges::find_if(sinks, [&](const auto& known) {
    return is_its(known) && !is_changing(*leg, known, leg->open.promise_of(known));
  });
  if (sink == sinks.end()) sink = std::ranges::find_if(sinks, is_its);
  write_admitted(log_, *call, *leg, event, sink == sinks.end() ? nullptr : &*sink);
  if (sink == sinks.end()) return;
  leg->caller_endpoints.insert(event.rule.a);
  // Beyond what may be asked for, the middlebox alone has it.
  if (leg->open.size() >= config_.limits.rules_per_call) return;
  const pinhole::Promise promise = leg->open.promise_of(*sink);
  if (is_changing(*leg, *sink, promise)) return;
  const auto add = [&](Pinholes& pinholes) {
    if (std::ranges::binary_search(pinholes.rules, event.rule)) return;
    pinholes.rules.push_back(event.rule);
    pinholes.normalize();
  };
  for (auto& [transaction, pending] : pending_)
    if (pending.leg == leg->id && !pending.is_watch() && !pending.is_inquiry()) {
      add(pending.before);
      add(pending.after);
    }
  std::erase_if(leg->admitted, [&](const auto& known) { return known.rule == event.rule; });
  leg->admitted.push_back({event.rule, *sink, promise, false});
  Pinholes open = leg->open;
  add(open);
  assume(*leg, std::move(open));
}

void PinholeClient::on_first_packet(const pinhole::event::FirstPacket& event, sip::TimePoint now) {
  const auto [call, leg] = owner_of(event.group);
  if (!call) return;
  leg->heard.emplace(event.source, event.destination);
  const MediaKey key{event.stream, event.component, leg->caller_endpoints.contains(event.source)};
  const bool is_first = leg->media.first_ms.emplace(key, event.delay_ms).second;
  if (is_first) write_first_packet(log_, *call, *leg, key, event.delay_ms, now);
  if (hooks_.heard) hooks_.heard(call, *leg, now);
}

void PinholeClient::forget(const Call& call) {
  for (const auto& [tag, leg] : call.legs) forget(leg);
  if (call.offer) forget(*call.offer);
}

void PinholeClient::forget(const Leg& leg) {
  rules_ -= leg.open.size();
  groups_.erase(leg.group);
}

void PinholeClient::on_down() {
  is_up_ = false;
}

void PinholeClient::strip_sinks(Leg& leg) {
  if (leg.open.sinks.empty()) return;
  Pinholes rest = leg.open;
  rest.sinks.clear();
  rest.promises.clear();
  assume(leg, std::move(rest));
}

void PinholeClient::assert_again(const Call& call, Leg& leg, sip::TimePoint now) {
  if (!has_gate_) strip_sinks(leg);
  // An end of what is open again is overtaken.
  const auto is_overtaken = [](const Pending& pending) {
    return pending.after.empty() &&
           std::holds_alternative<pinhole::request::SetGroup>(pending.request);
  };
  const bool is_pending = std::ranges::any_of(pending_, [&](const auto& p) {
    return p.second.leg == leg.id && !p.second.is_watch() && !is_overtaken(p.second);
  });
  // What was never asked for the middlebox finds in the kernel.
  if (leg.open.empty() || leg.lifetime == leg.lifetime.zero() || is_pending) return;
  auto request = set_group(call, leg, leg.open, now); // its reply tells nothing new
  if (leg.expires != sip::TimePoint{}) request.lifetime_s = seconds_between(now, leg.expires);
  middlebox_.send(request);
}

void PinholeClient::on_up(const CallTable& calls, std::uint32_t features, sip::TimePoint now) {
  is_up_ = true;
  has_gate_ = (features & pinhole::gate) != 0;
  for (auto& [transaction, pending] : pending_) {
    middlebox_.send(pending.request);
    deadlines_.set(transaction, now + config_.timeouts.commit);
  }
  for (const auto& [key, call] : calls.all()) {
    for (auto& [tag, leg] : call->legs) assert_again(*call, leg, now);
    if (call->offer) assert_again(*call, *call->offer, now);
  }
}

void PinholeClient::on_timer(sip::TimePoint now) {
  while (const auto transaction = deadlines_.pop_due(now)) {
    const auto found = pending_.find(*transaction);
    if (found == pending_.end()) continue;
    // What no message waits for is not given up: its reply comes, or it is repeated when the
    // middlebox is back.
    if (!found->second.holds) continue;
    if (found->second.after.empty()) {
      let_go(found->second, now);
      continue;
    }
    const Pending pending = std::move(found->second);
    pending_.erase(found);
    settle(pending, {*transaction, Result::kernel, {}}, now);
    // It may have been carried out, or be carried out late: this takes it back.
    if (Leg* const leg = leg_of(pending)) reassert(pending.call, *leg, false, now);
  }
}

} // namespace midcom
