// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_plan.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "sip/media_bundle.h"
#include "sip/media_connection.h"
#include "sip/media_flows.h"
#include "sip/media_sinks.h"

namespace midcom::sip {

namespace {

auto place_of(const MediaFlow& flow) {
  return std::tuple{flow.stream, flow.component, flow.caller, flow.callee};
}

auto place_of(const MediaSink& sink) {
  return std::tuple{sink.stream, sink.component, sink.transport, sink.at, sink.receiver};
}

template <class Item>
void order_by_place(std::vector<Item>& items) {
  std::ranges::sort(items, {}, [](const Item& item) { return place_of(item); });
}

template <class Item>
void append(std::vector<Item>& to, std::vector<Item> from) {
  std::ranges::move(from, std::back_inserter(to));
}

// Two m= lines with equal ends are one flow.
std::vector<MediaFlow> merged(const std::vector<MediaFlow>& flows) {
  std::vector<MediaFlow> all;
  std::map<std::tuple<Endpoint, Endpoint>, std::size_t> places;
  for (const MediaFlow& flow : flows) {
    const auto [place, is_new] = places.emplace(std::tuple{flow.caller, flow.callee}, all.size());
    if (is_new) {
      all.push_back(flow);
      continue;
    }
    MediaFlow& first = all[place->second];
    first.from_caller = first.from_caller || flow.from_caller;
    first.from_callee = first.from_callee || flow.from_callee;
  }
  return all;
}

void merge(MediaSink& first, const MediaSink& more) {
  if (std::tie(first.receiver_ufrag, first.receiver_password, first.sender_ufrag) !=
      std::tie(more.receiver_ufrag, more.receiver_password, more.sender_ufrag))
    return;
  first.has_dtls = first.has_dtls || more.has_dtls;
  first.has_rtp = first.has_rtp || more.has_rtp;
  first.has_rtcp = first.has_rtcp || more.has_rtcp;
  first.has_udptl = first.has_udptl || more.has_udptl;
  first.is_exact = first.is_exact && more.is_exact;
  first.payload_types |= more.payload_types;
  for (const Endpoint& sender : more.senders)
    if (std::ranges::find(first.senders, sender) == first.senders.end() &&
        first.senders.size() < max_media_senders)
      first.senders.push_back(sender);
  std::ranges::sort(first.senders);
}

// Those that may be left out come last, and who is caller makes no difference.
std::vector<MediaSink> merged(std::vector<MediaSink> sinks) {
  std::ranges::sort(
      sinks, {}, [](const MediaSink& sink) { return std::tuple{sink.is_exact, place_of(sink)}; });
  std::vector<MediaSink> all;
  std::map<std::tuple<Party, MediaTransport, Endpoint>, std::size_t> places;
  for (MediaSink& sink : sinks) {
    const auto [place, is_new] =
        places.emplace(std::tuple{sink.receiver, sink.transport, sink.at}, all.size());
    if (is_new)
      all.push_back(std::move(sink));
    else
      merge(all[place->second], sink);
  }
  return all;
}

template <class Item>
void keep_first(std::vector<Item>& items, std::size_t most, std::size_t& left_out) {
  if (items.size() <= most) return;
  left_out += items.size() - most;
  items.resize(most);
}

void finish(MediaPlan& plan) {
  order_by_place(plan.flows);
  plan.flows = merged(plan.flows);
  plan.sinks = merged(std::move(plan.sinks));
  keep_first(plan.flows, max_media_flows, plan.left_out);
  keep_first(plan.sinks, max_media_sinks, plan.left_out);
  order_by_place(plan.sinks);
}

PlannedStream stream_of(std::size_t index, const SdpMedia& media) {
  PlannedStream stream;
  stream.index = index;
  stream.carrier = index;
  stream.type = media.type;
  stream.protocol = media.protocol;
  return stream;
}

// Plans the m= lines of a pair, one that others ride on together with them.
class PairPlanner {
public:
  PairPlanner(const SessionPair& pair, const TrickledCandidates& trickled);
  MediaPlan plan();

private:
  void plan_stream(PlannedStream& stream);
  void plan_connection(PlannedStream& stream, const SidePair& sides);
  void plan_datagrams(const PlannedStream& stream, const SidePair& sides);
  [[nodiscard]] bool is_muxed(const SidePair& sides) const;
  [[nodiscard]] StreamEnds ends(const PlannedStream& stream, Party receiver) const;
  // The m= lines that use the path of this one, itself among them.
  [[nodiscard]] std::vector<const SidePair*> riders(std::size_t carrier) const;

