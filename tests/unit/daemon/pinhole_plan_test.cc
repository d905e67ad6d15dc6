// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pinhole_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway_config.h"

namespace midcom {
namespace {

using pinhole::SourceRule;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::size_t inside = 0, core = 2;

AgentConfig config_with_sides() {
  AgentConfig config = test::gateway_config();
  for (auto& peer : config.peers) peer.side = peer.name;
  return config;
}

std::string session(const std::string& host, const std::string& media) {
  return "v=0\r\no=- 1 1 IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host + "\r\nt=0 0\r\n" + media;
}

std::string candidate(int number, const char* host, int port) {
  return "a=candidate:" + std::to_string(number) + " 1 UDP 2130706431 " + host + " " +
         std::to_string(port) + " typ host\r\n";
}

// A call between a phone inside and the core: 10.1.0.10 and 192.0.2.9.
class PinholePlanTest : public testing::Test {
protected:
  PinholePlanTest() {
    call_ = calls_.create("c1", "a", {});
    leg_ = &call_->legs["b"];
    leg_->proof = Proof::invite;
  }
  sip::SdpPtr see(PeerIndex peer, const char* source, const std::string& text) {
    const auto sdp = *sip::Sdp::parse(text, {});
    call_->seen.push_back({"tag", 1, sdp, judge(config_, peer, test::address(source), *sdp)});
    return sdp;
  }
  void offer(const std::string& text) {
    const sip::OfferAnswer::Request request{sip::Method::invite, sip::Party::caller, 1,
                                            see(inside, "10.1.0.10", text)};
    static_cast<void>(call_->before_legs.on(request));
    leg_->exchange = call_->before_legs;
  }
  void answer(const std::string& text) {
    static_cast<void>(leg_->exchange.on(sip::OfferAnswer::Response{
        sip::Method::invite, sip::Party::callee, 1, 200, false, see(core, "192.0.2.5", text)}));
  }
  [[nodiscard]] Pinholes agreed(std::size_t room = 100) const {
    return plan_.of_leg(*call_, *leg_, room).pinholes;
  }
  [[nodiscard]] static std::vector<std::string> places(const Pinholes& pinholes) {
    std::vector<std::string> out;
    for (const auto& sink : pinholes.sinks) out.push_back(sink.at.to_string());
    return out;
  }

