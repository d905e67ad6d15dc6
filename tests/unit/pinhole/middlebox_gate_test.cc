// SPDX-License-Identifier: GPL-3.0-or-later
// First packets and the engine: what the gate decides is carried out, and nothing passes besides.
#include <random>

#include "pinhole/observe_kernel.h"
#include "tests/unit/pinhole/middlebox_fixture.h"

namespace midcom::pinhole {
namespace {

using Fate = FakeKernel::Fate;
using std::chrono::milliseconds;
using std::chrono::seconds;

// RTP of payload type 0, or of another.
std::string rtp(int type = 0) {
  std::string packet("\x80\0\0\x01\0\0\0\xa0\x12\x34\x56\x78", 12);
  packet[1] = static_cast<char>(type);
  return packet + std::string(160, 'x');
}

const FlowKey inbound{b, a}, stranger{at("192.0.2.9", 5000), a};

class MiddleboxGateTest : public MiddleboxTest {
protected:
  // Group 1 waits at a for RTP from b; before the answer it is from anybody.
  static request::SetGroup wait(bool awaits_answer = false, std::uint8_t group = 1) {
    request::SetGroup request{1, GroupId{group}, pair, 600, {}};
    request.sinks = {{.at = a}};
    request.promises.resize(1);
    Promise& promise = request.promises[0];
    promise.kinds = kind_rtp;
    promise.payload_types[0] = 1;
    promise.awaits_answer = awaits_answer;
    if (!awaits_answer) promise.senders = {b};
    return request;
  }
  std::uint32_t deliver(const FlowKey& key, const std::string& payload = rtp()) {
    kernel.set_time(now().steady);
    const std::uint32_t number = kernel.deliver(key, payload);
    box->on_packets(now());
    return number;
  }
  Fate fate_of(const FlowKey& key, const std::string& payload = rtp()) {
    return kernel.fate(deliver(key, payload));
  }
  template <class T>
  std::vector<T> take() {
    std::vector<T> found;
    for (const Reply& reply : box->take_replies())
      if (const T* one = std::get_if<T>(&reply)) found.push_back(*one);
    return found;
  }
};

TEST_F(MiddleboxGateTest, AdmitsWhomThePromiseNames) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  EXPECT_FALSE(kernel.passes(inbound, now().steady)) << "a sink opens nothing";
  EXPECT_EQ(fate_of(stranger), Fate::dropped);
  EXPECT_EQ(fate_of(inbound, rtp(9)), Fate::dropped);
  const std::size_t batches = kernel.batches();
  EXPECT_EQ(fate_of(inbound), Fate::passed);
  EXPECT_EQ(kernel.batches(), batches + 1);
  EXPECT_TRUE(kernel.passes({a, b}, now().steady)) << "both directions";
  const auto admitted = take<event::Admitted>();
  ASSERT_EQ(admitted.size(), 1U);
  EXPECT_EQ(admitted[0].group, GroupId{1});
  EXPECT_EQ(admitted[0].rule, (Rule{.a = a, .b = b}));
  EXPECT_EQ(admitted[0].kind, kind_rtp);
  EXPECT_EQ(done(request::Status{2, GroupId{1}}).counters.size(), 2U) << "without the sink";
  EXPECT_EQ(done(request::Release{3, GroupId{1}, pair[0]}).counters.size(), 2U);
  EXPECT_EQ(fate_of(inbound), Fate::dropped);
}

TEST_F(MiddleboxGateTest, PacketsOfOneTurnShareTheBatch) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  std::vector<std::uint32_t> numbers;
  for (int i = 0; i < 5; ++i) numbers.push_back(kernel.deliver(inbound, rtp()));
  const std::size_t batches = kernel.batches();
  box->on_request(open(2));
  box->on_packets(now());
  EXPECT_EQ(kernel.batches(), batches + 1);
  EXPECT_EQ(kernel.passed(), numbers);
  EXPECT_EQ(take<event::Admitted>().size(), 1U);
}

