// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_bundle.h"

#include <gtest/gtest.h>

#include "tests/unit/sip/media_text.h"

namespace midcom::sip {
namespace {

using namespace test;

const std::string ice = "a=ice-ufrag:8hhY\r\na=ice-pwd:0123456789012345678901\r\n";

std::string line(const std::string& mid, const std::string& port, const std::string& format,
                 const std::string& more = "a=rtcp-mux\r\n") {
  return "m=audio " + port + " RTP/AVP " + format + "\r\na=mid:" + mid + "\r\n" + more;
}

std::string group(const std::string& mids) {
  return "a=group:BUNDLE" + mids + "\r\n";
}

std::string planned(const std::string& offer, const std::string& answer) {
  const SessionPair pair = make_pair_of(offer, answer);
  const MediaPlan plan = plan_media(pair);
  return text_of(plan) + sinks_of(plan);
}

std::string carriers(const std::string& offer, const std::string& answer) {
  std::string text;
  for (const std::size_t one :
       bundle_carriers(*description(caller_ip, offer), *description(callee_ip, answer)))
    text += std::to_string(one);
  return text;
}

// RFC 8843 18.1 in short: both m= lines offered with ports of their own, then one.
TEST(MediaBundle, OneFlowForAll) {
  EXPECT_EQ(planned(group(" a b") + line("a", "4000", "0") + line("b", "4002", "31 32"),
                    group(" a b") + line("a", "5000", "0") + line("b", "5000", "32")),
            "0 muxed\n1 bundled on 0\n"
            "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n"
            "0 rtp 192.0.2.1:4000 rtp(0 31 32) rtcp from 198.51.100.2:5000 exact\n"
            "0 rtp 198.51.100.2:5000 rtp(0 32) rtcp from 192.0.2.1:4000 exact\n");
}

TEST(MediaBundle, AnswererChoosesTheCarrier) {
  EXPECT_EQ(planned(group(" a b") + line("a", "4000", "0") + line("b", "4002", "31"),
                    group(" b a") + line("a", "5002", "0") + line("b", "5002", "31")),
            "0 bundled on 1\n1 muxed\n"
            "1 rtp 192.0.2.1:4002 <> 198.51.100.2:5002\n"
            "1 rtp 192.0.2.1:4002 rtp(0 31) rtcp from 198.51.100.2:5002 exact\n"
            "1 rtp 198.51.100.2:5002 rtp(0 31) rtcp from 192.0.2.1:4002 exact\n");
}

TEST(MediaBundle, BundleOnlyRidesAlong) {
  const std::string only = "a=bundle-only\r\na=rtcp-mux\r\n";
  EXPECT_EQ(planned(group(" a b") + line("a", "4000", "0") + line("b", "0", "31", only),
                    group(" a b") + line("a", "5000", "0") + line("b", "5000", "31")),
            "0 muxed\n1 bundled on 0\n"
            "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n"
            "0 rtp 192.0.2.1:4000 rtp(0 31) rtcp from 198.51.100.2:5000 exact\n"
            "0 rtp 198.51.100.2:5000 rtp(0 31) rtcp from 192.0.2.1:4000 exact\n");
  // Refused with the group: no carrier of its own.
  EXPECT_EQ(text_of(plan_media(
                make_pair_of(group(" a b") + line("a", "4000", "0") + line("b", "0", "31", only),
                             line("a", "5000", "0") + line("b", "0", "31")))),
            "0 muxed\n1 refused\n0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n");
}

TEST(MediaBundle, DataChannelCarriesRtp) {
  const std::string data = "UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n";
  const std::string rtp = "UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\na=rtcp-mux\r\na=inactive\r\n";
  EXPECT_EQ(planned(group(" d v") + ice + "m=application 4000 " + data +
                        "a=candidate:1 1 udp 1 192.0.2.1 4000 typ host\r\nm=video 4000 " + rtp,
                    group(" d v") + ice + "m=application 5000 " + data +
                        "a=candidate:1 1 udp 1 198.51.100.2 5000 typ host\r\nm=video 5000 " + rtp),
            "0 muxed\n1 bundled on 0\n"
            "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n"
            "0 rtp 192.0.2.1:4000 8hhY<8hhY dtls rtp(96) rtcp from 198.51.100.2:5000\n"
            "0 rtp 198.51.100.2:5000 8hhY<8hhY dtls rtp(96) rtcp from 192.0.2.1:4000\n");
}

// RFC 8843 7.1.3: what is of the transport stands on the tagged m= line alone.
TEST(MediaBundle, IceOfTheCarrierIsForAll) {
  const auto side = [](const std::string& address, const std::string& direction) {
    return group(" a b") +
           line("a", "4000", "0",
                "a=rtcp-mux\r\n" + ice + "a=candidate:1 1 udp 1 " + address +
                    " 4000 typ host\r\n") +
           line("b", "4000", "31", "a=" + direction + "\r\n");
  };
  EXPECT_EQ(sinks_of(plan_media(
                make_pair_of(side("192.0.2.1", "inactive"), side("198.51.100.2", "inactive")))),
            "0 rtp 192.0.2.1:4000 8hhY<8hhY rtp(0 31) rtcp from 198.51.100.2:4000\n"
            "0 rtp 198.51.100.2:4000 8hhY<8hhY rtp(0 31) rtcp from 192.0.2.1:4000\n");
}

TEST(MediaBundle, Carriers) {
  const std::string two = line("a", "4000", "0") + line("b", "4002", "0");
  EXPECT_EQ(carriers(group(" a b") + two, group(" a b") + two), "00");
  EXPECT_EQ(carriers(group(" a b") + two, two), "01");
  EXPECT_EQ(carriers(two, group(" a b") + two), "01");
  EXPECT_EQ(carriers(group(" a b") + two, group(" b") + two), "01");
  EXPECT_EQ(carriers(group(" a b") + two, group("") + two), "01");
  EXPECT_EQ(carriers(group(" a") + group(" b") + two, group(" a b") + two), "01");
  EXPECT_EQ(carriers(group(" a b") + two, group(" x a b") + two), "00");
  EXPECT_EQ(carriers("a=group:LS a b\r\n" + two, "a=group:LS a b\r\n" + two), "01");
  // The same mid on another m= line is another line.
  EXPECT_EQ(carriers(group(" a b") + two,
                     group(" a b") + line("b", "5000", "0") + line("a", "5000", "0")),
            "01");
  // The first of the group was refused: the next one carries.
  const std::string three = two + line("c", "4004", "0");
  EXPECT_EQ(carriers(group(" a b c") + three, group(" a b c") + line("a", "0", "0") +
                                                  line("b", "5000", "0") + line("c", "5000", "0")),
            "011");
}

TEST(MediaBundle, OfferWithoutAnswer) {
  const SdpPtr offer = description(
      caller_ip, group(" a b c") + line("a", "4000", "0") + line("b", "4002", "31") +
                     line("c", "0", "96", "a=bundle-only\r\n") + line("d", "4004", "97"));
  const MediaPlan plan = plan_offer(*offer, Party::callee);
  EXPECT_EQ(text_of(plan), "2 refused\n");
  EXPECT_EQ(sinks_of(plan), "0 rtp 192.0.2.1:4000 rtp(0 31 96) rtcp waits\n"
                            "0 rtcp 192.0.2.1:4001 rtcp waits\n"
                            "1 rtp 192.0.2.1:4002 rtp(0 31 96) rtcp waits\n"
                            "1 rtcp 192.0.2.1:4003 rtcp waits\n"
                            "3 rtp 192.0.2.1:4004 rtp(97) rtcp waits\n"
                            "3 rtcp 192.0.2.1:4005 rtcp waits\n");
  for (const MediaSink& sink : plan.sinks) EXPECT_EQ(sink.receiver, Party::callee);
}

// A later offer says the shared port on each m= line (RFC 8843 7.5): one sink.
TEST(MediaBundle, SharedPortIsOneSink) {
  const SdpPtr offer =
      description(caller_ip, group(" a b") + line("a", "4000", "0", "a=rtcp-mux-only\r\n") +
                                 line("b", "4000", "31", "a=rtcp-mux-only\r\n"));
  EXPECT_EQ(sinks_of(plan_offer(*offer, Party::caller)),
            "0 rtp 192.0.2.1:4000 rtp(0 31) rtcp waits\n");
}

// RFC 4091 3.3: of the alternatives the answer refuses all but one.
TEST(MediaBundle, AlternativeAddressesAreNoBundle) {
  EXPECT_EQ(text_of(plan_media({Sdp::parse("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
                                           "a=group:ANAT 1 2\r\n"
                                           "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"
                                           "a=mid:1\r\n"
                                           "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"
                                           "a=mid:2\r\n",
                                           {})
                                    .value(),
                                description(callee_ip, "m=audio 0 RTP/AVP 0\r\na=mid:1\r\n"
                                                       "m=audio 5000 RTP/AVP 0\r\na=mid:2\r\n")})),
            "0 refused\n1 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n"
            "1 rtcp 192.0.2.1:4001 <> 198.51.100.2:5001\n");
}

} // namespace
} // namespace midcom::sip
