// SPDX-License-Identifier: GPL-3.0-or-later
// The middlebox engine on the real kernel: what it says is open passes packets, nothing else does.
// Each case runs with all features of this kernel, with PERSIST, DESTROYSETELEM and the update of
// timeouts masked as Debian 12's 6.1 lacks them, and without OWNER too.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <poll.h>
#include <thread>
#include <unistd.h>

#include "tests/lab/engine.h"

namespace midcom::pinhole {
namespace {

using lab::IcmpSocket;
using lab::ThreeHosts;
using lab::UdpSocket;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr GroupId group_1{1};

class KernelTest : public testing::TestWithParam<std::uint32_t> {
protected:
  static void SetUpTestSuite() {
    if (geteuid() != 0) return;
    hosts = std::make_unique<ThreeHosts>();
  }
  static void TearDownTestSuite() { hosts.reset(); }
  void SetUp() override {
    if (!hosts) GTEST_SKIP() << "needs root: network namespaces and nftables";
    hosts->nft("flush ruleset");
    policy = make_policy(GetParam());
  }
  void TearDown() override {
    if (hosts) hosts->nft("flush ruleset");
  }

  // Other ports for each case: conntrack remembers the earlier ones'.
  const int port = next_port += 20;
  const Endpoint a = at("192.0.2.2", port), b = at("198.51.100.2", port);
  const Endpoint b_next = at("198.51.100.2", port + 2);
  Policy policy;
  static std::unique_ptr<ThreeHosts> hosts;
  static int next_port;
};
int KernelTest::next_port = 20000;
std::unique_ptr<ThreeHosts> KernelTest::hosts;

INSTANTIATE_TEST_SUITE_P(Features, KernelTest, testing::Values(0U, like_6_1, without_owner),
                         [](const auto& with) {
                           if (with.param == 0) return "all";
                           return with.param == like_6_1 ? "like_6_1" : "without_owner";
                         });

TEST_P(KernelTest, OpensExactlyOneFlowAndClosesIt) {
  // Control: without us the packet arrives.
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b), to_b_next(*hosts, 'b', b_next);
  from_a.send(b, 3);
  ASSERT_EQ(to_b.receive_all(3), 3);

  Engine engine(*hosts, policy);
  hosts->nft("table inet ct_user { chain c { type filter hook forward priority 0; "
             "ct state established counter; }\n}");
  from_a.send(b, 5);
  EXPECT_EQ(to_b.receive_all(0), 0) << "closed";

  ASSERT_EQ(engine.open(group_1, a, b), Result::ok);
  from_a.send(b, 50);
  EXPECT_EQ(to_b.receive_all(50), 50);
  to_b.send(a, 20);
  EXPECT_EQ(from_a.receive_all(20), 20);
  from_a.send(b_next, 5);
  EXPECT_EQ(to_b_next.receive_all(0), 0) << "neighbour port";
  to_b_next.send(a, 5);
  EXPECT_EQ(from_a.receive_all(0), 0) << "neighbour port";

