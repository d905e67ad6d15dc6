// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/rule_table.h"

#include <gtest/gtest.h>

namespace midcom::pinhole {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Change::Kind;

const TimePoint start{seconds(1000)};
Instant at_s(int s) {
  return {start + seconds(s), 1'700'000'000U + static_cast<unsigned>(s)};
}

Endpoint at(std::string_view address, int port) {
  return {*Address::parse(address), static_cast<std::uint16_t>(port)};
}
Endpoint in(int port) {
  return at("10.0.0.1", port);
}
Endpoint out(int port) {
  return at("192.0.2.1", port);
}
Rule rule(int port) {
  return {.a = in(port), .b = out(port)};
}

Participant person(std::uint8_t strong, std::uint8_t network = 0) {
  return {.strong = {strong}, .network = {network}};
}
const Participants alice_bob{person(1), person(2)}, alice_carol{person(3), person(1)},
    mallory_dave{person(8), person(9)};

class RuleTableTest : public testing::Test {
protected:
  RuleTableTest() : table(policy) {}
  static Policy make_policy() {
    Policy policy;
    policy.sides = {{"in", {}, {*Prefix::parse("10.0.0.0/8")}},
                    {"out", {}, {*Prefix::parse("192.0.2.0/24")}},
                    {"third", {}, {*Prefix::parse("198.51.100.0/24")}}};
    policy.max_rules = 3;
    policy.max_lifetime_s = 1000;
    policy.refresh_s = 120;
    return policy;
  }
  RuleTable::Outcome set(std::uint8_t group, std::vector<Rule> rules,
                         const Participants& who = alice_bob, std::uint32_t lifetime_s = 600,
                         Instant now = at_s(0)) {
    return table.set_group({1, GroupId{group}, who, lifetime_s, std::move(rules)}, now);
  }
  std::vector<Kind> kinds(Instant now = at_s(0)) {
    std::vector<Kind> list;
    for (const Change& change : table.take_changes(now.steady)) list.push_back(change.kind);
    return list;
  }
  Policy policy = make_policy();
  RuleTable table;
};

TEST_F(RuleTableTest, MakesTheDifference) {
  EXPECT_EQ(set(1, {rule(4000), rule(4001)}).result, Result::ok);
  const auto added = table.take_changes(start);
  ASSERT_EQ(added.size(), 4U);
  for (const Change& change : added) {
    EXPECT_EQ(change.kind, Kind::add);
    EXPECT_EQ(change.timeout, seconds(120));
    EXPECT_EQ(decode_owners(change.userdata).value().at(0).deadline_s, at_s(600).wall_s);
  }
  EXPECT_TRUE(table.take_changes(start).empty());
  EXPECT_EQ(set(1, {rule(4000), rule(4001)}).result, Result::ok);
  EXPECT_TRUE(kinds().empty()) << "the same again";
  const auto moved = set(1, {rule(4000), rule(4002)});
  EXPECT_EQ(moved.removed.size(), 2U);
  EXPECT_EQ(kinds(), (std::vector{Kind::remove, Kind::add, Kind::remove, Kind::add}));
}

TEST_F(RuleTableTest, OneDirectionIsOneFlow) {
  Rule one_way = rule(4000);
  one_way.from_b = false;
  set(1, {one_way, one_way});
  const auto changes = table.take_changes(start);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].key, (FlowKey{in(4000), out(4000)}));
  set(1, {rule(4000)});
  EXPECT_EQ(kinds(), std::vector{Kind::add}) << "resumed";
}

TEST_F(RuleTableTest, EmptyRulesRelease) {
  set(1, {rule(4000)});
  (void)kinds();
  EXPECT_EQ(set(2, {}).result, Result::unknown_group);
  EXPECT_EQ(set(1, {}, mallory_dave).result, Result::not_participant);
  EXPECT_EQ(set(1, {}).removed.size(), 2U);
  EXPECT_EQ(kinds(), (std::vector{Kind::remove, Kind::remove}));
  EXPECT_EQ(table.group_count() + table.flow_count(), 0U);
  EXPECT_FALSE(table.next_due());
}

