// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pinhole_client.h"

#include <gtest/gtest.h>

#include "gateway_config.h"
#include "pinhole/features.h"

namespace midcom {
namespace {

using pinhole::Result;
using pinhole::request::SetGroup;
using std::chrono::seconds;

class FakePort final : public MiddleboxPort {
public:
  void send(const pinhole::Request& request) override { sent.push_back(request); }
  std::vector<pinhole::Request> sent;
};

class SilentLog final : public EventLog {
public:
  void write(const Event& event) override { names.emplace_back(event.name()); }
  std::vector<std::string> names;
};

std::uint64_t transaction_of(const pinhole::Request& request) {
  return std::visit([](const auto& r) { return r.transaction; }, request);
}

class PinholeClientTest : public testing::Test {
protected:
  PinholeClientTest() {
    call_ = calls_.create("c1", "a", now_);
    leg_ = &call_->legs["b"];
    leg_->id = 1;
    leg_->tag = "b";
    leg_->proof = Proof::invite;
    leg_->group = {1};
  }
  static std::vector<pinhole::Rule> rules(std::uint16_t port) {
    return {{0,
             1,
             17,
             {*pinhole::Address::parse("10.1.0.10"), port},
             {*pinhole::Address::parse("192.0.2.9"), 50000}}};
  }
  const SetGroup& last_set() const { return std::get<SetGroup>(port_.sent.back()); }
  void reply(std::uint64_t transaction, Result result = Result::ok) {
    client_.on_reply(pinhole::reply::Done{transaction, result, {}}, now_);
  }
  void reply_last(Result result = Result::ok) { reply(transaction_of(port_.sent.back()), result); }
  void pass(seconds time) {
    now_ += time;
    client_.on_timer(now_);
  }

  AgentConfig config_ = test::gateway_config();
  FakePort port_;
  SilentLog log_;
  int resumed_ = 0, expired_ = 0;
  PinholeClient client_{config_,
                        port_,
                        log_,
                        {[this](const CallPtr&, sip::TimePoint) { ++resumed_; },
                         [this](const CallPtr&, Leg&, sip::TimePoint) { ++expired_; }}};
  sip::TimePoint now_{};
  CallTable calls_;
  CallPtr call_;
  Leg* leg_ = nullptr;
};

TEST_F(PinholeClientTest, ACallWaitsForTheAcknowledgement) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  ASSERT_EQ(port_.sent.size(), 1U);
  EXPECT_EQ(call_->awaiting, 1U);
  EXPECT_EQ(client_.rules(), 1U);
  reply_last();
  EXPECT_EQ(call_->awaiting, 0U);
  EXPECT_EQ(resumed_, 1);
  EXPECT_EQ(call_->commit_failure, Reason::none);
  reply_last(); // a second answer to the same request means nothing
  EXPECT_EQ(resumed_, 1);
}

TEST_F(PinholeClientTest, CountsHowLongMessagesWaitForRules) {
  client_.on_up(calls_, 0, now_);
  const auto set = [this](std::vector<pinhole::Rule> rules, bool holds, int taken_us) {
    client_.set(call_, *leg_, {std::move(rules), {}, {}}, holds, now_);
    now_ += std::chrono::microseconds(taken_us);
    reply_last();
  };
  set(rules(40000), true, 10);
  EXPECT_EQ(client_.commits().count(), 1U);
  EXPECT_EQ(client_.commits().longest(), std::chrono::microseconds(10));
  set(rules(40002), false, 20); // nothing waits
  set({}, true, 30);            // it closes
  EXPECT_EQ(client_.commits().count(), 1U);
  client_.set(call_, *leg_, {rules(40004), {}, {}}, true, now_);
  now_ += config_.timeouts.commit;
  pass(seconds(1)); // no answer in time is no commit
  EXPECT_EQ(client_.commits().count(), 1U);
}

TEST_F(PinholeClientTest, EqualRulesAskNothing) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {}, true, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  EXPECT_EQ(port_.sent.size(), 1U);
  EXPECT_EQ(call_->awaiting, 0U);
}