  const auto done = engine.ask(request::SetGroup{2, group_1, participants(1, 2), 0, {}});
  from_a.send(b, 50);
  to_b.send(a, 50);
  EXPECT_EQ(to_b.receive_all(0), 0) << "after the ack";
  EXPECT_EQ(from_a.receive_all(0), 0) << "after the ack";
  ASSERT_EQ(done.result, Result::ok);
  ASSERT_EQ(done.counters.size(), 2U);
  EXPECT_EQ(done.counters[0], (Counter{0, 1, a, b, 50, 6400}));
  EXPECT_EQ(done.counters[1], (Counter{0, 1, b, a, 20, 2560}));
}

TEST_P(KernelTest, ClosesWhileTheSenderFloods) {
  Engine engine(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b);
  ASSERT_EQ(engine.open(group_1, a, b), Result::ok);
  std::atomic<bool> stop = false;
  std::atomic<int> sent = 0;
  std::thread sender([&] {
    for (; !stop; ++sent) from_a.send(b);
  });
  while (sent < 1000) std::this_thread::yield();
  const auto done = engine.ask(request::Release{2, group_1, Participant{{1}, {}}});
  const int at_ack = sent;
  // What was passed before the ack is in the receiver's queue or counted there.
  (void)to_b.receive_all(1);
  int late = 0;
  for (int i = 0; i < 3; ++i) late += to_b.receive_all(0);
  stop = true;
  sender.join();
  EXPECT_EQ(done.result, Result::ok);
  EXPECT_GT(sent, at_ack);
  EXPECT_EQ(late, 0);
}

TEST_P(KernelTest, KeepsCountersThroughChangesOfTheGroup) {
  Engine engine(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b);
  ASSERT_EQ(engine.open(group_1, a, b), Result::ok);
  for (int i = 0; i < 5; ++i) {
    from_a.send(b, 7);
    EXPECT_EQ(to_b.receive_all(7), 7);
    const auto lifetime = static_cast<std::uint32_t>(100 + i);
    ASSERT_EQ(engine.ask(request::ChangeLifetime{3, group_1, lifetime}).result, Result::ok);
  }
  const auto status = engine.ask(request::Status{4, group_1});
  ASSERT_EQ(status.counters.size(), 2U);
  EXPECT_EQ(status.counters[0].packets, 35U);
  const auto done = engine.ask(request::Release{5, group_1, Participant{{1}, {}}});
  ASSERT_EQ(done.counters.size(), 2U);
  EXPECT_EQ(done.counters[0].packets, 35U);
  EXPECT_EQ(done.counters[0].bytes, 35U * 128);
}

TEST_P(KernelTest, RefreshesAndOtherwiseFailsClosed) {
  Engine engine(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b);
  const FlowKey key{a, b};
  const auto change = [&](Change::Kind kind, int ms) {
    const Change one{.kind = kind, .key = key, .timeout = milliseconds(ms), .userdata = "x"};
    return engine.kernel->apply({&one, 1}).value().at(0);
  };
  std::uint64_t carried = change(Change::Kind::add, 300).packets;
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(milliseconds(120));
    from_a.send(b, 2);
    EXPECT_EQ(to_b.receive_all(2), 2) << i;
    carried += change(Change::Kind::refresh, 300).packets;
  }
  EXPECT_EQ(engine.kernel->read({&key, 1}).value().at(0).packets + carried, 8U);
  std::this_thread::sleep_for(milliseconds(340));
  from_a.send(b, 2);
  EXPECT_EQ(to_b.receive_all(0), 0);
  // A refresh that comes too late opens again: the group is still wanted.
  (void)change(Change::Kind::refresh, 300);
  from_a.send(b, 2);
  EXPECT_EQ(to_b.receive_all(2), 2);
}

TEST_P(KernelTest, ExpiresAtTheDeadlineAndCounts) {
  Engine engine(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b);
  ASSERT_EQ(engine.open(group_1, a, b, 1), Result::ok);
  from_a.send(b, 4);
  EXPECT_EQ(to_b.receive_all(4), 4);
  while (const auto next = engine.middlebox->next_deadline()) {
    std::this_thread::sleep_until(*next);
    engine.middlebox->on_timer(now());
  }
  from_a.send(b, 4);
  EXPECT_EQ(to_b.receive_all(0), 0);
  engine.take_events();
  const auto first = engine.events_of<event::FirstPacket>();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].source, a);
  ASSERT_EQ(engine.events_of<event::GroupEvent>().size(), 1U);
  const auto event = engine.events_of<event::GroupEvent>()[0];
  EXPECT_EQ(event.cause, event::Cause::expired);
  ASSERT_EQ(event.counters.size(), 2U);
  EXPECT_EQ(event.counters[0].packets, 4U);
  EXPECT_FALSE(engine.middlebox->next_deadline());
}