TEST_F(MiddleboxGateTest, ParkedPacketsPassInOrderOnceAnswered) {
  ASSERT_EQ(done(wait(true)).result, Result::ok);
  std::vector<std::uint32_t> numbers;
  for (int i = 0; i < 10; ++i) numbers.push_back(deliver(inbound));
  const std::uint32_t other = deliver(stranger);
  EXPECT_EQ(kernel.fate(numbers.back()), Fate::held);
  EXPECT_TRUE(take<event::Admitted>().empty());
  ASSERT_EQ(done(wait(false, 2)).result, Result::ok) << "a branch answers: its sink is the same";
  EXPECT_EQ(kernel.passed(), numbers);
  EXPECT_EQ(kernel.fate(other), Fate::held) << "another branch may still answer for it";
  request::SetGroup offer = wait(true);
  offer.sinks.clear();
  (void)done(offer);
  EXPECT_EQ(kernel.fate(other), Fate::dropped);
}

TEST_F(MiddleboxGateTest, ParkedPacketsPassWhenARuleOpensTheirFlow) {
  ASSERT_EQ(done(wait(true)).result, Result::ok);
  const std::uint32_t early = deliver(inbound), other = deliver(stranger);
  ASSERT_EQ(done(open(2)).result, Result::ok);
  EXPECT_EQ(kernel.fate(early), Fate::passed);
  EXPECT_EQ(kernel.fate(other), Fate::held);
  pass(milliseconds(1600));
  EXPECT_EQ(kernel.fate(other), Fate::dropped) << "its time was over";
  const auto drops = box->take_drops();
  ASSERT_EQ(drops.size(), 1U);
  EXPECT_EQ(drops[0].reason, GateReason::not_answered);
  EXPECT_EQ(drops[0].key, stranger);
}

TEST_F(MiddleboxGateTest, WhatIsReadAfterItsFlowWasOpenedDoesNotWait) {
  ASSERT_EQ(done(wait(true)).result, Result::ok);
  const std::uint32_t early = deliver(inbound);
  kernel.set_time(now().steady);
  const std::uint32_t behind = kernel.deliver(inbound, rtp()); // queued, not read yet
  ASSERT_EQ(done(open(2)).result, Result::ok);
  box->on_packets(now());
  EXPECT_EQ(kernel.passed(), (std::vector{early, behind})) << "though the offer still waits there";
}

TEST_F(MiddleboxGateTest, AFailedBatchLetsNothingPass) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  kernel.fail_next_apply();
  EXPECT_EQ(fate_of(inbound), Fate::dropped);
  EXPECT_TRUE(take<event::Admitted>().empty());
  EXPECT_TRUE(kernel.sinks(now().steady).empty()) << "promises can't be read back";
  EXPECT_EQ(fate_of(inbound), Fate::dropped);
  ASSERT_EQ(done(wait()).result, Result::ok) << "asked for again";
  EXPECT_EQ(fate_of(inbound), Fate::passed);
}

TEST_F(MiddleboxGateTest, AfterAFailedBatchTheAgentIsToldToAskAgain) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  request::SetGroup both = wait(false, 2);
  both.rules = open(2).rules;
  ASSERT_EQ(done(both).result, Result::ok);
  const auto replies_of_failure = [&] {
    kernel.fail_next_apply();
    auto replies = ask({open(3)});
    EXPECT_EQ(std::get<reply::Done>(replies.at(0)).result, Result::kernel);
    return replies.size();
  };
  EXPECT_EQ(replies_of_failure(), 1U) << "what had only sinks is asked for again, not lost";
  ASSERT_EQ(box->next_deadline(), now().steady);
  pass(milliseconds(1));
  const auto told = take<event::Ready>();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].features, ready.features);
  EXPECT_EQ(told[0].adopted_groups, 1U);
  ASSERT_EQ(done(wait()).result, Result::ok);
  EXPECT_EQ(fate_of(inbound), Fate::passed);
  (void)box->take_replies();
  EXPECT_EQ(replies_of_failure(), 1U);
  pass(milliseconds(900));
  EXPECT_TRUE(take<event::Ready>().empty()) << "what fails again and again makes no busy loop";
  pass(milliseconds(200));
  EXPECT_EQ(take<event::Ready>().size(), 1U);
}

