// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/session_timer.h"

#include <gtest/gtest.h>
#include <string>

#include "daemon/session_deadlines.h"

namespace midcom {
namespace {

using std::chrono::seconds;

constexpr auto caller = sip::Party::caller, callee = sip::Party::callee;
constexpr sip::TimePoint start{seconds(1000)};

TEST(SessionTimer, TheLastAnswerDecides) {
  SessionTimer timer;
  EXPECT_FALSE(timer.end());
  EXPECT_FALSE(timer.on_success({caller, 1}, std::nullopt, start)) << "none before, none now";
  EXPECT_TRUE(timer.on_success({caller, 2}, seconds(600), start));
  EXPECT_EQ(timer.end(), start + seconds(600));
  EXPECT_TRUE(timer.on_success({callee, 2}, seconds(600), start + seconds(300))) << "anew";
  EXPECT_EQ(timer.end(), start + seconds(900));
  EXPECT_FALSE(timer.has_ended(start + seconds(899)));
  EXPECT_TRUE(timer.has_ended(start + seconds(900)));
  EXPECT_TRUE(timer.on_success({caller, 3}, std::nullopt, start + seconds(400))) << "turned off";
  EXPECT_FALSE(timer.end());
  EXPECT_FALSE(timer.has_ended(sip::TimePoint::max()));
}

TEST(SessionTimer, OfOneAnswersPassesTheShortestHolds) {
  SessionTimer timer;
  EXPECT_TRUE(timer.on_success({caller, 1}, seconds(600), start));
  EXPECT_FALSE(timer.on_success({caller, 1}, seconds(600), start + seconds(5)));
  EXPECT_FALSE(timer.on_success({caller, 1}, seconds(900), start + seconds(5)));
  EXPECT_FALSE(timer.on_success({caller, 1}, std::nullopt, start + seconds(5)));
  EXPECT_EQ(timer.end(), start + seconds(600));
  EXPECT_TRUE(timer.on_success({caller, 1}, seconds(300), start + seconds(5)));
  EXPECT_EQ(timer.end(), start + seconds(305));
  EXPECT_TRUE(timer.on_success({caller, 2}, std::nullopt, start));
  EXPECT_FALSE(timer.end());
  EXPECT_TRUE(timer.on_success({caller, 2}, seconds(300), start)) << "put in by a later proxy";
  timer.restart(start + seconds(9));
  EXPECT_EQ(timer.end(), start + seconds(309));
}

// Exchanges may end in another order than they began.
TEST(SessionTimer, AnAnswerThatComesAgainIsNoRefresh) {
  SessionTimer timer;
  EXPECT_TRUE(timer.on_success({caller, 5}, seconds(600), start));
  EXPECT_TRUE(timer.on_success({caller, 4}, seconds(900), start + seconds(1)));
  EXPECT_FALSE(timer.on_success({caller, 5}, seconds(100), start + seconds(2)));
  EXPECT_EQ(timer.end(), start + seconds(901));
  for (std::uint32_t cseq = 6; cseq < 1000; ++cseq)
    EXPECT_TRUE(timer.on_success({caller, cseq}, seconds(600), start));
  EXPECT_FALSE(timer.on_success({caller, 998}, seconds(1), start));
}

TEST(SessionTimer, ADialogOfBeforeMayHaveHadOne) {
  SessionTimer timer(false);
  EXPECT_FALSE(timer.end());
  EXPECT_TRUE(timer.on_success({caller, 7}, std::nullopt, start)) << "it has none from now on";
  EXPECT_FALSE(timer.on_success({caller, 8}, std::nullopt, start));
}

TEST(SessionTimer, ReadsTheInterval) {
  const auto life = [](const std::string& field) {
    const auto parsed =
        sip::Message::parse("SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a.example.com;branch=z9hG4bK1\r\n"
                            "From: <sip:a@example.com>;tag=a\r\nTo: <sip:b@example.com>;tag=b\r\n"
                            "Call-ID: c\r\nCSeq: 1 INVITE\r\n" +
                                field + "Content-Length: 0\r\n\r\n",
                            sip::Framing::stream, {});
    return session_life(**parsed, seconds(32));
  };
  EXPECT_EQ(life("Session-Expires: 600;refresher=uas\r\n"), seconds(632));
  EXPECT_EQ(life("x: 600\r\n"), seconds(632));
  EXPECT_EQ(life("Session-Expires: 90\r\n"), seconds(122));
  EXPECT_EQ(life("Session-Expires: 0\r\n"), seconds(122)) << "none is shorter than 90 s";
  EXPECT_EQ(life("Session-Expires: 4294967295\r\n"), seconds(4294967327));
  EXPECT_EQ(life(""), std::nullopt);
  EXPECT_EQ(life("Min-SE: 600\r\n"), std::nullopt);
  EXPECT_EQ(life("Session-Expires: soon\r\n"), std::nullopt);
  EXPECT_EQ(life("Session-Expires: 600;refresher=both\r\n"), std::nullopt);
}

TEST(SessionDeadlines, EachLegHasOne) {
  CallTable calls;
  const CallPtr call = calls.create("c1", "a", start);
  std::uint64_t id = 0;
  for (const char* tag : {"b", "c"}) {
    call->legs[tag].id = ++id;
    call->legs[tag].tag = tag;
  }
  Leg &one = call->legs["b"], &two = call->legs["c"];
  SessionDeadlines deadlines;
  EXPECT_FALSE(deadlines.next());
  deadlines.set(call, one, start + seconds(10));
  deadlines.set(call, two, start + seconds(20));
  deadlines.set(call, one, start + seconds(30));
  EXPECT_EQ(deadlines.next(), start + seconds(20));
  EXPECT_FALSE(deadlines.pop_due(start + seconds(19)));
  const auto due = deadlines.pop_due(start + seconds(20));
  ASSERT_TRUE(due);
  EXPECT_EQ(due->leg, &two);
  EXPECT_EQ(deadlines.next(), start + seconds(30));
  deadlines.set(call, one, std::nullopt);
  deadlines.forget(one);
  EXPECT_FALSE(deadlines.next());
}

TEST(SessionDeadlines, ALegThatIsGoneIsNeverDue) {
  CallTable calls;
  CallPtr call = calls.create("c1", "a", start);
  call->legs["b"].id = 1;
  call->legs["b"].tag = "b";
  SessionDeadlines deadlines;
  deadlines.set(call, call->legs["b"], start);
  call->legs["b"].id = 2; // another has its tag
  EXPECT_FALSE(deadlines.pop_due(start));
  deadlines.set(call, call->legs["b"], start);
  calls.erase(*call);
  call.reset();
  EXPECT_FALSE(deadlines.pop_due(start));
  EXPECT_FALSE(deadlines.next());
}

} // namespace
} // namespace midcom