// What a preview opened with the short life of an early dialog lives as long as the call
// afterwards.
TEST_F(PinholeClientTest, ConfirmedRulesGetTheLifeOfTheCall) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  EXPECT_EQ(last_set().lifetime_s, 300U);
  reply_last();
  leg_->is_confirmed = true;
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  ASSERT_EQ(port_.sent.size(), 2U);
  EXPECT_EQ(last_set().lifetime_s, 43200U);
  EXPECT_EQ(last_set().rules, rules(40000));
  EXPECT_EQ(call_->awaiting, 1U); // the answer leaves when the kernel will keep its rules
  reply_last();
  EXPECT_EQ(call_->awaiting, 0U);
}

// RFC 4028: not longer than its session. A change in between is no refresh.
TEST_F(PinholeClientTest, RulesEndWithTheSession) {
  client_.on_up(calls_, 0, now_);
  leg_->is_confirmed = true;
  ASSERT_TRUE(leg_->session.on_success({sip::Party::caller, 1}, seconds(600), now_));
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  EXPECT_EQ(last_set().lifetime_s, 600U);
  reply_last();
  pass(seconds(500));
  client_.set(call_, *leg_, {rules(40002), {}, {}}, true, now_);
  EXPECT_EQ(last_set().lifetime_s, 100U);
  reply_last();
  pass(seconds(50));
  client_.on_down();
  client_.on_up(calls_, 0, now_);
  EXPECT_EQ(last_set().lifetime_s, 50U);
  leg_->session.restart(now_);
  leg_->expires = {};
  client_.set(call_, *leg_, {rules(40002), {}, {}}, true, now_);
  EXPECT_EQ(last_set().lifetime_s, 600U);
  reply_last();
  ASSERT_TRUE(leg_->session.on_success({sip::Party::caller, 2}, seconds(86400), now_));
  leg_->expires = {};
  client_.set(call_, *leg_, {rules(40002), {}, {}}, true, now_);
  EXPECT_EQ(last_set().lifetime_s, 43200U) << "nor longer than any call";
}

// What an agent before this one has made goes on with all it has, for longer; nothing waits for
// that.
TEST_F(PinholeClientTest, ARefreshProlongsWhatTheKernelHad) {
  client_.on_up(calls_, 0, now_);
  leg_->is_confirmed = true;
  client_.prolong(call_, *leg_, now_);
  EXPECT_TRUE(port_.sent.empty()) << "of its own making";
  leg_->proof = Proof::group;
  leg_->open = {rules(40000), {}, {}};
  ASSERT_TRUE(leg_->session.on_success({sip::Party::caller, 1}, seconds(600), now_));
  client_.prolong(call_, *leg_, now_);
  ASSERT_EQ(port_.sent.size(), 1U);
  const auto& change = std::get<pinhole::request::ChangeLifetime>(port_.sent.back());
  EXPECT_EQ(change.group, leg_->group);
  EXPECT_EQ(change.lifetime_s, 600U);
  EXPECT_EQ(call_->awaiting, 0U);
  reply_last(Result::unknown_group);
  EXPECT_EQ(leg_->open.rules, rules(40000));
}

TEST_F(PinholeClientTest, OfRefreshesWithoutAMiddleboxTheLastIsTold) {
  leg_->is_confirmed = true;
  leg_->proof = Proof::group;
  leg_->open = {rules(40000), {}, {}};
  for (std::uint32_t cseq = 1; cseq <= 100; ++cseq) {
    ASSERT_TRUE(leg_->session.on_success({sip::Party::caller, cseq}, seconds(600), now_));
    client_.prolong(call_, *leg_, now_);
    pass(seconds(1));
  }
  client_.on_up(calls_, 0, now_);
  ASSERT_EQ(port_.sent.size(), 1U);
  EXPECT_EQ(std::get<pinhole::request::ChangeLifetime>(port_.sent.back()).lifetime_s, 600U);
  reply_last();
}