TEST_F(RuleTableTest, AFlowGoesWithItsLastOwner) {
  set(1, {rule(4000)});
  EXPECT_EQ(set(2, {rule(4000)}, alice_carol).result, Result::ok);
  auto changes = table.take_changes(start);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(decode_owners(changes[0].userdata).value().size(), 2U);
  EXPECT_TRUE(table.release({1}, person(2)).removed.empty());
  EXPECT_EQ(kinds(), (std::vector{Kind::rewrite, Kind::rewrite}));
  EXPECT_EQ(table.release({2}, person(3)).removed.size(), 2U);
  EXPECT_EQ(kinds(), (std::vector{Kind::remove, Kind::remove}));
}

TEST_F(RuleTableTest, RefusalsChangeNothing) {
  set(1, {rule(4000), rule(4001)});
  (void)kinds();
  EXPECT_EQ(set(2, {rule(4005), rule(4000)}, mallory_dave).result, Result::conflict);
  EXPECT_EQ(set(1, {rule(4000)}, mallory_dave).result, Result::not_participant);
  EXPECT_EQ(set(3, {rule(4002), rule(4003)}).result, Result::table_full);
  EXPECT_TRUE(kinds().empty());
  EXPECT_EQ(table.group_count(), 1U);
  EXPECT_EQ(set(3, {rule(4002)}).result, Result::ok);
  EXPECT_EQ(set(4, {rule(4003)}).result, Result::table_full);
  EXPECT_EQ(set(3, {rule(4003)}).result, Result::ok) << "moving within a full table";
  EXPECT_EQ(set(4, {rule(4003)}).result, Result::ok) << "sharing in a full table";
}

TEST_F(RuleTableTest, TooManyOwnersAreRefused) {
  for (std::uint8_t group = 1; group <= 7; ++group)
    EXPECT_EQ(set(group, {rule(4000)}).result, Result::ok);
  EXPECT_EQ(set(8, {rule(4000)}).result, Result::too_many_rules);
  EXPECT_EQ(set(7, {rule(4000)}).result, Result::ok);
}

TEST_F(RuleTableTest, OnlyParticipantsRelease) {
  const Participants mixed{Participant{{1}, {11}}, Participant{{}, {12}}};
  set(1, {rule(4000)}, mixed);
  EXPECT_EQ(table.release({9}, person(1)).result, Result::unknown_group);
  EXPECT_EQ(table.release({1}, person(5)).result, Result::not_participant);
  EXPECT_EQ(table.release({1}, person(5, 11)).result, Result::not_participant) << "strong counts";
  EXPECT_EQ(table.release({1}, Participant{}).result, Result::not_participant);
  EXPECT_EQ(table.release({1}, person(0, 13)).result, Result::not_participant);
  EXPECT_EQ(table.release({1}, person(0, 12)).result, Result::ok);
}

TEST_F(RuleTableTest, LifetimeIsBoundedFromTheFirstRequest) {
  set(1, {rule(4000)}, alice_bob, 600);
  (void)kinds();
  EXPECT_EQ(table.change_lifetime({2}, 10, at_s(0)), Result::unknown_group);
  EXPECT_EQ(table.change_lifetime({1}, 900, at_s(500)), Result::ok);
  const auto changes = table.take_changes(at_s(500).steady);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].kind, Kind::rewrite);
  EXPECT_TRUE(changes[0].keeps_counter);
  EXPECT_EQ(decode_owners(changes[0].userdata)->at(0).deadline_s, at_s(1000).wall_s);
  const auto due = table.take_due(at_s(1000).steady, 100);
  EXPECT_EQ(due.expired.size(), 1U);
  EXPECT_TRUE(due.refreshes.empty());
}

