// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/disclosure_service.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/gateway_config.h"

namespace midcom {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t wall = 1'800'000'000; // Fri, 15 Jan 2027 08:00:00 GMT

AgentConfig sealed_gateway() {
  AgentConfig config = test::gateway_config();
  config.smime.openers = 1;
  for (auto& peer : config.peers) {
    peer.disclosure.view = peer.disclosure.verify = {"text/plain"};
    peer.disclosure.legacy = DisclosurePolicy::Legacy::refuse;
  }
  return config;
}

class NoLog : public EventLog {
  void write(const Event&) override {}
};

class DisclosureServiceTest : public testing::Test, public OpenerPort {
protected:
  DisclosureServiceTest() {
    alice_.info.transport = mallory_.info.transport = Transport::tls;
    alice_.info.identities = {"alice.example.com"};
    mallory_.info.identities = {"mallory.example.com"};
    alice_.peer = mallory_.peer = 0;
    client_.on_up(0, now_);
  }

  void send(std::size_t, const opener::Request& request) override { asked_.push_back(request); }
  void reject(std::size_t) override {}

  // A signed page.
  static sip::MessagePtr sealed(const std::string& call_id, const std::string& tag = "f") {
    const std::string text =
        "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS a.example;branch=z9hG4bK1\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=" +
        tag + "\r\nTo: <sip:bob@example.com>\r\nCall-ID: " + call_id +
        "\r\nCSeq: 1 MESSAGE\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
        "Content-Length: 1\r\n\r\nS";
    auto message = sip::Message::parse(text, sip::Framing::stream, {});
    EXPECT_TRUE(message.has_value());
    return message ? *message : nullptr;
  }
  static opener::Verified signed_by_alice(const std::string& call_id) {
    opener::Verified reply;
    reply.finding = opener::Finding::trusted;
    reply.uris = {"sip:alice@example.com"};
    reply.content = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
                    "Content-Type: message/sipfrag\r\nContent-Disposition: aib\r\n\r\n"
                    "From: <sip:alice@example.com>\r\nTo: <sip:bob@example.com>\r\nCall-ID: " +
                    call_id +
                    "\r\nCSeq: 1 MESSAGE\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n\r\n--x\r\n"
                    "Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n";
    return reply;
  }
  // "NAME:FINDING" (with ! when at once) goes to done_ when it is read.
  void read(const std::string& name, const sip::MessagePtr& message, const FlowEntry& from) {
    const auto now = service_.read(
        message, {.from = from},
        [this, name](const Disclosure& read, sip::TimePoint) { note(name, read); }, now_);
    if (now) note(name + "!", *now);
  }
  void read(const std::string& name, const std::string& call_id = "c1") {
    read(name, sealed(call_id), alice_);
  }
  void note(const std::string& name, const Disclosure& read) {
    done_.push_back(name + ":" + std::string(word_of(read.finding)));
  }
  void defer(const std::string& name, const std::string& call_id = "c1") {
    service_.defer(call_id, [this, name](sip::TimePoint) { done_.push_back(name); });
  }
  void answer(const std::string& call_id = "c1") {
    auto reply = signed_by_alice(call_id);
    reply.id = id_of(asked_.at(answered_++));
    client_.on_reply(0, reply, now_);
  }
  void pass(std::chrono::milliseconds time) {
    now_ += time;
    client_.on_timer(now_);
  }

