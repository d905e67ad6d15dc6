// SPDX-License-Identifier: GPL-3.0-or-later
// First packets on the real kernel: a sink opens nothing, the queue holds what comes there, and
// what the gate admits passes as an element of the flows.
#include "tests/lab/engine.h"

#include <cstdio>
#include <thread>
#include <unistd.h>

namespace midcom::pinhole {
namespace {

using lab::IcmpSocket;
using lab::TcpSocket;
using lab::ThreeHosts;
using lab::UdpSocket;
using std::chrono::duration;
using std::chrono::steady_clock;

constexpr GroupId group_1{1}, group_2{2};

std::string rtp(int number = 1, int type = 0) {
  std::string packet("\x80\0\0\0\0\0\0\xa0\x12\x34\x56\x78", 12);
  packet[1] = static_cast<char>(type);
  packet[2] = static_cast<char>(number >> 8);
  packet[3] = static_cast<char>(number);
  return packet + std::string(160, 'x');
}

class GateKernelTest : public testing::TestWithParam<std::uint32_t> {
protected:
  static void SetUpTestSuite() {
    if (geteuid() == 0) hosts = std::make_unique<ThreeHosts>();
  }
  static void TearDownTestSuite() { hosts.reset(); }
  void SetUp() override {
    if (!hosts) GTEST_SKIP() << "needs root: network namespaces and nftables";
    hosts->nft("flush ruleset");
    policy = make_policy(GetParam());
    policy.sides[1].is_tcp_inbound = true;
  }
  void TearDown() override {
    if (hosts) hosts->nft("flush ruleset");
  }
  // A group that awaits `kind` at one address from one sender.
  static request::SetGroup wait(const GroupId& group, const Endpoint& receiver,
                                const Endpoint& sender, Kind kind = kind_rtp) {
    request::SetGroup request{1, group, participants(1, 2), 60, {}};
    request.sinks = {
        {.protocol = static_cast<std::uint8_t>(kind == kind_tcp ? 6 : 17), .at = receiver}};
    request.promises.resize(1);
    request.promises[0].kinds = kind;
    request.promises[0].payload_types[0] = 1;
    request.promises[0].senders = {sender};
    return request;
  }
  static request::SetGroup offer(const GroupId& group, const Endpoint& receiver) {
    request::SetGroup request = wait(group, receiver, {});
    request.promises[0].awaits_answer = true;
    request.promises[0].senders.clear();
    return request;
  }
  // What the gate has been given in all.
  std::uint64_t queued(Engine& engine) {
    ahead += std::chrono::seconds(2); // it is told once a second
    engine.middlebox->on_timer({now().steady + ahead, now().wall_s});
    engine.take_events();
    const auto counters = engine.events_of<event::GateCounters>();
    return counters.empty() ? 0 : counters.back().queued;
  }

