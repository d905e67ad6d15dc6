// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pinhole_client.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "daemon/call_log.h"

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
             rule.component == counter.component;
    });
    auto& rule = known != rules.end()
                     ? *known
                     : rules.emplace_back(pinhole::Rule{counter.stream, counter.component, 17, a, b,
                                                        false, false});
    (from_a ? rule.from_a : rule.from_b) = true;
  }
  std::ranges::sort(rules);
  return rules;
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

PinholeClient::PinholeClient(const AgentConfig& config, MiddleboxPort& middlebox, EventLog& log,
                             Resume resume, Expired expired)
    : config_(config), middlebox_(middlebox), log_(log), resume_(std::move(resume)),
      expired_(std::move(expired)) {}

void PinholeClient::assume(Leg& leg, std::vector<pinhole::Rule> rules) {
  rules_ += rules.size();
  rules_ -= leg.rules.size();
  leg.rules = std::move(rules);
}

pinhole::request::SetGroup PinholeClient::set_group(const Call& call, const Leg& leg,
                                                    std::vector<pinhole::Rule> rules) {
  const bool is_groups = leg.proof == Proof::group;
  return {next_transaction_++, leg.group,
          is_groups ? leg.owners : pinhole::Participants{call.caller.hashed, leg.callee.hashed},
          static_cast<std::uint32_t>(lifetime_of(leg).count()), std::move(rules)};
}

std::chrono::seconds PinholeClient::lifetime_of(const Leg& leg) const {
  return leg.is_confirmed || leg.is_ended ? config_.timeouts.call : config_.timeouts.early;
}

void PinholeClient::set_rules(const CallPtr& call, Leg& leg, std::vector<pinhole::Rule> rules,
                              bool holds, sip::TimePoint now) {
  if (rules == leg.rules) {
    // The answer confirms what the preview opened: the same rules, for the life of the call now.
    // What the kernel had keeps its own until an exchange is agreed.
    const bool is_kernels = leg.proof == Proof::group && !leg.exchange.agreed();
    const bool is_short =
        (leg.lifetime != lifetime_of(leg) || leg.expires == sip::TimePoint{}) && !is_kernels;
    if (is_up_ && is_short && !rules.empty()) reassert(call, leg, holds, now);
    return;
  }
  const bool is_less = std::ranges::includes(leg.rules, rules);
  if (!is_up_ && !is_less) { // what closes is told when the middlebox is back
    call->commit_failure = Reason::middlebox_down;
    return;
  }
  for (const auto& rule : rules) leg.caller_endpoints.insert(rule.a);
  auto request = set_group(*call, leg, rules);
  const auto transaction = request.transaction;
  groups_[leg.group] = {call, leg.tag};
  leg.lifetime = lifetime_of(leg);
  leg.expires = now + leg.lifetime;
  Pending pending{call, leg.tag, leg.id, std::move(request), leg.rules, rules, holds && is_up_, {}};
  assume(leg, std::move(rules));
  submit(std::move(pending), transaction, now);
}

void PinholeClient::reassert(const CallPtr& call, Leg& leg, bool holds, sip::TimePoint now) {
  auto request = set_group(*call, leg, leg.rules);
  const auto transaction = request.transaction;
  leg.lifetime = lifetime_of(leg);
  leg.expires = now + leg.lifetime;
  submit({call, leg.tag, leg.id, std::move(request), leg.rules, leg.rules, holds, {}}, transaction,
         now);
}

void PinholeClient::release_unknown(const CallPtr& call, Leg& leg,
                                    const pinhole::Participant& asker, sip::TimePoint now) {
  pinhole::request::Release request{next_transaction_++, leg.group, asker};
  const auto transaction = request.transaction;
  submit({call, leg.tag, leg.id, request, leg.rules, {}, is_up_, {}}, transaction, now);
}

void PinholeClient::ask(const CallPtr& call, Leg& leg, IsCaller is_caller, sip::TimePoint now) {
  leg.inquiry = Inquiry::made;
  pinhole::request::Status request{next_transaction_++, leg.group};
  submit({call, leg.tag, leg.id, request, {}, {}, true, std::move(is_caller)}, request.transaction,
         now);
}

Leg* PinholeClient::leg_of(const Pending& pending) {
  const auto found = pending.call->legs.find(pending.tag);
  const bool is_there = found != pending.call->legs.end() && found->second.id == pending.leg;
  return is_there ? &found->second : nullptr;
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
}

void PinholeClient::on_done(const pinhole::reply::Done& done, sip::TimePoint now) {
  const auto found = pending_.find(done.transaction);
  if (found == pending_.end()) return; // its commit time had passed
  Pending pending = std::move(found->second);
  pending_.erase(found);
  deadlines_.set(done.transaction, std::nullopt);
  if (pending.holds && !pending.after.empty()) commits_.add(now - pending.asked);
  settle(pending, done, now);
}

