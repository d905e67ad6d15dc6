// SPDX-License-Identifier: GPL-3.0-or-later
// What a browser says of one BUNDLE of audio and data, unabridged (Chromium 156, two in a lab).
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "sip/media_plan.h"
#include "tests/unit/sip/media_text.h"

namespace midcom::sip {
namespace {

using namespace test;

constexpr std::string_view offer = R"(v=0
o=- 8564371308815415826 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS c77bb7c2-eb42-42b1-9791-3e748b3df059
m=audio 59011 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 192.0.2.10
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:2372174942 1 udp 2113937151 192.0.2.10 59011 typ host generation 0 network-cost 999
a=candidate:2212643337 1 udp 2113939711 2001:db8:a::10 55503 typ host generation 0 network-cost 999
a=ice-ufrag:LMwV
a=ice-pwd:WtsO87qP+1Oyj8JFnJvAvxWD
a=ice-options:trickle
a=fingerprint:sha-256 02:F8:BB:51:33:9D:57:4D:E4:C9:14:D0:17:F5:A1:EB:F2:13:7B:1C:19:A9:35:E8:C8:E2:D2:B3:06:35:9C:37
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:c77bb7c2-eb42-42b1-9791-3e748b3df059 7b4a0e5e-fe6e-453d-914e-8433f9b8f87e
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:3760095536 cname:wKacRz0y6V6+veyC
a=ssrc:3760095536 msid:c77bb7c2-eb42-42b1-9791-3e748b3df059 7b4a0e5e-fe6e-453d-914e-8433f9b8f87e
m=application 59785 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 192.0.2.10
a=candidate:2372174942 1 udp 2113937151 192.0.2.10 59785 typ host generation 0 network-cost 999
a=candidate:2212643337 1 udp 2113939711 2001:db8:a::10 33152 typ host generation 0 network-cost 999
a=ice-ufrag:LMwV
a=ice-pwd:WtsO87qP+1Oyj8JFnJvAvxWD
a=ice-options:trickle
a=fingerprint:sha-256 02:F8:BB:51:33:9D:57:4D:E4:C9:14:D0:17:F5:A1:EB:F2:13:7B:1C:19:A9:35:E8:C8:E2:D2:B3:06:35:9C:37
a=setup:actpass
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
)";

constexpr std::string_view answer = R"(v=0
o=- 41243372876653899 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS c9c74a6b-1901-459a-b8d9-cbee324c3aab
m=audio 34527 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 198.51.100.10
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:4103233579 1 udp 2113937151 198.51.100.10 34527 typ host generation 0 network-cost 999
a=candidate:787374236 1 udp 2113939711 2001:db8:b::10 41002 typ host generation 0 network-cost 999
a=ice-ufrag:DL+R
a=ice-pwd:Y/HCC3DbbvDu0lQuN5/Zg+9z
a=ice-options:trickle
a=fingerprint:sha-256 FD:79:E2:EC:1F:C8:18:DB:70:5E:67:04:7C:9E:08:BA:E0:E7:23:A6:07:6A:56:E3:57:C6:7E:24:A5:EA:B9:18
a=setup:active
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:c9c74a6b-1901-459a-b8d9-cbee324c3aab 8c48270d-3b2e-4821-beca-1cbe54bcc086
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:40529720 cname:HeixldA+q11aHJWZ
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:DL+R
a=ice-pwd:Y/HCC3DbbvDu0lQuN5/Zg+9z
a=ice-options:trickle
a=fingerprint:sha-256 FD:79:E2:EC:1F:C8:18:DB:70:5E:67:04:7C:9E:08:BA:E0:E7:23:A6:07:6A:56:E3:57:C6:7E:24:A5:EA:B9:18
a=setup:active
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
)";

