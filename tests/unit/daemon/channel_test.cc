// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/channel.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/channel_link.h"
#include "daemon/child_process.h"
#include "daemon/memory_file.h"

namespace midcom {
namespace {

struct Pair {
  Pair() {
    auto [a, b] = Channel::make_pair();
    first = Channel(std::move(a));
    second = Channel(std::move(b));
  }
  Channel first, second;
};

TEST(Channel, KeepsRecordsApartAndInOrder) {
  Pair pair;
  ASSERT_TRUE(pair.first.send("one"));
  ASSERT_TRUE(pair.first.send(std::string("t\0o", 3)));
  EXPECT_EQ(pair.second.receive()->bytes, "one");
  EXPECT_EQ(pair.second.receive()->bytes, std::string("t\0o", 3));
  EXPECT_EQ(pair.second.receive().error(), Channel::Error::would_block);
}

TEST(Channel, CarriesTheLargestRecordAndRefusesALarger) {
  Pair pair;
  const std::string largest(max_channel_message, 'x');
  ASSERT_TRUE(pair.first.send(largest));
  EXPECT_EQ(pair.second.receive()->bytes, largest);
  EXPECT_EQ(pair.first.send(largest + "x").error(), Channel::Error::broken);
  EXPECT_EQ(pair.first.send("").error(), Channel::Error::broken);
}

TEST(Channel, RefusesATruncatedRecord) {
  auto [a, b] = Channel::make_pair();
  Channel reader(std::move(b));
  const std::string longer(max_channel_message + 1, 'x');
  ASSERT_EQ(::send(a.get(), longer.data(), longer.size(), 0), static_cast<ssize_t>(longer.size()));
  EXPECT_EQ(reader.receive().error(), Channel::Error::broken);
}

TEST(Channel, SeesTheOtherEndGo) {
  Pair pair;
  ASSERT_TRUE(pair.first.send("last"));
  pair.first = Channel();
  EXPECT_EQ(pair.second.receive()->bytes, "last");
  EXPECT_EQ(pair.second.receive().error(), Channel::Error::closed);
  EXPECT_EQ(pair.second.send("x").error(), Channel::Error::closed);
}

TEST(Channel, SaysWhenThereIsNoRoom) {
  Pair pair;
  const std::string record(max_channel_message, 'x');
  std::expected<void, Channel::Error> sent;
  int count = 0;
  while ((sent = pair.first.send(record)) && count < 1000) ++count;
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), Channel::Error::would_block);
  EXPECT_GT(count, 0);
}

