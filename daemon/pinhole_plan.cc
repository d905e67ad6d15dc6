// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pinhole_plan.h"

#include <netinet/in.h>

#include <algorithm>

#include "daemon/endpoint_conversion.h"

namespace midcom {
namespace {

std::uint8_t protocol_of(sip::MediaTransport transport) {
  return transport == sip::MediaTransport::tcp ? IPPROTO_TCP : IPPROTO_UDP;
}

pinhole::Sink to_sink(const sip::MediaSink& media) {
  return {.stream = static_cast<std::uint16_t>(media.stream),
          .component = static_cast<std::uint8_t>(media.component),
          .protocol = protocol_of(media.transport),
          .at = to_pinhole(media.at),
          .is_a = media.receiver == sip::Party::caller};
}

std::uint8_t kinds_of(const sip::MediaSink& media) {
  unsigned kinds = 0;
  if (media.has_stun) kinds |= pinhole::kind_stun;
  if (media.has_dtls) kinds |= pinhole::kind_dtls;
  if (media.has_rtp) kinds |= pinhole::kind_rtp;
  if (media.has_rtcp) kinds |= pinhole::kind_rtcp;
  if (media.has_udptl) kinds |= pinhole::kind_udptl;
  if (media.transport == sip::MediaTransport::tcp) kinds |= pinhole::kind_tcp;
  return static_cast<std::uint8_t>(kinds);
}

// All but who may be taken for the sender.
pinhole::Promise to_promise(const sip::MediaSink& media) {
  pinhole::Promise promise;
  promise.kinds = kinds_of(media);
  promise.awaits_answer = media.awaits_answer;
  for (std::size_t type = 0; type < media.payload_types.size(); ++type)
    if (media.payload_types[type])
      promise.payload_types[type / 8] |= static_cast<std::uint8_t>(1U << type % 8);
  promise.receiver_ufrag = media.receiver_ufrag;
  promise.sender_ufrag = media.sender_ufrag;
  promise.receiver_password = media.receiver_password;
  return promise;
}

// Both only rise (RFC 8866 5.2). What a re-offer repeats to the letter is the same session.
std::uint32_t session_of(const SeenDescription& one, const SeenDescription& other) {
  return static_cast<std::uint32_t>(one.sdp->origin_version() + other.sdp->origin_version());
}

// An offer that changes nothing for this address but the answer's end.
bool is_told_already(const Pinholes& pinholes, const pinhole::Sink& sink,
                     const pinhole::Promise& offer) {
  return std::ranges::any_of(pinholes.sinks, [&](const auto& known) {
    const auto& promise = pinholes.promise_of(known);
    return known.at == sink.at && known.protocol == sink.protocol && promise.kinds == offer.kinds &&
           promise.payload_types == offer.payload_types &&
           promise.receiver_ufrag == offer.receiver_ufrag;
  });
}

// Are checks with these user names promised, of whomever?
bool is_checked(const Pinholes& pinholes, const sip::MediaSink& media) {
  return std::ranges::any_of(pinholes.promises, [&](const auto& known) {
    return !known.awaits_answer && known.receiver_ufrag == media.receiver_ufrag &&
           known.sender_ufrag == media.sender_ufrag;
  });
}

// By what a rule of another session lets pass.
void widen(Pinholes& pinholes, const pinhole::Rule& by) {
  const auto known = std::ranges::find_if(
      pinholes.rules, [&](const auto& rule) { return rule.a == by.a && rule.b == by.b; });
  if (known == pinholes.rules.end()) {
    pinholes.rules.push_back(by);
    return;
  }
  known->from_a |= by.from_a;
  known->from_b |= by.from_b;
}

void add_connections(const sip::MediaPlan& plan, PinholePlan::Wanted& out) {
  for (const auto& stream : plan.streams)
    if (stream.keeps_connection)
      out.kept_connections.insert(static_cast<std::uint16_t>(stream.index));
}

// Null: nothing of an earlier session is needed.
const sip::SessionPair* replaced_session(const Leg& leg) {
  const auto& agreed = leg.exchange.agreed();
  const auto& in_force = leg.exchange.in_force();
  if (!in_force) return nullptr;
  if (agreed && *agreed != *in_force && sip::restarts_ice(*agreed, *in_force)) return &*agreed;
  return leg.replaced ? &leg.replaced->pair : nullptr;
}

} // namespace

bool PinholePlan::is_believed(const SeenDescription& description,
                              const sip::Endpoint& endpoint) const {
  return midcom::is_believed(config_, description.judgement.peer, description.judgement.source,
                             endpoint);
}

void PinholePlan::add_rules(const sip::MediaPlan& plan, const Views& views, Pinholes& out) const {
  for (const auto& flow : plan.flows) {
    if (views.caller->judgement.is_denied(flow.stream) ||
        views.callee->judgement.is_denied(flow.stream))
      continue;
    const auto side = peers_.side_of(flow.caller.address);
    const auto other_side = peers_.side_of(flow.callee.address);
    if (side.empty() || other_side.empty() || side == other_side) continue;
    const auto a = to_pinhole(flow.caller), b = to_pinhole(flow.callee);
    if (std::ranges::any_of(out.rules, [&](const auto& r) { return r.a == a && r.b == b; }))
      continue;
    out.rules.push_back({static_cast<std::uint16_t>(flow.stream),
                         static_cast<std::uint8_t>(flow.component), protocol_of(flow.transport), a,
                         b, flow.from_caller, flow.from_callee});
  }
}

bool PinholePlan::is_wanted(const sip::MediaSink& sink, const SeenDescription& receiver,
                            const SeenDescription* sender) const {
  if (kinds_of(sink) == 0 || !is_believed(receiver, sink.at)) return false;
  // A default address of ICE may be anything; each candidate is judged by itself.
  const auto is_off = [&](const SeenDescription& description) {
    const auto& judgement = description.judgement;
    return sink.has_stun ? judgement.is_blocked(sink.stream) : judgement.is_denied(sink.stream);
  };
  if (is_off(receiver) || (sender != nullptr && is_off(*sender))) return false;
  if (peers_.side_of(sink.at.address).empty()) return false;
  if (sink.transport == sip::MediaTransport::tcp &&
      !peers_.at(receiver.judgement.peer).takes_tcp_media)
    return false;
  return sender == nullptr || !sink.is_exact ||
         peers_.at(sender->judgement.peer).media_source != pinhole::SourceRule::signalled;
}

bool PinholePlan::add_senders(const sip::MediaSink& sink, const SeenDescription& sender,
                              pinhole::Promise& promise) const {
  const auto side = peers_.side_of(sink.at.address);
  bool is_whole = true;
  for (const auto& endpoint : sink.senders) {
    const auto other_side = peers_.side_of(endpoint.address);
    if (other_side.empty() || other_side == side || !is_believed(sender, endpoint)) continue;
    if (promise.senders.size() < pinhole::max_senders)
      promise.senders.push_back(to_pinhole(endpoint));
    else
      is_whole = false;
  }
  std::ranges::sort(promise.senders);
  return is_whole;
}

void PinholePlan::add_sinks(const sip::MediaPlan& plan, const Views& views, std::size_t room,
                            Wanted& out) const {
  for (const auto& media : plan.sinks) {
    const bool is_callers = media.receiver == sip::Party::caller;
    const auto* receiver = is_callers ? views.caller : views.callee;
    const auto* sender = is_callers ? views.callee : views.caller;
    if (receiver == nullptr || !is_wanted(media, *receiver, sender)) continue;
    const pinhole::Sink sink = to_sink(media);
    pinhole::Promise promise = to_promise(media);
    if (sender != nullptr) {
      const PeerConfig& peer = peers_.at(sender->judgement.peer);
      promise.source = peer.media_source;
      if (media.is_exact) promise.session = session_of(*receiver, *sender);
      if (!add_senders(media, *sender, promise)) ++out.left_out;
      const bool may_be_others = promise.source == pinhole::SourceRule::any_verified &&
                                 media.has_stun && peer.side != peers_.side_of(media.at.address);
      if (promise.senders.empty() && !may_be_others) continue;
    } else if (is_told_already(out.pinholes, sink, promise)) {
      continue;
    }
    // Rules that a change replaces, and those the gate makes, need a place too.
    const std::size_t taken = out.pinholes.size() + out.pinholes.rules.size();
    const bool has_room = out.pinholes.sinks.size() < room && taken < config_.limits.rules_per_call;
    if (!has_room || !out.pinholes.add(sink, promise)) ++out.left_out;
  }
}

PinholePlan::Views PinholePlan::views_of(const Call& call, const sip::SessionPair& pair) {
  return {call.find_seen(pair.caller.get()), call.find_seen(pair.callee.get())};
}

// It never makes a group too large that would do without: half of the room.
void PinholePlan::add_crossed(const Call& call, const Leg& leg, const sip::SessionPair& pair,
                              std::size_t room, Wanted& out) const {
  const Views views = views_of(call, pair);
  if (views.caller == nullptr || views.callee == nullptr) return;
  auto plan = sip::plan_media(pair, leg.trickled);
  std::erase_if(plan.sinks, [&](const auto& sink) {
    return !sink.has_stun || sink.transport != sip::MediaTransport::udp ||
           is_checked(out.pinholes, sink);
  });
  for (auto& sink : plan.sinks) {
    sink.has_dtls = sink.has_rtp = sink.has_rtcp = sink.has_udptl = false;
    sink.payload_types.reset();
  }
  add_sinks(plan, views, room / 2, out);
}

void PinholePlan::add_agreed(const Call& call, const Leg& leg, std::size_t room,
                             Wanted& out) const {
  const auto& agreed = leg.exchange.agreed();
  if (!agreed || !leg.exchange.preview()) return;
  const Views views = views_of(call, *agreed);
  if (views.caller == nullptr || views.callee == nullptr) return;
  const auto plan = sip::plan_media(*agreed, leg.trickled);
  Pinholes before;
  add_rules(plan, views, before);
  for (const auto& rule : before.rules) widen(out.pinholes, rule);
  add_sinks(plan, views, room, out);
  add_connections(plan, out);
}

void PinholePlan::add_replaced(const Call& call, const Leg& leg, std::size_t room,
                               Wanted& out) const {
  const auto* const replaced = replaced_session(leg);
  if (replaced == nullptr) return;
  const auto& pair = *leg.exchange.in_force();
  const Views views = views_of(call, *replaced);
  if (views.caller == nullptr || views.callee == nullptr) return;
  auto plan = sip::plan_media(*replaced, leg.trickled);
  const auto has_no_ice = [&](const auto& each) {
    return !replaced->caller->has_ice(each.stream) || !replaced->callee->has_ice(each.stream);
  };
  std::erase_if(plan.flows, has_no_ice);
  std::erase_if(plan.sinks, has_no_ice);
  add_rules(plan, views, out.pinholes);
  add_sinks(plan, views, room / 2, out);
  add_crossed(call, leg, {pair.caller, replaced->callee, pair.offerer}, room, out);
  add_crossed(call, leg, {replaced->caller, pair.callee, pair.offerer}, room, out);
}

PinholePlan::Wanted PinholePlan::of_leg(const Call& call, const Leg& leg, std::size_t room) const {
  Wanted out;
  if (leg.is_ended) return out;
  const auto& pair = leg.exchange.in_force();
  if (!pair) {
    out.pinholes.rules = leg.adopted;
  } else {
    const Views views = views_of(call, *pair);
    if (views.caller == nullptr || views.callee == nullptr) return out;
    const auto plan = sip::plan_media(*pair, leg.trickled);
    add_rules(plan, views, out.pinholes);
    add_sinks(plan, views, room, out);
    out.left_out += plan.left_out;
    add_connections(plan, out);
    add_agreed(call, leg, room, out);
  }
  // The INVITE's has a group of its own; in what nobody has agreed on yet nobody may offer.
  const auto offer = leg.exchange.open_offer();
  const bool is_own = offer && offer != call.before_legs.open_offer() && config_.media.has_early &&
                      (leg.proof == Proof::invite || leg.exchange.agreed());
  if (is_own) {
    const auto offerer = *leg.exchange.open_offerer();
    Views views;
    (offerer == sip::Party::caller ? views.caller : views.callee) = call.find_seen(offer.get());
    add_sinks(
        sip::plan_offer(*offer, offerer,
                        offerer == sip::Party::caller ? leg.trickled.caller : leg.trickled.callee),
        views, room, out);
    if (pair)
      add_crossed(call, leg,
                  offerer == sip::Party::caller ? sip::SessionPair{offer, pair->callee, offerer}
                                                : sip::SessionPair{pair->caller, offer, offerer},
                  room, out);
  }
  add_replaced(call, leg, room, out);
  out.pinholes.normalize();
  return out;
}

PinholePlan::Wanted PinholePlan::of_offer(const Call& call, std::size_t room) const {
  Wanted out;
  const auto offer = call.before_legs.open_offer();
  if (!offer || !config_.media.has_early) return out;
  const Views views{call.find_seen(offer.get()), nullptr};
  add_sinks(sip::plan_offer(*offer, sip::Party::caller), views, room, out);
  out.pinholes.normalize();
  return out;
}

std::string_view PinholePlan::media_word(const Call& call, std::string_view tag) const {
  const auto leg = call.legs.find(tag);
  if (leg == call.legs.end() || !leg->second.exchange.in_force()) return "none";
  if (!leg->second.open.empty()) return "pinholes";
  const auto flows = sip::plan_media(*leg->second.exchange.in_force()).flows;
  const bool is_local = std::ranges::any_of(flows, [&](const auto& flow) {
    const auto side = peers_.side_of(flow.caller.address);
    return !side.empty() && side == peers_.side_of(flow.callee.address);
  });
  return is_local ? "local" : "none";
}

} // namespace midcom
