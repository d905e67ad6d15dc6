// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/media_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/unit/sip/media_text.h"

namespace midcom::sip {
namespace {

using namespace test;

std::string plan(const std::string& caller, const std::string& callee) {
  return text_of(plan_media(make_pair_of(caller, callee)));
}

const std::string audio = "m=audio 4000 RTP/AVP 0\r\n";
const std::string answer = "m=audio 5000 RTP/AVP 0\r\n";
const std::string both_open = "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n"
                              "0 rtcp 192.0.2.1:4001 <> 198.51.100.2:5001\n";
const std::string only_rtcp = "0 rtcp 192.0.2.1:4001 <> 198.51.100.2:5001\n";
const std::string only_rtp = "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n";

TEST(MediaPlan, RtpAndRtcp) {
  EXPECT_EQ(plan(audio, answer), both_open);
}

TEST(MediaPlan, TheOffererMakesNoDifference) {
  SessionPair pair = make_pair_of(audio, answer);
  pair.offerer = Party::callee;
  EXPECT_EQ(text_of(plan_media(pair)), both_open);
}

TEST(MediaPlan, RtcpAttribute) {
  EXPECT_EQ(plan(audio + "a=rtcp:7000\r\n", answer + "a=rtcp:8000 IN IP4 203.0.113.9\r\n"),
            only_rtp + "0 rtcp 192.0.2.1:7000 <> 203.0.113.9:8000\n");
  for (const char* without :
       {"a=rtcp:0\r\n", "a=rtcp:8000 IN IP4 name.example.com\r\n", "a=rtcp:8000 IN IP4 0.0.0.0\r\n",
        "a=rtcp:8000 IN IP4 224.0.0.1\r\n", "a=rtcp:8000 IN IP4 203.0.113.9/5\r\n",
        "a=rtcp:8000 IN IP6 2001:db8::1\r\n"})
    EXPECT_EQ(plan(audio, answer + without), only_rtp) << without;
}

TEST(MediaPlan, LastPortHasNoRtcp) {
  EXPECT_EQ(plan("m=audio 65535 RTP/AVP 0\r\n", answer),
            "0 rtp 192.0.2.1:65535 <> 198.51.100.2:5000\n");
}

TEST(MediaPlan, MuxNeedsBoth) {
  const std::string mux = "a=rtcp-mux\r\n";
  const std::string only = "a=rtcp-mux-only\r\n";
  EXPECT_EQ(plan(audio + mux, answer + mux), "0 muxed\n" + only_rtp);
  EXPECT_EQ(plan(audio + mux, answer), both_open);
  EXPECT_EQ(plan(audio, answer + mux), both_open);
  EXPECT_EQ(plan(audio + only, answer + mux), "0 muxed\n" + only_rtp);
  EXPECT_EQ(plan(audio + only, answer), only_rtp);
  EXPECT_EQ(plan(audio + mux + "a=rtcp:7000\r\n", answer + mux), "0 muxed\n" + only_rtp);
}

TEST(MediaPlan, DirectionsOfPlainRtp) {
  const std::string to_callee = "0 rtp 192.0.2.1:4000 > 198.51.100.2:5000\n" + only_rtcp;
  const std::string to_caller = "0 rtp 192.0.2.1:4000 < 198.51.100.2:5000\n" + only_rtcp;
  const char* directions[] = {"sendrecv", "sendonly", "recvonly", "inactive"};
  const std::string expected[4][4] = {
      // caller sendrecv against callee sendrecv, sendonly, recvonly, inactive; and so on
      {both_open, to_caller, to_callee, only_rtcp},
      {to_callee, only_rtcp, to_callee, only_rtcp},
      {to_caller, to_caller, only_rtcp, only_rtcp},
      {only_rtcp, only_rtcp, only_rtcp, only_rtcp},
  };
  for (std::size_t one = 0; one < 4; ++one)
    for (std::size_t two = 0; two < 4; ++two)
      EXPECT_EQ(
          plan(audio + "a=" + directions[one] + "\r\n", answer + "a=" + directions[two] + "\r\n"),
          expected[one][two])
          << directions[one] << " " << directions[two];
}

TEST(MediaPlan, OneWayWithHandshakesIsOpenBothWays) {
  const std::string ice = "a=ice-ufrag:8hhY\r\n";
  const std::string send = "a=sendonly\r\n";
  const std::string receive = "a=recvonly\r\n";
  EXPECT_EQ(plan(audio + ice + send, answer + ice + receive), both_open);
  EXPECT_EQ(plan(audio + send, answer + ice + receive),
            "0 rtp 192.0.2.1:4000 > 198.51.100.2:5000\n" + only_rtcp);
  const std::string secure = "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n";
  const std::string secure_answer = "m=audio 5000 UDP/TLS/RTP/SAVPF 0\r\n";
  EXPECT_EQ(plan(secure + send, secure_answer + receive), both_open);
  EXPECT_EQ(plan(secure + "a=inactive\r\n", secure_answer + "a=inactive\r\n"), only_rtcp);
  EXPECT_EQ(plan(audio + ice + "a=inactive\r\n", answer + ice + "a=inactive\r\n"), both_open);
  EXPECT_EQ(plan(audio + "a=rtcp-mux\r\na=inactive\r\n", answer + "a=rtcp-mux\r\na=inactive\r\n"),
            "0 muxed\n" + only_rtp);
}

TEST(MediaPlan, RefusedStreams) {
  EXPECT_EQ(plan("m=audio 0 RTP/AVP 0\r\n", "m=audio 0 RTP/AVP 0\r\n"), "0 refused\n");
  EXPECT_EQ(plan(audio, "m=audio 0 RTP/AVP 0\r\n"), "0 refused\n");
  EXPECT_EQ(plan("m=audio 0 RTP/AVP 0\r\n", answer), "0 refused\n");
  EXPECT_EQ(plan(audio + "m=video 6000 RTP/AVP 31\r\n", answer), "1 refused\n" + both_open);
}

TEST(MediaPlan, Hold) {
  EXPECT_EQ(plan(audio + "c=IN IP4 0.0.0.0\r\n", answer), "0 held\n");
  EXPECT_EQ(plan(audio, answer + "c=IN IP6 ::\r\n"), "0 held\n");
  EXPECT_EQ(plan("m=audio 9 RTP/AVP 0\r\na=ice-ufrag:8hhY\r\n", answer), "0 held\n");
  EXPECT_EQ(plan("m=audio 9 RTP/AVP 0\r\n", answer),
            "0 rtp 192.0.2.1:9 <> 198.51.100.2:5000\n0 rtcp 192.0.2.1:10 <> 198.51.100.2:5001\n");
}

TEST(MediaPlan, Unsupported) {
  for (const char* other :
       {"m=message 5000 TCP/MSRP *\r\n", "m=audio 5000 TCP/RTP/AVP 0\r\n", "m=audio 5000 UDP 0\r\n",
        "m=audio 5000 RTP/AVP/X 0\r\n", "m=image 5000 udptl t38\r\n",
        "m=audio 5000/2 RTP/AVP 0\r\n", "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 name.example.com\r\n",
        "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 233.252.0.1/127\r\n",
        "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 233.252.0.1\r\n",
        "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.7/127\r\n",
        "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 192.0.2.7\r\nc=IN IP4 192.0.2.8\r\n",
        "m=audio 5000 RTP/AVP 0\r\nc=IN IP6 ff0e::1\r\n",
        "m=audio 5000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"}) {
    EXPECT_EQ(plan(audio, other), "0 unsupported\n") << other;
    EXPECT_EQ(plan(other, audio), "0 unsupported\n") << other;
  }
}

TEST(MediaPlan, OnlyRtpHasRtcp) {
  EXPECT_EQ(plan("m=image 4000 udptl t38\r\n", "m=image 5000 UDPTL t38\r\n"), only_rtp);
  EXPECT_EQ(plan("m=application 4000 UDP/DTLS/SCTP webrtc-datachannel\r\na=sendonly\r\n",
                 "m=application 5000 UDP/DTLS/SCTP webrtc-datachannel\r\n"),
            only_rtp);
}

TEST(MediaPlan, Ipv6) {
  const SessionPair pair{description("IP6 2001:db8::1", audio),
                         description("IP6 2001:db8:1::2", answer)};
  EXPECT_EQ(text_of(plan_media(pair)), "0 rtp [2001:db8::1]:4000 <> [2001:db8:1::2]:5000\n"
                                       "0 rtcp [2001:db8::1]:4001 <> [2001:db8:1::2]:5001\n");
}

TEST(MediaPlan, SeveralStreamsInTheirOrder) {
  const SessionPair pair =
      make_pair_of(audio + "m=video 0 RTP/AVP 31\r\nm=video 4002 RTP/SAVP 96\r\na=rtcp-mux\r\n",
                   answer + "m=video 0 RTP/AVP 31\r\nm=video 5002 RTP/SAVP 96\r\na=rtcp-mux\r\n");
  const MediaPlan made = plan_media(pair);
  EXPECT_EQ(text_of(made),
            "1 refused\n2 muxed\n" + both_open + "2 rtp 192.0.2.1:4002 <> 198.51.100.2:5002\n");
  ASSERT_EQ(made.streams.size(), 3U);
  EXPECT_EQ(made.streams[2].type, "video");
  EXPECT_EQ(made.streams[2].protocol, "RTP/SAVP");
}

TEST(MediaPlan, WhatNoRuleDependsOnIsNotRead) {
  EXPECT_EQ(plan(audio + "a=ssrc:1 cname:x\r\na=rtcp-rsize\r\na=altc:1 IP6 2001:db8::5 22\r\n",
                 answer + "a=what:ever\r\na=rtcp-fb:* nack\r\n"),
            both_open);
}

// A fax takes the place of the voice, in a slot of its own or in the same one.
TEST(MediaPlan, FaxSwitch) {
  const std::string fax = "m=image 4000 udptl t38\r\na=T38FaxVersion:0\r\n"
                          "a=T38FaxUdpEC:t38UDPRedundancy\r\n";
  const std::string fax_answer = "m=image 5000 udptl t38\r\na=T38FaxVersion:0\r\n";
  const std::string no_voice = "m=audio 0 RTP/AVP 0\r\n";
  EXPECT_EQ(plan(fax, fax_answer), only_rtp);
  EXPECT_EQ(plan(no_voice + fax, no_voice + fax_answer),
            "0 refused\n1 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n");
  EXPECT_EQ(plan(audio + "m=image 4004 udptl t38\r\n", answer + "m=image 0 udptl t38\r\n"),
            "1 refused\n" + both_open);
}

// RFC 8839 appendix A: two families by default, and no pair of candidates of one.
TEST(MediaPlan, ExampleOfRfc8839) {
  const SessionPair pair{
      description("IP6 2001:db8:8101:3a55:4858:a2a9:22ff:99b9",
                  "a=ice-options:ice2\r\na=ice-pacing:50\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
                  "a=ice-ufrag:8hhY\r\nm=audio 45664 RTP/AVP 0\r\nb=RS:0\r\nb=RR:0\r\n"
                  "a=rtpmap:0 PCMU/8000\r\n"
                  "a=candidate:1 1 UDP 2130706431 fe80::6676:baff:fe9c:ee4a 8998 typ host\r\n"
                  "a=candidate:2 1 UDP 1694498815 2001:db8:8101:3a55:4858:a2a9:22ff:99b9 45664 typ "
                  "srflx raddr fe80::6676:baff:fe9c:ee4a rport 8998\r\n"),
      description("IP4 192.0.2.1",
                  "a=ice-options:ice2\r\na=ice-pacing:50\r\na=ice-pwd:YH75Fviy6338Vbrhrlp8Yh\r\n"
                  "a=ice-ufrag:9uB6\r\nm=audio 3478 RTP/AVP 0\r\nb=RS:0\r\nb=RR:0\r\n"
                  "a=rtpmap:0 PCMU/8000\r\n"
                  "a=candidate:1 1 UDP 2130706431 192.0.2.1 3478 typ host\r\n")};
  const MediaPlan made = plan_media(pair);
  EXPECT_EQ(text_of(made), "");
  EXPECT_EQ(sinks_of(made),
            "0 rtp 192.0.2.1:3478 9uB6<8hhY rtp(0)\n"
            "0 rtp [2001:db8:8101:3a55:4858:a2a9:22ff:99b9]:45664 8hhY<9uB6 rtp(0)\n"
            "0 rtp [fe80::6676:baff:fe9c:ee4a]:8998 8hhY<9uB6 rtp(0)\n");
}

std::string addresses(const std::string& media) {
  std::string text;
  const SdpPtr sdp = description(caller_ip, media);
  for (const ReceiveAddress& one : receive_addresses(*sdp))
    text += std::to_string(one.stream) + (one.component == Component::rtp ? " rtp " : " rtcp ") +
            std::string(one.text) + " " + std::to_string(one.port) + (one.is_hold ? " hold" : "") +
            (one.only_connects ? " connects" : "") + (one.address ? "" : " name") + "\n";
  return text;
}

TEST(ReceiveAddresses, OfOneDescription) {
  EXPECT_EQ(addresses(""), "");
  EXPECT_EQ(addresses(audio), "0 rtp 192.0.2.1 4000\n0 rtcp 192.0.2.1 4001\n");
  EXPECT_EQ(addresses(audio + "a=rtcp-mux\r\n"), "0 rtp 192.0.2.1 4000\n0 rtcp 192.0.2.1 4001\n");
  EXPECT_EQ(addresses(audio + "a=rtcp-mux-only\r\n"), "0 rtp 192.0.2.1 4000\n");
  EXPECT_EQ(addresses(audio + "a=rtcp:7000 IN IP4 10.0.0.1\r\n"),
            "0 rtp 192.0.2.1 4000\n0 rtcp 10.0.0.1 7000\n");
  EXPECT_EQ(addresses(audio + "c=IN IP4 name.example.com\r\n"),
            "0 rtp name.example.com 4000 name\n0 rtcp name.example.com 4001 name\n");
  EXPECT_EQ(addresses(audio + "c=IN IP4 0.0.0.0\r\n"),
            "0 rtp 0.0.0.0 4000 hold\n0 rtcp 0.0.0.0 4001 hold\n");
  EXPECT_EQ(addresses("m=audio 9 RTP/AVP 0\r\na=ice-ufrag:8hhY\r\n"),
            "0 rtp 192.0.2.1 9 hold\n0 rtcp 192.0.2.1 10 hold\n");
  EXPECT_EQ(addresses("m=audio 0 RTP/AVP 0\r\nm=message 9 TCP/MSRP *\r\nm=image 8 udptl t38\r\n"),
            "1 rtp 192.0.2.1 9 connects\n2 rtp 192.0.2.1 8\n");
}

// A flow names, on each side, an address that this side's description asks to receive on and that
// is no hold; a stream that is not open has none; order is by stream and component.
TEST(MediaPlan, FlowsNameOnlyReceiveAddresses) {
  std::mt19937 random(3264);
  const auto pick = [&](auto& list) { return std::string(list[random() % std::size(list)]); };
  const char* ports[] = {"0", "9", "4000", "4001", "65535", "5000/2"};
  const char* protocols[] = {"RTP/AVP", "RTP/AVP", "UDP/TLS/RTP/SAVPF", "udptl", "TCP/MSRP"};
  const char* lines[] = {"",
                         "",
                         "",
                         "c=IN IP4 0.0.0.0\r\n",
                         "c=IN IP6 2001:db8::7\r\n",
                         "c=IN IP4 224.0.0.9/3\r\n",
                         "c=IN IP4 a.example\r\n",
                         "a=rtcp-mux\r\n",
                         "a=rtcp-mux\r\n",
                         "a=rtcp-mux-only\r\n",
                         "a=rtcp:7000\r\n",
                         "a=rtcp:7000 IN IP6 2001:db8::8\r\n",
                         "a=ice-ufrag:8hhY\r\n",
                         "a=sendonly\r\n",
                         "a=recvonly\r\n",
                         "a=inactive\r\n"};
  const auto media = [&] {
    return "m=audio " + pick(ports) + " " + pick(protocols) + " 0\r\n" + pick(lines);
  };
  const auto is_asked = [](const SdpPtr& sdp, const MediaFlow& flow, const Endpoint& endpoint) {
    return std::ranges::any_of(receive_addresses(*sdp), [&](const ReceiveAddress& one) {
      return one.stream == flow.stream && one.component == flow.component && !one.is_hold &&
             one.address == endpoint.address && one.port == endpoint.port;
    });
  };
  std::size_t flows = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string one;
    std::string two;
    for (int count = 0; count < 3; ++count) {
      one += media();
      two += media();
    }
    const SessionPair pair = make_pair_of(one, two);
    const MediaPlan made = plan_media(pair);
    ASSERT_EQ(made.streams.size(), 3U);
    ASSERT_TRUE(std::ranges::is_sorted(made.flows, {}, [](const MediaFlow& flow) {
      return std::pair{flow.stream, flow.component};
    }));
    for (const MediaFlow& flow : made.flows) {
      ++flows;
      ASSERT_EQ(made.streams[flow.stream].state, StreamState::open);
      ASSERT_TRUE(is_asked(pair.caller, flow, flow.caller)) << one << two;
      ASSERT_TRUE(is_asked(pair.callee, flow, flow.callee)) << one << two;
      ASSERT_EQ(flow.caller.address.family, flow.callee.address.family);
      ASSERT_TRUE(flow.from_caller || flow.from_callee);
      ASSERT_NE(flow.caller.port, 0);
    }
  }
  EXPECT_GT(flows, 500U);
}

} // namespace
} // namespace midcom::sip