TEST_F(PinholeClientTest, ARefusalTakesTheRulesBack) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last(Result::conflict);
  EXPECT_EQ(call_->commit_failure, Reason::media_conflict);
  EXPECT_TRUE(leg_->open.rules.empty());
  EXPECT_EQ(client_.rules(), 0U);
}

TEST_F(PinholeClientTest, ARefusalOfAnOldRequestLeavesTheNewOne) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  const auto first = transaction_of(port_.sent.back());
  client_.set(call_, *leg_, {rules(42000), {}, {}}, true, now_);
  reply(first, Result::kernel);
  EXPECT_EQ(leg_->open.rules, rules(42000));
  EXPECT_EQ(resumed_, 0);
  reply_last();
  EXPECT_EQ(resumed_, 1);
}

TEST_F(PinholeClientTest, NothingIsPromisedWhileTheMiddleboxIsDown) {
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  EXPECT_TRUE(port_.sent.empty());
  EXPECT_EQ(call_->commit_failure, Reason::middlebox_down);
  EXPECT_TRUE(leg_->open.rules.empty());
  EXPECT_EQ(call_->awaiting, 0U);
}

// Whoever lives longest may not live longer because somebody else has died.
TEST_F(PinholeClientTest, AMiddleboxThatComesBackIsToldWhatIsLeft) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.on_down();
  pass(seconds(100));
  client_.on_up(calls_, 0, now_);
  ASSERT_EQ(port_.sent.size(), 2U);
  EXPECT_EQ(last_set().rules, rules(40000));
  EXPECT_EQ(last_set().lifetime_s, 200U);
}

// A leg that a request has named first, and who the kernel says that it belongs to.
class InquiryTest : public PinholeClientTest {
protected:
  InquiryTest() {
    leg_->proof = Proof::none;
    client_.on_up(calls_, 0, now_);
    client_.ask(
        call_, *leg_,
        [](const pinhole::Address& address) { return address.to_string() == "10.1.0.10"; }, now_);
  }
  void answer(Result result) {
    client_.on_reply(
        pinhole::reply::Done{transaction_of(port_.sent.back()), result, {one_way()}, owners_},
        now_);
  }
  static pinhole::Counter one_way() {
    const auto rule = rules(40000).front();
    return {0, 1, rule.b, rule.a, 7, 700};
  }
  pinhole::Participants owners_{pinhole::Participant{.strong = {1}},
                                pinhole::Participant{.network = {2}}};
};

TEST_F(InquiryTest, TheCallWaitsAndTheKernelsOwnersAreTheLegs) {
  EXPECT_EQ(call_->awaiting, 1U);
  answer(Result::ok);
  EXPECT_EQ(call_->awaiting, 0U);
  EXPECT_EQ(leg_->inquiry, Inquiry::answered);
  EXPECT_EQ(leg_->proof, Proof::group);
  EXPECT_EQ(leg_->owners, owners_);
  ASSERT_EQ(leg_->adopted.size(), 1U);
  EXPECT_FALSE(leg_->adopted[0].from_a); // the caller's side isn't the one that was counted
  EXPECT_TRUE(leg_->adopted[0].from_b);
  client_.set(call_, *leg_, {rules(42000), {}, {}}, true, now_);
  EXPECT_EQ(last_set().participants, owners_);
}

// Its deadline is the kernel's: to name its rules again is not to prolong them.
TEST_F(InquiryTest, WhatTheKernelHadIsNotAskedForAgain) {
  answer(Result::ok);
  client_.set(call_, *leg_, {leg_->adopted, {}, {}}, true, now_);
  client_.on_down();
  client_.on_up(calls_, 0, now_);
  EXPECT_EQ(port_.sent.size(), 1U);
}

TEST_F(InquiryTest, WhatTheKernelDoesNotHaveIsNobodys) {
  answer(Result::unknown_group);
  EXPECT_EQ(leg_->inquiry, Inquiry::answered);
  EXPECT_EQ(leg_->proof, Proof::none);
  EXPECT_TRUE(leg_->open.rules.empty());
  EXPECT_EQ(call_->commit_failure, Reason::none);
}

