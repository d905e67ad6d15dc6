// SPDX-License-Identifier: GPL-3.0-or-later
// Both channels of a child, against ends that this test holds: the supervisor's and an agent's.
#include "daemon/agent_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midcom {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Names final : public EventLog {
public:
  void write(const Event& event) override { names.emplace_back(event.name()); }
  std::vector<std::string> names;
};

class AgentLinkTest : public ::testing::Test {
protected:
  AgentLinkTest() { begin(); }
  void begin() {
    auto [ours, theirs] = Channel::make_pair();
    supervisor_ = Channel(std::move(ours));
    const auto on_record = [this](std::string_view bytes) {
      events_.emplace_back(bytes);
      return bytes != "rubbish";
    };
    link_ = std::make_unique<AgentLink>(
        loop_, log_, std::move(theirs),
        AgentLink::Callbacks{.on_record = on_record,
                             .on_turn_end = [this] { events_.emplace_back("turn"); },
                             .on_connect = [this] { link_->send("hello"); }});
  }

  void order(const Control& message, std::span<const int> descriptors = {}) {
    ASSERT_TRUE(supervisor_.send(encode(message), descriptors));
  }
  Channel connect(std::uint8_t peer = 0) {
    auto [ours, theirs] = Channel::make_pair();
    const int fds[] = {theirs.get()};
    order(control::Peer{peer}, fds);
    run();
    return Channel(std::move(ours));
  }
  // What is there is done; true: the loop had ended by itself before.
  bool run() {
    bool is_over = true;
    DeferredEvent third(loop_, [&] {
      is_over = false;
      loop_.stop();
    });
    DeferredEvent second(loop_, [&third] { third.schedule(); });
    DeferredEvent first(loop_, [&second] { second.schedule(); });
    TimerEvent turn(loop_, [&first] { first.schedule(); });
    turn.start_at(loop_.now());
    link_->run();
    return is_over;
  }
  // What the supervisor was told since, but for being up.
  std::vector<Control> told() {
    std::vector<Control> messages;
    while (const auto message = supervisor_.receive()) {
      const auto decoded = decode_control(message->bytes);
      if (decoded && *decoded != Control(control::Up{})) messages.push_back(*decoded);
    }
    return messages;
  }

  EventLoop loop_;
  Names log_;
  std::vector<std::string> events_;
  Channel supervisor_;
  std::unique_ptr<AgentLink> link_;
};

TEST_F(AgentLinkTest, SaysThatItIsUpAndAnswersPings) {
  order(control::Ping{7});
  EXPECT_FALSE(run());
  const auto up = supervisor_.receive();
  ASSERT_TRUE(up);
  EXPECT_EQ(decode_control(up->bytes), Control(control::Up{}));
  EXPECT_THAT(told(), ElementsAre(Control(control::Pong{7})));
}

TEST_F(AgentLinkTest, EndsWithStopAndWithTheSupervisor) {
  order(control::Stop{});
  EXPECT_TRUE(run());
  EXPECT_FALSE(run());
  supervisor_ = Channel();
  EXPECT_TRUE(run());
}

TEST_F(AgentLinkTest, EndsWhenTheSupervisorSpeaksNonsense) {
  order(control::Up{}); // nobody says that to a child
  EXPECT_TRUE(run());
}

TEST_F(AgentLinkTest, APeerIsTheAgentAndComesWithOneChannel) {
  order(control::Peer{});
  EXPECT_TRUE(run());
  begin();
  const auto [ours, theirs] = Channel::make_pair();
  const int fds[] = {theirs.get()};
  order(control::Peer{1}, fds);
  EXPECT_TRUE(run());
}

TEST_F(AgentLinkTest, GreetsEachAgentAndCarriesItsRequests) {
  link_->send("lost: nobody is there");
  const Channel first = connect();
  Channel second = connect();
  EXPECT_EQ(second.receive()->bytes, "hello");
  ASSERT_TRUE(second.send("one"));
  ASSERT_TRUE(second.send("two"));
  run();
  EXPECT_THAT(events_, ElementsAre("one", "two", "turn"));
  link_->send("reply");
  EXPECT_EQ(second.receive()->bytes, "reply");
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(AgentLinkTest, AnAgentThatDiedIsNobodysFault) {
  connect();
  EXPECT_FALSE(run());
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(log_.names, IsEmpty());
  link_->send("nothing happens");
}

TEST_F(AgentLinkTest, AnAgentThatSendsWhatIsNoRequestIsReported) {
  Channel agent = connect();
  ASSERT_TRUE(agent.send("rubbish"));
  ASSERT_TRUE(agent.send("never read"));
  EXPECT_FALSE(run());
  EXPECT_THAT(events_, ElementsAre("rubbish", "turn"));
  EXPECT_THAT(told(), ElementsAre(Control(control::Violation{})));
  EXPECT_THAT(log_.names, ElementsAre("channel.violation"));
}

TEST_F(AgentLinkTest, ARequestBringsNoDescriptors) {
  Channel agent = connect();
  const int fds[] = {0};
  ASSERT_TRUE(agent.send("one", fds));
  EXPECT_FALSE(run());
  EXPECT_THAT(events_, ElementsAre("turn"));
  EXPECT_THAT(told(), ElementsAre(Control(control::Violation{})));
}

} // namespace
} // namespace midcom