TEST_F(MiddleboxGateTest, AKernelThatCantBeReadIsToldOfWhenItCan) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  kernel.set_failing(true);
  EXPECT_EQ(done(open(2)).result, Result::kernel);
  pass(seconds(3));
  EXPECT_TRUE(take<event::Ready>().empty());
  kernel.set_failing(false);
  pass(seconds(1));
  EXPECT_EQ(take<event::Ready>().size(), 1U);
  ASSERT_EQ(done(wait()).result, Result::ok);
}

TEST_F(MiddleboxGateTest, ThePolicyHasTheLastWord) {
  request::SetGroup request = wait();
  request.promises[0].senders = {at("192.0.2.1", 80), at("10.0.0.7", 4000)};
  ASSERT_EQ(done(request).result, Result::ok);
  EXPECT_EQ(fate_of({at("192.0.2.1", 80), a}), Fate::dropped) << "a forbidden port";
  EXPECT_EQ(fate_of({at("10.0.0.7", 4000), a}), Fate::dropped) << "of the same side";
  EXPECT_TRUE(take<event::Admitted>().empty());
  EXPECT_EQ(kernel.size(now().steady), 0U);
}

TEST_F(MiddleboxGateTest, AConnectionBeginsAtItsPassiveEndOnly) {
  policy.sides[0].is_tcp_inbound = true;
  request::SetGroup request = wait();
  request.sinks[0].protocol = 6;
  request.promises[0].kinds = kind_tcp;
  ASSERT_EQ(done(request).result, Result::ok);
  const FlowKey there{b, a, 6}, back{a, b, 6};
  EXPECT_EQ(fate_of(there), Fate::passed);
  EXPECT_TRUE(kernel.passes(there, now().steady)) << "the connection's other segments";
  EXPECT_TRUE(kernel.passes(back, now().steady));
  EXPECT_EQ(fate_of(back), Fate::dropped) << "no first segment the other way";
  EXPECT_EQ(fate_of(there), Fate::passed) << "retransmitted";
  EXPECT_EQ(take<event::Admitted>().size(), 1U);
  EXPECT_FALSE(kernel.passes(inbound, now().steady)) << "UDP is something else";
}

TEST_F(MiddleboxGateTest, ASinkTurnsNobodysConnectionRound) {
  for (Side& side : policy.sides) side.is_tcp_inbound = true;
  const auto connects = [&](std::uint8_t group, const Endpoint& receiver, const Endpoint& sender) {
    request::SetGroup request = wait(false, group);
    request.sinks[0].protocol = 6;
    request.sinks[0].at = receiver;
    request.sinks[0].is_a = receiver == a;
    request.promises[0].kinds = kind_tcp;
    request.promises[0].senders = {sender};
    return request;
  };
  const FlowKey there{b, a, 6}, back{a, b, 6};
  ASSERT_EQ(done(connects(1, a, b)).result, Result::ok);
  ASSERT_EQ(fate_of(there), Fate::passed);
  ASSERT_EQ(done(connects(2, b, at("10.0.0.9", 4000))).result, Result::ok);
  EXPECT_EQ(fate_of(back), Fate::dropped) << "its address awaits somebody else";
  request::SetGroup offer = connects(2, b, a);
  offer.promises[0].senders.clear();
  offer.promises[0].awaits_answer = true;
  ASSERT_EQ(done(offer).result, Result::ok);
  const std::uint32_t first = deliver(back), again = deliver(back);
  EXPECT_EQ(kernel.fate(first), Fate::held) << "the flow is open, the direction isn't";
  ASSERT_EQ(done(connects(2, b, a)).result, Result::ok) << "now it is";
  EXPECT_EQ(kernel.fate(first), Fate::passed);
  EXPECT_EQ(kernel.fate(again), Fate::passed) << "retransmitted";
}