TEST_F(RuleTableTest, RefreshesEachThirdButNotBeyondTheDeadline) {
  set(1, {rule(4000)}, alice_bob, 200);
  (void)kinds();
  EXPECT_EQ(table.next_due(), at_s(40).steady);
  EXPECT_TRUE(table.take_due(at_s(39).steady, 100).refreshes.empty());
  auto due = table.take_due(at_s(40).steady, 100);
  ASSERT_EQ(due.refreshes.size(), 2U);
  EXPECT_EQ(due.refreshes[0].timeout, seconds(120));
  due = table.take_due(at_s(80).steady, 100);
  ASSERT_EQ(due.refreshes.size(), 2U);
  EXPECT_EQ(due.refreshes[0].timeout, seconds(120));
  // Now they live to the deadline by themselves.
  EXPECT_EQ(table.next_due(), at_s(200).steady - milliseconds(20));
  EXPECT_EQ(table.take_due(at_s(200).steady, 100).expired, std::vector{GroupId{1}});
}

TEST_F(RuleTableTest, RefreshesALimitedNumberAtOnce) {
  set(1, {rule(4000)});
  set(2, {rule(4001)});
  (void)kinds();
  EXPECT_EQ(table.take_due(at_s(60).steady, 1).refreshes.size(), 2U);
  EXPECT_LE(*table.next_due(), at_s(60).steady);
  EXPECT_EQ(table.take_due(at_s(60).steady, 1).refreshes.size(), 2U);
  EXPECT_GT(*table.next_due(), at_s(60).steady);
}

TEST_F(RuleTableTest, AFlowThatGoesAndComesInOneTurnStartsCountingAnew) {
  set(1, {rule(4000)});
  (void)kinds();
  table.add_carried({in(4000), out(4000)}, {5, 500});
  const auto gone = set(1, {});
  ASSERT_EQ(gone.removed.size(), 2U);
  EXPECT_EQ(gone.removed[0].carried, (FlowCounter{5, 500}));
  set(2, {rule(4000)}, mallory_dave);
  const auto changes = table.take_changes(start);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].kind, Kind::rewrite);
  EXPECT_FALSE(changes[0].keeps_counter);
  EXPECT_EQ(table.flows_of({2})->at(0).carried, FlowCounter{});
  // Never in the kernel: nothing to do.
  set(3, {rule(4001)});
  set(3, {});
  EXPECT_TRUE(kinds().empty());
}

TEST_F(RuleTableTest, AdoptsWhatTheKernelRemembers) {
  set(1, {rule(4000)}, alice_bob, 600);
  set(2, {rule(4000), rule(4001)}, alice_carol, 300);
  std::vector<StoredFlow> stored;
  for (const Change& change : table.take_changes(start))
    stored.push_back({change.key, change.userdata, {}});
  RuleTable next(policy);
  EXPECT_TRUE(next.adopt(stored, at_s(100)).empty());
  EXPECT_EQ(next.groups(), table.groups());
  EXPECT_EQ(next.flow_count(), 4U);
  EXPECT_EQ(next.next_due(), at_s(100).steady) << "refreshed at once";
  EXPECT_TRUE(next.take_changes(at_s(100).steady).empty());
  EXPECT_TRUE(next.repair(stored, at_s(100).steady).empty());
  EXPECT_EQ(next.take_due(at_s(100).steady, 100).refreshes.size(), 6U);
  EXPECT_EQ(next.take_due(at_s(300).steady, 100).expired, std::vector{GroupId{2}});
  EXPECT_EQ(next.change_lifetime({1}, 1000, at_s(400)), Result::ok) << "from the first request";
  EXPECT_EQ(next.take_due(at_s(1000).steady, 100).expired.size(), 2U);
  EXPECT_EQ(next.release({2}, person(3)).result, Result::ok);
}