void PinholeClient::settle(const Pending& pending, const pinhole::reply::Done& done,
                           sip::TimePoint now) {
  if (Leg* const leg = leg_of(pending)) {
    if (std::holds_alternative<pinhole::request::Status>(pending.request))
      settle_inquiry(pending, *leg, done);
    else
      settle_change(pending, *leg, done);
  }
  const bool is_release = pending.after.empty();
  if (!pending.holds) return; // no message rests on it
  if (done.result != Result::ok && !is_release)
    pending.call->commit_failure = reason_of(done.result);
  --pending.call->awaiting;
  finish(pending.call, now);
}

void PinholeClient::settle_inquiry(const Pending& pending, Leg& leg,
                                   const pinhole::reply::Done& done) {
  const bool is_known = done.result == Result::ok || done.result == Result::unknown_group;
  leg.inquiry = is_known ? Inquiry::answered : Inquiry::failed;
  if (done.result != Result::ok || leg.proof == Proof::group || !leg.rules.empty()) return;
  if (leg.proof == Proof::invite) {
    // Its own group, opened by an agent before: nothing new. Else it was no branch of this call.
    if (are_same(done.participants, {pending.call->caller.hashed, leg.callee.hashed})) return;
    leg.exchange = {};
    leg.is_confirmed = true;
  }
  leg.proof = Proof::group;
  leg.owners = done.participants;
  leg.adopted = rules_of(done.counters, pending.is_caller);
  groups_[leg.group] = {pending.call, leg.tag};
  assume(leg, leg.adopted);
}

void PinholeClient::settle_change(const Pending& pending, Leg& leg,
                                  const pinhole::reply::Done& done) {
  leg.counters.insert(leg.counters.end(), done.counters.begin(), done.counters.end());
  // A later request may be on its way already: only what it still rests on is taken back.
  const bool took_effect = done.result == Result::ok || pending.after.empty();
  if (!took_effect && leg.rules == pending.after) assume(leg, pending.before);
  const bool is_gone = done.result == Result::ok || done.result == Result::unknown_group;
  if (is_gone && std::holds_alternative<pinhole::request::Release>(pending.request)) {
    leg.is_ended = true;
    leg.adopted.clear();
    assume(leg, {});
  }
  log_result(pending, leg, done.result);
}

void PinholeClient::finish(const CallPtr& call, sip::TimePoint now) {
  if (call->awaiting == 0) resume_(call, now);
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
  write_rule_changes(log_, *pending.call, leg, pending.before, pending.after);
}

void PinholeClient::on_group_event(const pinhole::event::GroupEvent& event, sip::TimePoint now) {
  const auto found = groups_.find(event.group);
  const CallPtr call = found == groups_.end() ? nullptr : found->second.first.lock();
  if (!call) return;
  const auto leg = call->legs.find(found->second.second);
  if (leg == call->legs.end() || event.cause == pinhole::event::Cause::repaired) return;
  leg->second.counters.insert(leg->second.counters.end(), event.counters.begin(),
                              event.counters.end());
  leg->second.adopted.clear();
  assume(leg->second, {});
  expired_(call, leg->second, now);
}

void PinholeClient::forget(const Call& call) {
  for (const auto& [tag, leg] : call.legs) forget(leg);
}

void PinholeClient::forget(const Leg& leg) {
  rules_ -= leg.rules.size();
  groups_.erase(leg.group);
}

void PinholeClient::on_down() {
  is_up_ = false;
}

void PinholeClient::on_up(const CallTable& calls, sip::TimePoint now) {
  is_up_ = true;
  for (auto& [transaction, pending] : pending_) {
    middlebox_.send(pending.request);
    deadlines_.set(transaction, now + config_.timeouts.commit);
  }
  for (const auto& [key, call] : calls.all())
    for (auto& [tag, leg] : call->legs) {
      const bool is_pending = std::ranges::any_of(
          pending_, [&](const auto& p) { return p.second.call == call && p.second.leg == leg.id; });
      // What was never asked for the middlebox finds in the kernel.
      if (leg.rules.empty() || leg.lifetime == leg.lifetime.zero() || is_pending) continue;
      auto request = set_group(*call, leg, leg.rules); // its reply tells nothing new
      if (leg.expires != sip::TimePoint{}) {
        const auto left = std::chrono::ceil<std::chrono::seconds>(leg.expires - now).count();
        request.lifetime_s = static_cast<std::uint32_t>(std::max<std::int64_t>(left, 1));
      }
      middlebox_.send(request);
    }
}

void PinholeClient::on_timer(sip::TimePoint now) {
  while (const auto transaction = deadlines_.pop_due(now)) {
    const auto found = pending_.find(*transaction);
    if (found == pending_.end()) continue;
    const CallPtr call = found->second.call;
    // What no message waits for is not given up: its reply comes, or it is repeated when the
    // middlebox is back.
    if (!found->second.holds) continue;
    if (found->second.after.empty()) {
      found->second.holds = false;
      --call->awaiting;
      finish(call, now);
      continue;
    }
    const Pending pending = std::move(found->second);
    pending_.erase(found);
    settle(pending, {*transaction, Result::kernel, {}}, now);
    // It may have been carried out, or be carried out late: this takes it back.
    if (Leg* const leg = leg_of(pending)) reassert(call, *leg, false, now);
  }
}

} // namespace midcom