TEST_P(KernelTest, AnotherProcessAdoptsWithoutLoss) {
  auto engine = std::make_unique<Engine>(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b);
  ASSERT_EQ(engine->open(group_1, a, b), Result::ok);
  std::atomic<bool> stop = false;
  int sent = 0;
  std::thread sender([&] {
    for (; !stop; ++sent, std::this_thread::sleep_for(milliseconds(1))) from_a.send(b);
  });
  std::this_thread::sleep_for(milliseconds(50));
  engine.reset(); // as a SIGKILL: nothing is said to the kernel but the close of the sockets
  std::this_thread::sleep_for(milliseconds(50));
  engine = std::make_unique<Engine>(*hosts, policy);
  engine->middlebox->on_timer(now());
  std::this_thread::sleep_for(milliseconds(50));
  stop = true;
  sender.join();
  EXPECT_EQ(to_b.receive_all(sent), sent);
  EXPECT_EQ(engine->ready.adopted_groups, 1U);
  EXPECT_EQ(engine->ready.adopted_elements, 2U);
  std::printf("restart: %d packets at 1 kHz, none lost\n", sent);

  const auto release = [&](Participant asker) {
    return engine->ask(request::Release{9, group_1, asker});
  };
  EXPECT_EQ(release({{7}, {3}}).result, Result::not_participant) << "a strong stranger";
  EXPECT_EQ(release({{}, {3}}).result, Result::not_participant);
  // Known by its address alone when it called; it may have registered since.
  const auto done = release({{7}, {2}});
  EXPECT_EQ(done.result, Result::ok);
  ASSERT_EQ(done.counters.size(), 2U);
  EXPECT_EQ(done.counters[0].packets, static_cast<std::uint64_t>(sent));
  from_a.send(b, 4);
  EXPECT_EQ(to_b.receive_all(0), 0);
}

TEST_P(KernelTest, AdoptionDeletesWhatItCannotRead) {
  auto engine = std::make_unique<Engine>(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b);
  const Change strange{.key = {a, b}, .timeout = std::chrono::seconds(60), .userdata = "strange"};
  ASSERT_TRUE(engine->kernel->apply({&strange, 1}));
  from_a.send(b, 2);
  ASSERT_EQ(to_b.receive_all(2), 2);
  engine.reset();
  engine = std::make_unique<Engine>(*hosts, policy);
  EXPECT_EQ(engine->ready.adopted_elements, 0U);
  from_a.send(b, 2);
  EXPECT_EQ(to_b.receive_all(0), 0);
}

TEST_P(KernelTest, CarriesIpv6) {
  const Endpoint a6 = at("2001:db8:a::2", 4000), b6 = at("2001:db8:b::2", 5000);
  Engine engine(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a6), to_b(*hosts, 'b', b6);
  from_a.send(b6, 3);
  EXPECT_EQ(to_b.receive_all(0), 0);
  ASSERT_EQ(engine.open(group_1, a6, b6), Result::ok);
  from_a.send(b6, 6);
  EXPECT_EQ(to_b.receive_all(6), 6);
  to_b.send(a6, 3);
  EXPECT_EQ(from_a.receive_all(3), 3);
  const auto done = engine.ask(request::Release{2, group_1, Participant{{1}, {}}});
  ASSERT_EQ(done.counters.size(), 2U);
  EXPECT_EQ(done.counters[0].packets, 6U);
  from_a.send(b6, 3);
  EXPECT_EQ(to_b.receive_all(0), 0);
}

