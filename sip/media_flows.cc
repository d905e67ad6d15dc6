// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_flows.h"

#include <algorithm>

namespace midcom::sip {

namespace {

std::optional<MediaFlow> flow_between(const SidePair& sides, Component component,
                                      std::uint32_t pair) {
  const auto caller = sides.caller.endpoint(component, pair);
  const auto callee = sides.callee.endpoint(component, pair);
  if (!caller || !callee || caller->address.family != callee->address.family) return std::nullopt;
  return MediaFlow{sides.index, component, MediaTransport::udp, *caller, *callee};
}

} // namespace

bool SidePair::is_alike() const {
  return caller.protocol() != nullptr && callee.protocol() != nullptr &&
         caller.protocol()->transport == callee.protocol()->transport &&
         caller.protocol()->payload == callee.protocol()->payload &&
         caller.media().port_count == callee.media().port_count;
}

StreamState SidePair::state() const {
  const StreamState states[] = {caller.state(), callee.state()};
  for (const StreamState one : {StreamState::refused, StreamState::unsupported, StreamState::held})
    if (std::ranges::find(states, one) != std::end(states)) return one;
  const auto one = caller.endpoint(Component::rtp);
  const auto two = callee.endpoint(Component::rtp);
  if (!is_alike() || !one || !two || one->address.family != two->address.family)
    return StreamState::unsupported;
  return StreamState::open;
}

Ways ways_of(const SidePair& sides, bool is_muxed) {
  const MediaSide& caller = sides.caller;
  const MediaSide& callee = sides.callee;
  const bool is_inactive =
      caller.direction() == Direction::inactive || callee.direction() == Direction::inactive;
  const bool has_handshake = !is_inactive && (caller.has_dtls() || callee.has_dtls());
  if (is_muxed || sides.has_ice() || has_handshake) return {true, true};
  return {caller.is_sending() && callee.is_receiving(),
          callee.is_sending() && caller.is_receiving()};
}

std::vector<MediaFlow> media_flows(const SidePair& sides, Ways ways, bool has_rtcp_path) {
  std::vector<MediaFlow> flows;
  for (std::uint32_t pair = 0; pair < sides.caller.media().port_count; ++pair) {
    auto rtp = flow_between(sides, Component::rtp, pair);
    if (rtp && (ways.from_caller || ways.from_callee)) {
      rtp->from_caller = ways.from_caller;
      rtp->from_callee = ways.from_callee;
      flows.push_back(*rtp);
    }
    if (!has_rtcp_path) continue;
    if (const auto rtcp = flow_between(sides, Component::rtcp, pair)) flows.push_back(*rtcp);
  }
  return flows;
}

} // namespace midcom::sip
