// SPDX-License-Identifier: GPL-3.0-or-later
// What the parser accepts is consistent, its views lie in its own text, and no plan made of it
// names an address that it doesn't.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sip/media_plan.h"
#include "sip/sdp.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip;
using midcom::fuzz::is_within;
using midcom::fuzz::require;

void check_media(const Sdp& sdp, std::size_t index, const SdpLimits& limits) {
  const SdpMedia& media = sdp.media()[index];
  require(media.port == 0 || sdp.connection_of(index) != nullptr);
  require(media.port_count > 0 && !media.formats.empty());
  require(media.candidates.size() <= limits.candidates);
  require(!media.is_rtcp_mux_only || media.is_rtcp_mux);
  require(is_within(media.type, sdp.text()));
  require(is_within(media.protocol, sdp.text()));
  for (const SdpAttribute& attribute : media.attributes) {
    require(!attribute.name.empty());
    require(is_within(attribute.value, sdp.text()));
    if (attribute.name == "crypto") require(media.has_key_material);
  }
  for (const SdpCandidate& candidate : media.candidates) {
    require(candidate.component >= 1 && candidate.component <= 256);
    require(is_within(candidate.address_text, sdp.text()));
  }
}

bool is_named(const std::vector<ReceiveAddress>& named, Component component,
              MediaTransport transport, const Endpoint& endpoint) {
  return std::ranges::any_of(named, [&](const ReceiveAddress& one) {
    return one.component == component && one.transport == transport && !one.is_hold &&
           one.address == endpoint.address && one.port == endpoint.port;
  });
}

void check_sinks(const Sdp& sdp, const MediaPlan& plan) {
  auto named = receive_addresses(sdp);
  std::ranges::move(candidate_addresses(sdp), std::back_inserter(named));
  require(plan.sinks.size() <= max_media_sinks);
  for (const MediaSink& sink : plan.sinks) {
    require(plan.streams[sink.stream].state == StreamState::open);
    require(is_named(named, sink.component, sink.transport, sink.at));
    require(sink.senders.size() <= max_media_senders);
    require(is_within(sink.receiver_ufrag, sdp.text()));
    require(is_within(sink.receiver_password, sdp.text()));
  }
}

void check_plans(const SdpPtr& sdp) {
  const auto asked = receive_addresses(*sdp);
  const MediaPlan plan = plan_media({sdp, sdp, Party::caller});
  require(plan.streams.size() == sdp->media().size());
  require(plan.flows.size() <= max_media_flows);
  for (const MediaFlow& flow : plan.flows) {
    require(plan.streams[flow.stream].state == StreamState::open);
    require(is_named(asked, flow.component, flow.transport, flow.caller));
  }
  check_sinks(*sdp, plan);
  check_sinks(*sdp, plan_offer(*sdp, Party::callee));
}

// Pinned, it is the same text with nothing left to look up.
void check_names(const Sdp& sdp, const SdpLimits& limits) {
  NamedAddresses names;
  for (const HostName& name : host_names(sdp)) {
    require(!name.name.empty() && name.name.size() <= 253);
    const bool is_ipv6 = name.family == IpAddress::Family::ipv6;
    names.emplace(name, *IpAddress::parse(is_ipv6 ? "2001:db8::7" : "198.51.100.7"));
  }
  const auto pinned = Sdp::parse(sdp.text(), limits, names);
  require(pinned.has_value() && (*pinned)->text() == sdp.text());
  require(host_names(**pinned).empty());
  require(receive_addresses(**pinned).size() == receive_addresses(sdp).size());
  check_plans(*pinned);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SdpLimits limits;
  limits.size = 4096;
  limits.media = 8;
  limits.candidates = 4;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto sdp = Sdp::parse(text, limits);
  if (!sdp) return 0;
  require((*sdp)->text() == text && text.size() <= limits.size);
  require((*sdp)->media().size() <= limits.media);
  for (std::size_t index = 0; index < (*sdp)->media().size(); ++index)
    check_media(**sdp, index, limits);
  check_plans(*sdp);
  check_names(**sdp, limits);
  return 0;
}
