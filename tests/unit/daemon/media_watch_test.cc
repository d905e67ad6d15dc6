// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/media_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway_config.h"

namespace midcom {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class NamesLog final : public EventLog {
public:
  void write(const Event& event) override {
    names.push_back(std::string(event.name()) + " " + std::string(event.field("dir")));
  }
  std::vector<std::string> names;
};

// One call with audio between two ends; media flows as the tests say.
class MediaWatchTest : public testing::Test {
protected:
  MediaWatchTest() {
    call_ = calls_.create("c1", "a", now_);
    leg_ = &call_->legs["b"];
    leg_->id = 7;
    leg_->tag = "b";
    leg_->open.rules.push_back({0, 1, 17, caller_, callee_});
    leg_->caller_endpoints.insert(caller_);
  }
  void agree(const char* caller, const char* callee) {
    const auto offer = describe("10.1.0.10", caller), answer = describe("192.0.2.9", callee);
    static_cast<void>(leg_->exchange.on(
        sip::OfferAnswer::Request{sip::Method::invite, sip::Party::caller, ++cseq_, offer}));
    static_cast<void>(leg_->exchange.on(sip::OfferAnswer::Response{
        sip::Method::invite, sip::Party::callee, cseq_, 200, false, answer}));
    static_cast<void>(leg_->exchange.on(
        sip::OfferAnswer::Request{sip::Method::ack, sip::Party::caller, cseq_, nullptr}));
    ASSERT_TRUE(leg_->exchange.agreed());
    watch_.begin(call_, *leg_, now_);
  }
  sip::SdpPtr describe(const std::string& address, const std::string& direction) {
    return *sip::Sdp::parse("v=0\r\no=- 1 " + std::to_string(++version_) + " IN IP4 " + address +
                                "\r\ns=-\r\nc=IN IP4 " + address + "\r\nt=0 0\r\n" + media_ +
                                "\r\na=" + direction + "\r\n",
                            {});
  }
  // To the next look, with so many packets in between. True: the call is dead.
  bool look(std::uint64_t from_caller, std::uint64_t from_callee) {
    now_ = *watch_.next_deadline();
    EXPECT_EQ(watch_.take_due(now_).size(), 1U);
    caller_packets_ += from_caller;
    callee_packets_ += from_callee;
    return watch_.observe(*call_, *leg_,
                          {{0, 1, caller_, callee_, caller_packets_, 0},
                           {0, 1, callee_, caller_, callee_packets_, 0}},
                          now_);
  }