TEST(Channel, PassesDescriptorsThatCloseOnExec) {
  Pair pair;
  const FileDescriptor file = make_memory_file("test", "contents");
  const std::array descriptors{file.get(), file.get()};
  ASSERT_TRUE(pair.first.send("files", descriptors));
  auto message = pair.second.receive();
  ASSERT_TRUE(message);
  ASSERT_EQ(message->descriptors.size(), 2U);
  for (const FileDescriptor& got : message->descriptors) {
    EXPECT_NE(got.get(), file.get());
    EXPECT_EQ(read_memory_file(got.get()), "contents");
    EXPECT_EQ(::fcntl(got.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
}

TEST(Channel, PassesAsManyDescriptorsAsItPromises) {
  Pair pair;
  const FileDescriptor file = make_memory_file("test", "");
  std::vector<int> descriptors(max_channel_descriptors, file.get());
  ASSERT_TRUE(pair.first.send("files", descriptors));
  EXPECT_EQ(pair.second.receive()->descriptors.size(), max_channel_descriptors);
  descriptors.push_back(file.get());
  EXPECT_EQ(pair.first.send("files", descriptors).error(), Channel::Error::broken);
}

TEST(Channel, KnowsItsKindOfSocket) {
  Pair pair;
  EXPECT_TRUE(Channel::is_channel(pair.first.fd()));
  const FileDescriptor file = make_memory_file("test", "");
  EXPECT_FALSE(Channel::is_channel(file.get()));
  EXPECT_FALSE(Channel::is_channel(-1));
  const FileDescriptor stream(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(Channel::is_channel(stream.get()));
}

TEST(Channel, WaitsNoLongerThanAsked) {
  Pair pair;
  EXPECT_EQ(pair.second.receive_within(1).error(), Channel::Error::would_block);
  ASSERT_TRUE(pair.first.send("x"));
  EXPECT_EQ(pair.second.receive_within(1000)->bytes, "x");
}

class ChannelLinkTest : public testing::Test {
protected:
  ChannelLinkTest() {
    auto [a, b] = Channel::make_pair();
    other = Channel(std::move(b));
    link.emplace(loop, std::move(a),
                 ChannelLink::Callbacks{.on_message =
                                            [this](const Channel::Message& message) {
                                              received.push_back(message.bytes);
                                              if (received.size() == expected) loop.stop();
                                              return message.bytes == "bad"
                                                         ? ChannelLink::Verdict::end
                                                         : ChannelLink::Verdict::go_on;
                                            },
                                        .on_turn_end = [this] { ++turns; },
                                        .on_end =
                                            [this](ChannelLink::End how) {
                                              ends.push_back(how);
                                              loop.stop();
                                            }});
  }
  EventLoop loop;
  Channel other;
  std::optional<ChannelLink> link;
  std::vector<std::string> received;
  std::vector<ChannelLink::End> ends;
  std::size_t expected = 0;
  int turns = 0;
};

TEST_F(ChannelLinkTest, GivesAllThatIsThereInOneTurn) {
  expected = 3;
  for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(other.send(text));
  loop.run();
  EXPECT_THAT(received, testing::ElementsAre("a", "b", "c"));
  EXPECT_EQ(turns, 1);
}

TEST_F(ChannelLinkTest, EndsAtWhatIsNoMessage) {
  ASSERT_TRUE(other.send("bad"));
  ASSERT_TRUE(other.send("never read"));
  loop.run();
  EXPECT_THAT(received, testing::ElementsAre("bad"));
  EXPECT_THAT(ends, testing::ElementsAre(ChannelLink::End::violation));
  EXPECT_FALSE(link->is_open());
}

TEST_F(ChannelLinkTest, TellsOfTheOtherEndsDeathOnceAndNotFromWithinSend) {
  other = Channel();
  link->send("x");
  link->send("y");
  EXPECT_TRUE(ends.empty());
  loop.run();
  EXPECT_THAT(ends, testing::ElementsAre(ChannelLink::End::closed));
}

TEST_F(ChannelLinkTest, QueuesInOrderWhatFindsNoRoom) {
  constexpr int count = 60;
  const FileDescriptor file = make_memory_file("test", "with");
  for (int index = 0; index < count; ++index) {
    const std::array descriptors{file.get()};
    link->send(std::to_string(index) + std::string(max_channel_message - 16, ' '),
               index == count - 1 ? std::span<const int>(descriptors) : std::span<const int>());
  }
  int next = 0;
  TimerEvent reader(loop, [&] {
    while (auto message = other.receive()) {
      EXPECT_EQ(std::stoi(message->bytes), next++);
      EXPECT_EQ(message->descriptors.size(), next == count ? 1U : 0U);
    }
    if (next == count) return loop.stop();
    reader.start_at(loop.now() + std::chrono::milliseconds(1));
  });
  reader.start_at(loop.now());
  loop.run();
  EXPECT_EQ(next, count);
  EXPECT_TRUE(link->is_open());
}

TEST_F(ChannelLinkTest, GivesUpOnAnEndThatDoesNotRead) {
  const std::string message(max_channel_message, 'x');
  std::size_t sent = 0;
  for (; sent <= ChannelLink::max_queued + (1 << 20) && link->is_open(); sent += message.size())
    link->send(message);
  EXPECT_GT(sent, ChannelLink::max_queued);
  loop.run();
  EXPECT_THAT(ends, testing::ElementsAre(ChannelLink::End::overflow));
}

TEST_F(ChannelLinkTest, GathersWhatATurnHasForOneRecord) {
  for (const char* text : {"a", "b", "c"}) link->gather(text);
  EXPECT_EQ(other.receive().error(), Channel::Error::would_block);
  DeferredEvent end(loop, [&] { loop.stop(); });
  end.schedule();
  loop.run();
  EXPECT_EQ(other.receive()->bytes, "abc");
  EXPECT_EQ(other.receive().error(), Channel::Error::would_block);
}

TEST_F(ChannelLinkTest, WhatWasGatheredLeavesBeforeWhatIsSentLater) {
  link->gather("a");
  link->send("b");
  EXPECT_EQ(other.receive()->bytes, "a");
  EXPECT_EQ(other.receive()->bytes, "b");
}

TEST_F(ChannelLinkTest, AFullRecordLeavesAtOnce) {
  link->gather(std::string(ChannelLink::full_record - 1, 'x'));
  EXPECT_EQ(other.receive().error(), Channel::Error::would_block);
  link->gather(std::string(max_channel_message, 'y')); // both have no room in one
  EXPECT_EQ(other.receive()->bytes, std::string(ChannelLink::full_record - 1, 'x'));
  EXPECT_EQ(other.receive()->bytes, std::string(max_channel_message, 'y'));
}

TEST_F(ChannelLinkTest, GathersForAnEndThatIsGone) {
  other = Channel();
  link->gather("x");
  loop.run();
  EXPECT_THAT(ends, testing::ElementsAre(ChannelLink::End::closed));
  link->gather("y");
}

// After a restart of the middlebox: each leg of a large gateway is told at once.
TEST_F(ChannelLinkTest, HoldsWhatTheCallsOfALargeGatewayAsk) {
  constexpr std::size_t count = 30000;
  const std::string request(180, 'r');
  for (std::size_t index = 0; index < count; ++index) link->gather(request);
  std::size_t got = 0;
  TimerEvent reader(loop, [&] {
    while (const auto message = other.receive()) got += message->bytes.size();
    if (got == count * request.size() || !link->is_open()) return loop.stop();
    reader.start_at(loop.now() + std::chrono::milliseconds(1));
  });
  reader.start_at(loop.now());
  loop.run();
  EXPECT_EQ(got, count * request.size());
  EXPECT_THAT(ends, testing::IsEmpty());
}

TEST(MemoryFile, IsSealed) {
  const FileDescriptor file = make_memory_file("test", "abc");
  EXPECT_EQ(read_memory_file(file.get()), "abc");
  EXPECT_EQ(read_memory_file(file.get()), "abc");
  EXPECT_LT(::pwrite(file.get(), "x", 1, 0), 0);
  EXPECT_NE(::ftruncate(file.get(), 0), 0);
}

TEST(MemoryFile, IsReadOnlyWhenSealed) {
  const FileDescriptor open_file(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_THROW((void)read_memory_file(open_file.get()), std::runtime_error);
  EXPECT_THROW((void)read_memory_file(-1), std::runtime_error);
}

TEST(ChildProcess, IsStartedAgainAtOnceThenEverLater) {
  const std::array expected{0, 0, 0, 0, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
  for (std::size_t deaths = 0; deaths < expected.size(); ++deaths)
    EXPECT_EQ(restart_delay_ms(static_cast<int>(deaths)), expected[deaths]) << deaths;
  EXPECT_EQ(restart_delay_ms(1000000), 30000);
}

} // namespace
} // namespace midcom
