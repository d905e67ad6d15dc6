// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midcom {
namespace {

using namespace std::chrono_literals;
using opener::Open;
using opener::Opened;
using opener::Reply;
using opener::Request;
using opener::Verified;
using opener::Verify;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OpenerClientTest : public ::testing::Test, public OpenerPort {
protected:
  OpenerClientTest() { up_all(); }

  void send(std::size_t opener, const Request& request) override {
    sent_.emplace_back(opener, request);
  }
  void reject(std::size_t opener) override { rejected_.push_back(opener); }

  void up_all() {
    for (std::size_t opener = 0; opener < openers; ++opener) client_.on_up(opener, now_);
  }
  std::uint64_t open(const std::string& pair, std::string der = "x") {
    return client_.submit(
        Open{.pair = pair, .der = std::move(der)},
        [this](const std::expected<Opened, OpenerFailure>& answer, sip::TimePoint) {
          answers_.push_back(answer ? (answer->is_open ? answer->content : "closed")
                                    : std::string(to_string(answer.error())));
        },
        now_);
  }
  std::uint64_t verify() {
    return client_.submit(
        Verify{.der = "x"},
        [this](const std::expected<Verified, OpenerFailure>& answer, sip::TimePoint) {
          answers_.emplace_back(answer ? to_string(answer->finding) : to_string(answer.error()));
        },
        now_);
  }
  std::vector<std::uint64_t> sent_to(std::size_t opener) const {
    std::vector<std::uint64_t> ids;
    for (const auto& [to, request] : sent_)
      if (to == opener) ids.push_back(id_of(request));
    return ids;
  }
  std::size_t opener_of(std::uint64_t id) const {
    for (const auto& [to, request] : sent_)
      if (id_of(request) == id) return to;
    return openers;
  }
  void answer(std::size_t opener, std::uint64_t id, const std::string& content = "content") {
    client_.on_reply(opener, Opened{.id = id, .is_open = true, .content = content}, now_);
  }
  void pass(std::chrono::milliseconds time) {
    now_ += time;
    client_.on_timer(now_);
  }

  static constexpr std::size_t openers = 3;
  sip::TimePoint now_{1000s};
  OpenerClient client_{openers, 2000ms, *this};
  std::vector<std::pair<std::size_t, Request>> sent_;
  std::vector<std::size_t> rejected_;
  std::vector<std::string> answers_;
};

TEST_F(OpenerClientTest, AskedAndAnswered) {
  const auto id = open("a b");
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(std::get<Open>(sent_[0].second).pair, "a b");
  EXPECT_EQ(id_of(sent_[0].second), id);
  EXPECT_EQ(client_.next_deadline(), now_ + 2000ms);
  answer(opener_of(id), id, "v=0");
  EXPECT_THAT(answers_, ElementsAre("v=0"));
  EXPECT_EQ(client_.pending(), 0U);
  EXPECT_FALSE(client_.next_deadline());
}

TEST_F(OpenerClientTest, APairHasOneOpenerAndPairsHaveAll) {
  std::vector<std::size_t> used(openers);
  for (int user = 0; user < 60; ++user) {
    const std::string pair = "sip:" + std::to_string(user) + "@x sip:b@y";
    const auto first = open(pair), second = open(pair);
    EXPECT_EQ(opener_of(first), opener_of(second));
    ++used[opener_of(first)];
  }
  for (const std::size_t count : used) EXPECT_GT(count, 5U);
}

TEST_F(OpenerClientTest, SignaturesGoWhereLeastIsWaiting) {
  for (int turn = 0; turn < 6; ++turn) verify();
  for (std::size_t opener = 0; opener < openers; ++opener)
    EXPECT_EQ(sent_to(opener).size(), 2U) << opener;
  client_.on_reply(1, Verified{.id = sent_to(1)[0], .finding = opener::Finding::revoked}, now_);
  EXPECT_THAT(answers_, ElementsAre("revoked"));
  EXPECT_EQ(opener_of(verify()), 1U);
  client_.on_down(1, now_);
  EXPECT_NE(opener_of(verify()), 1U);
}

TEST_F(OpenerClientTest, NeverAnswersFromWithinSubmit) {
  open("a", std::string(opener::max_body + 1, 'x'));
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_EQ(client_.next_deadline(), now_);
  pass(0ms);
  EXPECT_THAT(answers_, ElementsAre("too-large"));
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(OpenerClientTest, OneOpenerTakesSoMuchAndNoMore) {
  std::uint64_t first = 0;
  for (std::size_t count = 0; count < OpenerClient::max_waiting; ++count) {
    const auto id = open("a b");
    if (first == 0) first = id;
  }
  open("a b");
  pass(0ms);
  EXPECT_THAT(answers_, ElementsAre("overload"));
  EXPECT_EQ(sent_.size(), OpenerClient::max_waiting);
  const std::size_t busy = opener_of(first);
  verify();
  EXPECT_NE(sent_.back().first, busy);
  answer(busy, first);
  open("a b");
  EXPECT_EQ(sent_.back().first, busy);
}

// What nobody waits for any more is still work that the opener has.
TEST_F(OpenerClientTest, TheTimedOutStillCount) {
  std::vector<std::uint64_t> ids;
  for (std::size_t count = 0; count < OpenerClient::max_waiting; ++count) ids.push_back(open("a"));
  client_.forget(ids.back());
  pass(2000ms);
  EXPECT_EQ(answers_.size(), OpenerClient::max_waiting - 1);
  answers_.clear();
  open("a");
  pass(0ms);
  EXPECT_THAT(answers_, ElementsAre("overload"));
  answer(opener_of(ids[0]), ids[0]); // late: no callback, but room
  EXPECT_THAT(answers_, ElementsAre("overload"));
  EXPECT_THAT(rejected_, IsEmpty());
  const auto id = open("a");
  EXPECT_LT(opener_of(id), openers);
}

TEST_F(OpenerClientTest, NoAnswerInTimeIsAFailure) {
  open("a");
  pass(1999ms);
  EXPECT_THAT(answers_, IsEmpty());
  pass(1ms);
  EXPECT_THAT(answers_, ElementsAre("failed"));
  EXPECT_EQ(client_.pending(), 0U);
}

TEST_F(OpenerClientTest, ASuccessorIsAskedOnceMore) {
  const auto first = open("a b"), second = open("a b");
  const std::size_t to = opener_of(first);
  answer(to, first);
  client_.on_down(to, now_);
  const auto third = open("a b"); // while it is down
  sent_.clear();
  client_.on_up(to, now_);
  EXPECT_THAT(sent_to(to), ElementsAre(second, third));
  EXPECT_EQ(sent_.size(), 2U);
  client_.on_down(to, now_); // the second time for one, the first for the other
  EXPECT_THAT(answers_, ElementsAre("content", "failed"));
  sent_.clear();
  client_.on_up(to, now_);
  EXPECT_THAT(sent_to(to), ElementsAre(third));
  answer(to, third, "third");
  EXPECT_THAT(answers_, ElementsAre("content", "failed", "third"));
}

TEST_F(OpenerClientTest, ItsDeadlineRunsOnWhileAnOpenerIsDown) {
  const auto id = open("a b");
  const std::size_t to = opener_of(id);
  client_.on_down(to, now_);
  pass(2000ms);
  EXPECT_THAT(answers_, ElementsAre("failed"));
  sent_.clear();
  client_.on_up(to, now_);
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(OpenerClientTest, ANewChannelWithoutTheOldOnesEndIsASuccessor) {
  const auto id = open("a b");
  const std::size_t to = opener_of(id);
  client_.on_up(to, now_);
  EXPECT_THAT(sent_to(to), ElementsAre(id, id));
}

TEST_F(OpenerClientTest, WhatAnswersNothingIsRejected) {
  const auto id = open("a b");
  const std::size_t to = opener_of(id), other = (to + 1) % openers;
  answer(other, id);                              // another's
  answer(to, id + 1);                             // never asked
  client_.on_reply(to, Verified{.id = id}, now_); // of another kind
  EXPECT_THAT(rejected_, ElementsAre(other, to, to));
  EXPECT_THAT(answers_, IsEmpty());
  answer(to, id);
  answer(to, id); // twice
  EXPECT_THAT(answers_, ElementsAre("content"));
  EXPECT_THAT(rejected_, ElementsAre(other, to, to, to));
}

TEST_F(OpenerClientTest, TheForgottenAreNotCalled) {
  const auto id = open("a b");
  client_.forget(id);
  client_.forget(id);
  client_.forget(99);
  EXPECT_EQ(client_.pending(), 0U);
  answer(opener_of(id), id);
  pass(10s);
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(rejected_, IsEmpty());
}

TEST_F(OpenerClientTest, ACallbackMaySubmit) {
  std::vector<std::string> order;
  const auto id = client_.submit(
      Open{.pair = "a", .der = "x"},
      [&](const auto& answer, sip::TimePoint now) {
        order.emplace_back(answer ? "opened" : "failed");
        client_.submit(
            Verify{.der = answer ? answer->content : ""},
            [&](const auto& verified, sip::TimePoint) {
              order.emplace_back(verified ? to_string(verified->finding) : "failed");
            },
            now);
      },
      now_);
  answer(opener_of(id), id, "signed");
  const auto [to, request] = sent_.back();
  EXPECT_EQ(std::get<Verify>(request).der, "signed");
  client_.on_reply(to, Verified{.id = id_of(request), .finding = opener::Finding::trusted}, now_);
  EXPECT_THAT(order, ElementsAre("opened", "trusted"));
}

TEST_F(OpenerClientTest, WithoutOpenersAllFails) {
  OpenerClient none(0, 2000ms, *this);
  none.submit(
      Open{.pair = "a", .der = "x"},
      [this](const auto& answer, sip::TimePoint) {
        answers_.emplace_back(answer ? "opened" : to_string(answer.error()));
      },
      now_);
  none.on_timer(now_);
  EXPECT_THAT(answers_, ElementsAre("failed"));
  EXPECT_EQ(none.up(), 0U);
  EXPECT_EQ(client_.up(), openers);
}

} // namespace
} // namespace midcom