  const SessionPair& pair_;
  std::vector<SidePair> sides_; // of the m= lines that both have
  std::vector<std::size_t> carriers_;
  MediaPlan plan_;
};

PairPlanner::PairPlanner(const SessionPair& pair, const TrickledCandidates& trickled)
    : pair_(pair) {
  const Sdp& caller = *pair.caller;
  const Sdp& callee = *pair.callee;
  const std::size_t count = std::min(caller.media().size(), callee.media().size());
  sides_.reserve(count);
  for (std::size_t index = 0; index < count; ++index)
    sides_.push_back({index, {caller, index, trickled.caller}, {callee, index, trickled.callee}});
  const bool is_callers = pair.offerer == Party::caller;
  carriers_ = bundle_carriers(is_callers ? caller : callee, is_callers ? callee : caller);
}

MediaPlan PairPlanner::plan() {
  const auto media = pair_.caller->media();
  for (std::size_t index = 0; index < media.size(); ++index) {
    PlannedStream& stream = plan_.streams.emplace_back(stream_of(index, media[index]));
    // When the other description has no such m= line.
    stream.state = StreamState::refused;
    if (index < sides_.size()) plan_stream(stream);
  }
  finish(plan_);
  return std::move(plan_);
}

std::vector<const SidePair*> PairPlanner::riders(std::size_t carrier) const {
  std::vector<const SidePair*> all;
  for (const SidePair& sides : sides_)
    if (carriers_[sides.index] == carrier && sides.is_alike()) all.push_back(&sides);
  return all;
}

// What rides on a path without RTCP of its own has no other place for its RTCP.
bool PairPlanner::is_muxed(const SidePair& sides) const {
  if (sides.caller.has_rtp() || sides.callee.has_rtp())
    return sides.caller.media().is_rtcp_mux && sides.callee.media().is_rtcp_mux;
  return std::ranges::any_of(riders(sides.index),
                             [](const SidePair* rider) { return rider->caller.has_rtp(); });
}

StreamEnds PairPlanner::ends(const PlannedStream& stream, Party receiver) const {
  const SidePair& sides = sides_[stream.index];
  const bool is_caller = receiver == Party::caller;
  Carried carried;
  for (const SidePair* rider : riders(stream.index))
    carried.add(is_caller ? carried_to(rider->caller, &rider->callee, sides.has_ice())
                          : carried_to(rider->callee, &rider->caller, sides.has_ice()));
  const bool has_rtcp_path = sides.caller.has_rtp() && !stream.is_muxed;
  return {stream.index,
          receiver,
          is_caller ? sides.caller : sides.callee,
          is_caller ? &sides.callee : &sides.caller,
          carried,
          stream.is_muxed,
          has_rtcp_path};
}

void PairPlanner::plan_stream(PlannedStream& stream) {
  const SidePair& sides = sides_[stream.index];
  stream.carrier = carriers_[stream.index];
  if (stream.carrier != stream.index) {
    stream.state = StreamState::bundled;
    return;
  }
  stream.state = sides.state();
  if (stream.state == StreamState::refused || !sides.is_alike()) return;
  stream.is_muxed = is_muxed(sides);
  const std::size_t before = plan_.flows.size() + plan_.sinks.size();
  if (sides.has_ice() && sides.caller.media().port_count == 1)
    for (const Party party : {Party::caller, Party::callee})
      append(plan_.sinks, ice_sinks(ends(stream, party)));
  if (sides.caller.is_over(MediaTransport::tcp))
    plan_connection(stream, sides);
  else if (stream.state == StreamState::open)
    plan_datagrams(stream, sides);
  // Candidates do where the default addresses don't.
  if (plan_.flows.size() + plan_.sinks.size() > before) stream.state = StreamState::open;
}

void PairPlanner::plan_connection(PlannedStream& stream, const SidePair& sides) {
  stream.keeps_connection = sides.caller.keeps_connection() && sides.callee.keeps_connection();
  if (stream.state != StreamState::open || sides.has_ice()) return;
  const bool is_callers = pair_.offerer == Party::caller;
  const auto connecting =
      connecting_party(is_callers ? sides.caller.setup() : sides.callee.setup(),
                       is_callers ? sides.callee.setup() : sides.caller.setup(), pair_.offerer);
  if (!connecting) {
    stream.state = connecting.error();
    return;
  }
  auto sinks = connection_sinks(ends(stream, other(*connecting)));
  if (sinks.empty()) stream.state = StreamState::unsupported;
  append(plan_.sinks, std::move(sinks));
}

void PairPlanner::plan_datagrams(const PlannedStream& stream, const SidePair& sides) {
  Ways ways;
  for (const SidePair* rider : riders(stream.index)) {
    const Ways more = ways_of(*rider, stream.is_muxed);
    ways.from_caller = ways.from_caller || more.from_caller;
    ways.from_callee = ways.from_callee || more.from_callee;
  }
  const StreamEnds to_caller = ends(stream, Party::caller);
  const StreamEnds to_callee = ends(stream, Party::callee);
  const auto flows = media_flows(sides, ways, to_caller.has_rtcp_path);
  if (!sides.has_ice())
    for (const MediaFlow& flow : flows)
      for (const StreamEnds* one : {&to_caller, &to_callee})
        if (auto sink = exact_sink(*one, flow)) plan_.sinks.push_back(std::move(*sink));
  append(plan_.flows, flows);
}

// What the offerer's own line `index` may have to receive; `bundle` is what it may carry.
std::vector<MediaSink> sinks_of_offer(const Sdp& offer, Party offerer, const MediaSide& side,
                                      const std::vector<std::size_t>& bundle) {
  StreamEnds ends{bundle.front(), offerer, side, nullptr, {}, false, false};
  for (const std::size_t rider : bundle) {
    const MediaSide other_line(offer, rider, {});
    ends.carried.add(carried_to(other_line, nullptr, side.has_ice()));
    ends.is_muxed = ends.is_muxed || (other_line.has_rtp() &&
                                      (other_line.media().is_rtcp_mux || rider != ends.stream));
  }
  ends.has_rtcp_path = side.has_rtp() && !side.media().is_rtcp_mux_only;
  std::vector<MediaSink> sinks;
  if (side.has_ice() && side.media().port_count == 1) sinks = ice_sinks(ends);
  if (side.state() != StreamState::open) return sinks;
  if (side.is_over(MediaTransport::udp))
    append(sinks, offer_sinks(ends));
  else if (may_wait(side.setup()))
    append(sinks, connection_sinks(ends));
  return sinks;
}

bool restarts_ice(const Sdp& before, const Sdp& after) {
  for (std::size_t i = 0; i < std::min(before.media().size(), after.media().size()); ++i)
    if (before.has_ice(i) && after.has_ice(i) && before.ice_ufrag_of(i) != after.ice_ufrag_of(i))
      return true;
  return false;
}

} // namespace

bool restarts_ice(const SessionPair& before, const SessionPair& after) {
  return restarts_ice(*before.caller, *after.caller) && restarts_ice(*before.callee, *after.callee);
}

MediaPlan plan_media(const SessionPair& pair, const TrickledCandidates& trickled) {
  return PairPlanner(pair, trickled).plan();
}

MediaPlan plan_offer(const Sdp& offer, Party offerer,
                     std::span<const TrickleFragmentPtr> trickled) {
  MediaPlan plan;
  const auto bundles = bundles_offered(offer);
  for (std::size_t index = 0; index < bundles.size(); ++index) {
    PlannedStream& stream = plan.streams.emplace_back(stream_of(index, offer.media()[index]));
    const MediaSide side(offer, index, trickled);
    stream.state = side.state();
    if (bundles[index].empty()) continue;
    auto sinks = sinks_of_offer(offer, offerer, side, bundles[index]);
    if (!sinks.empty()) stream.state = StreamState::open;
    append(plan.sinks, std::move(sinks));
  }
  finish(plan);
  return plan;
}

} // namespace midcom::sip
