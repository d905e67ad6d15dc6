// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/gate.h"

#include <algorithm>
#include <iterator>
#include <netinet/in.h>
#include <ranges>

#include "pinhole/stun.h"

namespace midcom::pinhole {

namespace {

// Who sends to it by a rule though nobody has named it. Only where ports are learnt: ICE and
// connections have rules of other ends anyway.
std::set<Endpoint> learnt_senders(const Sink& sink, const Promise& promise,
                                  std::span<const Rule> rules) {
  std::set<Endpoint> senders;
  if (promise.source == SourceRule::signalled || (promise.kinds & (kind_stun | kind_tcp)) != 0)
    return senders;
  for (const Rule& rule : rules) {
    if (rule.protocol != sink.protocol || (sink.is_a ? rule.a : rule.b) != sink.at) continue;
    const Endpoint& sender = sink.is_a ? rule.b : rule.a;
    if (std::ranges::find(promise.senders, sender) == promise.senders.end()) senders.insert(sender);
  }
  return senders;
}

} // namespace

Gate::Gate(const GateLimits& limits)
    : limits_(limits), parking_({.per_flow = limits.parked_per_flow,
                                 .per_group = limits.parked_per_group,
                                 .in_total = limits.parked,
                                 .life = limits.parked_life}) {
  load_stun_digests();
}

void Gate::note_change(const Receiver& receiver) {
  // What is parked from now on has been judged by what is in force.
  if (parking_.size() > 0) changed_.insert(receiver);
}

void Gate::take_out(const GroupId& id, const Group& group) {
  for (std::size_t index = 0; index < group.places.size(); ++index) {
    const Sink& sink = group.places[index].sink;
    const auto waiting = receivers_.find({sink.protocol, sink.at});
    waiting->second.erase({id, index});
    note_change(waiting->first);
    if (waiting->second.empty()) receivers_.erase(waiting);
  }
}

void Gate::put_in(const GroupId& id, const Group& group) {
  for (std::size_t index = 0; index < group.places.size(); ++index) {
    const Sink& sink = group.places[index].sink;
    const Receiver receiver{sink.protocol, sink.at};
    receivers_[receiver].insert({id, index});
    note_change(receiver);
  }
}

void Gate::set_group(const GroupId& group, std::span<const Sink> sinks,
                     std::span<const Promise> promises, std::span<const Rule> rules) {
  Group before;
  if (const auto known = groups_.find(group); known != groups_.end()) {
    take_out(group, known->second);
    before = std::move(known->second);
    groups_.erase(known);
  }
  Group now{.promises = {promises.begin(), promises.end()}, .places = {}};
  for (const Sink& sink : sinks) {
    if (sink.promise >= promises.size()) continue;
    Place place{sink};
    const auto same = std::ranges::find_if(before.places, [&](const Place& old) {
      return old.sink.protocol == sink.protocol && old.sink.at == sink.at &&
             before.promises[old.sink.promise] == promises[sink.promise];
    });
    auto learnt = learnt_senders(sink, promises[sink.promise], rules);
    if (same != before.places.end()) {
      place.admitted = std::move(same->admitted);
      std::ranges::set_intersection(same->learnt_before, learnt,
                                    std::inserter(place.learnt_before, place.learnt_before.end()));
    } else if (before.places.empty()) {
      place.learnt_before = std::move(learnt);
    }
    now.places.push_back(std::move(place));
  }
  if (now.places.empty()) return;
  put_in(group, now);
  groups_.emplace(group, std::move(now));
}

bool Gate::may_admit(const Place& place, const Endpoint& sender, Kind kind) const {
  if (place.admitted.contains(sender) || place.learnt_before.contains(sender)) return true;
  // Which port a sender behind a NAT has is learnt once. ICE tries many pairs, and who connects
  // again does it from another port.
  const auto is_learnt = [](Kind each) { return each != kind_stun && each != kind_tcp; };
  const bool has_learnt =
      !place.learnt_before.empty() || std::ranges::any_of(place.admitted, [&](const auto& known) {
        return is_learnt(known.second);
      });
  if (is_learnt(kind) && has_learnt) return false;
  return place.admitted.size() < limits_.admitted_per_sink;
}

void Gate::weigh(Opinion& opinion, const GroupId& id, std::size_t index, const Datagram& datagram) {
  Group& group = groups_.at(id);
  Place& place = group.places[index];
  const Promise& promise = group.promises[place.sink.promise];
  const auto kind = judge(datagram, promise);
  if (!kind) {
    opinion.reason = std::max(opinion.reason, kind.error());
  } else if (promise.awaits_answer) {
    if (opinion.parks.empty() || opinion.parks.back() != id) opinion.parks.push_back(id);
  } else if (may_admit(place, datagram.key.source, *kind)) {
    opinion.place = &place;
    opinion.group = id;
    opinion.kind = *kind;
  } else {
    opinion.reason = std::max(opinion.reason, GateReason::too_many_admitted);
  }
}

Gate::Opinion Gate::opinion_on(const Datagram& datagram) {
  Opinion opinion;
  const auto receiver = receivers_.find({datagram.key.protocol, datagram.key.destination});
  if (receiver == receivers_.end()) return opinion;
  for (const auto& [id, index] : receiver->second) {
    weigh(opinion, id, index, datagram);
    if (opinion.place != nullptr) break;
  }
  return opinion;
}

Gate::Admit Gate::admit(const Opinion& opinion, const FlowKey& key) {
  opinion.place->admitted.emplace(key.source, opinion.kind);
  const Sink& sink = opinion.place->sink;
  return {opinion.group,
          {.stream = sink.stream,
           .component = sink.component,
           .protocol = sink.protocol,
           .a = sink.is_a ? sink.at : key.source,
           .b = sink.is_a ? key.source : sink.at},
          opinion.kind,
          sink.promise};
}

bool Gate::park(std::uint32_t id, const Datagram& datagram, std::span<const GroupId> groups,
                TimePoint now) {
  const auto group = std::ranges::find_if(
      groups, [&](const GroupId& one) { return parking_.has_room(datagram.key, one); });
  if (group == groups.end()) return false;
  parking_.add(id, datagram, *group, now);
  return true;
}

Gate::Decision Gate::first_decision(std::uint32_t id, const Datagram& datagram, TimePoint now) {
  const Opinion opinion = opinion_on(datagram);
  if (opinion.place != nullptr) {
    // Its flow is being opened. Without room it overtakes: better than to be lost.
    const bool has_others_waiting =
        opinion.place->admitted.contains(datagram.key.source) && parking_.has(datagram.key);
    if (has_others_waiting && park(id, datagram, {&opinion.group, 1}, now)) return Park{};
    return admit(opinion, datagram.key);
  }
  if (opinion.parks.empty()) return Drop{opinion.reason};
  if (park(id, datagram, opinion.parks, now)) return Park{};
  return Drop{GateReason::too_many_parked};
}

Gate::Judged Gate::on_packet(const Packet& packet, TimePoint now) {
  const auto datagram = read_datagram(packet.octets);
  if (!datagram) return {packet.id, datagram.error(), Drop{GateReason::malformed}};
  return {packet.id, datagram->key, first_decision(packet.id, *datagram, now)};
}

bool Gate::goes_on_waiting(Parking::Ticket ticket, const Opinion& opinion) {
  if (std::ranges::find(opinion.parks, parking_.at(ticket).group) != opinion.parks.end())
    return true;
  return std::ranges::any_of(opinion.parks,
                             [&](const GroupId& group) { return parking_.move_to(ticket, group); });
}

// Nothing: it goes on waiting.
std::optional<Gate::Decision> Gate::next_decision(Parking::Ticket ticket) {
  const Parking::Entry& entry = parking_.at(ticket);
  const Opinion opinion = opinion_on(entry.datagram());
  if (opinion.place != nullptr) return admit(opinion, entry.key);
  if (goes_on_waiting(ticket, opinion)) return {};
  if (!opinion.parks.empty()) return Drop{GateReason::too_many_parked};
  return Drop{opinion.reason == GateReason::no_sink ? GateReason::not_answered : opinion.reason};
}

std::vector<Gate::Judged> Gate::reconsider(const IsOpen& is_open) {
  std::map<Parking::Ticket, Judged> judged; // in order of arrival
  const std::set<Receiver> changed = std::exchange(changed_, {});
  const auto tell = [&](Parking::Ticket ticket, const Decision& decision) {
    const Parking::Entry& entry = parking_.at(ticket);
    judged.emplace(ticket, Judged{entry.id, entry.key, decision});
    parking_.remove(ticket);
  };
  for (const FlowKey& key : parking_.flows()) {
    const bool passes = is_open(key);
    if (!passes && !changed.contains({key.protocol, key.destination})) continue;
    for (const Parking::Ticket ticket : parking_.tickets_of(key)) {
      const std::optional<Decision> decision = passes ? Decision{Pass{}} : next_decision(ticket);
      if (!decision) continue;
      tell(ticket, *decision);
      const bool is_first = std::holds_alternative<Admit>(*decision);
      if (is_first && key.protocol != IPPROTO_TCP) break; // the rest waits until it is open
    }
  }
  const auto values = std::views::values(judged);
  return {values.begin(), values.end()};
}

std::vector<Gate::Judged> Gate::take_due(TimePoint now) {
  std::vector<Judged> judged;
  for (auto ticket = parking_.first(); ticket; ticket = parking_.first()) {
    const Parking::Entry& entry = parking_.at(*ticket);
    if (entry.due > now) break;
    judged.push_back({entry.id, entry.key, Drop{GateReason::not_answered}});
    parking_.remove(*ticket);
  }
  return judged;
}

std::optional<TimePoint> Gate::next_due() const {
  const auto ticket = parking_.first();
  if (!ticket) return {};
  return parking_.at(*ticket).due;
}

std::size_t Gate::parked() const {
  return parking_.size();
}

void Gate::take_back(const Admit& admitted) {
  const auto group = groups_.find(admitted.group);
  if (group == groups_.end()) return;
  for (Place& place : group->second.places) {
    const Sink& sink = place.sink;
    const Endpoint& at = sink.is_a ? admitted.rule.a : admitted.rule.b;
    const Endpoint& sender = sink.is_a ? admitted.rule.b : admitted.rule.a;
    if (sink.protocol != admitted.rule.protocol || sink.at != at) continue;
    place.admitted.erase(sender);
    note_change({sink.protocol, sink.at});
  }
}

} // namespace midcom::pinhole