  // Other ports for each case: conntrack remembers the earlier ones'.
  const int port = next_port += 20;
  const Endpoint a = at("192.0.2.2", port), b = at("198.51.100.2", port);
  const Endpoint b_next = at("198.51.100.2", port + 2);
  Policy policy;
  std::chrono::seconds ahead{0};
  static std::unique_ptr<ThreeHosts> hosts;
  static int next_port;
};
int GateKernelTest::next_port = 30000;
std::unique_ptr<ThreeHosts> GateKernelTest::hosts;

INSTANTIATE_TEST_SUITE_P(Features, GateKernelTest,
                         testing::Values(0U, like_6_1, without_owner, element_expressions),
                         [](const auto& with) {
                           if (with.param == 0) return "all";
                           if (with.param == element_expressions) return "limit_alone";
                           return with.param == like_6_1 ? "like_6_1" : "without_owner";
                         });

TEST_P(GateKernelTest, AdmitsAndPassesAsAnElementOfTheFlows) {
  const auto run = [&](const Endpoint& near, const Endpoint& far) {
    Endpoint far_next = far;
    far_next.port += 2;
    const UdpSocket to_a(*hosts, 'a', near), from_b(*hosts, 'b', far),
        from_b_next(*hosts, 'b', far_next);
    Engine engine(*hosts, policy);
    ASSERT_NE(engine.ready.features & gate, 0U) << engine.ready.description;
    const auto sent = [&](const UdpSocket& from, const std::string& payload) {
      from.send(near, payload);
      engine.judge_packets();
      return to_a.receive_all(0);
    };
    EXPECT_EQ(sent(from_b, rtp()), 0) << "no group";
    ASSERT_EQ(engine.ask(wait(group_1, near, far)).result, Result::ok);
    EXPECT_EQ(sent(from_b_next, rtp()), 0) << "not who was promised";
    EXPECT_EQ(sent(from_b, rtp(1, 96)), 0) << "not what was promised";
    EXPECT_EQ(sent(from_b, "junk"), 0);
    EXPECT_EQ(sent(from_b, rtp()), 1);
    EXPECT_EQ(engine.events_of<event::Admitted>().size(), 1U);
    EXPECT_EQ(queued(engine), 4U);
    for (int i = 0; i < 50; ++i) from_b.send(near, rtp(i));
    EXPECT_EQ(to_a.receive_all(50), 50) << "by the kernel alone";
    to_a.send(far, 20);
    EXPECT_EQ(from_b.receive_all(20), 20);
    EXPECT_EQ(sent(from_b_next, rtp()), 0) << "still nobody else";
    const auto done = engine.ask(request::Release{2, group_1, Participant{{1}, {}}});
    ASSERT_EQ(done.counters.size(), 2U);
    for (const Counter& counter : done.counters)
      EXPECT_EQ(counter.packets, counter.source == far ? 51U : 20U);
    EXPECT_EQ(sent(from_b, rtp()), 0) << "closed";
    EXPECT_EQ(queued(engine), 5U) << "and nothing is queued any more";
  };
  run(a, b);
  run(at("2001:db8:a::2", port), at("2001:db8:b::2", port));
}

TEST_P(GateKernelTest, AConnectionBeginsAtItsPassiveEndOnly) {
  const auto attempt = [&](Engine* engine, char from, const Endpoint& source, char to,
                           const Endpoint& destination) {
    const TcpSocket listener(*hosts, to, destination), caller(*hosts, from, source);
    listener.listen();
    caller.connect(destination);
    if (engine != nullptr) engine->judge_packets();
    const auto accepted = listener.accept();
    if (!caller.is_connected() || !accepted) return false;
    caller.send("hello");
    EXPECT_EQ(accepted->receive(), "hello");
    accepted->send("welcome");
    EXPECT_EQ(caller.receive(), "welcome");
    return true;
  };
  ASSERT_TRUE(attempt(nullptr, 'b', b, 'a', a)) << "control: without us";
  Engine engine(*hosts, policy);
  EXPECT_FALSE(attempt(&engine, 'a', a, 'b', b)) << "no group";
  request::SetGroup request = wait(group_1, b, a, kind_tcp);
  request.sinks[0].is_a = false;
  request.rules = {{.protocol = 6, .a = a, .b = b}};
  ASSERT_EQ(engine.ask(request).result, Result::ok);
  EXPECT_FALSE(attempt(&engine, 'b', b, 'a', a)) << "the flow is open, the direction isn't";
  const Endpoint a_next = at("192.0.2.2", port + 2);
  EXPECT_FALSE(attempt(&engine, 'a', a_next, 'b', b)) << "another caller";
  EXPECT_TRUE(attempt(&engine, 'a', a, 'b', b));
  request.rules.clear();
  ASSERT_EQ(engine.ask(request).result, Result::ok);
  EXPECT_FALSE(attempt(&engine, 'b', b, 'a', a));
  EXPECT_TRUE(attempt(&engine, 'a', a, 'b', b)) << "admitted, not asked for by name";
  EXPECT_EQ(engine.events_of<event::Admitted>().size(), 1U);
  const IcmpSocket at_a(*hosts, 'a', a.address), at_b(*hosts, 'b', b.address);
  at_b.send(a.address, 3, 4, a, b, 6);
  EXPECT_EQ(at_a.receive_all(1), 1) << "an error about the connection";
  at_b.send(a.address, 3, 4, a, b);
  EXPECT_EQ(at_a.receive_all(0), 0) << "there is none of UDP";
  (void)engine.ask(request::Release{2, group_1, Participant{{1}, {}}});
  EXPECT_FALSE(attempt(&engine, 'a', a, 'b', b)) << "closed";
}

TEST_P(GateKernelTest, AFloodReachesTheGateAtTheSinksRateOnly) {
  Engine engine(*hosts, policy);
  const Endpoint a_live = at("192.0.2.2", port + 4), b_live = at("198.51.100.2", port + 4);
  const UdpSocket to_a(*hosts, 'a', a), from_b(*hosts, 'b', b);
  const UdpSocket live_a(*hosts, 'a', a_live), live_b(*hosts, 'b', b_live);
  ASSERT_EQ(engine.open(group_2, a_live, b_live), Result::ok);
  ASSERT_EQ(engine.ask(wait(group_1, a, b_next)).result, Result::ok);
  const auto start = steady_clock::now();
  for (int i = 0; i < 10'000; ++i) {
    from_b.send(a, "junk");
    if (i % 100 == 0) live_b.send(a_live, rtp(i));
    if (i % 500 == 0) engine.middlebox->on_packets(now());
  }
  const duration<double> taken = steady_clock::now() - start;
  engine.judge_packets();
  EXPECT_EQ(to_a.receive_all(0), 0);
  EXPECT_EQ(live_a.receive_all(100), 100) << "another flow is untouched";
  const auto count = queued(engine);
  std::printf("flood of 10000 in %.0f ms: %lu queued\n", taken.count() * 1000, count);
  EXPECT_GE(count, policy.sink_rate / 2) << "the burst";
  EXPECT_LE(static_cast<double>(count), policy.sink_rate * (0.6 + taken.count()));
  // The sink is worth its while again.
  const UdpSocket from_b_next(*hosts, 'b', b_next);
  for (int i = 0; i < 100 && to_a.receive_all(0) == 0; ++i) {
    from_b_next.send(a, rtp());
    engine.judge_packets(1);
  }
  EXPECT_EQ(engine.events_of<event::Admitted>().size(), 1U);
}

TEST_P(GateKernelTest, ForgedSourcesDontReachTheGate) {
  for (const Mode mode : {Mode::appliance, Mode::mark}) {
    hosts->nft("flush ruleset");
    policy.mode = mode;
    const Endpoint forged = at("192.0.2.3", port); // C has this address of A too
    const UdpSocket from_c(*hosts, 'c', forged), from_a(*hosts, 'a', forged), to_b(*hosts, 'b', b);
    Engine engine(*hosts, policy);
    if (mode == Mode::mark)
      hosts->nft("table inet operator { chain c { type filter hook forward priority 0; policy "
                 "drop; meta mark & 0xff000000 == 0x4d000000 accept; }\n}");
    request::SetGroup request = wait(group_1, b, forged);
    request.sinks[0].is_a = false;
    ASSERT_EQ(engine.ask(request).result, Result::ok);
    from_c.send(b, rtp());
    engine.judge_packets();
    EXPECT_EQ(queued(engine), 0U);
    from_a.send(b, rtp());
    engine.judge_packets();
    EXPECT_EQ(to_b.receive_all(1), 1);
    EXPECT_EQ(queued(engine), 1U);
  }
}

TEST_P(GateKernelTest, AnOverrunQueueClosesAndIsCounted) {
  policy.sink_rate = 100'000; // as if there were no limit
  Engine engine(*hosts, policy);
  const UdpSocket to_a(*hosts, 'a', a), from_b(*hosts, 'b', b), from_b_next(*hosts, 'b', b_next);
  request::SetGroup request = wait(group_1, a, b);
  request.rules = {{.a = a, .b = b_next}};
  ASSERT_EQ(engine.ask(request).result, Result::ok);
  for (int i = 0; i < 40'000; ++i) from_b.send(a, rtp(i)); // each of them would be admitted
  EXPECT_EQ(to_a.receive_all(0), 0) << "nobody has judged them";
  from_b_next.send(a, rtp());
  EXPECT_EQ(to_a.receive_all(1), 1) << "another flow is untouched";
  engine.judge_packets();
  const auto judged = queued(engine);
  const auto counters = engine.events_of<event::GateCounters>().back();
  std::printf("of 40000 packets %lu were held, %lu dropped as the queue was full\n", judged,
              counters.overrun);
  EXPECT_GT(counters.overrun, 0U);
  EXPECT_EQ(static_cast<std::uint64_t>(to_a.receive_all(static_cast<int>(judged))), judged);
  from_b.send(a, rtp());
  EXPECT_EQ(to_a.receive_all(1), 1) << "open by now";
}

TEST_P(GateKernelTest, ParkedPacketsAreReleasedInOrder) {
  Engine engine(*hosts, policy);
  const UdpSocket to_a(*hosts, 'a', a), from_b(*hosts, 'b', b), from_b_next(*hosts, 'b', b_next);
  ASSERT_EQ(engine.ask(offer(group_1, a)).result, Result::ok);
  std::vector<std::string> sent;
  for (int i = 0; i < 30; ++i) {
    sent.push_back(rtp(i));
    from_b.send(a, sent.back());
    from_b_next.send(a, rtp(i));
  }
  engine.judge_packets();
  EXPECT_EQ(to_a.receive_all(0), 0) << "not before the answer";
  ASSERT_EQ(engine.ask(wait(group_2, a, b)).result, Result::ok);
  EXPECT_EQ(to_a.receive(), sent);
  EXPECT_EQ(engine.ask(request::Release{2, group_1, Participant{{1}, {}}}).result, Result::ok);
  EXPECT_EQ(to_a.receive_all(0), 0) << "the answer left them out";
  const auto admitted = engine.events_of<event::Admitted>();
  ASSERT_EQ(admitted.size(), 1U);
  EXPECT_EQ(admitted[0].group, group_2);
}

TEST_P(GateKernelTest, WithoutItsOwnerNothingPasses) {
  auto engine = std::make_unique<Engine>(*hosts, policy);
  const UdpSocket to_a(*hosts, 'a', a), from_b(*hosts, 'b', b);
  ASSERT_EQ(engine->ask(offer(group_1, a)).result, Result::ok);
  for (int i = 0; i < 10; ++i) from_b.send(a, rtp(i));
  engine->judge_packets();
  engine.reset(); // as a SIGKILL
  for (int i = 0; i < 10; ++i) from_b.send(a, rtp(i));
  EXPECT_EQ(to_a.receive_all(0), 0);
  engine = std::make_unique<Engine>(*hosts, policy);
  ASSERT_NE(engine->ready.features & gate, 0U) << "bound again";
  EXPECT_EQ(engine->ready.adopted_elements, 0U);
  from_b.send(a, rtp());
  engine->judge_packets();
  EXPECT_EQ(to_a.receive_all(0), 0) << "its promises are gone";
  EXPECT_EQ(queued(*engine), 0U) << "and so are its sinks";
  ASSERT_EQ(engine->ask(wait(group_1, a, b)).result, Result::ok);
  from_b.send(a, rtp());
  engine->judge_packets();
  EXPECT_EQ(to_a.receive_all(1), 1);
}

TEST_P(GateKernelTest, ARepairBringsSinksBack) {
  Engine engine(*hosts, policy);
  const UdpSocket to_a(*hosts, 'a', a), from_b(*hosts, 'b', b);
  ASSERT_EQ(engine.ask(wait(group_1, a, b)).result, Result::ok);
  hosts->nft("flush ruleset"); // in vain where the table is owned
  engine.middlebox->on_netlink_event(now());
  from_b.send(a, "junk");
  engine.judge_packets();
  EXPECT_EQ(to_a.receive_all(0), 0);
  from_b.send(a, rtp());
  engine.judge_packets();
  EXPECT_EQ(to_a.receive_all(1), 1);
}

// The kernel drops what it holds when the rule that queued it goes; what comes later is judged.
TEST_P(GateKernelTest, ARepairKeepsPromises) {
  Engine engine(*hosts, policy);
  const UdpSocket to_a(*hosts, 'a', a), from_b(*hosts, 'b', b);
  ASSERT_EQ(engine.ask(offer(group_1, a)).result, Result::ok);
  for (int i = 0; i < 3; ++i) from_b.send(a, rtp(i));
  engine.judge_packets();
  hosts->nft("flush ruleset");
  engine.middlebox->on_netlink_event(now());
  for (int i = 3; i < 5; ++i) from_b.send(a, rtp(i));
  engine.judge_packets();
  EXPECT_EQ(to_a.receive_all(0), 0) << "not before the answer";
  ASSERT_EQ(engine.ask(wait(group_2, a, b)).result, Result::ok);
  std::vector<std::string> came = to_a.receive();
  const bool is_owned = (engine.ready.features & table_persist) != 0;
  ASSERT_EQ(came.size(), is_owned ? 5U : 2U);
  came.erase(came.begin(), came.end() - 2);
  EXPECT_EQ(came, (std::vector{rtp(3), rtp(4)}));
}

TEST_P(GateKernelTest, SinksAreRefreshedAndChangeHands) {
  policy.refresh_s = 3;
  Engine engine(*hosts, policy);
  const UdpSocket to_a(*hosts, 'a', a), from_b(*hosts, 'b', b);
  ASSERT_EQ(engine.ask(wait(group_1, a, b_next)).result, Result::ok);
  ASSERT_EQ(engine.ask(wait(group_2, a, b)).result, Result::ok) << "a fork";
  ASSERT_EQ(engine.ask(request::Release{2, group_1, Participant{{1}, {}}}).result, Result::ok);
  const auto end = steady_clock::now() + std::chrono::milliseconds(3500);
  while (steady_clock::now() < end) {
    std::this_thread::sleep_until(std::min(end, engine.middlebox->next_deadline().value_or(end)));
    engine.middlebox->on_timer(now());
  }
  from_b.send(a, rtp());
  engine.judge_packets();
  EXPECT_EQ(to_a.receive_all(1), 1);
}

TEST_P(GateKernelTest, WithoutAQueueSinksStayClosed) {
  policy.masked_features |= gate;
  Engine engine(*hosts, policy);
  EXPECT_NE(engine.ready.description.find("no-gate"), std::string::npos);
  EXPECT_EQ(engine.middlebox->packet_fd(), -1);
  const UdpSocket to_a(*hosts, 'a', a), from_b(*hosts, 'b', b), from_b_next(*hosts, 'b', b_next);
  request::SetGroup request = wait(group_1, a, b);
  request.rules = {{.a = a, .b = b_next}};
  ASSERT_EQ(engine.ask(request).result, Result::ok);
  from_b.send(a, rtp());
  EXPECT_EQ(to_a.receive_all(0), 0);
  from_b_next.send(a, rtp());
  EXPECT_EQ(to_a.receive_all(1), 1) << "rules are rules";
  EXPECT_EQ(engine.ask(request::Release{2, group_1, Participant{{1}, {}}}).counters.size(), 2U);
}

TEST_P(GateKernelTest, AQueueIsBoundOnce) {
  const lab::Inside gateway(hosts->name('g'));
  auto first = PacketQueue::open(policy, open_queue_statistics());
  ASSERT_TRUE(first);
  EXPECT_FALSE(PacketQueue::open(policy, open_queue_statistics()));
  EXPECT_EQ((*first)->overrun(), 0U);
  first->reset();
  EXPECT_TRUE(PacketQueue::open(policy, open_queue_statistics()));
}

} // namespace
} // namespace midcom::pinhole