TEST_F(InquiryTest, WithoutAnAnswerItIsAskedAnew) {
  answer(Result::kernel);
  EXPECT_EQ(leg_->inquiry, Inquiry::failed);
  EXPECT_EQ(leg_->proof, Proof::none);
}

TEST_F(InquiryTest, AnAnswerThatIsLateHoldsNothingUp) {
  pass(seconds(3));
  EXPECT_EQ(call_->awaiting, 0U);
  EXPECT_EQ(leg_->inquiry, Inquiry::made);
  answer(Result::ok);
  EXPECT_EQ(leg_->proof, Proof::group);
}

TEST_F(InquiryTest, AnAnswerIsNotForAnotherLegOfTheSameTag) {
  leg_->id = 2;
  leg_->proof = Proof::invite;
  answer(Result::ok);
  EXPECT_EQ(leg_->proof, Proof::invite);
  EXPECT_TRUE(leg_->open.rules.empty());
  EXPECT_EQ(call_->awaiting, 0U);
}

TEST_F(PinholeClientTest, ATimeOutIsTakenBackInTheKernelToo) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  pass(seconds(2));
  EXPECT_EQ(resumed_, 1);
  EXPECT_EQ(call_->commit_failure, Reason::middlebox_down);
  EXPECT_TRUE(leg_->open.rules.empty());
  ASSERT_EQ(port_.sent.size(), 2U);
  EXPECT_TRUE(last_set().rules.empty());
}

// The middlebox may have carried a request out just before it died.
TEST_F(PinholeClientTest, ATimeOutWhileDownIsTakenBackWhenItIsUpAgain) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  client_.on_down();
  pass(seconds(2));
  EXPECT_EQ(resumed_, 1);
  EXPECT_EQ(call_->awaiting, 0U);
  pass(seconds(60));
  port_.sent.clear();
  client_.on_up(calls_, 0, now_);
  ASSERT_FALSE(port_.sent.empty());
  EXPECT_TRUE(last_set().rules.empty());
}

TEST_F(PinholeClientTest, AReleaseIsRepeatedUntilItIsAnswered) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  leg_->is_ended = true;
  client_.set(call_, *leg_, {}, true, now_);
  EXPECT_EQ(call_->awaiting, 1U);
  pass(seconds(2)); // the middlebox hangs: nobody waits any longer
  EXPECT_EQ(call_->awaiting, 0U);
  EXPECT_EQ(resumed_, 2);
  client_.on_down();
  calls_.erase(*call_);
  client_.forget(*call_);
  for (int i = 0; i < 3; ++i) {
    pass(seconds(100));
    port_.sent.clear();
    client_.on_up(calls_, 0, now_);
    ASSERT_EQ(port_.sent.size(), 1U);
    EXPECT_TRUE(last_set().rules.empty());
    EXPECT_EQ(last_set().group, leg_->group);
    client_.on_down();
  }
  client_.on_up(calls_, 0, now_);
  reply_last();
  client_.on_down();
  port_.sent.clear();
  client_.on_up(calls_, 0, now_);
  EXPECT_TRUE(port_.sent.empty());
  EXPECT_EQ(client_.rules(), 0U);
}

// Invariant 3, when the kernel refuses a batch: it is told once more when the middlebox is there
// anew.
TEST_F(PinholeClientTest, AReleaseThatFailsHoldsNothingAndIsRepeated) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.set(call_, *leg_, {}, true, now_);
  reply_last(Result::kernel);
  EXPECT_EQ(call_->awaiting, 0U);
  EXPECT_EQ(resumed_, 2);
  EXPECT_EQ(call_->commit_failure, Reason::none);
  port_.sent.clear();
  client_.on_up(calls_, 0, now_);
  ASSERT_EQ(port_.sent.size(), 1U);
  EXPECT_TRUE(last_set().rules.empty());
  reply_last();
  EXPECT_EQ(resumed_, 2);
  port_.sent.clear();
  client_.on_up(calls_, 0, now_);
  EXPECT_TRUE(port_.sent.empty());
}

