// SPDX-License-Identifier: GPL-3.0-or-later
// What the parser accepts is bounded, its views lie in its own text, and merged with a description
// it gives no sink elsewhere than at its candidates.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sip/media_plan.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip;
using midcom::fuzz::is_within;
using midcom::fuzz::require;

const SdpPtr& described() {
  static const SdpPtr sdp =
      Sdp::parse("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                 "a=ice-ufrag:8hhY\r\nm=audio 9 RTP/AVP 0\r\na=mid:1\r\nm=audio 9 RTP/AVP 0\r\n",
                 {})
          .value();
  return sdp;
}

void check_plan(const TrickleFragmentPtr& fragment) {
  const TrickleFragmentPtr fragments[] = {fragment};
  const auto asked = candidate_addresses(*described(), fragments);
  for (const MediaSink& sink : plan_offer(*described(), Party::caller, fragments).sinks)
    require(std::ranges::any_of(asked, [&](const ReceiveAddress& one) {
      return one.stream == sink.stream && one.component == sink.component &&
             one.transport == sink.transport && one.address == sink.at.address &&
             one.port == sink.at.port;
    }));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SdpLimits limits;
  limits.size = 4096;
  limits.media = 8;
  limits.candidates = 4;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto fragment = TrickleFragment::parse(text, limits);
  if (!fragment) return 0;
  require((*fragment)->text() == text && text.size() <= limits.size);
  require((*fragment)->media().size() <= limits.media);
  for (const TrickledMedia& media : (*fragment)->media()) {
    require(media.candidates.size() <= limits.candidates);
    require(is_within(media.mid, (*fragment)->text()));
    require(is_within(media.transport.ice_ufrag, (*fragment)->text()));
    for (const SdpCandidate& candidate : media.candidates) {
      require(candidate.component >= 1 && candidate.component <= 256);
      require(is_within(candidate.text, (*fragment)->text()));
    }
  }
  check_plan(*fragment);
  return 0;
}
