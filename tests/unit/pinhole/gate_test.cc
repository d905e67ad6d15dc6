// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/gate.h"

#include <gtest/gtest.h>

#include "made_packets.h"

namespace midcom::pinhole {
namespace {

using made::at;
using made::Stun;
using std::chrono::milliseconds;

const TimePoint start{std::chrono::seconds(1000)};
const Endpoint caller = at("10.0.0.1", 4000), callee = at("192.0.2.7", 5004),
               stranger = at("203.0.113.9", 777);

GroupId group(int number) {
  return {static_cast<std::uint8_t>(number)};
}

Promise promise(int kinds, std::vector<Endpoint> senders = {}) {
  Promise made;
  made.kinds = static_cast<std::uint8_t>(kinds);
  made.senders = std::move(senders);
  made.payload_types[0] = 1;
  return made;
}

Promise awaiting(int kinds) {
  Promise made = promise(kinds);
  made.awaits_answer = true;
  made.receiver_ufrag = "recv";
  made.receiver_password = Stun{}.password;
  return made;
}

Promise ice(std::string_view sender_ufrag, SourceRule source = SourceRule::any_verified) {
  Promise made = awaiting(kind_stun | kind_dtls);
  made.awaits_answer = false;
  made.sender_ufrag = sender_ufrag;
  made.source = source;
  return made;
}

std::string word(const Gate::Decision& decision) {
  if (const auto* drop = std::get_if<Gate::Drop>(&decision))
    return std::string(to_string(drop->reason));
  if (std::holds_alternative<Gate::Park>(decision)) return "park";
  if (std::holds_alternative<Gate::Pass>(decision)) return "pass";
  return "admit";
}

// "1 admit, 2 pass"
std::string words(const std::vector<Gate::Judged>& judged) {
  std::string list;
  for (const Gate::Judged& one : judged)
    list += (list.empty() ? "" : ", ") + std::to_string(one.id) + ' ' + word(one.decision);
  return list;
}

class GateTest : public testing::Test {
protected:
  void set(int id, const Promise& one, const Endpoint& where = caller) {
    set(id, std::vector<Sink>{{.at = where}}, {one});
  }
  void set(int id, const std::vector<Sink>& sinks, const std::vector<Promise>& promises) {
    gate.set_group(group(id), sinks, promises);
  }
  Gate::Judged judge(const std::string& packet) { return gate.on_packet({++last_id, packet}, now); }
  std::string send(const std::string& payload, const Endpoint& from = callee,
                   const Endpoint& to = caller) {
    return word(judge(made::udp(from, to, payload)).decision);
  }
  Gate::Admit admitted(const std::string& payload, const Endpoint& from = callee) {
    const auto judged = judge(made::udp(from, caller, payload));
    EXPECT_EQ(word(judged.decision), "admit");
    const auto* admit = std::get_if<Gate::Admit>(&judged.decision);
    return admit != nullptr ? *admit : Gate::Admit{};
  }
  std::string reconsider(const std::set<FlowKey>& open = {}) {
    return words(gate.reconsider([&](const FlowKey& key) { return open.contains(key); }));
  }