TEST_P(KernelTest, PassesIcmpErrorsAboutLiveFlowsOnly) {
  struct Kind {
    int too_big, code, echo_request, redirect;
  };
  const auto run = [&](const Endpoint& near, const Endpoint& far, const Kind& kind) {
    hosts->nft("flush ruleset");
    Endpoint far_next = far;
    ++far_next.port;
    const IcmpSocket at_a(*hosts, 'a', near.address), at_b(*hosts, 'b', far.address);
    const auto expect = [&](int count, int type, const Endpoint& from, const Endpoint& to,
                            const char* what) {
      at_b.send(near.address, type, kind.code, from, to);
      EXPECT_EQ(at_a.receive_all(count), count) << what << ", " << near.to_string();
    };
    expect(1, kind.too_big, near, far, "control: without us");
    Engine engine(*hosts, policy);
    expect(0, kind.too_big, near, far, "no call");
    ASSERT_EQ(engine.open(group_1, near, far), Result::ok);
    expect(1, kind.too_big, near, far, "about the call");
    expect(0, kind.too_big, near, far_next, "about another flow");
    expect(0, kind.too_big, far, near, "to the wrong end");
    expect(0, kind.echo_request, near, far, "echo request");
    expect(0, kind.redirect, near, far, "not a kind that is needed");
    (void)engine.ask(request::Release{2, group_1, Participant{{1}, {}}});
    expect(0, kind.too_big, near, far, "closed");
  };
  run(a, b, {.too_big = 3, .code = 4, .echo_request = 8, .redirect = 5});
  run(at("2001:db8:a::2", port), at("2001:db8:b::2", port),
      {.too_big = 2, .code = 0, .echo_request = 128, .redirect = 4});
}

// What comes by another side's interface is none of the flow: it isn't counted either.
TEST_P(KernelTest, ForgedSourcesAreNeitherMarkedNorCounted) {
  for (const Mode mode : {Mode::appliance, Mode::mark}) {
    hosts->nft("flush ruleset");
    policy.mode = mode;
    const bool is_mark = mode == Mode::mark;
    const Endpoint forged = at("192.0.2.3", port + is_mark); // C has this address of A too
    const UdpSocket from_c(*hosts, 'c', forged), to_b(*hosts, 'b', b);
    from_c.send(b, 3);
    ASSERT_EQ(to_b.receive_all(3), 3) << "control: they do come through";
    Engine engine(*hosts, policy);
    if (is_mark)
      hosts->nft("table inet operator { chain c { type filter hook forward priority 0; policy "
                 "drop; meta mark & 0xff000000 == 0x4d000000 accept; }\n}");
    ASSERT_EQ(engine.open(group_1, forged, b), Result::ok);
    const auto counted = [&] {
      return engine.ask(request::Status{2, group_1}).counters.at(0).packets;
    };
    from_c.send(b, 3);
    EXPECT_EQ(to_b.receive_all(0), 0) << is_mark;
    EXPECT_EQ(counted(), 0U) << is_mark;
    const UdpSocket from_a(*hosts, 'a', forged);
    from_a.send(b, 3);
    EXPECT_EQ(to_b.receive_all(3), 3) << is_mark;
    EXPECT_EQ(counted(), 3U) << is_mark;
  }
}

TEST_P(KernelTest, StaticAllowCarriesConversationsFromInside) {
  const Endpoint server = at("203.0.113.2", 3478);
  policy.static_allows = {{"stun", *Prefix::parse("203.0.113.2/32"), 17, {3478, 3479}}};
  Engine engine(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a), at_server(*hosts, 'c', server);
  at_server.send(a, 3);
  EXPECT_EQ(from_a.receive_all(0), 0) << "not from outside";
  from_a.send(server, 3);
  EXPECT_EQ(at_server.receive_all(3), 3);
  at_server.send(a, 3);
  EXPECT_EQ(from_a.receive_all(3), 3) << "replies";
  const UdpSocket other(*hosts, 'c', at("203.0.113.2", 3480));
  from_a.send(at("203.0.113.2", 3480), 3);
  EXPECT_EQ(other.receive_all(0), 0) << "another port";
}

TEST_P(KernelTest, DeletesConntrackUnderAnEstablishedRule) {
  policy.mode = Mode::mark;
  for (const bool deletes : {false, true}) {
    hosts->nft("flush ruleset");
    policy.delete_conntrack = deletes;
    Engine engine(*hosts, policy);
    hosts->nft("table inet operator { chain c { type filter hook forward priority 0; policy drop; "
               "ct state established accept; meta mark & 0xff000000 == 0x4d000000 accept; }\n}");
    const Endpoint near = at("192.0.2.2", port + deletes), far = at("198.51.100.2", port + deletes);
    const UdpSocket from_a(*hosts, 'a', near), to_b(*hosts, 'b', far);
    from_a.send(far, 2);
    EXPECT_EQ(to_b.receive_all(0), 0);
    ASSERT_EQ(engine.open(group_1, near, far), Result::ok);
    from_a.send(far, 2);
    to_b.send(near, 2);
    EXPECT_EQ(to_b.receive_all(2), 2);
    EXPECT_EQ(from_a.receive_all(2), 2);
    (void)engine.ask(request::Release{2, group_1, Participant{{1}, {}}});
    from_a.send(far, 2);
    to_b.send(near, 2);
    const int expected = deletes ? 0 : 2; // control: the operator's rule would carry on
    EXPECT_EQ(to_b.receive_all(expected), expected);
    EXPECT_EQ(from_a.receive_all(expected), expected);
  }
}

