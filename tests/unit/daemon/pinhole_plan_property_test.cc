// SPDX-License-Identifier: GPL-3.0-or-later
// Whatever two user agents describe: what the agent asks for is within what the operator allows, as
// the middlebox judges it, and at addresses that their owner was believed.
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/pinhole_plan.h"
#include "pinhole/request_policy.h"
#include "tests/unit/daemon/config_folder.h"
#include "tests/unit/sip/random_descriptions.h"

namespace midcom {
namespace {

constexpr const char* two_sides = "[midcomd]\nname = gw.example\n"
                                  "[listen a]\naddress = udp:10.9.0.1:5060\n"
                                  "[peer phones]\nkind = phones\nnetwork = 192.0.2.0/24\n"
                                  "network = 2001:db8::/32\nmedia = 192.0.2.0/24\n"
                                  "media = 2001:db8::/32\nmedia-source = SOURCE\ntcp-media = TCP\n"
                                  "[peer trunk]\nkind = trunk\nnetwork = 198.51.100.0/24\n"
                                  "network = 203.0.113.0/24\nmedia = 198.51.100.0/24\n"
                                  "media = 203.0.113.0/24\nmedia-source = SOURCE\n"
                                  "[media]\nforbidden-host = 203.0.113.1\n"
                                  "forbidden-port = 4002-4003\n";

class PlanPropertyTest : public test::ConfigFolder {
protected:
  // One call of two random descriptions: what it wants before and after the answer.
  struct Asked {
    Pinholes offer, agreed;
  };
  Asked ask(const Config& config, sip::test::RandomDescriptions& random) {
    const PeerDirectory peers(config.agent);
    const PinholePlan plan(config.agent, peers);
    CallTable calls;
    const CallPtr call = calls.create("c", "a", {});
    Leg& leg = call->legs["b"];
    leg.proof = Proof::invite;
    const auto see = [&](PeerIndex peer, const char* source, const std::string& address) {
      const sip::SdpPtr sdp = random.next(address);
      Judgement judgement = judge(config.agent, peer, *sip::IpAddress::parse(source), *sdp);
      call->seen.push_back({"tag", 1, sdp, std::move(judgement)});
      return sdp;
    };
    random.choose_protocols();
    static_cast<void>(call->before_legs.on(sip::OfferAnswer::Request{
        sip::Method::invite, sip::Party::caller, 1, see(0, "192.0.2.1", sip::test::caller_ip)}));
    leg.exchange = call->before_legs;
    Asked asked;
    asked.offer = plan.of_offer(*call, room).pinholes;
    static_cast<void>(leg.exchange.on(
        sip::OfferAnswer::Response{sip::Method::invite, sip::Party::callee, 1, 200, false,
                                   see(1, "198.51.100.2", sip::test::callee_ip)}));
    asked.agreed = plan.of_leg(*call, leg, room).pinholes;
    return asked;
  }
  void check_within(const pinhole::Policy& policy, const Pinholes& asked) {
    const pinhole::request::SetGroup request{
        1, {}, {}, 60, asked.rules, asked.sinks, asked.promises};
    EXPECT_EQ(to_string(check(policy, request)), "ok");
    for (const auto& promise : asked.promises)
      for (const auto& sender : promise.senders)
        EXPECT_NE(side_of(policy, sender.address), nullptr) << sender.to_string();
    EXPECT_LE(asked.sinks.size(), room);
  }
  static constexpr std::size_t room = 100;
};

std::string replaced(std::string text, const std::string& word, const std::string& by) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size()))
    text.replace(at, word.size(), by);
  return text;
}

TEST_F(PlanPropertyTest, WhatIsAskedForIsAllowed) {
  sip::test::RandomDescriptions random;
  std::size_t rules = 0, sinks = 0, learning = 0;
  for (const char* source : {"signalled", "same-address", "any-verified"})
    for (const char* tcp : {"no", "yes"}) {
      const auto config = load(replaced(replaced(two_sides, "SOURCE", source), "TCP", tcp));
      ASSERT_TRUE(config) << config.error().front().to_string();
      for (int round = 0; round < 300; ++round) {
        const Asked asked = ask(*config, random);
        ASSERT_NO_FATAL_FAILURE(check_within(config->policy, asked.offer));
        ASSERT_NO_FATAL_FAILURE(check_within(config->policy, asked.agreed));
        ASSERT_FALSE(HasFailure());
        ASSERT_TRUE(asked.offer.rules.empty());
        rules += asked.agreed.rules.size();
        sinks += asked.offer.sinks.size() + asked.agreed.sinks.size();
        learning += static_cast<std::size_t>(
            std::ranges::count(asked.agreed.promises, false, [](const pinhole::Promise& promise) {
              return promise.source == pinhole::SourceRule::signalled;
            }));
      }
    }
  EXPECT_GT(rules, 100U);
  EXPECT_GT(sinks, 500U);
  EXPECT_GT(learning, 50U);
}

} // namespace
} // namespace midcom