TEST_F(RuleTableTest, DoesNotAdoptWhatItMayNot) {
  set(1, {rule(4000)}, alice_bob, 100);
  std::vector<StoredFlow> stored;
  for (const Change& change : table.take_changes(start))
    stored.push_back({change.key, change.userdata, {}});
  RuleTable next(policy);
  EXPECT_EQ(next.adopt(stored, at_s(100)).size(), 2U) << "expired meanwhile";
  EXPECT_EQ(next.group_count(), 0U);
  policy.forbidden_ports = {{4000, 4000}};
  EXPECT_EQ(next.adopt(stored, at_s(1)).size(), 2U) << "forbidden by a new configuration";
  policy.forbidden_ports.clear();
  stored[0].userdata = "?";
  const auto refused = next.adopt(stored, at_s(1));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].kind, Kind::remove);
  EXPECT_EQ(refused[0].key, stored[0].key);
  EXPECT_EQ(next.flow_count(), 1U);
}

TEST_F(RuleTableTest, RepairsAKernelThatDiffers) {
  set(1, {rule(4000), rule(4001)});
  std::vector<StoredFlow> stored;
  for (const Change& change : table.take_changes(start))
    stored.push_back({change.key, change.userdata, {}});
  EXPECT_EQ(table.repair({}, start).size(), 4U);
  stored.pop_back();
  stored[0].userdata = "?";
  stored.push_back({{in(1), out(1)}, "", {}});
  std::vector<Kind> list;
  for (const Change& change : table.repair(stored, start)) list.push_back(change.kind);
  EXPECT_EQ(list, (std::vector{Kind::remove, Kind::rewrite, Kind::add}));
}

// A sink inside whose first packets are `kind`s.
request::SetGroup with_sink(std::uint8_t group, std::vector<Rule> rules,
                            const Participants& who = alice_bob, pinhole::Kind kind = kind_stun) {
  request::SetGroup request{1, GroupId{group}, who, 600, std::move(rules)};
  request.sinks = {{.at = in(4000)}};
  request.promises.resize(1);
  request.promises[0].kinds = kind;
  return request;
}

TEST_F(RuleTableTest, ASinkIsOwnedAsAFlowIs) {
  EXPECT_EQ(table.set_group(with_sink(1, {}), at_s(0)).result, Result::ok);
  const auto added = table.take_changes(start);
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0].key, sink_key(17, in(4000)));
  EXPECT_EQ(added[0].timeout, seconds(120));
  EXPECT_TRUE(table.flows_of({1})->empty()) << "no flow";
  EXPECT_EQ(table.set_group(with_sink(2, {}, mallory_dave), at_s(0)).result, Result::conflict);
  EXPECT_EQ(table.set_group(with_sink(2, {}, alice_carol), at_s(0)).result, Result::ok) << "a fork";
  EXPECT_TRUE(kinds().empty()) << "its element names one of them";
  EXPECT_TRUE(set(1, {}).removed.empty());
  EXPECT_EQ(kinds(), std::vector{Kind::rewrite});
  EXPECT_EQ(set(2, {}, alice_carol).result, Result::ok);
  EXPECT_EQ(kinds(), std::vector{Kind::remove});
  EXPECT_EQ(table.flow_count() + table.group_count(), 0U);
}

// Each branch of a fork has other participants, and all have the caller's addresses.
TEST_F(RuleTableTest, ASinkHasAnyNumberOfOwners) {
  for (std::uint8_t group = 1; group <= 20; ++group) {
    const Participants branch{person(1), person(static_cast<std::uint8_t>(100 + group))};
    auto request = with_sink(group, {}, branch);
    request.lifetime_s = 100U + group;
    EXPECT_EQ(table.set_group(request, at_s(0)).result, Result::ok) << int{group};
    const auto changes = table.take_changes(start);
    ASSERT_EQ(changes.size(), 1U) << "it lives longer";
    const auto owners = decode_owners(changes[0].userdata).value();
    ASSERT_EQ(owners.size(), 1U);
    EXPECT_EQ(owners[0].group, GroupId{1});
    EXPECT_EQ(owners[0].deadline_s, at_s(100 + group).wall_s);
  }
  for (std::uint8_t group = 1; group <= 20; ++group) (void)table.drop({group});
  EXPECT_EQ(table.flow_count(), 0U);
}