TEST_F(MiddleboxGateTest, WhatAGroupLosesInTheSameTurnIsNotAdmitted) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  request::SetGroup other = wait(false, 2);
  other.rules = {{.a = a, .b = b}};
  for (const Request& last :
       {Request(request::Release{3, GroupId{1}, pair[0]}), Request(wait(true)), Request(open(1))}) {
    ASSERT_EQ(done(wait()).result, Result::ok);
    const std::uint32_t number = kernel.deliver(inbound, rtp());
    box->on_request(last);
    box->on_packets(now());
    const bool is_rule = std::holds_alternative<request::SetGroup>(last) &&
                         !std::get<request::SetGroup>(last).rules.empty();
    EXPECT_EQ(kernel.fate(number), is_rule ? Fate::passed : Fate::dropped);
    EXPECT_TRUE(is_rule || take<event::Admitted>().empty());
    (void)done(request::Release{4, GroupId{1}, pair[0]});
  }
  // Another group opens the flow: the packet passes, of group 1 nothing is told.
  ASSERT_EQ(done(wait()).result, Result::ok);
  const std::uint32_t number = kernel.deliver(inbound, rtp());
  box->on_request(request::Release{3, GroupId{1}, pair[0]});
  box->on_request(other);
  box->on_packets(now());
  EXPECT_EQ(kernel.fate(number), Fate::passed);
  EXPECT_TRUE(take<event::Admitted>().empty());
}

TEST_F(MiddleboxGateTest, WhatWasQueuedBeforeItBeganGetsItsVerdict) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  const std::uint32_t number = kernel.deliver(inbound, rtp());
  restart();
  EXPECT_EQ(kernel.fate(number), Fate::dropped);
}

TEST_F(MiddleboxGateTest, WithoutAQueueSinksStayClosed) {
  policy.masked_features = gate;
  restart();
  EXPECT_NE(ready.description.find("no-gate"), std::string::npos);
  EXPECT_EQ(box->packet_fd(), -1);
  ASSERT_EQ(done(wait()).result, Result::ok);
  EXPECT_EQ(fate_of(inbound), Fate::dropped);
}

TEST_F(MiddleboxGateTest, AnotherProcessHasNoPromises) {
  ASSERT_EQ(done(wait(true)).result, Result::ok);
  const std::uint32_t early = deliver(inbound);
  ASSERT_EQ(done(open(2)).result, Result::ok);
  kernel.kill_owner();
  restart();
  EXPECT_EQ(kernel.fate(early), Fate::passed);
  EXPECT_TRUE(kernel.sinks(now().steady).empty());
  EXPECT_EQ(kernel.size(now().steady), 2U) << "flows are adopted";
  EXPECT_EQ(ready.adopted_groups, 1U);
  EXPECT_EQ(fate_of(stranger), Fate::dropped);
}

TEST_F(MiddleboxGateTest, ExpiryTakesSinksAndWhatIsParked) {
  request::SetGroup request = wait(true);
  request.lifetime_s = 1;
  ASSERT_EQ(done(request).result, Result::ok);
  const std::uint32_t early = deliver(inbound);
  pass(milliseconds(990));
  EXPECT_EQ(kernel.fate(early), Fate::dropped);
  EXPECT_EQ(fate_of(inbound), Fate::dropped);
  EXPECT_TRUE(kernel.sinks(now().steady).empty());
}