  GateLimits limits{.parked_per_flow = 3, .parked_per_group = 5, .parked = 8};
  Gate gate{limits};
  std::uint32_t last_id = 0;
  TimePoint now = start;
};

// After a restart of the middlebox the agent says what there is, rules that were learnt among it.
TEST_F(GateTest, WhatAnEarlierGateHasLearntCountsWhileItHasARule) {
  Promise open = promise(kind_rtp, {callee});
  open.source = SourceRule::same_address;
  const std::vector<Sink> sinks{{.at = caller}};
  const Endpoint learnt = at("192.0.2.7", 50600), other = at("192.0.2.7", 50700);
  const std::vector<Rule> rules{{.a = caller, .b = callee}, {.a = caller, .b = learnt}};
  gate.set_group(group(1), sinks, {{open}}, rules);
  EXPECT_EQ(send(made::rtp(0), other), "too-many-admitted");
  EXPECT_EQ(send(made::rtp(0), learnt), "admit") << "its own";
  gate.set_group(group(2), sinks, {{open}}, rules);
  gate.set_group(group(2), sinks, {{open}}, {{rules[0]}});
  set(1, std::vector<Sink>{}, {});
  EXPECT_EQ(send(made::rtp(0), other), "admit") << "the rule is gone";
  set(2, std::vector<Sink>{}, {});
  gate.set_group(group(3), sinks, {{open}}, {{rules[0]}});
  gate.set_group(group(3), sinks, {{open}}, rules);
  EXPECT_EQ(send(made::rtp(0), other), "admit") << "not of an earlier gate";
}

TEST_F(GateTest, NobodyWaits) {
  EXPECT_EQ(send(made::rtp(0)), "no-sink");
  set(1, promise(kind_rtp, {callee}));
  EXPECT_EQ(send(made::rtp(0), callee, at("10.0.0.1", 4001)), "no-sink");
  EXPECT_EQ(send(made::rtp(0)), "admit");
  set(1, std::vector<Sink>{}, {});
  EXPECT_EQ(send(made::rtp(0)), "no-sink");
}

TEST_F(GateTest, Malformed) {
  std::string packet = made::udp(callee, caller, made::rtp(0));
  packet.resize(25);
  const auto judged = judge(packet);
  EXPECT_EQ(word(judged.decision), "malformed");
  EXPECT_EQ(judged.id, 1U);
  EXPECT_EQ(judged.key.source.address, callee.address);
}

TEST_F(GateTest, TransportsAreApart) {
  set(1, promise(all_kinds, {callee}));
  EXPECT_EQ(word(judge(made::tcp(callee, caller, made::syn)).decision), "no-sink");
  set(1, {{.protocol = 6, .at = caller}}, {promise(kind_tcp, {at("192.0.2.7", 0)})});
  EXPECT_EQ(word(judge(made::tcp(callee, caller, made::syn)).decision), "admit");
  EXPECT_EQ(send(made::rtp(0)), "no-sink");
}

TEST_F(GateTest, WhoConnectsAgainDoesItFromAnotherPort) {
  set(1, {{.protocol = 6, .at = caller}}, {promise(kind_tcp, {at("192.0.2.7", 0)})});
  for (std::uint16_t port = 40000; port < 40016; ++port)
    EXPECT_EQ(word(judge(made::tcp(at("192.0.2.7", port), caller, made::syn)).decision), "admit");
  EXPECT_EQ(word(judge(made::tcp(at("192.0.2.7", 40016), caller, made::syn)).decision),
            "too-many-admitted");
  EXPECT_EQ(word(judge(made::tcp(at("192.0.2.8", 40000), caller, made::syn)).decision),
            "wrong-source");
}

TEST_F(GateTest, AdmitNamesTheRule) {
  set(7, {{.stream = 2, .component = 2, .at = caller, .is_a = true}},
      {promise(kind_rtp, {callee})});
  Gate::Admit admit = admitted(made::rtp(0));
  EXPECT_EQ(admit.group, group(7));
  EXPECT_EQ(admit.rule, (Rule{.stream = 2, .component = 2, .a = caller, .b = callee}));
  EXPECT_EQ(admit.kind, kind_rtp);
  set(7, {{.at = caller, .is_a = false}}, {promise(kind_rtp, {callee})});
  admit = admitted(made::rtp(0));
  EXPECT_EQ(admit.rule, (Rule{.a = callee, .b = caller}));
}

TEST_F(GateTest, SinkWithoutPromiseIsNone) {
  set(1, {{.at = caller, .promise = 1}}, {promise(kind_rtp, {callee})});
  EXPECT_EQ(send(made::rtp(0)), "no-sink");
}

TEST_F(GateTest, BranchesOfAForkAreToldApart) {
  set(2, ice("two"));
  set(1, ice("one"));
  EXPECT_EQ(admitted(made::stun({.username = "recv:two"})).group, group(2));
  EXPECT_EQ(admitted(made::stun({.username = "recv:one"}), stranger).group, group(1));
  EXPECT_EQ(send(made::stun({.username = "recv:three"})), "wrong-ufrag");
}

TEST_F(GateTest, AmongEqualsTheSmallerGroup) {
  for (const int id : {3, 1, 2}) set(id, promise(kind_rtp, {callee}));
  EXPECT_EQ(admitted(made::rtp(0)).group, group(1));
}

TEST_F(GateTest, TheBestDecisionAndTheMostTellingReason) {
  set(1, promise(kind_rtcp));
  EXPECT_EQ(send(made::stun({})), "unknown-kind");
  set(2, ice("send", SourceRule::signalled));
  EXPECT_EQ(send(made::stun({})), "wrong-source");
  set(3, ice("other"));
  EXPECT_EQ(send(made::stun({})), "wrong-ufrag");
  set(4, awaiting(kind_stun));
  EXPECT_EQ(send(made::stun({})), "park");
  set(5, ice("send"));
  EXPECT_EQ(send(made::stun({})), "admit");
}

TEST_F(GateTest, OneSenderOfWhatProvesNothing) {
  Promise open = promise(kind_rtp, {callee});
  open.source = SourceRule::same_address;
  set(1, open);
  const Gate::Admit first = admitted(made::rtp(0));
  EXPECT_EQ(send(made::rtp(0), at("192.0.2.7", 6000)), "too-many-admitted");
  EXPECT_EQ(send(made::rtp(0)), "admit") << "the same again";
  gate.take_back(first);
  EXPECT_EQ(send(made::rtp(0), at("192.0.2.7", 6000)), "admit");
  EXPECT_EQ(send(made::rtp(0)), "too-many-admitted");
}

TEST_F(GateTest, SendersByStunAreBounded) {
  set(1, ice("send"));
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(send(made::stun({}), at("203.0.113.9", 1000 + i)), "admit");
  EXPECT_EQ(send(made::stun({}), at("203.0.113.9", 2000)), "too-many-admitted");
  EXPECT_EQ(send(made::stun({}), at("203.0.113.9", 1000)), "admit") << "one of them again";
}

TEST_F(GateTest, AdmittedCountsAsLongAsTheSinkIsTheSame) {
  Promise open = promise(kind_rtp, {callee});
  open.source = SourceRule::same_address;
  set(1, open);
  EXPECT_EQ(send(made::rtp(0)), "admit");
  set(1, {{.at = at("10.0.0.1", 4002)}, {.at = caller, .promise = 1}},
      {promise(kind_rtcp, {callee}), open});
  EXPECT_EQ(send(made::rtp(0), at("192.0.2.7", 6000)), "too-many-admitted");
  open.payload_types[1] = 1;
  set(1, open);
  EXPECT_EQ(send(made::rtp(0), at("192.0.2.7", 6000)), "admit") << "another promise";
  set(1, std::vector<Sink>{}, {});
  set(1, open);
  EXPECT_EQ(send(made::rtp(0)), "admit") << "the group was forgotten";
}

TEST_F(GateTest, AwaitsWhatFits) {
  set(1, awaiting(kind_stun | kind_rtp));
  EXPECT_EQ(send(made::rtp(0), stranger), "park");
  EXPECT_EQ(send(made::rtp(8)), "wrong-payload");
  EXPECT_EQ(send(made::client_hello()), "unknown-kind");
  EXPECT_EQ(send(made::stun({.username = "recv:whoever"})), "park");
  EXPECT_EQ(send(made::stun({.username = "another:one"})), "wrong-ufrag");
  EXPECT_EQ(send(made::stun({.password = "guessed"})), "wrong-integrity");
  EXPECT_EQ(gate.parked(), 2U);
  EXPECT_EQ(reconsider(), "") << "nothing has changed";
}

TEST_F(GateTest, AnsweredAdmitsTheFirstAndLetsTheRestFollow) {
  set(1, awaiting(kind_rtp));
  EXPECT_EQ(send(made::rtp(0)), "park");           // 1
  EXPECT_EQ(send(made::rtp(0), stranger), "park"); // 2
  EXPECT_EQ(send(made::rtp(0)), "park");           // 3
  set(1, promise(kind_rtp, {callee}));
  EXPECT_EQ(reconsider(), "1 admit, 2 wrong-source");
  EXPECT_EQ(send(made::rtp(0)), "park") << "behind the third"; // 4
  EXPECT_EQ(reconsider(), "");
  EXPECT_EQ(reconsider({{callee, caller}}), "3 pass, 4 pass");
  EXPECT_EQ(gate.parked(), 0U);
  EXPECT_EQ(gate.next_due(), std::nullopt);
}

TEST_F(GateTest, OpenFlowsPassInOrderOfArrival) {
  set(1, awaiting(kind_rtp));
  const Endpoint other = at("192.0.2.1", 9);
  for (const Endpoint& from : {callee, other, callee, stranger})
    EXPECT_EQ(send(made::rtp(0), from), "park");
  EXPECT_EQ(reconsider({{callee, caller}, {other, caller}}), "1 pass, 2 pass, 3 pass");
  EXPECT_EQ(reconsider({{caller, callee}}), "");
  EXPECT_EQ(gate.parked(), 1U);
}

TEST_F(GateTest, ABranchAnswersForTheOffer) {
  set(1, awaiting(kind_stun)); // the offer
  EXPECT_EQ(send(made::stun({.username = "recv:one"})), "park");
  EXPECT_EQ(send(made::stun({.username = "recv:two"}), stranger), "park");
  set(2, ice("two"));
  EXPECT_EQ(reconsider(), "2 admit") << "other branches may still answer";
  set(1, std::vector<Sink>{}, {});
  EXPECT_EQ(reconsider(), "1 wrong-ufrag");
}

TEST_F(GateTest, ForgottenGroupsPacketsAreDropped) {
  set(1, awaiting(kind_rtp));
  EXPECT_EQ(send(made::rtp(0)), "park");
  EXPECT_EQ(send(made::rtp(0)), "park");
  set(1, std::vector<Sink>{}, {});
  EXPECT_EQ(reconsider(), "1 not-answered, 2 not-answered");
  EXPECT_EQ(gate.parked(), 0U);
}

TEST_F(GateTest, TakenBackIsJudgedOnceMore) {
  set(1, awaiting(kind_rtp));
  EXPECT_EQ(send(made::rtp(0)), "park");
  EXPECT_EQ(send(made::rtp(0)), "park");
  set(1, promise(kind_rtp, {callee}));
  auto judged = gate.reconsider([](const FlowKey&) { return false; });
  ASSERT_EQ(words(judged), "1 admit");
  gate.take_back(std::get<Gate::Admit>(judged[0].decision));
  EXPECT_EQ(reconsider(), "2 admit");
}

TEST_F(GateTest, LifeOfParkedPackets) {
  set(1, awaiting(kind_rtp));
  EXPECT_EQ(gate.next_due(), std::nullopt);
  EXPECT_EQ(send(made::rtp(0)), "park");
  now += milliseconds(500);
  EXPECT_EQ(send(made::rtp(0)), "park");
  EXPECT_EQ(gate.next_due(), start + milliseconds(1500));
  EXPECT_EQ(words(gate.take_due(start + milliseconds(1499))), "");
  EXPECT_EQ(words(gate.take_due(start + milliseconds(1500))), "1 not-answered");
  EXPECT_EQ(gate.next_due(), start + milliseconds(2000));
  EXPECT_EQ(words(gate.take_due(start + milliseconds(9000))), "2 not-answered");
  EXPECT_EQ(words(gate.take_due(start + milliseconds(9000))), "");
}

TEST_F(GateTest, BoundsPerFlowPerGroupAndInTotal) {
  const Endpoint elsewhere = at("10.0.0.2", 4000), third = at("10.0.0.3", 4000);
  set(1, awaiting(kind_rtp));
  set(2, awaiting(kind_rtp), elsewhere);
  set(3, awaiting(kind_rtp), third);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send(made::rtp(0)), "park");
  EXPECT_EQ(send(made::rtp(0)), "too-many-parked") << "of the flow";
  for (int i = 0; i < 2; ++i) EXPECT_EQ(send(made::rtp(0), stranger), "park");
  EXPECT_EQ(send(made::rtp(0), stranger), "too-many-parked") << "of the group";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send(made::rtp(0), callee, elsewhere), "park");
  EXPECT_EQ(send(made::rtp(0), callee, third), "too-many-parked") << "in total";
  EXPECT_EQ(gate.parked(), 8U);
  EXPECT_EQ(gate.take_due(now + milliseconds(1500)).size(), 8U);
  EXPECT_EQ(send(made::rtp(0), callee, third), "park");
}

