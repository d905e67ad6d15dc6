// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/request_policy.h"

#include <gtest/gtest.h>

#include <random>

namespace midcom::pinhole {
namespace {

Endpoint at(std::string_view address, int port) {
  return {*Address::parse(address), static_cast<std::uint16_t>(port)};
}

Policy small_policy() {
  Policy policy;
  policy.sides = {
      {"in", {}, {*Prefix::parse("10.0.0.0/24"), *Prefix::parse("2001:db8:1::/64")}},
      {"out", {}, {*Prefix::parse("0.0.0.0/0"), *Prefix::parse("2001:db8:2::/64")}, true}};
  policy.media_ports = {{1024, 59999}};
  policy.forbidden_ports = {{5060, 5061}};
  policy.forbidden_hosts = {*Prefix::parse("192.0.2.128/25")};
  policy.own_addresses = {*Prefix::parse("10.0.0.254"), *Prefix::parse("192.0.2.1")};
  policy.max_group_rules = 2;
  policy.max_lifetime_s = 100;
  return policy;
}

request::SetGroup ask(std::vector<Rule> rules, std::uint32_t lifetime_s = 10) {
  return {1, GroupId{1}, {}, lifetime_s, std::move(rules)};
}

const Rule good{.a = at("10.0.0.1", 4000), .b = at("192.0.2.2", 5000)};

TEST(RequestPolicy, NamesEveryReason) {
  const Policy policy = small_policy();
  const auto with = [&](auto change) {
    Rule rule = good;
    change(rule);
    return check(policy, ask({rule}));
  };
  EXPECT_EQ(check(policy, ask({good})), Result::ok);
  EXPECT_EQ(check(policy, ask({good, good})), Result::ok);
  EXPECT_EQ(check(policy, ask({good, good, good})), Result::too_many_rules);
  EXPECT_EQ(check(policy, ask({good}, 0)), Result::lifetime);
  EXPECT_EQ(check(policy, ask({good}, 100)), Result::ok);
  EXPECT_EQ(check(policy, ask({good}, 101)), Result::lifetime);
  EXPECT_EQ(check(policy, ask({}, 0)), Result::ok);
  EXPECT_EQ(with([](Rule& r) { r.protocol = 132; }), Result::malformed);
  EXPECT_EQ(with([](Rule& r) { r.component = 0; }), Result::malformed);
  EXPECT_EQ(with([](Rule& r) { r.from_a = r.from_b = false; }), Result::malformed);
  EXPECT_EQ(with([](Rule& r) { r.a.address.octets[9] = 1; }), Result::malformed);
  EXPECT_EQ(with([](Rule& r) { r.a.address.family = Family{7}; }), Result::malformed);
  EXPECT_EQ(with([](Rule& r) { r.a = at("2001:db8:1::1", 4000); }), Result::malformed);
  EXPECT_EQ(with([](Rule& r) { r.b = at("127.0.0.1", 5000); }), Result::forbidden_address);
  EXPECT_EQ(with([](Rule& r) { r.b = at("192.0.2.1", 5000); }), Result::forbidden_address);
  EXPECT_EQ(with([](Rule& r) { r.b = at("192.0.2.200", 5000); }), Result::forbidden_address);
  EXPECT_EQ(with([](Rule& r) { r.a = at("10.0.0.254", 5000); }), Result::forbidden_address);
  EXPECT_EQ(with([](Rule& r) { r.b.port = 0; }), Result::forbidden_port);
  EXPECT_EQ(with([](Rule& r) { r.b.port = 1023; }), Result::forbidden_port);
  EXPECT_EQ(with([](Rule& r) { r.b.port = 5061; }), Result::forbidden_port);
  EXPECT_EQ(with([](Rule& r) { r.b = at("10.0.0.9", 5000); }), Result::same_side);
  EXPECT_EQ(with([](Rule& r) {
              r.a = at("2001:db8:1::1", 4000);
              r.b = at("2001:db8:3::1", 5000);
            }),
            Result::forbidden_address); // on no side
}

TEST(RequestPolicy, AConnectionComesFromAnyPortToWhereOneMayConnect) {
  const Policy policy = small_policy();
  const auto with = [&](int a, int b) {
    Rule rule = good;
    rule.protocol = 6;
    rule.a.port = static_cast<std::uint16_t>(a);
    rule.b.port = static_cast<std::uint16_t>(b);
    return check(policy, rule);
  };
  EXPECT_EQ(with(65000, 5000), Result::ok) << "from inside to outside";
  EXPECT_EQ(with(5000, 65000), Result::forbidden_port) << "nobody connects to the inside";
  EXPECT_EQ(with(1023, 5000), Result::forbidden_port);
  EXPECT_EQ(with(5060, 5000), Result::forbidden_port);
  EXPECT_EQ(with(65000, 5061), Result::forbidden_port);
}

TEST(RequestPolicy, JudgesSinksAndPromises) {
  const Policy policy = small_policy();
  const Sink inside{.at = at("10.0.0.1", 4000)}, outside{.at = at("192.0.2.2", 5000)};
  request::SetGroup sound = ask({});
  sound.sinks = {inside, outside};
  sound.promises.resize(1);
  sound.promises[0].kinds = kind_rtp;
  EXPECT_EQ(check(policy, sound), Result::ok);
  const auto with = [&](auto change) {
    request::SetGroup request = sound;
    change(request, request.sinks[0], request.promises[0]);
    return check(policy, request);
  };
  using Request = request::SetGroup;
  const auto sink = [&](auto change) {
    return with([&](Request&, Sink& s, Promise&) { change(s); });
  };
  const auto promise = [&](auto change) {
    return with([&](Request&, Sink&, Promise& p) { change(p); });
  };
  EXPECT_EQ(with([](Request& r, Sink&, Promise&) { r.rules = {good}; }), Result::too_many_rules);
  EXPECT_EQ(with([](Request& r, Sink&, Promise&) { r.lifetime_s = 0; }), Result::lifetime);
  EXPECT_EQ(with([](Request& r, Sink&, Promise&) { r.promises.resize(33, r.promises[0]); }),
            Result::malformed);
  EXPECT_EQ(with([](Request& r, Sink&, Promise&) { r.promises.resize(3, r.promises[0]); }),
            Result::malformed)
      << "more than there are sinks";
  EXPECT_EQ(sink([](Sink& s) { s.promise = 1; }), Result::malformed);
  EXPECT_EQ(sink([](Sink& s) { s.component = 0; }), Result::malformed);
  EXPECT_EQ(sink([](Sink& s) { s.protocol = 1; }), Result::malformed);
  EXPECT_EQ(sink([](Sink& s) { s.at.address.octets[9] = 1; }), Result::malformed);
  EXPECT_EQ(sink([](Sink& s) { s.at = at("10.0.0.254", 4000); }), Result::forbidden_address);
  EXPECT_EQ(sink([](Sink& s) { s.at = at("2001:db8:3::1", 4000); }), Result::forbidden_address);
  EXPECT_EQ(sink([](Sink& s) { s.at.port = 60000; }), Result::forbidden_port);
  EXPECT_EQ(sink([](Sink& s) { s.at.port = 5060; }), Result::forbidden_port);
  EXPECT_EQ(sink([](Sink& s) { s.protocol = 6; }), Result::forbidden_address) << "towards inside";
  EXPECT_EQ(with([](Request& r, Sink&, Promise&) { r.sinks[1].protocol = 6; }), Result::ok);
  EXPECT_EQ(promise([](Promise& p) { p.kinds = 0; }), Result::malformed);
  EXPECT_EQ(promise([](Promise& p) { p.kinds = 64; }), Result::malformed);
  EXPECT_EQ(promise([](Promise& p) { p.source = static_cast<SourceRule>(3); }), Result::malformed);
  EXPECT_EQ(promise([](Promise& p) { p.senders.resize(65); }), Result::malformed);
  EXPECT_EQ(promise([](Promise& p) { p.senders.resize(64); }), Result::ok);
  EXPECT_EQ(promise([](Promise& p) { p.sender_ufrag.resize(257); }), Result::malformed);
  EXPECT_EQ(promise([](Promise& p) { p.receiver_ufrag.resize(257); }), Result::malformed);
  EXPECT_EQ(promise([](Promise& p) { p.receiver_password.resize(257); }), Result::malformed);
}

TEST(RequestPolicy, OneBadRuleRefusesAll) {
  Rule bad = good;
  bad.b.port = 5060;
  EXPECT_EQ(check(small_policy(), ask({good, bad})), Result::forbidden_port);
}

// The policy said in other words: the first octets, spelt out.
bool is_allowed_naively(const Rule& rule) {
  const auto side = [](const Address& address) {
    const auto& o = address.octets;
    if (address.family == Family::ipv6) {
      if (o[0] != 0x20 || o[1] != 1 || o[2] != 0x0d || o[3] != 0xb8 || o[4] != 0 || o[6] != 0 ||
          o[7] != 0)
        return 0;
      return o[5] == 1 ? 1 : o[5] == 2 ? 2 : 0;
    }
    const bool is_special = o[0] == 0 || o[0] == 127 || o[0] >= 224 || (o[0] == 169 && o[1] == 254);
    const bool is_own = (o[0] == 10 && o[1] == 0 && o[2] == 0 && o[3] == 254) ||
                        (o[0] == 192 && o[1] == 0 && o[2] == 2 && o[3] == 1);
    const bool is_forbidden = o[0] == 192 && o[1] == 0 && o[2] == 2 && o[3] >= 128;
    if (is_special || is_own || is_forbidden) return 0;
    return o[0] == 10 && o[1] == 0 && o[2] == 0 ? 1 : 2;
  };
  const int a = side(rule.a.address), b = side(rule.b.address);
  const auto port = [](int p) { return p >= 1024 && p != 5060 && p != 5061; };
  const bool is_transport = rule.protocol == 17 ||
                            (rule.protocol == 6 && b == 2 && rule.b.port < 60000) ||
                            (rule.protocol == 6 && a == 2 && rule.a.port < 60000);
  return is_transport && rule.component != 0 && (rule.from_a || rule.from_b) &&
         rule.a.address.family == rule.b.address.family && a * b == 2 && port(rule.a.port) &&
         port(rule.b.port) && (rule.protocol == 6 || (rule.a.port < 60000 && rule.b.port < 60000));
}

TEST(RequestPolicy, NothingWiderThanThePolicy) {
  const Policy policy = small_policy();
  std::mt19937 random(1);
  const auto pick = [&](auto... values) {
    const std::array list{values...};
    return list[random() % list.size()];
  };
  const auto endpoint = [&] {
    Endpoint e =
        at(pick("10.0.0.0", "10.0.1.0", "192.0.2.0", "127.0.0.0", "169.254.0.0", "239.1.1.0",
                "2001:db8:1::", "2001:db8:2::", "2001:db8:3::", "fe80::", "::ffff:10.0.0.0"),
           pick(0, 1, 1023, 1024, 5059, 5060, 5061, 5062, 40000, 65535));
    e.address.octets[e.address.family == Family::ipv4 ? 3 : 15] =
        static_cast<std::uint8_t>(pick(0, 1, 2, 127, 128, 254, 255));
    return e;
  };
  int accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    Rule rule{.a = endpoint(), .b = endpoint()};
    if (random() % 16 == 0) rule.protocol = static_cast<std::uint8_t>(pick(0, 6, 17, 132));
    if (random() % 16 == 0) rule.component = 0;
    if (random() % 4 == 0) rule.from_a = random() % 2 == 0;
    if (random() % 4 == 0) rule.from_b = random() % 2 == 0;
    const bool is_ok = check(policy, ask({rule})) == Result::ok;
    ASSERT_EQ(is_ok, is_allowed_naively(rule)) << rule.a.to_string() << ' ' << rule.b.to_string()
                                               << ' ' << to_string(check(policy, ask({rule})));
    accepted += is_ok;
  }
  EXPECT_GT(accepted, 500);
}

TEST(Result, HasAWordForEach) {
  EXPECT_EQ(to_string(Result::ok), "ok");
  EXPECT_EQ(to_string(Result::conflict), "conflict");
  EXPECT_EQ(to_string(Result::same_side), "same-side");
  EXPECT_EQ(to_string(Result::malformed), "malformed");
  EXPECT_EQ(to_string(static_cast<Result>(99)), "malformed");
}

} // namespace
} // namespace midcom::pinhole