TEST_F(RuleTableTest, SinksCountAndAreRefreshedAndRepaired) {
  table.set_group(with_sink(1, {rule(4001), rule(4002)}), at_s(0));
  std::vector<StoredFlow> stored;
  for (const Change& change : table.take_changes(start))
    stored.push_back({change.key, change.userdata, {}});
  ASSERT_EQ(stored.size(), 5U);
  EXPECT_EQ(set(2, {rule(4003)}).result, Result::table_full);
  EXPECT_EQ(table.take_due(at_s(60).steady, 100).refreshes.size(), 5U);
  EXPECT_EQ(table.repair({}, start).size(), 5U);
  RuleTable next(policy);
  const auto refused = next.adopt(stored, at_s(1));
  ASSERT_EQ(refused.size(), 1U) << "its promise is gone";
  EXPECT_TRUE(is_sink(refused[0].key));
  EXPECT_EQ(next.flow_count(), 4U);
}

TEST_F(RuleTableTest, AdmitsThroughASinkOnly) {
  EXPECT_EQ(table.admit({1}, rule(4000), 0), Result::unknown_group);
  table.set_group(with_sink(1, {}), at_s(0));
  EXPECT_EQ(table.admit({1}, rule(4001), 0), Result::unknown_group) << "no sink there";
  Rule other = rule(4000);
  other.component = 2;
  EXPECT_EQ(table.admit({1}, other, 0), Result::unknown_group) << "another component's";
  other = rule(4000);
  other.protocol = 6;
  EXPECT_EQ(table.admit({1}, other, 0), Result::unknown_group) << "another transport's";
  other = rule(4000);
  other.b.port = 5;
  EXPECT_EQ(table.admit({1}, other, 0), Result::forbidden_port) << "the policy holds";
  EXPECT_EQ(table.admit({1}, rule(4000), 0), Result::ok);
  EXPECT_EQ(kinds(), (std::vector{Kind::add, Kind::add, Kind::add}));
  EXPECT_EQ(table.flows_of({1})->size(), 2U);
  EXPECT_EQ(table.admit({1}, rule(4000), 0), Result::ok) << "again";
  EXPECT_TRUE(kinds().empty());
  EXPECT_EQ(table.owned({in(4000), out(4000)})->group, GroupId{1});
  Rule second = rule(4000), third = rule(4000);
  second.b.port = 4001;
  third.b.port = 4002;
  EXPECT_EQ(table.admit({1}, second, 0), Result::ok);
  EXPECT_EQ(table.admit({1}, third, 0), Result::table_full);
}

TEST_F(RuleTableTest, AdmitsFromASideOfThePromisesSendersOnly) {
  const auto admit_with = [&](std::vector<Endpoint> senders, const Endpoint& source) {
    request::SetGroup request = with_sink(1, {});
    request.promises[0].source = SourceRule::any_verified;
    request.promises[0].senders = std::move(senders);
    EXPECT_EQ(table.set_group(request, at_s(0)).result, Result::ok);
    Rule rule{.a = in(4000), .b = source};
    return table.admit({1}, rule, 0);
  };
  const Endpoint third = at("198.51.100.9", 7000), outside = at("192.0.2.9", 7000);
  EXPECT_EQ(admit_with({out(4000)}, outside), Result::ok) << "another address";
  EXPECT_EQ(admit_with({out(4000)}, third), Result::forbidden_address);
  EXPECT_EQ(admit_with({out(4000), at("198.51.100.1", 0)}, third), Result::ok) << "one of them";
  EXPECT_EQ(admit_with({}, third), Result::ok) << "nobody is named";
  EXPECT_EQ(admit_with({at("172.16.0.1", 4000)}, third), Result::ok) << "on no side: behind a NAT";
  EXPECT_EQ(admit_with({in(9)}, third), Result::ok) << "so is an address of the receiver's side";
  EXPECT_EQ(admit_with({in(9), out(4000)}, third), Result::forbidden_address);
  EXPECT_EQ(admit_with({}, in(4002)), Result::same_side);
  request::SetGroup request = with_sink(1, {});
  request.sinks.push_back({.at = in(4000), .promise = 1});
  request.promises.resize(2, request.promises[0]);
  request.promises[0].senders = {out(4000)};
  request.promises[1].senders = {at("198.51.100.1", 0)};
  ASSERT_EQ(table.set_group(request, at_s(0)).result, Result::ok);
  const Rule from_third{.a = in(4000), .b = third};
  EXPECT_EQ(table.admit({1}, from_third, 0), Result::forbidden_address);
  EXPECT_EQ(table.admit({1}, from_third, 1), Result::ok) << "the other promise";
}