TEST_F(PinholeClientTest, AReleaseThatFailedTakesNothingFromWhatIsOpenedSince) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.set(call_, *leg_, {}, true, now_);
  reply_last(Result::kernel);
  client_.set(call_, *leg_, {rules(40002), {}, {}}, true, now_);
  reply_last();
  client_.on_up(calls_, 0, now_);
  EXPECT_EQ(last_set().rules, rules(40002));
}

TEST_F(PinholeClientTest, AReleaseMadeWhileDownHoldsNothingAndIsNotLost) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.on_down();
  client_.set(call_, *leg_, {}, true, now_);
  EXPECT_EQ(call_->awaiting, 0U);
  pass(seconds(30));
  port_.sent.clear();
  client_.on_up(calls_, 0, now_);
  ASSERT_EQ(port_.sent.size(), 1U);
  EXPECT_TRUE(last_set().rules.empty());
}

// Declarative: the last one counts, so the order must be that of their making.
TEST_F(PinholeClientTest, RequestsAreRepeatedInTheirOrder) {
  client_.on_up(calls_, 0, now_);
  for (std::uint16_t i = 0; i < 40; ++i)
    client_.set(call_, *leg_, {rules(static_cast<std::uint16_t>(40000 + 2 * i)), {}, {}}, true,
                now_);
  client_.set(call_, *leg_, {}, true, now_);
  client_.on_down();
  port_.sent.clear();
  client_.on_up(calls_, 0, now_);
  ASSERT_EQ(port_.sent.size(), 41U);
  for (std::size_t i = 1; i < port_.sent.size(); ++i)
    EXPECT_LT(transaction_of(port_.sent[i - 1]), transaction_of(port_.sent[i]));
  EXPECT_TRUE(last_set().rules.empty());
}

TEST_F(PinholeClientTest, LiveRulesAreToldToANewMiddlebox) {
  client_.on_up(calls_, 0, now_);
  leg_->is_confirmed = true;
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.on_down();
  port_.sent.clear();
  client_.on_up(calls_, 0, now_);
  ASSERT_EQ(port_.sent.size(), 1U);
  EXPECT_EQ(last_set().rules, rules(40000));
}

TEST_F(PinholeClientTest, AnUnheldChangeFailsNoMessage) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.set(call_, *leg_, {}, false, now_);
  EXPECT_EQ(call_->awaiting, 0U);
  reply_last(Result::kernel);
  EXPECT_EQ(call_->commit_failure, Reason::none);
}

TEST_F(PinholeClientTest, ExpiryEndsTheLegAndRepairDoesNot) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.on_reply(pinhole::event::GroupEvent{leg_->group, pinhole::event::Cause::repaired, {}},
                   now_);
  EXPECT_EQ(expired_, 0);
  client_.on_reply(pinhole::event::GroupEvent{leg_->group, pinhole::event::Cause::expired, {}},
                   now_);
  EXPECT_EQ(expired_, 1);
  EXPECT_EQ(client_.rules(), 0U);
  client_.on_reply(pinhole::event::GroupEvent{{9}, pinhole::event::Cause::expired, {}}, now_);
  EXPECT_EQ(expired_, 1);
}

TEST(ReasonOf, EveryResultHasAReason) {
  for (int i = 1; i <= static_cast<int>(Result::malformed); ++i)
    EXPECT_NE(reason_of(static_cast<Result>(i)), Reason::none) << i;
  EXPECT_EQ(reason_of(Result::ok), Reason::none);
}

Pinholes with_sink(const char* ufrag) {
  pinhole::Sink sink;
  sink.at = {*pinhole::Address::parse("10.1.0.10"), 40000};
  pinhole::Promise promise;
  promise.kinds = pinhole::kind_stun;
  promise.source = pinhole::SourceRule::any_verified;
  promise.receiver_ufrag = ufrag;
  Pinholes pinholes;
  pinholes.add(sink, promise);
  return pinholes;
}

pinhole::event::Admitted admitted() {
  return {{1},
          {0,
           1,
           17,
           {*pinhole::Address::parse("10.1.0.10"), 40000},
           {*pinhole::Address::parse("192.0.2.9"), 50000}},
          pinhole::kind_stun};
}