TEST_F(MiddleboxGateTest, RepairBringsSinksBack) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  kernel.flush();
  box->on_netlink_event(now());
  EXPECT_EQ(kernel.sinks(now().steady).size(), 1U);
  EXPECT_EQ(fate_of(inbound), Fate::passed);
}

TEST_F(MiddleboxGateTest, CountsAtMostOnceASecond) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  (void)deliver(inbound);
  auto counters = take<event::GateCounters>();
  ASSERT_EQ(counters.size(), 1U);
  EXPECT_EQ(counters[0], (event::GateCounters{.queued = 1, .admitted = 1}));
  kernel.set_overrun(7);
  for (int i = 0; i < 5; ++i) (void)deliver(stranger);
  EXPECT_TRUE(take<event::GateCounters>().empty());
  pass(seconds(1));
  counters = take<event::GateCounters>();
  ASSERT_EQ(counters.size(), 1U);
  EXPECT_EQ(counters[0],
            (event::GateCounters{.queued = 6, .admitted = 1, .dropped = 5, .overrun = 7}));
  pass(seconds(5));
  EXPECT_TRUE(take<event::GateCounters>().empty()) << "nothing new";
}

TEST_F(MiddleboxGateTest, TellsOfDropsOncePerSource) {
  ASSERT_EQ(done(wait()).result, Result::ok);
  for (int i = 0; i < 5; ++i) (void)deliver(stranger);
  ASSERT_EQ(box->take_drops().size(), 1U);
  (void)deliver({at("192.0.2.10", 1), a});
  EXPECT_EQ(box->take_drops().size(), 1U) << "another source";
  pass(seconds(10));
  (void)deliver(stranger);
  const auto lines = box->take_drops();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].count, 5U) << "four untold and this one";
  EXPECT_EQ(lines[0].reason, GateReason::wrong_source);
}

TEST_F(MiddleboxGateTest, ForgetsSourcesBeforeItForgetsToTell) {
  DropLog log;
  const auto source = [](int i) {
    Endpoint endpoint = at("192.0.0.0", 1);
    endpoint.address.octets[2] = static_cast<std::uint8_t>(i >> 8);
    endpoint.address.octets[3] = static_cast<std::uint8_t>(i);
    return FlowKey{endpoint, a};
  };
  for (int i = 0; i < 3000; ++i) log.note(source(i), GateReason::malformed, start);
  EXPECT_EQ(log.take().size(), 1024U);
  log.note(source(2000), GateReason::malformed, start + seconds(11));
  EXPECT_EQ(log.take().size(), 1U);
}

TEST_F(MiddleboxGateTest, TellsTheFirstPacketOfEachFlowOnce) {
  ASSERT_EQ(done(open(1)).result, Result::ok);
  pass(milliseconds(400));
  EXPECT_TRUE(kernel.passes({b, a}, now().steady));
  pass(milliseconds(200));
  auto events = take<event::FirstPacket>();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].source, b);
  EXPECT_EQ(events[0].destination, a);
  EXPECT_GE(events[0].delay_ms, 400U);
  EXPECT_LE(events[0].delay_ms, 520U) << "a quarter more at most";
  EXPECT_TRUE(kernel.passes({b, a}, now().steady));
  pass(seconds(20));
  EXPECT_TRUE(take<event::FirstPacket>().empty());
  ASSERT_EQ(done(open(1, 500)).result, Result::ok) << "the same again";
  EXPECT_TRUE(kernel.passes({a, b}, now().steady));
  pass(seconds(11));
  EXPECT_EQ(take<event::FirstPacket>().size(), 1U) << "the other direction";
  (void)done(request::Release{3, GroupId{1}, pair[0]});
  EXPECT_FALSE(box->next_deadline()) << "nothing is watched";
}

