// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/policy.h"

#include <gtest/gtest.h>

namespace midcom::pinhole {
namespace {

Policy full_policy() {
  Policy policy;
  policy.mode = Mode::mark;
  policy.sides = {{"in", {"eth0", "eth1"}, {*Prefix::parse("10.0.0.0/8")}, true},
                  {"branch", {}, {*Prefix::parse("10.1.0.0/16"), *Prefix::parse("2001:db8::/32")}}};
  policy.forbidden_ports = {{5060, 5061}};
  policy.forbidden_hosts = {*Prefix::parse("10.0.0.1/32")};
  policy.own_addresses = {*Prefix::parse("10.0.0.254")};
  policy.static_allows = {{"stun", *Prefix::parse("192.0.2.1"), 6, {3478, 3478}}};
  policy.max_rules = 7;
  policy.delete_conntrack = false;
  policy.masked_features = 9;
  policy.queue = 11;
  policy.sink_rate = 50;
  return policy;
}

TEST(Policy, SurvivesTheHandOver) {
  const std::string bytes = encode(full_policy());
  const auto decoded = decode_policy(bytes);
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(encode(*decoded), bytes);
  EXPECT_EQ(decoded->sides.at(1).media.at(1).to_string(), "2001:db8::/32");
  EXPECT_EQ(decoded->sides.at(0).interfaces, (std::vector<std::string>{"eth0", "eth1"}));
  EXPECT_EQ(decoded->static_allows.at(0).ports, (PortRange{3478, 3478}));
  EXPECT_FALSE(decoded->delete_conntrack);
  EXPECT_EQ(decoded->masked_features, 9U);
  EXPECT_EQ(decoded->queue, 11);
  EXPECT_EQ(decoded->sink_rate, 50U);
  EXPECT_TRUE(decoded->sides.at(0).is_tcp_inbound);
  EXPECT_FALSE(decoded->sides.at(1).is_tcp_inbound);
}

TEST(Policy, EveryTruncationAndAnyTrailerIsRefused) {
  const std::string bytes = encode(full_policy());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_policy(bytes.substr(0, size))) << size;
  EXPECT_FALSE(decode_policy(bytes + '\0'));
}

TEST(Policy, BadValuesAreRefused) {
  const auto refused = [](auto change) {
    Policy policy = full_policy();
    change(policy);
    return !decode_policy(encode(policy));
  };
  EXPECT_TRUE(refused([](Policy& p) { p.mode = static_cast<Mode>(3); }));
  EXPECT_TRUE(refused([](Policy& p) { p.mark = 0; }));
  EXPECT_TRUE(refused([](Policy& p) { p.mark = 1; })); // outside the mask
  EXPECT_TRUE(refused([](Policy& p) { p.media_ports = {{2, 1}}; }));
  EXPECT_TRUE(refused([](Policy& p) { p.forbidden_hosts[0].length = 8; })); // host bits
  EXPECT_TRUE(refused([](Policy& p) { p.forbidden_hosts[0].length = 33; }));
  EXPECT_TRUE(refused([](Policy& p) { p.forbidden_hosts[0].address.family = Family{5}; }));
  EXPECT_TRUE(refused([](Policy& p) { p.static_allows[0].protocol = 1; }));
  EXPECT_TRUE(refused([](Policy& p) { p.sides[0].interfaces = {"sixteen-characte"}; }));
  EXPECT_TRUE(refused([](Policy& p) { p.refresh_s = 2; }));
  EXPECT_TRUE(refused([](Policy& p) { p.max_rules = 0; }));
  EXPECT_TRUE(refused([](Policy& p) { p.sink_rate = 0; }));
  EXPECT_TRUE(refused([](Policy& p) { p.sink_rate = 100'001; }));
}

TEST(Policy, TheLongestPrefixSaysWhichSide) {
  const Policy policy = full_policy();
  const auto name = [&](const char* address) {
    const Side* side = side_of(policy, *Address::parse(address));
    return side == nullptr ? "" : side->name;
  };
  EXPECT_EQ(name("10.2.0.1"), "in");
  EXPECT_EQ(name("10.1.0.1"), "branch");
  EXPECT_EQ(name("2001:db8::1"), "branch");
  EXPECT_EQ(name("192.0.2.1"), "");
}

} // namespace
} // namespace midcom::pinhole