// Runs `engine` as its process does until `stop`.
void serve(Engine& engine, const std::atomic<bool>& stop) {
  while (!stop) {
    pollfd events{engine.middlebox->event_fd(), POLLIN, 0};
    if (poll(&events, 1, 20) > 0) engine.middlebox->on_netlink_event(now());
  }
}

TEST_P(KernelTest, RepairsAfterFlushRuleset) {
  Engine engine(*hosts, policy);
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b), to_b_next(*hosts, 'b', b_next);
  ASSERT_EQ(engine.open(group_1, a, b), Result::ok);
  std::atomic<bool> stop = false;
  int sent = 0;
  std::thread server([&] { serve(engine, stop); });
  std::thread sender([&] {
    for (; !stop; ++sent) {
      from_a.send(b);
      from_a.send(b_next); // unmarked: passes only while the static table is away
    }
  });
  std::this_thread::sleep_for(milliseconds(20));
  const auto start = steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    hosts->nft("flush ruleset");
    std::this_thread::sleep_for(milliseconds(60));
  }
  const auto taken = std::chrono::duration<double>(steady_clock::now() - start);
  stop = true;
  sender.join();
  server.join();
  const int marked = to_b.receive_all(sent), leaked = to_b_next.receive_all(0);
  const auto replies = engine.middlebox->take_replies();
  const bool is_owned = (engine.ready.features & table_persist) != 0;
  const bool is_guarded = (engine.ready.features & table_owner) != 0;
  EXPECT_EQ(replies.size(), is_owned ? 0U : 5U);
  std::uint32_t gap_us = 0;
  for (const Reply& reply : replies)
    gap_us = std::max(gap_us, std::get<event::TableRepaired>(reply).gap_us);
  std::printf(
      "5 flushes %s: %d of %d marked and %d unmarked arrived at %.0f/s, repair at most %u us\n",
      is_owned     ? "with owner"
      : is_guarded ? "with guard"
                   : "without owner",
      marked, sent, leaked, sent / (taken.count() + 0.02), gap_us);
  EXPECT_TRUE(leaked == 0 || !is_guarded) << leaked;
  EXPECT_TRUE(marked == sent || !is_owned) << marked << " of " << sent;
  from_a.send(b, 5);
  from_a.send(b_next, 5);
  EXPECT_EQ(to_b.receive_all(5), 5) << "put back";
  EXPECT_EQ(to_b_next.receive_all(0), 0) << "closed again";
}

TEST_P(KernelTest, UndoesWhatOthersChange) {
  Engine engine(*hosts, policy);
  if ((engine.ready.features & table_persist) != 0) {
    EXPECT_ANY_THROW(hosts->nft("flush set inet midcomd flows_udp4"));
    return;
  }
  const UdpSocket from_a(*hosts, 'a', a), to_b(*hosts, 'b', b), to_b_next(*hosts, 'b', b_next);
  ASSERT_EQ(engine.open(group_1, a, b), Result::ok);
  const std::string from = "192.0.2.2 . " + std::to_string(port) + " . 198.51.100.2 . ";
  hosts->nft("delete element inet midcomd flows_udp4 "
             "{ " +
             from + std::to_string(port) + " }");
  hosts->nft("add element inet midcomd flows_udp4 "
             "{ " +
             from + std::to_string(port + 2) + " timeout 60s }");
  engine.middlebox->on_netlink_event(now());
  from_a.send(b, 2);
  from_a.send(b_next, 2);
  EXPECT_EQ(to_b.receive_all(2), 2);
  EXPECT_EQ(to_b_next.receive_all(0), 0);
}