TEST_F(PinholeClientTest, WhatTheGateAdmitsIsOpenWithoutARequest) {
  client_.on_up(calls_, pinhole::gate, now_);
  client_.set(call_, *leg_, with_sink("a"), true, now_);
  reply_last();
  client_.on_reply(admitted(), now_);
  EXPECT_EQ(port_.sent.size(), 1U);
  EXPECT_EQ(client_.rules(), 2U);
  ASSERT_EQ(leg_->admitted.size(), 1U);
  EXPECT_EQ(leg_->open.rules, rules(40000));
  client_.on_reply(admitted(), now_);
  EXPECT_EQ(leg_->admitted.size(), 1U);
}

TEST_F(PinholeClientTest, WhatWasAdmittedBeforeAChangeOfItsPromiseIsNot) {
  client_.on_up(calls_, pinhole::gate, now_);
  client_.set(call_, *leg_, with_sink("a"), true, now_);
  reply_last();
  client_.set(call_, *leg_, with_sink("restarted"), true, now_);
  client_.on_reply(admitted(), now_);
  EXPECT_TRUE(leg_->admitted.empty());
  EXPECT_TRUE(leg_->open.rules.empty());
}

TEST_F(PinholeClientTest, AFailedChangeKeepsWhatWasAdmittedMeanwhile) {
  client_.on_up(calls_, pinhole::gate, now_);
  client_.set(call_, *leg_, with_sink("a"), true, now_);
  reply_last();
  Pinholes more = with_sink("a");
  more.rules = rules(42000);
  client_.set(call_, *leg_, more, true, now_);
  client_.on_reply(admitted(), now_);
  reply_last(Result::conflict);
  EXPECT_EQ(leg_->open.rules, rules(40000));
}

TEST_F(PinholeClientTest, AnOfferWhoseSinksAreRefusedGoesOn) {
  client_.on_up(calls_, pinhole::gate, now_);
  call_->offer.emplace();
  call_->offer->id = 2;
  client_.set(call_, *call_->offer, with_sink("a"), true, now_);
  EXPECT_EQ(call_->awaiting, 1U);
  reply_last(Result::table_full);
  EXPECT_EQ(call_->awaiting, 0U);
  EXPECT_EQ(call_->commit_failure, Reason::none);
  EXPECT_TRUE(call_->offer->open.empty());
}

TEST_F(PinholeClientTest, WhatOnlyWaitsForAnAnswerHasAShortLife) {
  client_.on_up(calls_, pinhole::gate, now_);
  leg_->is_confirmed = true;
  Pinholes offer = with_sink("a");
  offer.promises[0].awaits_answer = true;
  client_.set(call_, *leg_, offer, true, now_);
  EXPECT_EQ(last_set().lifetime_s, 300U);
  client_.set(call_, *leg_, with_sink("a"), true, now_);
  EXPECT_EQ(last_set().lifetime_s, 43200U);
}

TEST_F(PinholeClientTest, AMiddleboxWithoutAGateIsAskedForRulesOnly) {
  client_.on_up(calls_, pinhole::gate, now_);
  Pinholes both = with_sink("a");
  both.rules = rules(42000);
  client_.set(call_, *leg_, both, true, now_);
  reply_last();
  client_.on_down();
  client_.on_up(calls_, 0, now_);
  EXPECT_TRUE(last_set().sinks.empty());
  EXPECT_EQ(last_set().rules, rules(42000));
  EXPECT_EQ(client_.rules(), 1U);
}

TEST_F(PinholeClientTest, ALookAtTheCountersHoldsNothingUp) {
  client_.on_up(calls_, 0, now_);
  client_.set(call_, *leg_, {rules(40000), {}, {}}, true, now_);
  reply_last();
  client_.watch(call_, *leg_, now_);
  EXPECT_EQ(call_->awaiting, 0U);
  client_.on_down(); // it is no reason not to ask for the leg's rules again
  client_.on_up(calls_, 0, now_);
  EXPECT_EQ(last_set().rules, rules(40000));
}

} // namespace
} // namespace midcom
