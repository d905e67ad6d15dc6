// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/forwarding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway_config.h"

namespace midcom {
namespace {

using test::address;
using test::request;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ForwardingTest : public testing::Test {
protected:
  std::string via(std::string_view text, std::string_view source = "10.1.0.10") const {
    const auto message = request("OPTIONS", "sip:example.com", {}, text);
    if (!message) return "does not parse";
    return fixed_first_via(*message, {address(source), 40000});
  }
  ForwardEdits edits() const {
    return {"z9hG4bKours",
            "intoken",
            "outtoken",
            &config_.listeners[0],
            &config_.listeners[1],
            {address("10.1.0.10"), 40000},
            true};
  }
  std::string forward(const sip::MessagePtr& message, const RequestRoute& route = {}) const {
    if (!message) return "does not parse";
    const auto out = forwarded_request(*message, route, edits());
    EXPECT_TRUE(out);
    if (!out) return {};
    EXPECT_TRUE(sip::Message::parse(*out, sip::Framing::stream, {})) << *out;
    return *out;
  }
  AgentConfig config_ = test::gateway_config();
};

TEST_F(ForwardingTest, NothingToAddToATrueVia) {
  EXPECT_EQ(via("SIP/2.0/TLS 10.1.0.10:5061;branch=z9hG4bKa"), "");
  EXPECT_EQ(via("SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKa", "2001:db8::1"), "");
  EXPECT_EQ(via("SIP/2.0/TLS [2001:DB8:0::1];branch=z9hG4bKa", "2001:db8::1"), "");
}

TEST_F(ForwardingTest, ReceivedWhenTheHostDiffers) {
  EXPECT_EQ(via("SIP/2.0/TLS 192.168.0.5;branch=z9hG4bKa"),
            "SIP/2.0/TLS 192.168.0.5;branch=z9hG4bKa;received=10.1.0.10");
  EXPECT_EQ(via("SIP/2.0/TLS phone.example;branch=z9hG4bKa"),
            "SIP/2.0/TLS phone.example;branch=z9hG4bKa;received=10.1.0.10");
  EXPECT_EQ(via("SIP/2.0/TLS 10.1.0.10;branch=z9hG4bKa", "2001:db8::1"),
            "SIP/2.0/TLS 10.1.0.10;branch=z9hG4bKa;received=2001:db8::1");
}

TEST_F(ForwardingTest, RportIsFilledInAndBringsReceived) {
  EXPECT_EQ(via("SIP/2.0/UDP 10.1.0.10:5060;rport;branch=z9hG4bKa"),
            "SIP/2.0/UDP 10.1.0.10:5060;rport=40000;branch=z9hG4bKa;received=10.1.0.10");
  EXPECT_EQ(via("SIP/2.0/UDP 10.1.0.10:5060;branch=z9hG4bKa;RPORT"),
            "SIP/2.0/UDP 10.1.0.10:5060;branch=z9hG4bKa;RPORT=40000;received=10.1.0.10");
  EXPECT_EQ(via("SIP/2.0/UDP 10.1.0.10:5060;rport=9;branch=z9hG4bKa"), "");
}

// SEMI allows white space on both sides (RFC 3261 25.1).
TEST_F(ForwardingTest, RportWithSpaceAroundIt) {
  for (const char* spaced : {"; rport;branch=z9hG4bKa", " ; rport ;branch=z9hG4bKa",
                             ";branch=z9hG4bKa; rport", ";branch=z9hG4bKa;\trport"}) {
    const std::string fixed = via("SIP/2.0/UDP 10.1.0.10:5060" + std::string(spaced));
    EXPECT_THAT(fixed, HasSubstr("rport=40000")) << spaced;
    const auto parsed = sip::Via::parse(fixed);
    ASSERT_TRUE(parsed) << fixed;
    EXPECT_EQ(parsed->parameter("rport"), "40000") << fixed;
    EXPECT_EQ(parsed->branch(), "z9hG4bKa") << fixed;
  }
}

TEST_F(ForwardingTest, NamesThatOnlyBeginLikeRport) {
  EXPECT_EQ(via("SIP/2.0/UDP 10.1.0.10:5060;rportx;branch=z9hG4bKa"), "");
  const std::string fixed = via("SIP/2.0/UDP 10.1.0.10:5060;rport-x;rport;branch=z9hG4bKa");
  EXPECT_THAT(fixed, HasSubstr(";rport-x;rport=40000;"));
}

TEST_F(ForwardingTest, OwnUris) {
  EXPECT_EQ(own_uri(config_.listeners[0], "tok", false),
            "sip:tok@gw.example.com:5061;transport=tls;lr");
  EXPECT_EQ(own_uri(config_.listeners[0], "tok", true), "sips:tok@gw.example.com:5061;lr");
  EXPECT_EQ(own_uri(config_.listeners[2], "", false), "sip:198.51.100.1:5060;transport=udp;lr");
  EXPECT_EQ(own_uri(config_.listeners[3], "t", true), "sips:t@[2001:db8:1::1]:5061;lr");
  ListenerConfig bracketed = config_.listeners[3];
  bracketed.advertised = "[2001:db8:1::1]";
  EXPECT_EQ(own_uri(bracketed, "t", true), "sips:t@[2001:db8:1::1]:5061;lr");
}

TEST_F(ForwardingTest, ARequestGetsItsHopFields) {
  const auto out = forward(request("INVITE", "sip:bob@example.com"));
  EXPECT_THAT(out, StartsWith("INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TLS "
                              "gw.example.com:5061;branch=z9hG4bKours\r\n"));
  EXPECT_THAT(out, HasSubstr("\r\nVia: SIP/2.0/TLS 10.1.0.10:5061;branch=z9hG4bKa\r\n"));
  EXPECT_THAT(out, HasSubstr("Max-Forwards: 69\r\n"));
  EXPECT_THAT(out,
              HasSubstr("Record-Route: <sip:outtoken@gw.example.com:5061;transport=tls;lr>\r\n"
                        "Record-Route: <sip:intoken@gw.example.com:5061;transport=tls;lr>\r\n"));
}

TEST_F(ForwardingTest, DialogsKnowTheirWayBack) {
  for (const char* method : {"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"})
    EXPECT_THAT(forward(request(method, "sip:bob@example.com")), HasSubstr("Record-Route: "))
        << method;
  for (const char* method : {"BYE", "OPTIONS", "MESSAGE", "REGISTER", "UPDATE"})
    EXPECT_THAT(forward(request(method, "sip:bob@example.com")), Not(HasSubstr("Record-Route: ")))
        << method;
}

TEST_F(ForwardingTest, OursGoBeforeOthersRecordRoutes) {
  const auto out = forward(
      request("INVITE", "sips:bob@example.com", "Record-Route: <sip:first.example;lr>\r\n"));
  const auto ours = out.find("Record-Route: <sips:outtoken@");
  ASSERT_NE(ours, std::string::npos) << out;
  EXPECT_LT(ours, out.find("first.example"));
}

TEST_F(ForwardingTest, PathForTheFirstHopThatAsksForOutbound) {
  const std::string contact = "Contact: <sip:a@10.1.0.10>;reg-id=1;+sip.instance=\"<urn:x>\"\r\n";
  EXPECT_THAT(forward(request("REGISTER", "sip:example.com", contact)), HasSubstr(";lr;ob>\r\n"));
  EXPECT_THAT(forward(request("REGISTER", "sip:example.com", "Contact: <sip:a@10.1.0.10>\r\n")),
              HasSubstr("Path: <sip:intoken@gw.example.com:5061;transport=tls;lr>\r\n"));
  const auto later = request("REGISTER", "sip:example.com", contact);
  ForwardEdits edit = edits();
  edit.is_first_hop = false;
  const auto out = forwarded_request(*later, {}, edit);
  ASSERT_TRUE(out);
  EXPECT_THAT(*out, Not(HasSubstr(";ob")));
}

TEST_F(ForwardingTest, RoutesAreReplacedAsAWhole) {
  const auto message =
      request("BYE", "sip:bob@example.com",
              "Route: <sip:a;lr>,<sip:b;lr>\r\nX-Between: 1\r\nroute: <sip:c;lr>\r\n");
  RequestRoute route;
  route.has_new_routes = true;
  route.routes = {"<sip:b;lr>", "<sip:c;lr>"};
  auto out = forward(message, route);
  EXPECT_THAT(out, HasSubstr("Route: <sip:b;lr>\r\nRoute: <sip:c;lr>\r\nX-Between: 1\r\n"));
  EXPECT_THAT(out, Not(HasSubstr("<sip:a;lr>")));
  route.routes.clear();
  out = forward(message, route);
  EXPECT_THAT(out, Not(HasSubstr("oute: <")));
  route = {};
  route.new_request_uri = "sip:strict.example";
  EXPECT_THAT(forward(message, route), StartsWith("BYE sip:strict.example SIP/2.0\r\n"));
}

TEST_F(ForwardingTest, AResponseLosesOurViaAlone) {
  const auto response = [](std::string_view vias) {
    return sip::Message::parse("SIP/2.0 200 OK\r\n" + std::string(vias) +
                                   "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: 1\r\n"
                                   "CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
                               sip::Framing::stream, {});
  };
  const std::string ours = "SIP/2.0/TLS gw:5061;branch=z9hG4bKo",
                    theirs = "SIP/2.0/TLS 10.1.0.10;branch=z9hG4bKa";
  for (const auto& vias :
       {"Via: " + ours + "\r\nVia: " + theirs + "\r\n", "v: " + ours + " , " + theirs + "\r\n",
        "Via: " + ours + ",\r\n " + theirs + "\r\n"}) {
    const auto message = response(vias);
    ASSERT_TRUE(message) << vias;
    const auto out = forwarded_response(**message);
    ASSERT_TRUE(out) << vias;
    const auto again = sip::Message::parse(*out, sip::Framing::stream, {});
    ASSERT_TRUE(again) << *out;
    EXPECT_EQ((*again)->vias().size(), 1U);
    EXPECT_EQ((*again)->top_via().branch(), "z9hG4bKa");
  }
}

} // namespace
} // namespace midcom
