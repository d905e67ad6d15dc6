// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pinholes.h"

#include <gtest/gtest.h>

namespace midcom {
namespace {

pinhole::Endpoint at(const char* address, std::uint16_t port) {
  return {*pinhole::Address::parse(address), port};
}

pinhole::Sink sink(std::uint16_t port) {
  pinhole::Sink made;
  made.at = at("10.1.0.10", port);
  return made;
}

pinhole::Promise promise(const char* ufrag) {
  pinhole::Promise made;
  made.kinds = pinhole::kind_stun;
  made.receiver_ufrag = ufrag;
  return made;
}

TEST(Pinholes, TheOrderInWhichTheyWereAddedDoesNotCount) {
  Pinholes one, other;
  EXPECT_TRUE(one.add(sink(40000), promise("b")));
  EXPECT_TRUE(one.add(sink(42000), promise("a")));
  EXPECT_TRUE(other.add(sink(42000), promise("a")));
  EXPECT_TRUE(other.add(sink(40000), promise("b")));
  EXPECT_NE(one, other);
  one.normalize();
  other.normalize();
  EXPECT_EQ(one, other);
  EXPECT_EQ(one.promise_of(one.sinks[0]).receiver_ufrag, "b");
}

TEST(Pinholes, OnePromiseForManySinksAndASinkOnce) {
  Pinholes pinholes;
  pinholes.add(sink(40000), promise("a"));
  pinholes.add(sink(40002), promise("a"));
  pinholes.add(sink(40002), promise("a"));
  EXPECT_EQ(pinholes.promises.size(), 1U);
  EXPECT_EQ(pinholes.size(), 2U);
  EXPECT_FALSE(pinholes.empty());
}

TEST(Pinholes, NoMorePromisesThanAMessageHolds) {
  Pinholes pinholes;
  for (std::size_t i = 0; i < pinhole::max_promises; ++i)
    EXPECT_TRUE(pinholes.add(sink(40000), promise(std::to_string(i).c_str())));
  EXPECT_FALSE(pinholes.add(sink(40000), promise("more")));
  EXPECT_TRUE(pinholes.add(sink(40002), promise("0")));
  EXPECT_EQ(pinholes.sinks.size(), pinhole::max_promises + 1);
}

TEST(Pinholes, SinksGiveWayToRulesThoseOfOffersFirst) {
  pinhole::Promise offers = promise("a");
  offers.awaits_answer = true;
  Pinholes pinholes;
  pinholes.rules.push_back({0, 1, 17, at("10.1.0.10", 40000), at("192.0.2.9", 50000)});
  pinholes.add(sink(40000), offers);
  pinholes.add(sink(40002), promise("b"));
  EXPECT_EQ(pinholes.fit(3), 0U);
  EXPECT_EQ(pinholes.fit(2), 1U);
  ASSERT_EQ(pinholes.sinks.size(), 1U);
  EXPECT_EQ(pinholes.sinks[0].at.port, 40002);
  EXPECT_EQ(pinholes.promises, std::vector{promise("b")});
  EXPECT_EQ(pinholes.fit(0), 1U);
  EXPECT_EQ(pinholes.rules.size(), 1U);
}

TEST(Pinholes, ASinkWithAnotherPromiseIsAnother) {
  Pinholes before, after;
  before.add(sink(40000), promise("a"));
  before.add(sink(42000), promise("b"));
  after.add(sink(42000), promise("b"));
  EXPECT_TRUE(before.includes(after));
  EXPECT_FALSE(after.includes(before));
  after.add(sink(40000), promise("restarted"));
  EXPECT_FALSE(before.includes(after));
  EXPECT_TRUE(before.has(sink(40000), promise("a")));
  EXPECT_FALSE(after.has(sink(40000), promise("a")));
}

TEST(Pinholes, ARuleComesOfTheSinkAtItsEnd) {
  pinhole::Sink callees = sink(40000);
  callees.is_a = false;
  const pinhole::Rule rule{0, 1, 17, at("192.0.2.9", 5000), at("10.1.0.10", 40000)};
  EXPECT_TRUE(comes_of(rule, callees));
  EXPECT_FALSE(comes_of(rule, sink(40000)));
  pinhole::Rule tcp = rule;
  tcp.protocol = 6;
  EXPECT_FALSE(comes_of(tcp, callees));
}

} // namespace
} // namespace midcom