  AgentConfig config_ = config_with_sides();
  PeerDirectory peers_{config_};
  PinholePlan plan_{config_, peers_};
  CallTable calls_;
  CallPtr call_;
  Leg* leg_ = nullptr;
  const std::string audio_ = "m=audio 40000 RTP/AVP 0 101\r\n";
  const std::string ice_ = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=rtcp-mux\r\n";
};

TEST_F(PinholePlanTest, AnOfferWaitsAtItsOwnAddressesForWhatItNames) {
  offer(session("10.1.0.10", audio_));
  const auto wanted = plan_.of_offer(*call_, 100).pinholes;
  EXPECT_THAT(places(wanted), ElementsAre("10.1.0.10:40000", "10.1.0.10:40001"));
  const auto& promise = wanted.promise_of(wanted.sinks[0]);
  EXPECT_TRUE(promise.awaits_answer);
  EXPECT_EQ(promise.kinds & pinhole::kind_rtp, pinhole::kind_rtp);
  EXPECT_EQ(promise.payload_types[0], 1);
  EXPECT_EQ(promise.payload_types[101 / 8], 1 << 101 % 8);
  EXPECT_THAT(promise.senders, IsEmpty());
  EXPECT_TRUE(wanted.rules.empty());
  EXPECT_TRUE(agreed().empty()); // the INVITE's offer is nobody's but its own group's
  config_.media.has_early = false;
  EXPECT_TRUE(plan_.of_offer(*call_, 100).pinholes.empty());
}

TEST_F(PinholePlanTest, ExactAddressesAreNoSinksUnlessTheSendersPolicyAllowsLearning) {
  offer(session("10.1.0.10", audio_));
  answer(session("192.0.2.9", audio_));
  EXPECT_EQ(agreed().rules.size(), 2U);
  EXPECT_THAT(places(agreed()), IsEmpty());
  config_.peers[core].media_source = SourceRule::same_address;
  EXPECT_THAT(places(agreed()), ElementsAre("10.1.0.10:40000", "10.1.0.10:40001"));
  EXPECT_EQ(agreed().promises[0].source, SourceRule::same_address);
}

TEST_F(PinholePlanTest, EachCandidateIsBelievedOrNotByItself) {
  offer(session("10.1.0.10", audio_ + ice_ + candidate(1, "10.1.0.10", 40000) +
                                 candidate(2, "10.1.0.99", 40000) +
                                 candidate(3, "169.254.1.1", 40000)));
  EXPECT_EQ(call_->seen[0].judgement.candidates_left_out, 2U);
  answer(session("192.0.2.9", audio_ + ice_ + candidate(1, "192.0.2.9", 40000) +
                                  candidate(2, "192.0.2.10", 42000) +
                                  candidate(3, "203.0.113.7", 42000)));
  const auto wanted = agreed();
  EXPECT_THAT(places(wanted),
              UnorderedElementsAre("10.1.0.10:40000", "192.0.2.9:40000", "192.0.2.10:42000"));
  for (const auto& sink : wanted.sinks)
    if (sink.is_a)
      EXPECT_EQ(wanted.promise_of(sink).senders.size(), 2U); // not 203.0.113.7
    else
      EXPECT_EQ(wanted.promise_of(sink).senders.size(), 1U);
}

TEST_F(PinholePlanTest, BothEndsOnOneSideNeedNothing) {
  offer(session("10.1.0.10", audio_ + ice_ + candidate(1, "10.1.0.10", 40000)));
  const auto sdp = see(inside, "10.1.0.11",
                       session("10.1.0.11", audio_ + ice_ + candidate(1, "10.1.0.11", 40000)));
  static_cast<void>(leg_->exchange.on(
      sip::OfferAnswer::Response{sip::Method::invite, sip::Party::callee, 1, 200, false, sdp}));
  config_.peers[inside].media_source = SourceRule::any_verified;
  EXPECT_TRUE(agreed().empty());
}

TEST_F(PinholePlanTest, AConnectionGoesOnlyWhereItMay) {
  const std::string message = "m=message 7000 TCP/MSRP *\r\na=accept-types:text/plain\r\n";
  offer(session("10.1.0.10", message + "a=setup:active\r\na=path:msrp://10.1.0.10:7000/a;tcp\r\n"));
  answer(
      session("192.0.2.9", message + "a=setup:passive\r\na=path:msrp://192.0.2.9:7000/b;tcp\r\n"));
  EXPECT_THAT(places(agreed()), IsEmpty());
  config_.peers[core].takes_tcp_media = true;
  ASSERT_THAT(places(agreed()), ElementsAre("192.0.2.9:7000"));
  EXPECT_EQ(agreed().sinks[0].protocol, 6);
  EXPECT_FALSE(agreed().sinks[0].is_a);
}

TEST_F(PinholePlanTest, WhatHasNoRoomIsLeftOutAndCounted) {
  offer(session("10.1.0.10", audio_ + ice_ + candidate(1, "10.1.0.10", 40000)));
  answer(session("192.0.2.9", audio_ + ice_ + candidate(1, "192.0.2.9", 40000) +
                                  candidate(2, "192.0.2.10", 42000)));
  EXPECT_EQ(plan_.of_leg(*call_, *leg_, 100).left_out, 0U);
  const auto wanted = plan_.of_leg(*call_, *leg_, 1);
  EXPECT_EQ(wanted.pinholes.sinks.size(), 1U);
  EXPECT_EQ(wanted.left_out, 2U);
  EXPECT_EQ(wanted.pinholes.rules, agreed().rules);
}

TEST_F(PinholePlanTest, AnEndedLegWantsNothing) {
  offer(session("10.1.0.10", audio_));
  answer(session("192.0.2.9", audio_));
  leg_->is_ended = true;
  EXPECT_TRUE(agreed().empty());
}

} // namespace
} // namespace midcom