constexpr std::string_view early_offer = R"(v=0
o=- 937835636393001757 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS 0284a8f6-6c52-4894-ae16-76c79ceae084
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:Yaz7
a=ice-pwd:+SLxFZIXL1OFlJspXDPsU3lS
a=ice-options:trickle
a=fingerprint:sha-256 9E:DF:B4:44:B2:7B:D2:48:EE:D4:D9:DB:72:EE:4E:1B:DC:D0:66:A3:C0:8D:40:F9:C6:15:31:BB:2D:7D:72:C5
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:0284a8f6-6c52-4894-ae16-76c79ceae084 d0ee544e-f53a-4ee0-ab56-0baa449f7aad
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:3145885298 cname:Id0hpJICz3hGttv8
a=ssrc:3145885298 msid:0284a8f6-6c52-4894-ae16-76c79ceae084 d0ee544e-f53a-4ee0-ab56-0baa449f7aad
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:Yaz7
a=ice-pwd:+SLxFZIXL1OFlJspXDPsU3lS
a=ice-options:trickle
a=fingerprint:sha-256 9E:DF:B4:44:B2:7B:D2:48:EE:D4:D9:DB:72:EE:4E:1B:DC:D0:66:A3:C0:8D:40:F9:C6:15:31:BB:2D:7D:72:C5
a=setup:actpass
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
)";

constexpr std::string_view early_answer = R"(v=0
o=- 3626307152850790805 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS 36396d99-de4d-47ce-ac11-e98b2d44edbb
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:oP1H
a=ice-pwd:owL9jgXKegYdpXpBYMTjcewf
a=ice-options:trickle
a=fingerprint:sha-256 A0:EE:3C:E4:3B:87:EA:25:1A:04:E0:76:01:2C:32:9B:CD:06:CA:B0:5A:F6:2A:49:66:20:0B:F9:1E:0C:15:2C
a=setup:active
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:36396d99-de4d-47ce-ac11-e98b2d44edbb 90a4192c-ffe6-4a5f-9e99-cdbdc5ea3fce
a=rtcp-mux
a=rtcp-rsize
a=rtcp-xr:rcvr-rtt=all
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:617417378 cname:o0+ePHhmdWmRjlEI
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=ice-ufrag:oP1H
a=ice-pwd:owL9jgXKegYdpXpBYMTjcewf
a=ice-options:trickle
a=fingerprint:sha-256 A0:EE:3C:E4:3B:87:EA:25:1A:04:E0:76:01:2C:32:9B:CD:06:CA:B0:5A:F6:2A:49:66:20:0B:F9:1E:0C:15:2C
a=setup:active
a=mid:1
a=sctp-port:5000
a=max-message-size:262144
)";

constexpr std::string_view offer_fragment = R"(a=group:BUNDLE 0 1
a=ice-ufrag:Yaz7
a=ice-pwd:+SLxFZIXL1OFlJspXDPsU3lS
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
a=mid:0
a=candidate:111191935 1 udp 2113937151 192.0.2.10 55825 typ host generation 0 ufrag Yaz7 network-cost 999
a=candidate:136732968 1 udp 2113939711 2001:db8:a::10 53168 typ host generation 0 ufrag Yaz7 network-cost 999
a=end-of-candidates
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:1
a=candidate:111191935 1 udp 2113937151 192.0.2.10 41095 typ host generation 0 ufrag Yaz7 network-cost 999
a=candidate:136732968 1 udp 2113939711 2001:db8:a::10 49109 typ host generation 0 ufrag Yaz7 network-cost 999
a=end-of-candidates
)";

constexpr std::string_view answer_fragment = R"(a=group:BUNDLE 0 1
a=ice-ufrag:oP1H
a=ice-pwd:owL9jgXKegYdpXpBYMTjcewf
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
a=mid:0
a=candidate:2325527228 1 udp 2113937151 198.51.100.10 41265 typ host generation 0 ufrag oP1H network-cost 999
a=candidate:3745767571 1 udp 2113939711 2001:db8:b::10 47866 typ host generation 0 ufrag oP1H network-cost 999
a=end-of-candidates
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:1
a=end-of-candidates
)";

std::string lines_of(std::string_view text) {
  std::string lines;
  for (const char octet : text) lines += octet == '\n' ? "\r\n" : std::string(1, octet);
  return lines;
}

SdpPtr parsed(std::string_view text) {
  const auto sdp = Sdp::parse(lines_of(text), SdpLimits{});
  EXPECT_TRUE(sdp.has_value());
  return sdp ? *sdp : nullptr;
}