TEST_F(RuleTableTest, DoesNotAdmitIntoSomebodyElsesFlow) {
  set(2, {rule(4000)}, mallory_dave);
  EXPECT_EQ(table.set_group(with_sink(1, {}), at_s(0)).result, Result::ok);
  (void)kinds();
  EXPECT_EQ(table.admit({1}, rule(4000), 0), Result::conflict);
  EXPECT_TRUE(kinds().empty());
}

TEST_F(RuleTableTest, WhatWasAdmittedStaysWithItsSinkAndPromise) {
  table.set_group(with_sink(1, {}), at_s(0));
  ASSERT_EQ(table.admit({1}, rule(4000), 0), Result::ok);
  (void)kinds();
  EXPECT_EQ(table.set_group(with_sink(1, {rule(4001)}), at_s(0)).result, Result::ok);
  EXPECT_EQ(kinds(), (std::vector{Kind::add, Kind::add})) << "the same sink, another rule";
  EXPECT_EQ(table.flows_of({1})->size(), 4U);
  EXPECT_EQ(
      table.set_group(with_sink(1, {rule(4000)}, alice_bob, kind_rtp), at_s(0)).removed.size(), 2U);
  EXPECT_EQ(table.flows_of({1})->size(), 2U) << "another promise, but asked for by name";
  EXPECT_EQ(table.set_group(with_sink(1, {}, alice_bob, kind_rtp), at_s(0)).removed.size(), 2U)
      << "and no more";
  ASSERT_EQ(table.admit({1}, rule(4000), 0), Result::ok);
  EXPECT_EQ(set(1, {rule(4001)}).removed.size(), 2U) << "the sink is gone";
  EXPECT_FALSE(table.contains(FlowKey{in(4000), out(4000)}));
}

TEST_F(RuleTableTest, OfSeveralSinksAtOneAddressTheOneThatAdmittedCounts) {
  request::SetGroup both = with_sink(1, {});
  both.sinks.push_back(both.sinks[0]);
  both.sinks[1].promise = 1;
  both.promises.push_back(both.promises[0]);
  both.promises[1].sender_ufrag = "another";
  request::SetGroup one = both;
  one.sinks.pop_back();
  table.set_group(both, at_s(0));
  ASSERT_EQ(table.admit({1}, rule(4000), 1), Result::ok);
  EXPECT_EQ(table.admit({1}, rule(4000), 2), Result::unknown_group) << "no such promise";
  EXPECT_EQ(table.set_group(one, at_s(0)).removed.size(), 2U);
  table.set_group(both, at_s(0));
  ASSERT_EQ(table.admit({1}, rule(4000), 0), Result::ok);
  EXPECT_TRUE(table.set_group(one, at_s(0)).removed.empty());
}

TEST(ShareParticipant, ComparesStrongBeforeNetwork) {
  const auto one = [](Participant p) { return Participants{p, person(100)}; };
  const auto other = [](Participant p) { return Participants{person(101), p}; };
  EXPECT_TRUE(share_participant(one(person(1, 5)), other(person(1, 6))));
  EXPECT_FALSE(share_participant(one(person(1, 5)), other(person(2, 5))));
  EXPECT_TRUE(share_participant(one(person(0, 5)), other(person(2, 5))));
  EXPECT_FALSE(share_participant(one(person(0, 5)), other(person(0, 6))));
  EXPECT_FALSE(share_participant(one({}), other({}))) << "unknown is nobody";
  EXPECT_TRUE(share_participant({}, {})) << "but the same pair is the same";
}

} // namespace
} // namespace midcom::pinhole
