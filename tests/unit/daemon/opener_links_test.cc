// SPDX-License-Identifier: GPL-3.0-or-later
// The agent's ends against ends that this test holds.
#include "daemon/opener_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midcom {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OpenerLinksTest : public ::testing::Test, private OpenerEvents {
protected:
  void on_opener_reply(std::size_t opener, const opener::Reply& reply, sip::TimePoint) override {
    events_.push_back("reply " + std::to_string(opener) + " " + std::to_string(id_of(reply)));
    if (id_of(reply) == 666) links_.reject(opener);
  }
  void on_opener_down(std::size_t opener, sip::TimePoint) override {
    events_.push_back("down " + std::to_string(opener));
  }
  void on_opener_up(std::size_t opener, sip::TimePoint) override {
    events_.push_back("up " + std::to_string(opener));
  }

  Channel connect(std::size_t opener) {
    auto [ours, theirs] = Channel::make_pair();
    links_.connect(opener, std::move(ours));
    return Channel(std::move(theirs));
  }
  // The loop runs until all that was caused so far is done.
  void settle() {
    DeferredEvent second(loop_, [this] { loop_.stop(); });
    DeferredEvent first(loop_, [&second] { second.schedule(); });
    TimerEvent turn(loop_, [&first] { first.schedule(); });
    turn.start_at(loop_.now());
    loop_.run();
  }
  static std::string reply(std::uint64_t id) {
    return encode(opener::Reply(opener::Opened{.id = id}));
  }

  EventLoop loop_;
  std::vector<std::string> events_;
  std::vector<std::size_t> ended_;
  OpenerLinks links_{loop_, 2, *this, [this](std::size_t opener) { ended_.push_back(opener); }};
};

TEST_F(OpenerLinksTest, CarriesRequestsAndReplies) {
  Channel first = connect(0), second = connect(1);
  links_.send(1, opener::Verify{.id = 3, .der = "x"});
  const auto got = second.receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(opener::decode_request(got->bytes),
            opener::Request(opener::Verify{.id = 3, .der = "x"}));
  EXPECT_FALSE(first.receive());
  ASSERT_TRUE(second.send(reply(3)));
  settle();
  EXPECT_THAT(events_, ElementsAre("up 0", "up 1", "reply 1 3"));
  EXPECT_THAT(ended_, IsEmpty());
}

TEST_F(OpenerLinksTest, ADeadOpenerIsDownOnceAndEndedByNobody) {
  {
    const Channel gone = connect(0);
  }
  settle();
  settle();
  links_.send(0, opener::Verify{.id = 3, .der = "x"});
  EXPECT_THAT(events_, ElementsAre("up 0", "down 0"));
  EXPECT_THAT(ended_, IsEmpty());
}

TEST_F(OpenerLinksTest, WhatIsNoReplyEndsTheOpener) {
  Channel end = connect(1);
  ASSERT_TRUE(end.send("rubbish"));
  ASSERT_TRUE(end.send(reply(1)));
  settle();
  EXPECT_THAT(events_, ElementsAre("up 1", "down 1"));
  EXPECT_THAT(ended_, ElementsAre(1U));
}

TEST_F(OpenerLinksTest, ARequestIsNoReply) {
  Channel end = connect(0);
  ASSERT_TRUE(end.send(encode(opener::Request(opener::Open{.id = 1}))));
  settle();
  EXPECT_THAT(ended_, ElementsAre(0U));
}

TEST_F(OpenerLinksTest, ADescriptorEndsTheOpener) {
  Channel end = connect(0);
  const int descriptors[] = {0};
  ASSERT_TRUE(end.send(reply(1), descriptors));
  settle();
  EXPECT_THAT(events_, ElementsAre("up 0", "down 0"));
  EXPECT_THAT(ended_, ElementsAre(0U));
}

TEST_F(OpenerLinksTest, TheRejectedIsReadNoFurther) {
  Channel end = connect(0);
  for (const std::uint64_t id : {1U, 666U, 2U}) ASSERT_TRUE(end.send(reply(id)));
  settle();
  EXPECT_THAT(events_, ElementsAre("up 0", "reply 0 1", "reply 0 666", "down 0"));
  EXPECT_THAT(ended_, ElementsAre(0U));
}

TEST_F(OpenerLinksTest, ANewChannelTakesTheOldOnesPlace) {
  Channel old = connect(0), fresh = connect(0);
  EXPECT_THAT(events_, ElementsAre("up 0", "down 0", "up 0"));
  ASSERT_TRUE(fresh.send(reply(5)));
  settle();
  EXPECT_EQ(old.receive().error(), Channel::Error::closed);
  EXPECT_EQ(events_.back(), "reply 0 5");
  EXPECT_THAT(ended_, IsEmpty());
}

} // namespace
} // namespace midcom