TrickleFragmentPtr fragment(std::string_view text) {
  const auto found = TrickleFragment::parse(lines_of(text), SdpLimits{});
  EXPECT_TRUE(found.has_value());
  return found ? *found : nullptr;
}

// The whole of it runs between the first m= line's candidates; a=rtcp:9 of 0.0.0.0 means nothing.
TEST(MediaPlanOfBrowsers, Bundle) {
  const SessionPair pair{parsed(offer), parsed(answer)};
  const MediaPlan plan = plan_media(pair);
  EXPECT_EQ(text_of(plan), "0 muxed\n1 bundled on 0\n"
                           "0 rtp 192.0.2.10:59011 <> 198.51.100.10:34527\n");
  EXPECT_EQ(sinks_of(plan), "0 rtp 192.0.2.10:59011 LMwV<DL+R dtls rtp(0 8 9 13 63 110 111 126) "
                            "rtcp from 198.51.100.10:34527\n"
                            "0 rtp 198.51.100.10:34527 DL+R<LMwV dtls rtp(0 8 9 13 63 110 111 126) "
                            "rtcp from 192.0.2.10:59011\n"
                            "0 rtp [2001:db8:a::10]:55503 LMwV<DL+R dtls rtp(0 8 9 13 63 110 111 "
                            "126) rtcp from [2001:db8:b::10]:41002\n"
                            "0 rtp [2001:db8:b::10]:41002 DL+R<LMwV dtls rtp(0 8 9 13 63 110 111 "
                            "126) rtcp from [2001:db8:a::10]:55503\n");
}

// Until the answer bundles them each m= line may get what all send.
TEST(MediaPlanOfBrowsers, OfferWithoutAnswer) {
  const SdpPtr sdp = parsed(offer);
  EXPECT_EQ(sinks_of(plan_offer(*sdp, Party::caller)),
            "0 rtp 192.0.2.10:59011 LMwV< dtls rtp(0 8 9 13 63 110 111 126) rtcp waits\n"
            "0 rtp [2001:db8:a::10]:55503 LMwV< dtls rtp(0 8 9 13 63 110 111 126) rtcp waits\n"
            "1 rtp 192.0.2.10:59785 LMwV< dtls rtp(0 8 9 13 63 110 111 126) rtcp waits\n"
            "1 rtp [2001:db8:a::10]:33152 LMwV< dtls rtp(0 8 9 13 63 110 111 126) rtcp waits\n");
}

TEST(MediaPlanOfBrowsers, NoCandidatesYet) {
  const SessionPair pair{parsed(early_offer), parsed(early_answer)};
  EXPECT_EQ(text_of(plan_media(pair)), "0 held\n0 muxed\n1 bundled on 0\n");
  EXPECT_EQ(sinks_of(plan_media(pair)), "");
  EXPECT_EQ(sinks_of(plan_offer(*pair.caller, Party::caller)), "");
}

TEST(MediaPlanOfBrowsers, TrickledCandidates) {
  const SessionPair pair{parsed(early_offer), parsed(early_answer)};
  const TrickledCandidates trickled{{fragment(offer_fragment)}, {fragment(answer_fragment)}};
  const MediaPlan plan = plan_media(pair, trickled);
  EXPECT_EQ(text_of(plan), "0 muxed\n1 bundled on 0\n");
  EXPECT_EQ(sinks_of(plan), "0 rtp 192.0.2.10:55825 Yaz7<oP1H dtls rtp(0 8 9 13 63 110 111 126) "
                            "rtcp from 198.51.100.10:41265\n"
                            "0 rtp 198.51.100.10:41265 oP1H<Yaz7 dtls rtp(0 8 9 13 63 110 111 126) "
                            "rtcp from 192.0.2.10:55825\n"
                            "0 rtp [2001:db8:a::10]:53168 Yaz7<oP1H dtls rtp(0 8 9 13 63 110 111 "
                            "126) rtcp from [2001:db8:b::10]:47866\n"
                            "0 rtp [2001:db8:b::10]:47866 oP1H<Yaz7 dtls rtp(0 8 9 13 63 110 111 "
                            "126) rtcp from [2001:db8:a::10]:53168\n");
}

} // namespace
} // namespace midcom::sip