  AgentConfig config_ = test::gateway_config();
  NamesLog log_;
  MediaWatch watch_{config_, log_};
  sip::TimePoint now_{};
  CallTable calls_;
  CallPtr call_;
  Leg* leg_ = nullptr;
  std::string media_ = "m=audio 40000 RTP/AVP 0";
  std::uint32_t cseq_ = 0;
  int version_ = 0;
  std::uint64_t caller_packets_ = 0, callee_packets_ = 0;
  const pinhole::Endpoint caller_{*pinhole::Address::parse("10.1.0.10"), 40000};
  const pinhole::Endpoint callee_{*pinhole::Address::parse("192.0.2.9"), 40000};
};

TEST_F(MediaWatchTest, LooksFirstSoonAfterTheAnswer) {
  agree("sendrecv", "sendrecv");
  EXPECT_EQ(watch_.next_deadline(), now_ + config_.media.one_way_after);
  EXPECT_FALSE(look(50, 50));
  EXPECT_EQ(watch_.next_deadline(), now_ + config_.media.inactivity / 3);
  EXPECT_THAT(log_.names, IsEmpty());
}

TEST_F(MediaWatchTest, OneWayIsToldOnceForEachTimeItBegins) {
  agree("sendrecv", "sendrecv");
  EXPECT_FALSE(look(50, 0));
  EXPECT_FALSE(look(50, 0));
  EXPECT_THAT(log_.names, ElementsAre("media.one_way callee>caller"));
  EXPECT_FALSE(look(50, 50));
  EXPECT_FALSE(look(0, 50));
  EXPECT_THAT(log_.names,
              ElementsAre("media.one_way callee>caller", "media.one_way caller>callee"));
}

TEST_F(MediaWatchTest, NoneIsNotOneWay) {
  agree("sendrecv", "sendrecv");
  EXPECT_FALSE(look(0, 0));
  EXPECT_FALSE(look(0, 0));
  EXPECT_THAT(log_.names, ElementsAre("media.none "));
}

TEST_F(MediaWatchTest, WhatWasAgreedToFlowOneWayMay) {
  agree("sendonly", "recvonly");
  EXPECT_FALSE(look(50, 0));
  EXPECT_THAT(log_.names, IsEmpty());
  EXPECT_FALSE(look(0, 0));
  EXPECT_THAT(log_.names, ElementsAre("media.none "));
}

TEST_F(MediaWatchTest, FaxMachinesTakeTurns) {
  media_ = "m=image 40000 udptl t38";
  agree("sendrecv", "sendrecv");
  EXPECT_FALSE(look(50, 0));
  EXPECT_FALSE(look(0, 50));
  EXPECT_THAT(log_.names, IsEmpty());
  EXPECT_FALSE(look(0, 0));
  EXPECT_THAT(log_.names, ElementsAre("media.none "));
}

TEST_F(MediaWatchTest, ACallWithoutAnyPacketIsDeadAfterTheTime) {
  agree("sendrecv", "sendrecv");
  EXPECT_FALSE(look(1, 1));
  const auto last = now_;
  while (!look(0, 0)) ASSERT_LT(now_, last + config_.media.inactivity);
  EXPECT_EQ(now_, last + config_.media.inactivity);
}

// A middlebox that was started again has only what the kernel counted since its last refresh.
TEST_F(MediaWatchTest, CountersThatBeganAnewAreNoSilence) {
  agree("sendrecv", "sendrecv");
  EXPECT_FALSE(look(90000, 90000));
  caller_packets_ = callee_packets_ = 0;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(look(10, 10));
  EXPECT_THAT(log_.names, IsEmpty());
  caller_packets_ = callee_packets_ = 0;
  EXPECT_FALSE(look(0, 0));
  EXPECT_THAT(log_.names, ElementsAre("media.none "));
}

TEST_F(MediaWatchTest, OnHoldTheOtherTimeCounts) {
  config_.media.inactivity_on_hold = seconds(3000);
  agree("inactive", "inactive");
  const auto begin = now_;
  while (!look(0, 0)) ASSERT_LT(now_, begin + seconds(3000));
  EXPECT_EQ(now_, begin + seconds(3000));
  EXPECT_THAT(log_.names, IsEmpty());
}

TEST_F(MediaWatchTest, ANewSessionBeginsAnew) {
  agree("sendrecv", "sendrecv");
  EXPECT_FALSE(look(50, 0));
  agree("sendrecv", "sendrecv");
  EXPECT_EQ(watch_.next_deadline(), now_ + config_.media.one_way_after);
  EXPECT_FALSE(look(50, 0));
  EXPECT_EQ(log_.names.size(), 2U);
}

TEST_F(MediaWatchTest, NeverEndsACallWhenSwitchedOff) {
  config_.media.inactivity = seconds(0);
  agree("sendrecv", "sendrecv");
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(look(0, 0));
  EXPECT_THAT(log_.names, ElementsAre("media.none "));
}

TEST_F(MediaWatchTest, AConnectionMayBeSilent) {
  leg_->open.rules[0].protocol = 6;
  agree("sendrecv", "sendrecv");
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(look(0, 0));
  EXPECT_THAT(log_.names, IsEmpty());
}

// ICE without a pair that passes here: told, but it may have found another way.
TEST_F(MediaWatchTest, WhereNobodyHasShownUpThereIsNoMedia) {
  leg_->open.rules.clear();
  leg_->open.sinks.push_back({0, 1, 17, caller_, true, 0});
  leg_->open.promises.emplace_back();
  config_.media.inactivity_on_hold = seconds(3000);
  agree("sendrecv", "sendrecv");
  const auto begin = now_;
  while (!look(0, 0)) ASSERT_LT(now_, begin + seconds(3000));
  EXPECT_EQ(now_, begin + seconds(3000));
  EXPECT_THAT(log_.names, ElementsAre("media.none "));
}

TEST_F(MediaWatchTest, WhatIsForgottenIsNotLookedAt) {
  agree("sendrecv", "sendrecv");
  watch_.forget(*leg_);
  EXPECT_FALSE(watch_.next_deadline());
  agree("sendrecv", "sendrecv");
  call_->legs.clear();
  EXPECT_THAT(watch_.take_due(now_ + seconds(100)), IsEmpty());
  EXPECT_FALSE(watch_.next_deadline());
}

} // namespace
} // namespace midcom
