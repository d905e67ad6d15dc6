// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/firewall/reference.h"

#include <algorithm>
#include <utility>

namespace midcom::firewall_test {

namespace {

using pinhole::Promise;

bool may_send(const pinhole::Endpoint& from, const Promise& promise) {
  if (promise.source == pinhole::SourceRule::any_verified) return true;
  return std::ranges::any_of(promise.senders, [&](const auto& sender) {
    return sender.address == from.address && (sender.port == 0 || sender.port == from.port ||
                                              promise.source != pinhole::SourceRule::signalled);
  });
}

bool is_end(const Reference::Admitted& one, const Needs::Wait& wait) {
  const auto& key = wait.sink.is_a == one.by.sink.is_a ? one.to.key : one.back.key;
  return wait.sink.stream == one.by.sink.stream && wait.sink.component == one.by.sink.component &&
         wait.sink.protocol == one.by.sink.protocol && wait.sink.at == key.destination;
}

bool has_same_ends(const pinhole::FlowKey& one, const pinhole::FlowKey& other) {
  return one == other || (one.source == other.destination && one.destination == other.source);
}

bool has_stun(const Needs::Wait& wait) {
  return (wait.promise.kinds & pinhole::kind_stun) != 0;
}

// Does whoever comes there prove that it is meant to? Others are learnt.
bool is_proof(const Needs::Wait& wait) {
  return (wait.promise.kinds & (pinhole::kind_stun | pinhole::kind_tcp)) != 0;
}

// An offer that changes nothing for this address but the answer's end need not be told.
bool is_known_already(const Needs& needs, const Needs::Wait& offer) {
  return std::ranges::any_of(needs.waits, [&](const auto& known) {
    return known.sink.at == offer.sink.at && known.sink.protocol == offer.sink.protocol &&
           known.promise.kinds == offer.promise.kinds &&
           known.promise.payload_types == offer.promise.payload_types &&
           known.promise.receiver_ufrag == offer.promise.receiver_ufrag;
  });
}

bool restarts(const Description& before, const Description& after) {
  for (std::size_t i = 0; i < std::min(before.streams.size(), after.streams.size()); ++i)
    if (before.streams[i].has_ice() && after.streams[i].has_ice() &&
        before.streams[i].ufrag != after.streams[i].ufrag)
      return true;
  return false;
}

// Is it a flow that may come of that wait?
bool comes_of(const Reference::Admitted& one, const Needs::Wait& wait) {
  const bool is_same_way = wait.sink.is_a == one.by.sink.is_a;
  const auto& key = is_same_way ? one.to.key : one.back.key;
  return is_end(one, wait) && is_proof(wait) && !wait.promise.awaits_answer &&
         may_send(key.source, wait.promise);
}

bool is_of_checks_alone(const Needs::Wait& wait) {
  return wait.promise.kinds == pinhole::kind_stun;
}

} // namespace

View Reference::view(const Leg& leg, const std::string& name) const {
  const Description& description = known_.at(name);
  return {&description, &leg.fragments[description.owner == Party::caller ? 0 : 1]};
}

Needs Reference::needs_of(const Leg& leg, const Pair& pair) const {
  return needs_of_pair(view(leg, pair.of(Party::caller)), view(leg, pair.of(Party::callee)),
                       pair.by, terms_);
}

bool Reference::restarts_ice(const Pair& before, const Pair& after) const {
  const auto of = [&](const Pair& pair, Party party) -> const Description& {
    return known_.at(pair.of(party));
  };
  return restarts(of(before, Party::caller), of(after, Party::caller)) &&
         restarts(of(before, Party::callee), of(after, Party::callee));
}

// While ICE begins again candidates of one generation are checked with those of the other. What has
// the same user names as another such check needn't be there for this stream too: they are mostly
// those of all streams.
void Reference::add_crossed(const Leg& leg, const Pair& pair, Needs& needs, Needs& optional) const {
  const auto known = needs.waits;
  for (Needs::Wait wait : needs_of(leg, pair).waits) {
    if (!has_stun(wait)) continue;
    bool is_checked = false, is_crossed = false;
    for (const auto& other : known) {
      if (other.promise.awaits_answer ||
          other.promise.receiver_ufrag != wait.promise.receiver_ufrag ||
          other.promise.sender_ufrag != wait.promise.sender_ufrag)
        continue;
      (other.promise.kinds == pinhole::kind_stun ? is_crossed : is_checked) = true;
    }
    if (is_checked) continue;
    wait.promise.kinds = pinhole::kind_stun;
    wait.promise.payload_types = {};
    (is_crossed ? optional : needs).waits.insert(wait);
  }
}

void Reference::add_replaced(const Leg& leg, const Pair& pair, Needs& needs,
                             Needs& optional) const {
  const auto agreed = leg.exchange.agreed();
  const bool is_previewed = agreed && *agreed != pair && restarts_ice(*agreed, pair);
  if (!is_previewed && !leg.replaced) return;
  const Pair& before = is_previewed ? *agreed : leg.replaced->pair;
  const auto has_ice = [&](std::uint16_t stream) {
    return known_.at(before.offer).streams[stream].has_ice() &&
           known_.at(before.answer).streams[stream].has_ice();
  };
  const Needs old = needs_of(leg, before);
  const auto now = needs.flows;
  for (const auto& flow : old.flows)
    if (has_ice(flow.stream) && std::ranges::none_of(now, [&](const auto& other) {
          return has_same_ends(other.key, flow.key);
        }))
      needs.flows.insert(flow);
  for (const auto& wait : old.waits)
    if (has_ice(wait.sink.stream)) needs.waits.insert(wait);
  for (const Party party : {Party::caller, Party::callee}) {
    Pair mixed{pair.by, before.offer, before.answer};
    mixed = pair.by == Party::caller
                ? Pair{pair.by, before.of(Party::caller), before.of(Party::callee)}
                : Pair{pair.by, before.of(Party::callee), before.of(Party::caller)};
    (party == pair.by ? mixed.offer : mixed.answer) = pair.of(party);
    add_crossed(leg, mixed, needs, optional);
  }
}

// Of an offer inside the dialog; the INVITE's has none yet.
void Reference::add_offer(const Leg& leg, const std::optional<Pair>& pair, Needs& needs,
                          Needs& optional) const {
  const auto& open = leg.exchange.open();
  if (!open || !terms_.has_early ||
      (invite_.open() && invite_.open()->offer.name == open->offer.name))
    return;
  Needs more;
  for (const auto& wait : needs_of_offer(view(leg, open->offer.name), terms_).waits)
    (is_known_already(needs, wait) ? optional : more).waits.insert(wait);
  needs.add(more);
  if (!pair) return;
  add_crossed(leg, {open->by, open->offer.name, pair->of(sip::other(open->by))}, needs, optional);
}

void Reference::find_needs(Leg& leg) const {
  leg.needs = leg.optional = {};
  const auto preview = leg.exchange.preview();
  const auto pair = preview ? preview : leg.exchange.agreed();
  if (pair) leg.needs = needs_of(leg, *pair);
  // A preview may come to nothing: both are needed.
  if (preview && leg.exchange.agreed()) leg.needs.add(needs_of(leg, *leg.exchange.agreed()));
  add_offer(leg, pair, leg.needs, leg.optional);
  if (pair) add_replaced(leg, *pair, leg.needs, leg.optional);
}

// Where checks of two generations may have led to the same flow, nobody can tell which did.
void Reference::note_doubt(const Leg& leg, Admitted& one) {
  if (!has_stun(one.by)) return;
  const auto may_come_of = [&](bool is_crossed) {
    return std::ranges::any_of(leg.needs.waits, [&](const auto& wait) {
      return is_of_checks_alone(wait) == is_crossed && comes_of(one, wait);
    });
  };
  one.is_doubtful |= may_come_of(true) && may_come_of(false);
}

// What was admitted stays as long as somebody waits there with the same promise; what ICE has
// proven, and connections, also where the same two ends are good for that.
void Reference::keep_admitted(Leg& leg) {
  std::erase_if(leg.admitted, [&](Admitted& one) {
    note_doubt(leg, one);
    if (leg.needs.waits.contains(one.by)) return false;
    if (leg.needs.kept_connections.contains(one.by.sink.stream)) return false;
    const auto next = std::ranges::find_if(leg.needs.waits, [&](const auto& wait) {
      return one.is_crossed ? is_end(one, wait) : is_proof(one.by) && comes_of(one, wait);
    });
    if (next == leg.needs.waits.end()) {
      one.is_optional |= one.is_doubtful; // from now on
      return !one.is_doubtful ||
             std::ranges::none_of(leg.needs.waits, [&](const auto& w) { return is_end(one, w); });
    }
    if (next->sink.is_a != one.by.sink.is_a) std::swap(one.to, one.back);
    one.by = *next;
    return false;
  });
}

// Of several restarts in a row the last is followed.
void Reference::note_restart(Leg& leg, sip::TimePoint now) {
  const auto agreed = leg.exchange.agreed();
  if (!agreed || leg.agreed == agreed) return;
  const auto before = std::exchange(leg.agreed, agreed);
  if (leg.replaced && leg.replaced->pair == *agreed) {
    leg.replaced.reset(); // it failed after all
    return;
  }
  if (!before || !restarts_ice(*before, *agreed)) return;
  ++counts_.restarts;
  leg.replaced =
      Leg::Replaced{*before, now + (leg.awaits ? times_.unacknowledged : times_.ice), leg.awaits};
}

void Reference::update(Leg& leg, sip::TimePoint now) {
  const auto preview = leg.exchange.preview();
  const auto in_force = preview ? preview : leg.exchange.agreed();
  const bool is_changed =
      std::exchange(leg.in_force, in_force) != in_force || leg.agreed != leg.exchange.agreed();
  note_restart(leg, now); // of one that has ended, too: a late 2xx may take it up again
  if (leg.is_ended) return end(leg);
  const auto before = flows_of(leg);
  find_needs(leg);
  keep_admitted(leg);
  keep_recent(leg, before, is_changed, now);
}

// Each with whether it may be gone by now.
std::map<Needs::Flow, bool> Reference::flows_of(const Leg& leg) {
  std::map<Needs::Flow, bool> flows;
  for (const auto& flow : leg.needs.flows) flows.emplace(flow, false);
  for (const auto& one : leg.admitted)
    for (const auto& flow : {one.to, one.back}) flows.emplace(flow, one.is_optional);
  return flows;
}

// RFC 3264 8.3.1: when a session takes another one's place both sides listen on old and new until
// media arrives. A stream that is refused has nothing more, nor has a way that is closed between
// two ends that stay.
void Reference::keep_recent(Leg& leg, const std::map<Needs::Flow, bool>& before, bool is_changed,
                            sip::TimePoint now) {
  const auto after = flows_of(leg);
  const auto is_there = [&](const Needs::Flow& flow) {
    const auto found = after.find(flow);
    return found != after.end() && !found->second;
  };
  const auto is_replaced = [&](const Needs::Flow& flow) {
    const pinhole::FlowKey back{flow.key.destination, flow.key.source, flow.key.protocol};
    if (is_there(flow) || is_there({flow.stream, flow.component, back})) return false;
    return leg.needs.has_component(flow.stream, flow.component) ||
           std::ranges::any_of(after, [&](const auto& other) {
             return other.first.stream == flow.stream && other.first.component == flow.component;
           });
  };
  std::erase_if(leg.recent, [&](const auto& one) { return !is_replaced(one.flow); });
  if (!is_changed || (!leg.is_confirmed && !leg.exchange.agreed())) return;
  for (const auto& [flow, is_optional] : before) {
    if (!is_replaced(flow)) continue;
    const auto until = now + (leg.awaits ? times_.unacknowledged : grace_of(leg, flow));
    leg.recent.push_back({flow, until, leg.awaits, is_optional || after.contains(flow)});
    ++counts_.graces;
  }
}

// Media goes on where it was until ICE has found another path.
sip::Duration Reference::grace_of(const Leg& leg, const Needs::Flow& flow) const {
  return leg.needs.has_checks(flow.stream, flow.component) ? times_.ice : times_.plain;
}

void Reference::end(Leg& leg) {
  if (!std::exchange(leg.is_ended, true)) leg.replaced.reset();
  leg.needs = leg.optional = {};
  leg.recent.clear();
  leg.admitted.clear();
}

void Reference::on_invite(const Event& event) {
  invite_ = {};
  invite_.on(event);
  invite_cseq_ = event.cseq;
  has_failed_ = false;
  offer_.reset();
  if (event.sdp) offer_ = event.sdp.name;
}

bool Reference::is_over() const {
  return std::ranges::all_of(legs_, [](const auto& pair) { return pair.second.is_ended; });
}

Reference::Leg* Reference::find(const std::string& tag) {
  const auto found = legs_.find(tag);
  return found == legs_.end() ? nullptr : &found->second;
}

void Reference::begin(const std::string& tag) {
  legs_[tag].exchange = invite_;
}

void Reference::on_invite_response(const std::string& tag, const Event& event, sip::TimePoint now) {
  const bool is_success = event.status >= 200 && event.status < 300;
  if (Leg* const leg = find(tag)) {
    if (is_success && leg->has_lost && !is_over()) leg->is_ended = leg->has_lost = false;
    if (has_failed_ || event.cseq != invite_cseq_) end(*leg);
    if (is_success) leg->is_confirmed = true;
    on_message(tag, event, now);
  }
  if (event.status < 200 || event.cseq != invite_cseq_) return;
  offer_.reset();
  for (auto& [other, leg] : legs_) {
    if (leg.is_confirmed) continue; // a dialog of its own
    if (!leg.is_ended) leg.has_lost = is_success;
    end(leg);
  }
  if (!is_success) has_failed_ = true;
}

void Reference::on_message(const std::string& tag, const Event& event, sip::TimePoint now) {
  Leg* const leg = find(tag);
  if (leg == nullptr) return;
  const auto before = leg->exchange.agreed();
  leg->exchange.on(event);
  const auto agreed = leg->exchange.agreed();
  count(*leg, event, before);
  const AwaitedAck own{event.status == 0 ? event.from : sip::other(event.from), event.cseq};
  if (event.method == sip::Method::invite && event.status >= 300 && leg->awaits == own)
    leg->awaits.reset();
  if (event.method == sip::Method::invite && event.status >= 200 && event.status < 300 && agreed &&
      agreed != before)
    leg->awaits = own;
  if (event.method == sip::Method::ack) {
    if (leg->awaits == own) leg->awaits.reset();
    if (leg->replaced && leg->replaced->awaits == own)
      leg->replaced =
          Leg::Replaced{leg->replaced->pair, std::min(leg->replaced->until, now + times_.ice), {}};
    for (auto& one : leg->recent) {
      if (one.awaits != own) continue;
      one = Leg::Recent{
          one.flow, std::min(one.until, now + grace_of(*leg, one.flow)), {}, one.is_optional};
    }
  }
  update(*leg, now);
}

void Reference::count(const Leg& leg, const Event& event, const std::optional<Pair>& before) {
  const auto agreed = leg.exchange.agreed();
  if (leg.exchange.preview()) ++counts_.previews;
  if (agreed == before) return;
  if (event.status >= 300) {
    ++counts_.rollbacks;
    return;
  }
  if (!agreed) return;
  const auto& offer = known_.at(agreed->offer);
  const auto& answer = known_.at(agreed->answer);
  bool has_ice = false, has_tcp = false;
  for (std::size_t i = 0; i < answer.streams.size(); ++i) {
    if (answer.streams[i].is_zero) continue;
    has_ice |= offer.streams[i].has_ice() && answer.streams[i].has_ice();
    has_tcp |= answer.streams[i].facts().is_tcp;
  }
  counts_.ice += has_ice ? 1 : 0;
  counts_.tcp += has_tcp ? 1 : 0;
  counts_.bundles +=
      std::ranges::any_of(answer.bundles, [](const auto& b) { return b.size() > 1; });
}

// Each repeats what those before it had: the last few have it all.
void Reference::on_fragment(const std::string& tag, Party from, const Fragment& fragment,
                            sip::TimePoint now) {
  Leg* const leg = find(tag);
  if (leg == nullptr) return;
  leg->fragments[from == Party::caller ? 0 : 1].push_back(fragment);
  update(*leg, now);
}

void Reference::on_end(const std::string& tag) {
  if (Leg* const leg = find(tag)) end(*leg);
}

void Reference::on_admitted(const std::string& tag, const Admitted& admitted) {
  Leg* const leg = find(tag);
  if (leg == nullptr) return;
  std::erase_if(leg->admitted,
                [&](const auto& one) { return one.to == admitted.to || one.to == admitted.back; });
  leg->has_heard = true;
  note_doubt(*leg, leg->admitted.emplace_back(admitted));
}

void Reference::pass_time(sip::TimePoint now) {
  for (auto& [tag, leg] : legs_) {
    std::erase_if(leg.recent, [&](const auto& one) { return one.until <= now; });
    if (!leg.replaced || leg.replaced->until > now) continue;
    const sip::TimePoint end_of_it = leg.replaced->until;
    leg.replaced.reset();
    for (auto& one : leg.admitted) {
      one.is_crossed |= is_of_checks_alone(one.by);
      one.is_optional |= one.is_crossed && one.is_doubtful;
    }
    update(leg, end_of_it);
    std::erase_if(leg.recent, [&](const auto& one) { return one.until <= now; });
  }
}

Needs Reference::required() const {
  Needs all;
  if (offer_) all.add(needs_of_offer({&known_.at(*offer_), nullptr}, terms_));
  for (const auto& [tag, leg] : legs_) {
    all.add(leg.needs);
    for (const auto& one : leg.admitted)
      if (!one.is_optional) all.flows.insert({one.to, one.back});
    // Whoever has heard media on a new flow needs no old one.
    for (const auto& one : leg.recent)
      if (!leg.has_heard && !one.is_optional) all.flows.insert(one.flow);
  }
  return all;
}

Needs Reference::allowed() const {
  Needs all = required();
  for (const auto& [tag, leg] : legs_) {
    all.add(leg.optional);
    for (const auto& one : leg.recent) all.flows.insert(one.flow);
    for (const auto& one : leg.admitted) all.flows.insert({one.to, one.back});
  }
  return all;
}

} // namespace midcom::firewall_test
