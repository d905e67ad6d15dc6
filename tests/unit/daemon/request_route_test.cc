// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/request_route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/flow_token.h"
#include "gateway_config.h"

namespace midcom {
namespace {

using test::request;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr SecretKey key{7};
constexpr std::uint32_t epoch = 0x1234;

class RequestRouteTest : public testing::Test {
protected:
  std::expected<RequestRoute, Reason> route(std::string_view method, std::string_view uri,
                                            const std::string& routes = {}) {
    message_ = request(method, uri, routes);
    EXPECT_NE(message_, nullptr) << uri << " " << routes;
    return message_ ? route_request(*message_, peers_, key, epoch)
                    : std::unexpected(Reason::parse_error);
  }
  static std::string own(const FlowToken& token, std::string_view more = ";transport=tls;lr") {
    return "<sip:" + encode(key, token) + "@gw.example.com:5061" + std::string(more) + ">";
  }
  static std::string header(const std::string& value) { return "Route: " + value + "\r\n"; }
  static FlowId flow_of(const RequestRoute& route) {
    const auto* flow = std::get_if<ToFlow>(&route.next);
    return flow != nullptr ? flow->flow : 0;
  }
  static PeerIndex peer_of(const RequestRoute& route) {
    const auto* peer = std::get_if<ToPeer>(&route.next);
    return peer != nullptr ? peer->peer : no_peer;
  }
  const FlowToken phone_{FlowToken::Kind::flow, 42, epoch};
  const FlowToken core_{FlowToken::Kind::peer, peer_token_value("core"), 0};
  AgentConfig config_ = test::gateway_config();
  PeerDirectory peers_{config_};
  sip::MessagePtr message_; // routes hold no views, but the test prints it
};

TEST_F(RequestRouteTest, ByDomain) {
  const auto found = route("INVITE", "sip:bob@example.com");
  ASSERT_TRUE(found);
  EXPECT_EQ(peer_of(*found), 2U);
  EXPECT_FALSE(found->has_new_routes);
  EXPECT_FALSE(found->new_request_uri);
}

TEST_F(RequestRouteTest, NoOpenRelay) {
  EXPECT_EQ(route("INVITE", "sip:bob@elsewhere.example").error(), Reason::not_our_domain);
  EXPECT_EQ(route("INVITE", "sip:bob@203.0.113.5").error(), Reason::not_our_domain);
  EXPECT_EQ(route("INVITE", "sip:bob@gw.example.com").error(), Reason::no_route);
  EXPECT_EQ(route("INVITE", "sip:bob@phones.example").error(), Reason::no_route);
  EXPECT_EQ(route("INVITE", "sip:bob@example.com", header("<sip:evil.example;lr>")).error(),
            Reason::bad_route);
  EXPECT_EQ(route("INVITE", "sip:bob@example.com", header("<sip:8.8.8.8:25;lr>")).error(),
            Reason::bad_route);
}

TEST_F(RequestRouteTest, OptionsForTheGatewayItself) {
  const auto found = route("OPTIONS", "sip:gw.example.com");
  ASSERT_TRUE(found);
  EXPECT_TRUE(std::holds_alternative<ToSelf>(found->next));
  EXPECT_FALSE(route("BYE", "sip:gw.example.com"));
}

TEST_F(RequestRouteTest, AFlowTokenNamesItsFlow) {
  const auto found = route("BYE", "sip:alice@10.1.0.10:40000", header(own(phone_)));
  ASSERT_TRUE(found);
  EXPECT_EQ(flow_of(*found), 42U);
  EXPECT_TRUE(found->has_new_routes);
  EXPECT_THAT(found->routes, IsEmpty());
}

TEST_F(RequestRouteTest, BothOwnRoutesArePoppedAndTheLastSaysWhere) {
  for (const auto& routes :
       {header(own(core_) + ", " + own(phone_)), header(own(core_)) + header(own(phone_))}) {
    const auto found = route("BYE", "sip:alice@10.1.0.10:40000", routes);
    ASSERT_TRUE(found) << routes;
    EXPECT_EQ(flow_of(*found), 42U);
    EXPECT_THAT(found->routes, IsEmpty());
  }
}

TEST_F(RequestRouteTest, ForeignRoutesStopThePopping) {
  const std::string foreign = "<sip:core.example.com;lr>";
  const auto found = route("BYE", "sip:alice@10.1.0.10:40000",
                           header(own(core_) + "," + foreign + "," + own(phone_)));
  ASSERT_TRUE(found);
  EXPECT_EQ(peer_of(*found), 2U);
  EXPECT_THAT(found->routes, ElementsAre(foreign, own(phone_)));
}

TEST_F(RequestRouteTest, AnOwnRouteWithoutATokenIsOnlyPopped) {
  const auto found = route("INVITE", "sip:bob@example.com", header("<sip:gw.example.com;lr>"));
  ASSERT_TRUE(found);
  EXPECT_EQ(peer_of(*found), 2U);
  EXPECT_THAT(found->routes, IsEmpty());
  // ... and takes nothing over from the one before it.
  const auto last =
      route("INVITE", "sip:bob@example.com", header(own(phone_) + ",<sip:gw.example.com;lr>"));
  ASSERT_TRUE(last);
  EXPECT_EQ(peer_of(*last), 2U);
}

TEST_F(RequestRouteTest, TamperedTokensAreRefused) {
  std::string forged = own(phone_);
  forged[10] = forged[10] == '0' ? '1' : '0';
  EXPECT_EQ(route("BYE", "sip:a@10.1.0.10", header(forged)).error(), Reason::token_tampered);
  EXPECT_EQ(route("BYE", "sip:a@10.1.0.10", header("<sip:bob@gw.example.com;lr>")).error(),
            Reason::token_tampered);
  EXPECT_EQ(route("BYE", "sip:a@10.1.0.10", header(own(core_) + "," + forged)).error(),
            Reason::token_tampered);
}

TEST_F(RequestRouteTest, ATokenOfAnEarlierLifeIsAFlowThatIsGone) {
  EXPECT_EQ(
      route("BYE", "sip:a@10.1.0.10", header(own({FlowToken::Kind::flow, 42, epoch + 1}))).error(),
      Reason::flow_gone);
  EXPECT_TRUE(route("BYE", "sip:a@192.0.2.5", header(own(core_)))); // peers outlive it
  EXPECT_EQ(route("BYE", "sip:a@192.0.2.5",
                  header(own({FlowToken::Kind::peer, peer_token_value("gone"), 0})))
                .error(),
            Reason::no_route);
}

TEST_F(RequestRouteTest, APeerTokenGoesToTheAddressNamedWithinThePeer) {
  const auto inner = route("BYE", "sip:x@192.0.2.9:5071;transport=tls", header(own(core_)));
  ASSERT_TRUE(inner);
  EXPECT_EQ(std::get<ToPeer>(inner->next).target.address.port, 5071);
  const auto outer = route("BYE", "sip:x@192.0.2.130", header(own(core_))); // in another peer
  ASSERT_TRUE(outer);
  EXPECT_EQ(std::get<ToPeer>(outer->next).target, *config_.peers[2].next_hop);
}

TEST_F(RequestRouteTest, SipsNeedsTls) {
  EXPECT_TRUE(route("INVITE", "sips:bob@example.com"));
  config_.routes.push_back({"plain.example", "plain"});
  EXPECT_EQ(route("INVITE", "sips:bob@plain.example").error(), Reason::sips_required);
  EXPECT_TRUE(route("INVITE", "sip:bob@plain.example"));
}

TEST_F(RequestRouteTest, AStrictRouterBeforeUs) {
  // It has put our Record-Route URI in the Request-URI and the real one last.
  const auto found = route("BYE", "sip:" + encode(key, phone_) + "@gw.example.com:5061;lr",
                           header("<sip:alice@10.1.0.10:40000>"));
  ASSERT_TRUE(found);
  EXPECT_EQ(flow_of(*found), 42U);
  EXPECT_EQ(found->new_request_uri, "sip:alice@10.1.0.10:40000");
  EXPECT_THAT(found->routes, IsEmpty());
}

TEST_F(RequestRouteTest, AStrictRouterCannotHideSips) {
  const FlowToken plain{FlowToken::Kind::peer, peer_token_value("plain"), 0};
  EXPECT_EQ(route("BYE", "sip:" + encode(key, plain) + "@gw.example.com:5061;lr",
                  header("<sips:alice@far.example>"))
                .error(),
            Reason::sips_required);
}

// Found by fuzzing: the short value lay within its string, which moved when the Route set grew.
TEST_F(RequestRouteTest, AStrictRouterWithAShortRoute) {
  const auto found = route("BYE", "sip:a@10.1.0.10;lr", header("<sip:192.0.2.9>"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->new_request_uri, "sip:192.0.2.9");
  EXPECT_THAT(found->routes, testing::ElementsAre("<sip:a@10.1.0.10;lr>"));
}

TEST_F(RequestRouteTest, AStrictRouterAfterUs) {
  const auto found = route("BYE", "sip:bob@192.0.2.9",
                           header(own(core_) + ",<sip:core.example.com>,<sip:far.example;lr>"));
  ASSERT_TRUE(found);
  EXPECT_EQ(peer_of(*found), 2U);
  EXPECT_EQ(found->new_request_uri, "sip:core.example.com");
  EXPECT_THAT(found->routes, ElementsAre("<sip:far.example;lr>", "<sip:bob@192.0.2.9>"));
}

TEST_F(RequestRouteTest, ManyOwnRoutesEnd) {
  std::string routes;
  for (int i = 0; i < 30; ++i) routes += (i == 0 ? "" : ",") + own(core_);
  const auto found = route("BYE", "sip:x@192.0.2.5", header(routes));
  ASSERT_TRUE(found);
  EXPECT_THAT(found->routes, IsEmpty());
}

} // namespace
} // namespace midcom
