// SPDX-License-Identifier: GPL-3.0-or-later
// What the parser accepts is consistent, its views lie in its own text, and no plan made of it
// names an address that it doesn't.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "sip/media_plan.h"
#include "sip/sdp.h"

namespace {

using namespace midcom::sip;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_inside(std::string_view text, std::string_view view) {
  if (view.empty()) return;
  require(view.data() >= text.data() && view.data() + view.size() <= text.data() + text.size());
}

void check_media(const Sdp& sdp, std::size_t index, const SdpLimits& limits) {
  const SdpMedia& media = sdp.media()[index];
  require(media.port == 0 || sdp.connection_of(index) != nullptr);
  require(media.port_count > 0 && !media.formats.empty());
  require(media.candidates.size() <= limits.candidates);
  require(!media.is_rtcp_mux_only || media.is_rtcp_mux);
  require_inside(sdp.text(), media.type);
  require_inside(sdp.text(), media.protocol);
  for (const SdpAttribute& attribute : media.attributes) {
    require(!attribute.name.empty());
    require_inside(sdp.text(), attribute.value);
    if (attribute.name == "crypto") require(media.has_key_material);
  }
  for (const SdpCandidate& candidate : media.candidates) {
    require(candidate.component >= 1 && candidate.component <= 256);
    require_inside(sdp.text(), candidate.address_text);
  }
}

void check_plan(const SdpPtr& sdp) {
  const auto asked = receive_addresses(*sdp);
  const MediaPlan plan = plan_media({sdp, sdp, Party::caller});
  require(plan.streams.size() == sdp->media().size());
  for (const MediaFlow& flow : plan.flows) {
    require(plan.streams[flow.stream].state == StreamState::open);
    require(std::ranges::any_of(asked, [&](const ReceiveAddress& one) {
      return one.stream == flow.stream && one.component == flow.component && !one.is_hold &&
             one.address == flow.caller.address && one.port == flow.caller.port;
    }));
  }
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
  check_plan(*sdp);
  return 0;
}
