// SPDX-License-Identifier: GPL-3.0-or-later
// Sinks of answered and unanswered offers.
#include <gtest/gtest.h>

#include "sip/media_plan.h"
#include "tests/unit/sip/media_text.h"

namespace midcom::sip {
namespace {

using namespace test;

const std::string pwd = "a=ice-pwd:0123456789012345678901\r\n";
const std::string caller_ice = "a=ice-ufrag:callerU\r\n" + pwd;
const std::string callee_ice = "a=ice-ufrag:calleeU\r\n" + pwd;

std::string candidate(const std::string& component, const std::string& where,
                      const std::string& rest = "typ host", const std::string& transport = "udp") {
  return "a=candidate:1 " + component + " " + transport + " 1 " + where + " " + rest + "\r\n";
}

std::string sinks(const std::string& caller, const std::string& callee) {
  return sinks_of(plan_media(make_pair_of(caller, callee)));
}

std::string offered(const std::string& offer) {
  const SdpPtr sdp = description(caller_ip, offer);
  const MediaPlan plan = plan_offer(*sdp, Party::caller);
  EXPECT_TRUE(plan.flows.empty());
  for (const MediaSink& sink : plan.sinks) {
    EXPECT_TRUE(sink.awaits_answer);
    EXPECT_TRUE(sink.senders.empty());
    EXPECT_TRUE(sink.sender_ufrag.empty());
    EXPECT_EQ(sink.receiver, Party::caller);
  }
  return sinks_of(plan);
}

TEST(MediaSinks, PlainRtpIsExact) {
  EXPECT_EQ(sinks("m=audio 4000 RTP/AVP 0 8\r\n", "m=audio 5000 RTP/AVP 0\r\n"),
            "0 rtp 192.0.2.1:4000 rtp(0 8) from 198.51.100.2:5000 exact\n"
            "0 rtp 198.51.100.2:5000 rtp(0) from 192.0.2.1:4000 exact\n"
            "0 rtcp 192.0.2.1:4001 rtcp from 198.51.100.2:5001 exact\n"
            "0 rtcp 198.51.100.2:5001 rtcp from 192.0.2.1:4001 exact\n");
}

TEST(MediaSinks, OneWay) {
  EXPECT_EQ(
      sinks("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", "m=audio 5000 RTP/AVP 0\r\na=recvonly\r\n"),
      "0 rtp 198.51.100.2:5000 rtp(0) from 192.0.2.1:4000 exact\n"
      "0 rtcp 192.0.2.1:4001 rtcp from 198.51.100.2:5001 exact\n"
      "0 rtcp 198.51.100.2:5001 rtcp from 192.0.2.1:4001 exact\n");
}

TEST(MediaSinks, MuxedRtpPathBringsRtcp) {
  EXPECT_EQ(sinks("m=audio 4000 RTP/SAVP 96\r\na=rtcp-mux\r\na=inactive\r\n",
                  "m=audio 5000 RTP/SAVP 96\r\na=rtcp-mux\r\na=inactive\r\n"),
            "0 rtp 192.0.2.1:4000 rtcp from 198.51.100.2:5000 exact\n"
            "0 rtp 198.51.100.2:5000 rtcp from 192.0.2.1:4000 exact\n");
}

TEST(MediaSinks, FaxAndOthers) {
  EXPECT_EQ(sinks("m=image 4000 udptl t38\r\n", "m=image 5000 udptl t38\r\n"),
            "0 rtp 192.0.2.1:4000 udptl from 198.51.100.2:5000 exact\n"
            "0 rtp 198.51.100.2:5000 udptl from 192.0.2.1:4000 exact\n");
  EXPECT_EQ(sinks("m=image 4000 UDP/TLS/UDPTL t38\r\n", "m=image 5000 UDP/TLS/UDPTL t38\r\n"),
            "0 rtp 192.0.2.1:4000 dtls from 198.51.100.2:5000 exact\n"
            "0 rtp 198.51.100.2:5000 dtls from 192.0.2.1:4000 exact\n");
  // The gate can't tell BFCP: the exact flow alone.
  const MediaPlan bfcp = plan_media(
      make_pair_of("m=application 4000 UDP/BFCP *\r\n", "m=application 5000 UDP/BFCP *\r\n"));
  EXPECT_EQ(text_of(bfcp), "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n");
  EXPECT_TRUE(bfcp.sinks.empty());
}

TEST(MediaSinks, SeveralPortPairs) {
  const SessionPair pair =
      make_pair_of("m=video 4000/2 RTP/AVP 31\r\n", "m=video 5000/2 RTP/AVP 31\r\n");
  const MediaPlan plan = plan_media(pair);
  EXPECT_EQ(text_of(plan), "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n"
                           "0 rtp 192.0.2.1:4002 <> 198.51.100.2:5002\n"
                           "0 rtcp 192.0.2.1:4001 <> 198.51.100.2:5001\n"
                           "0 rtcp 192.0.2.1:4003 <> 198.51.100.2:5003\n");
  EXPECT_EQ(plan.sinks.size(), 8U);
  const std::string two = "m=video 4000/2 RTP/AVP 31\r\n";
  for (const std::string other : {"m=video 5000/3 RTP/AVP 31\r\n", "m=video 5000 RTP/AVP 31\r\n",
                                  "m=video 65535/2 RTP/AVP 31\r\n", "m=video 5000/2 udptl t38\r\n"})
    EXPECT_EQ(text_of(plan_media(make_pair_of(two, other))), "0 unsupported\n") << other;
  const std::string many = "m=video 5000/17 RTP/AVP 31\r\n";
  EXPECT_EQ(text_of(plan_media(make_pair_of(many, many))), "0 unsupported\n");
}

const std::string audio = "m=audio 4000 RTP/SAVPF 96\r\n";
const std::string answer = "m=audio 5000 RTP/SAVPF 96\r\n";

TEST(MediaSinks, IceCandidates) {
  const std::string caller =
      audio + caller_ice + candidate("1", "192.0.2.1 4000") +
      candidate("1", "203.0.113.7 6000", "typ srflx raddr 10.0.0.1 rport 9") +
      candidate("2", "192.0.2.1 4001") + candidate("3", "192.0.2.1 4009") +
      candidate("1", "2001:db8::1 4000");
  const std::string callee = answer + callee_ice + candidate("1", "198.51.100.2 5000") +
                             candidate("2", "198.51.100.2 5001") + candidate("1", "a.local 5000") +
                             candidate("1", "0.0.0.0 5000") + candidate("1", "224.0.0.1 5000");
  const SessionPair pair = make_pair_of(caller, callee);
  const MediaPlan plan = plan_media(pair);
  EXPECT_EQ(text_of(plan), "0 rtp 192.0.2.1:4000 <> 198.51.100.2:5000\n"
                           "0 rtcp 192.0.2.1:4001 <> 198.51.100.2:5001\n");
  EXPECT_EQ(sinks_of(plan),
            "0 rtp 192.0.2.1:4000 callerU<calleeU rtp(96) from 198.51.100.2:5000\n"
            "0 rtp 198.51.100.2:5000 calleeU<callerU rtp(96) from 192.0.2.1:4000 "
            "203.0.113.7:6000\n"
            "0 rtp 203.0.113.7:6000 callerU<calleeU rtp(96) from 198.51.100.2:5000\n"
            "0 rtp [2001:db8::1]:4000 callerU<calleeU rtp(96)\n"
            "0 rtcp 192.0.2.1:4001 callerU<calleeU rtcp from 198.51.100.2:5001\n"
            "0 rtcp 198.51.100.2:5001 calleeU<callerU rtcp from 192.0.2.1:4001\n");
  for (const MediaSink& sink : plan.sinks) EXPECT_EQ(sink.receiver_password.size(), 22U);
}

TEST(MediaSinks, IceWithMuxHasOneComponent) {
  const std::string mux = "a=rtcp-mux\r\n";
  EXPECT_EQ(sinks(audio + mux + caller_ice + candidate("1", "192.0.2.1 4000") +
                      candidate("2", "192.0.2.1 4001"),
                  answer + mux + callee_ice + candidate("1", "198.51.100.2 5000")),
            "0 rtp 192.0.2.1:4000 callerU<calleeU rtp(96) rtcp from 198.51.100.2:5000\n"
            "0 rtp 198.51.100.2:5000 calleeU<callerU rtp(96) rtcp from 192.0.2.1:4000\n");
}

TEST(MediaSinks, IceOfOneSideIsNone) {
  EXPECT_EQ(sinks(audio + "a=rtcp-mux-only\r\n" + caller_ice + candidate("1", "192.0.2.1 4000"),
                  answer + "a=rtcp-mux\r\n"),
            "0 rtp 192.0.2.1:4000 rtp(96) rtcp from 198.51.100.2:5000 exact\n"
            "0 rtp 198.51.100.2:5000 rtp(96) rtcp from 192.0.2.1:4000 exact\n");
}

TEST(MediaSinks, CandidatesDoWithoutDefaultAddress) {
  const SessionPair pair = make_pair_of(
      "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\n" + caller_ice +
          candidate("1", "192.0.2.1 4000"),
      "m=audio 5000 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP6 2001:db8::2\r\na=rtcp-mux\r\n" + callee_ice +
          candidate("1", "2001:db8::2 5000") + candidate("1", "198.51.100.2 5000"));
  const MediaPlan plan = plan_media(pair);
  EXPECT_EQ(text_of(plan), "0 muxed\n");
  EXPECT_EQ(sinks_of(plan),
            "0 rtp 192.0.2.1:4000 callerU<calleeU dtls rtp(96) rtcp from 198.51.100.2:5000\n"
            "0 rtp 198.51.100.2:5000 calleeU<callerU dtls rtp(96) rtcp from 192.0.2.1:4000\n"
            "0 rtp [2001:db8::2]:5000 calleeU<callerU dtls rtp(96) rtcp\n");
}

// RFC 8445 2.5: who only answers checks has candidates as anybody.
TEST(MediaSinks, IceLite) {
  const std::string caller = audio + caller_ice + candidate("1", "192.0.2.1 4000");
  const std::string callee = answer + callee_ice + candidate("1", "198.51.100.2 5000");
  EXPECT_EQ(sinks(caller, "a=ice-lite\r\n" + callee), sinks(caller, callee));
}

// A hold must not take back what the gate has admitted.
TEST(MediaSinks, IcePromisesStayOnHold) {
  const std::string caller = audio + caller_ice + candidate("1", "192.0.2.1 4000");
  const std::string callee = answer + callee_ice + candidate("1", "198.51.100.2 5000");
  EXPECT_EQ(sinks(caller + "a=inactive\r\n", callee + "a=inactive\r\n"), sinks(caller, callee));
}

TEST(MediaSinks, TcpCandidates) {
  const std::string caller = audio + caller_ice +
                             candidate("1", "192.0.2.1 9", "typ host tcptype active", "TCP") +
                             candidate("1", "192.0.2.1 8443", "typ host tcptype passive", "TCP") +
                             candidate("1", "192.0.2.1 8444", "typ host tcptype so", "TCP") +
                             candidate("1", "192.0.2.1 8445", "typ host", "TCP");
  const std::string callee =
      answer + callee_ice +
      candidate("1", "198.51.100.2 9", "typ srflx raddr 10.0.0.1 rport 9 tcptype active", "tcp") +
      candidate("1", "198.51.100.2 9444", "typ host tcptype so", "tcp");
  EXPECT_EQ(sinks(caller, callee), "0 rtp 192.0.2.1:8443 tcp from 198.51.100.2:*\n"
                                   "0 rtp 192.0.2.1:8444 tcp from 198.51.100.2:9444\n"
                                   "0 rtp 198.51.100.2:9444 tcp from 192.0.2.1:8444\n");
}

std::string fragment(const std::string& ufrag, const std::string& mid, const std::string& rest) {
  return "a=ice-ufrag:" + ufrag + "\r\n" + pwd + "m=audio 9 RTP/AVP 0\r\na=mid:" + mid + "\r\n" +
         rest;
}

TEST(MediaSinks, TrickledCandidates) {
  const SessionPair pair = make_pair_of(
      "m=audio 9 RTP/SAVPF 96\r\na=mid:a\r\na=rtcp-mux\r\n" + caller_ice,
      answer + "a=mid:a\r\na=rtcp-mux\r\n" + callee_ice + candidate("1", "198.51.100.2 5000"));
  EXPECT_EQ(sinks_of(plan_media(pair)), "0 rtp 198.51.100.2:5000 calleeU<callerU rtp(96) rtcp\n");
  const auto parse = [](const std::string& text) { return *TrickleFragment::parse(text, {}); };
  TrickledCandidates trickled;
  trickled.caller = {
      parse(fragment("callerU", "a", candidate("1", "192.0.2.1 4000"))),
      parse(fragment("callerU", "a",
                     candidate("1", "192.0.2.1 4000") + candidate("1", "192.0.2.1 4002"))),
      parse(fragment("callerU", "b", candidate("1", "192.0.2.1 4004"))),
      parse(fragment("oldU", "a", candidate("1", "192.0.2.1 4006")))};
  EXPECT_EQ(sinks_of(plan_media(pair, trickled)),
            "0 rtp 192.0.2.1:4000 callerU<calleeU rtp(96) rtcp from 198.51.100.2:5000\n"
            "0 rtp 192.0.2.1:4002 callerU<calleeU rtp(96) rtcp from 198.51.100.2:5000\n"
            "0 rtp 198.51.100.2:5000 calleeU<callerU rtp(96) rtcp from 192.0.2.1:4000 "
            "192.0.2.1:4002\n");
  EXPECT_EQ(sinks_of(plan_offer(*pair.caller, Party::caller, trickled.caller)),
            "0 rtp 192.0.2.1:4000 callerU< rtp(96) rtcp waits\n"
            "0 rtp 192.0.2.1:4002 callerU< rtp(96) rtcp waits\n");
  EXPECT_EQ(candidate_addresses(*pair.caller, trickled.caller).size(), 3U);
}

TEST(MediaSinks, OfTheSameAddressTheFirstCredentialsCount) {
  const std::string other = "a=ice-ufrag:otherU\r\n" + pwd;
  const std::string shared = candidate("1", "192.0.2.1 4000");
  EXPECT_EQ(sinks(audio + caller_ice + shared + "m=video 4000 RTP/SAVPF 97\r\n" + other + shared,
                  answer + callee_ice + "m=video 6000 RTP/SAVPF 97\r\n" + callee_ice),
            "0 rtp 192.0.2.1:4000 callerU<calleeU rtp(96)\n");
}

TEST(MediaSinks, AtMostSoMany) {
  std::string caller;
  std::string callee;
  for (int line = 0; line < 8; ++line) {
    caller += audio + caller_ice;
    callee += answer + callee_ice;
    for (int one = 0; one < 20; ++one) {
      const std::string number = std::to_string(10000 + line * 100 + one);
      caller += candidate("1", "192.0.2.1 " + number);
    }
  }
  const SessionPair pair = make_pair_of(caller, callee);
  const MediaPlan plan = plan_media(pair);
  EXPECT_EQ(plan.sinks.size(), max_media_sinks);
  EXPECT_EQ(plan.left_out, 32U);
  EXPECT_EQ(plan.sinks.back().stream, 6U);
}

TEST(OfferSinks, OfPlainMedia) {
  EXPECT_EQ(offered("m=audio 4000 RTP/AVP 0 101\r\n"), "0 rtp 192.0.2.1:4000 rtp(0 101) waits\n"
                                                       "0 rtcp 192.0.2.1:4001 rtcp waits\n");
  EXPECT_EQ(offered("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"),
            "0 rtp 192.0.2.1:4000 rtp(0) rtcp waits\n0 rtcp 192.0.2.1:4001 rtcp waits\n");
  EXPECT_EQ(offered("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux-only\r\n"),
            "0 rtp 192.0.2.1:4000 rtp(0) rtcp waits\n");
  EXPECT_EQ(offered("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"),
            "0 rtcp 192.0.2.1:4001 rtcp waits\n");
  EXPECT_EQ(offered("m=audio 4000 UDP/TLS/RTP/SAVP 0\r\na=inactive\r\n"),
            "0 rtcp 192.0.2.1:4001 dtls rtcp waits\n");
  EXPECT_EQ(offered("m=audio 4000 UDP/TLS/RTP/SAVP 0\r\na=sendonly\r\n"),
            "0 rtp 192.0.2.1:4000 dtls waits\n0 rtcp 192.0.2.1:4001 dtls rtcp waits\n");
  EXPECT_EQ(offered("m=image 4000 udptl t38\r\n"), "0 rtp 192.0.2.1:4000 udptl waits\n");
  EXPECT_EQ(offered("m=video 4000/2 RTP/AVP 31\r\n"), "0 rtp 192.0.2.1:4000 rtp(31) waits\n"
                                                      "0 rtp 192.0.2.1:4002 rtp(31) waits\n"
                                                      "0 rtcp 192.0.2.1:4001 rtcp waits\n"
                                                      "0 rtcp 192.0.2.1:4003 rtcp waits\n");
  for (const char* none :
       {"m=audio 0 RTP/AVP 0\r\n", "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n",
        "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 a.example\r\n",
        "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.0.0.1/5\r\n", "m=x 4000 UDP/BFCP *\r\n",
        "m=audio 4000 NONE 0\r\n"})
    EXPECT_EQ(offered(none), "") << none;
}

TEST(OfferSinks, OfIce) {
  EXPECT_EQ(offered("m=audio 4000 UDP/TLS/RTP/SAVPF 96\r\n" + caller_ice + "a=sendonly\r\n" +
                    candidate("1", "192.0.2.1 4000") + candidate("2", "192.0.2.1 4001") +
                    candidate("1", "192.0.2.1 8443", "typ host tcptype passive", "tcp")),
            "0 rtp 192.0.2.1:4000 callerU< dtls rtp(96) waits\n"
            "0 rtp 192.0.2.1:8443 tcp waits\n"
            "0 rtcp 192.0.2.1:4001 callerU< dtls rtcp waits\n");
  EXPECT_EQ(offered("m=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\n" +
                    caller_ice + candidate("1", "192.0.2.1 4000")),
            "0 rtp 192.0.2.1:4000 callerU< dtls rtp(96) rtcp waits\n");
}

TEST(OfferSinks, OfConnections) {
  EXPECT_EQ(offered("m=message 4000 TCP/MSRP *\r\n"), "");
  EXPECT_EQ(offered("m=message 4000 TCP/MSRP *\r\na=setup:active\r\n"), "");
  EXPECT_EQ(offered("m=message 4000 TCP/MSRP *\r\na=setup:holdconn\r\n"), "");
  EXPECT_EQ(offered("m=message 4000 TCP/MSRP *\r\na=setup:actpass\r\n"),
            "0 rtp 192.0.2.1:4000 tcp waits\n");
  EXPECT_EQ(offered("m=audio 4000 TCP/RTP/AVP 0\r\na=setup:passive\r\n"),
            "0 rtp 192.0.2.1:4000 tcp waits\n0 rtcp 192.0.2.1:4001 tcp waits\n");
}

} // namespace
} // namespace midcom::sip