  sip::TimePoint now_{1000s};
  const AgentConfig config_ = sealed_gateway();
  PeerDirectory peers_{config_};
  OpenerClient client_{1, 2000ms, *this};
  NoLog log_;
  std::int64_t clock_ = wall;
  DisclosureService service_{config_, peers_, client_, log_, [this] { return clock_; }};
  FlowEntry alice_, mallory_;
  std::vector<opener::Request> asked_;
  std::size_t answered_ = 0;
  std::vector<std::string> done_;
};

TEST_F(DisclosureServiceTest, WhatNeedsNoOpenerIsReadAtOnce) {
  read("clear", test::request("MESSAGE", "sip:bob@example.com", ""), alice_);
  EXPECT_THAT(done_, ElementsAre("clear!:none"));
  EXPECT_FALSE(service_.is_busy("c1"));
}

TEST_F(DisclosureServiceTest, LaterMessagesOfACallTakeTheirTurns) {
  read("sealed");
  EXPECT_TRUE(service_.is_busy("c1"));
  EXPECT_FALSE(service_.is_busy("c2"));
  defer("second");
  defer("third");
  EXPECT_THAT(done_, IsEmpty());
  answer();
  EXPECT_THAT(done_, ElementsAre("sealed:none", "second", "third"));
  EXPECT_FALSE(service_.is_busy("c1"));
}

TEST_F(DisclosureServiceTest, CallsDontWaitForEachOther) {
  read("first", "c1");
  read("second", "c2");
  defer("of first", "c1");
  defer("of second", "c2");
  opener::Verified reply = signed_by_alice("c2");
  reply.id = id_of(asked_.at(1));
  client_.on_reply(0, reply, now_);
  EXPECT_THAT(done_, ElementsAre("second:none", "of second"));
  EXPECT_TRUE(service_.is_busy("c1"));
}

TEST_F(DisclosureServiceTest, ATurnThatAsksKeepsTheRestWaiting) {
  read("first");
  service_.defer("c1", [this](sip::TimePoint) { read("second", sealed("c1", "g"), alice_); });
  defer("third");
  answer();
  EXPECT_THAT(done_, ElementsAre("first:none"));
  EXPECT_TRUE(service_.is_busy("c1"));
  defer("fourth");
  answer();
  EXPECT_THAT(done_, ElementsAre("first:none", "second:none", "third", "fourth"));
  EXPECT_FALSE(service_.is_busy("c1"));
}

TEST_F(DisclosureServiceTest, ATurnThatDefersAgainComesLast) {
  read("first");
  service_.defer("c1", [this](sip::TimePoint) {
    read("second", sealed("c1", "g"), alice_);
    defer("late");
  });
  defer("third");
  answer();
  answer();
  EXPECT_THAT(done_, ElementsAre("first:none", "second:none", "third", "late"));
}

// A call never stays busy: an opener that hangs, dies or isn't there.
TEST_F(DisclosureServiceTest, NoCallStaysBusy) {
  read("hangs");
  defer("second");
  pass(2000ms);
  EXPECT_THAT(done_, ElementsAre("hangs:overload", "second"));
  EXPECT_FALSE(service_.is_busy("c1"));
  done_.clear();
  client_.on_down(0, now_);
  read("down", "c2");
  defer("third", "c2");
  pass(2000ms);
  EXPECT_THAT(done_, ElementsAre("down:overload", "third"));
  EXPECT_FALSE(service_.is_busy("c2"));
}

TEST_F(DisclosureServiceTest, WhatWaitsForOneCallIsBounded) {
  read("first");
  for (int i = 0; i < 1000; ++i) defer("more");
  EXPECT_TRUE(service_.is_full("c1"));
  EXPECT_FALSE(service_.is_full("c2"));
  answer();
  EXPECT_EQ(done_.size(), 1 + CallTurns::most_waiting);
  EXPECT_FALSE(service_.is_full("c1"));
}

// The sender's own once more, by another branch, asks nobody; somebody else's is a replay.
TEST_F(DisclosureServiceTest, ASignedBodyCountsOnce) {
  read("first");
  answer();
  read("branch");
  EXPECT_THAT(done_, ElementsAre("first:none", "branch!:none"));
  EXPECT_EQ(asked_.size(), 1U);
  done_.clear();
  read("copy", sealed("c1"), mallory_);
  answer();
  EXPECT_THAT(done_, ElementsAre("copy:signature-replayed"));
  // Nor does it count when what was read is forgotten and its call can ring no more.
  done_.clear();
  const auto later = std::max(config_.timeouts.timer_c, config_.timeouts.early) + 1s;
  clock_ += std::chrono::duration_cast<std::chrono::seconds>(later).count();
  now_ += later;
  read("late");
  answer();
  EXPECT_THAT(done_, ElementsAre("late:signature-replayed"));
}

TEST_F(DisclosureServiceTest, ALaterPassIsTheSendersOwn) {
  read("first");
  answer();
  FlowEntry trunk = mallory_;
  const auto again = service_.read(
      sealed("c1"), {.from = trunk, .entered = &alice_}, [](const Disclosure&, sip::TimePoint) {},
      now_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->finding, Reason::none);
}

TEST_F(DisclosureServiceTest, WithoutOpenersNothingIsAsked) {
  AgentConfig config = sealed_gateway();
  config.smime.openers = 0;
  DisclosureService service(config, peers_, client_, log_, [] { return wall; });
  const auto read =
      service.read(sealed("c1"), {.from = alice_}, [](const Disclosure&, sip::TimePoint) {}, now_);
  ASSERT_TRUE(read);
  EXPECT_NE(read->finding, Reason::none);
  EXPECT_TRUE(asked_.empty());
}

} // namespace
} // namespace midcom