// Whatever happens, the kernel has the flows and sinks that the groups are owed, and a packet
// passes only when a group asked for it or promised it.
TEST_F(MiddleboxGateTest, TheKernelHasWhatTheGroupsSay) {
  policy.max_rules = 12;
  std::mt19937 random(7);
  struct Model {
    std::set<FlowKey> rules, admitted;
    bool has_sink = false;
    int ports = 0; // the promise: senders of port 5000 .. 5000 + ports - 1
  };
  std::map<std::uint8_t, Model> groups;
  const auto sink_of = [](std::uint8_t group) { return at("10.0.0.1", 4000 + group); };
  const auto both = [](std::set<FlowKey>& flows, const Endpoint& x, const Endpoint& y) {
    flows.insert({x, y});
    flows.insert({y, x});
  };
  int admissions = 0;
  for (int step = 0; step < 4000; ++step) {
    const auto group = static_cast<std::uint8_t>(1 + random() % 4);
    if (random() % 3 != 0) { // a first packet to somebody's sink
      const Endpoint sender = at("192.0.2.1", 5000 + static_cast<int>(random() % 4));
      const FlowKey key{sender, sink_of(group)};
      Model& model = groups[group];
      const bool is_open = model.rules.contains(key) || model.admitted.contains(key);
      const bool is_promised = model.has_sink && sender.port < 5000 + model.ports;
      const bool may_come = is_open || (is_promised && model.admitted.empty());
      const Fate fate = fate_of(key, rtp());
      (void)box->take_drops();
      if (fate == Fate::passed && !is_open) {
        both(model.admitted, sender, sink_of(group));
        ++admissions;
      }
      ASSERT_TRUE(fate != Fate::passed || may_come) << step;
      ASSERT_NE(fate, Fate::held) << step;
    } else {
      request::SetGroup request = wait(false, group);
      const int ports = 1 + static_cast<int>(random() % 3);
      request.sinks[0].at = sink_of(group);
      request.promises[0].senders.clear();
      for (int i = 0; i < ports; ++i)
        request.promises[0].senders.push_back(at("192.0.2.1", 5000 + i));
      if (random() % 4 == 0) {
        request.sinks.clear();
        request.promises.clear();
      }
      std::set<FlowKey> rules;
      if (random() % 2 == 0) {
        const Endpoint far = at("192.0.2.1", 6000 + static_cast<int>(random() % 3));
        request.rules = {{.a = sink_of(group), .b = far}};
        both(rules, sink_of(group), far);
      }
      const bool fails = random() % 16 == 0;
      if (fails) kernel.fail_next_apply();
      const Result result = done(request).result;
      kernel.fail_next_apply(false);  // when nothing had to be changed
      if (result == Result::kernel) { // all sinks are gone, flows are as they were
        for (auto& [id, model] : groups) {
          both(model.rules, {}, {});
          model.rules.erase({{}, {}});
          model.rules.merge(model.admitted);
          model.admitted.clear();
          model.has_sink = false;
        }
      } else if (result == Result::ok || result == Result::unknown_group) {
        Model& model = groups[group];
        const bool stays = model.has_sink && !request.sinks.empty() && ports == model.ports;
        if (!stays) model.admitted.clear();
        model.rules = rules;
        model.has_sink = !request.sinks.empty();
        model.ports = ports;
      } else {
        ASSERT_EQ(result, Result::table_full);
      }
    }
    std::set<FlowKey> flows, sinks;
    for (const auto& [id, model] : groups) {
      flows.insert(model.rules.begin(), model.rules.end());
      flows.insert(model.admitted.begin(), model.admitted.end());
      if (model.has_sink) sinks.insert(sink_key(17, sink_of(id)));
    }
    const auto live = kernel.flows(now().steady), waiting = kernel.sinks(now().steady);
    ASSERT_EQ(std::set<FlowKey>(live.begin(), live.end()), flows) << step;
    ASSERT_EQ(std::set<FlowKey>(waiting.begin(), waiting.end()), sinks) << step;
    (void)box->take_replies();
  }
  EXPECT_GT(admissions, 100);
}

} // namespace
} // namespace midcom::pinhole