TEST_P(KernelTest, CommitsAGroupInMicroseconds) {
  Engine engine(*hosts, policy);
  std::vector<long> us;
  for (int i = 0; i < 2000; ++i) {
    const GroupId group{2, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    const auto start = steady_clock::now();
    ASSERT_EQ(engine.open(group, at("192.0.2.2", 10000 + i), at("198.51.100.2", 10000 + i)),
              Result::ok);
    const auto taken = steady_clock::now() - start;
    us.push_back(std::chrono::duration_cast<std::chrono::microseconds>(taken).count());
  }
  std::ranges::sort(us);
  std::printf("commit of one rule (two elements): p50 %ld us, p99 %ld us, max %ld us\n",
              us[us.size() / 2], us[us.size() * 99 / 100], us.back());
  EXPECT_LT(us[us.size() / 2], 1000);
  EXPECT_EQ(engine.kernel->dump().value().size(), 4000U);
}

// Ten thousand rules through everything that happens to rules. Times are printed, not judged: the
// machine may be busy.
TEST_P(KernelTest, HandlesTenThousandRules) {
  constexpr int groups = 2500, rules = 4, turn = 50;
  constexpr std::size_t elements = std::size_t{2} * groups * rules;
  policy.refresh_s = 60;
  auto engine = std::make_unique<Engine>(*hosts, policy);
  const auto id = [](int i) {
    return GroupId{3, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
  };
  const auto timed = [](const char* what, auto&& act) {
    const auto start = steady_clock::now();
    act();
    const std::chrono::duration<double, std::milli> taken = steady_clock::now() - start;
    std::printf("%s %.0f ms, ", what, taken.count());
  };
  // Every group in turns of the loop, as the process has them.
  const auto ask_all = [&](auto&& make) {
    for (int i = 0; i < groups; ++i) {
      engine->middlebox->on_request(make(i));
      if (i % turn == turn - 1) engine->middlebox->commit(now());
    }
    for (const Reply& reply : engine->middlebox->take_replies())
      ASSERT_EQ(std::get<reply::Done>(reply).result, Result::ok);
  };
  std::printf("%zu elements: ", elements);
  timed("set", [&] {
    ask_all([&](int i) {
      request::SetGroup set{1, id(i), participants(1, 2), 600, {}};
      for (int j = 0; j < rules; ++j)
        set.rules.push_back({.stream = static_cast<std::uint16_t>(j),
                             .a = at("192.0.2.2", 2000 + rules * i + j),
                             .b = at("198.51.100.2", 2000 + rules * i + j)});
      return set;
    });
  });
  timed("refreshed", [&] {
    const auto due = now().steady + std::chrono::seconds(30);
    while (const auto next = engine->middlebox->next_deadline()) {
      if (*next > due) break;
      engine->middlebox->on_timer({due, now().wall_s});
    }
  });
  EXPECT_TRUE(engine->middlebox->take_replies().empty());
  timed("adopted", [&] {
    engine.reset();
    engine = std::make_unique<Engine>(*hosts, policy);
  });
  EXPECT_EQ(engine->ready.adopted_groups, static_cast<std::uint32_t>(groups));
  EXPECT_EQ(engine->ready.adopted_elements, elements);
  if ((engine->ready.features & table_persist) == 0) {
    hosts->nft("flush ruleset");
    timed("repaired", [&] { engine->middlebox->on_netlink_event(now()); });
    EXPECT_EQ(engine->middlebox->take_replies().size(), 1U);
  }
  EXPECT_EQ(engine->kernel->dump().value().size(), elements);
  timed("released",
        [&] { ask_all([&](int i) { return request::Release{2, id(i), Participant{{1}, {}}}; }); });
  std::printf("\n");
  EXPECT_EQ(engine->kernel->dump().value().size(), 0U);
}

} // namespace
} // namespace midcom::pinhole