TEST_F(GateTest, AnotherGroupTakesWhatOneHasNoRoomFor) {
  gate = Gate({.parked_per_flow = 3, .parked_per_group = 2, .parked = 8});
  set(1, awaiting(kind_rtp));
  set(2, awaiting(kind_rtp));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send(made::rtp(0)), "park"); // two in 1, one in 2
  set(1, std::vector<Sink>{}, {});
  EXPECT_EQ(reconsider(), "2 too-many-parked") << "2 has room for one of them";
  EXPECT_EQ(gate.parked(), 2U);
}

TEST_F(GateTest, AccountsOutliveTheirGroup) {
  gate = Gate({.parked_per_flow = 9, .parked_per_group = 2, .parked = 8});
  set(1, awaiting(kind_rtp));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(send(made::rtp(0)), "park");
  set(1, std::vector<Sink>{}, {});
  set(1, awaiting(kind_rtp));
  EXPECT_EQ(send(made::rtp(0)), "too-many-parked");
  EXPECT_EQ(gate.take_due(now + milliseconds(1500)).size(), 2U);
  EXPECT_EQ(send(made::rtp(0)), "park");
}

TEST_F(GateTest, ConnectionsAreParkedToo) {
  set(1, {{.protocol = 6, .at = caller}}, {awaiting(kind_tcp)});
  EXPECT_EQ(word(judge(made::tcp(callee, caller, made::syn)).decision), "park");
  EXPECT_EQ(word(judge(made::tcp(callee, caller, made::ack)).decision), "unknown-kind");
  set(1, {{.protocol = 6, .at = caller}}, {promise(kind_tcp, {at("192.0.2.7", 0)})});
  EXPECT_EQ(reconsider(), "1 admit");
}

TEST_F(GateTest, LongPacketsAreJudgedByTheirBeginning) {
  set(1, awaiting(all_kinds & ~kind_stun));
  EXPECT_EQ(send(made::rtp(0, 1200)), "park");
  EXPECT_EQ(send(made::client_hello() + std::string(800, 'x')), "park");
  EXPECT_EQ(send(made::rtcp() + std::string(800, 'x'), stranger), "park");
  const std::string fax = made::from_hex("00018258") + std::string(602, '\0');
  EXPECT_EQ(send(fax, at("192.0.2.8", 1)), "park");
  set(1, {{.at = caller}, {.at = caller, .promise = 1}, {.at = caller, .promise = 2}},
      {promise(kind_rtp | kind_dtls, {callee}), promise(kind_rtcp, {stranger}),
       promise(kind_udptl, {at("192.0.2.8", 1)})});
  EXPECT_EQ(reconsider(), "1 admit, 3 admit, 4 admit");
}

} // namespace
} // namespace midcom::pinhole
