// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/response.h"

#include <gtest/gtest.h>

#include "tests/unit/sip/sample_message.h"

namespace midcom::sip {
namespace {

const std::string vias = "Via: SIP/2.0/TLS client.example.com:5061;branch=z9hG4bK74bf9, "
                         "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n";
const std::string identifiers = "From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
                                "To: Bob <sip:bob@biloxi.example.com>TAG\r\n"
                                "Call-ID: 3848276298220188511@atlanta.example.com\r\n";

TEST(MakeResponse, CopiesWhatTheRfcSays) {
  const auto request = sample_message("v: SIP/2.0/UDP third\r\nTimestamp: 54\r\n");
  EXPECT_EQ(make_response(*request, 503, "abc", "Retry-After: 5\r\n"),
            "SIP/2.0 503 Service Unavailable\r\n" + vias + "v: SIP/2.0/UDP third\r\n" +
                with(identifiers, "TAG", ";tag=abc") +
                "CSeq: 2 INVITE\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(make_response(*request, 100, ""),
            "SIP/2.0 100 Trying\r\n" + vias + "v: SIP/2.0/UDP third\r\n" +
                with(identifiers, "TAG", "") +
                "CSeq: 2 INVITE\r\nTimestamp: 54\r\nContent-Length: 0\r\n\r\n");
}

TEST(MakeResponse, ReplacesTheFirstViaOnly) {
  const auto request = sample_message("Via: SIP/2.0/UDP third\r\n");
  const std::string response =
      make_response(*request, 404, "t", {}, "SIP/2.0/TLS x;received=192.0.2.1;rport=9");
  const auto parsed = Message::parse(response, Framing::stream, {});
  ASSERT_TRUE(parsed);
  ASSERT_EQ((*parsed)->vias().size(), 3U);
  EXPECT_EQ((*parsed)->top_via().parameter("received"), "192.0.2.1");
  EXPECT_EQ((*parsed)->vias()[1].host, "192.0.2.9");
  EXPECT_EQ((*parsed)->vias()[2].host, "third");
}

TEST(MakeResponse, KeepsATag) {
  const auto request = Message::parse(
      with(sample_request(), "To: Bob <sip:bob@biloxi.example.com>", "To: <sip:b@c>;tag=old"),
      Framing::stream, {});
  const auto parsed = Message::parse(make_response(**request, 481, "new"), Framing::stream, {});
  EXPECT_EQ((*parsed)->to().tag(), "old");
}

TEST(MakeResponse, AnswersWhatDidNotPass) {
  const auto rejected = salvage_request(sample_request("X : y\r\n"));
  EXPECT_EQ(make_response(*rejected, 400, "abc"),
            "SIP/2.0 400 Bad Request\r\n" + vias + with(identifiers, "TAG", ";tag=abc") +
                "CSeq: 2 INVITE\r\nContent-Length: 0\r\n\r\n");
}

TEST(MakeResponse, EveryStatusHasAForm) {
  const auto request = sample_message();
  for (const int status : {100, 200, 404, 420, 430, 483, 488, 496, 513, 603})
    EXPECT_FALSE(reason_phrase(status).empty()) << status;
  EXPECT_EQ(reason_phrase(299), "");
  EXPECT_TRUE(make_response(*request, 299, "x").starts_with("SIP/2.0 299 \r\n"));
  EXPECT_TRUE(Message::parse(make_response(*request, 299, "x"), Framing::stream, {}));
}

// RFC 3261 17.1.1.3.
TEST(MakeAck, IsTheInvitesAtThisHop) {
  const auto invite = sample_message();
  const auto response =
      Message::parse(make_response(*invite, 486, "busy"), Framing::stream, {}).value();
  EXPECT_EQ(make_ack(*invite, *response),
            "ACK sip:bob@biloxi.example.com SIP/2.0\r\n"
            "Via: SIP/2.0/TLS client.example.com:5061;branch=z9hG4bK74bf9\r\n"
            "Route: <sip:p1.example.com;lr>,\r\n <sip:p2.example.com;lr>\r\n"
            "Max-Forwards: 70\r\n" +
                with(identifiers, "TAG", ";tag=busy") + "CSeq: 2 ACK\r\nContent-Length: 0\r\n\r\n");
}

// RFC 3261 9.1.
TEST(MakeCancel, MatchesItsRequest) {
  const auto invite = sample_message("Proxy-Require: x\r\n", "body");
  EXPECT_EQ(make_cancel(*invite, "Reason: SIP;cause=200\r\n"),
            "CANCEL sip:bob@biloxi.example.com SIP/2.0\r\n"
            "Via: SIP/2.0/TLS client.example.com:5061;branch=z9hG4bK74bf9\r\n"
            "Route: <sip:p1.example.com;lr>,\r\n <sip:p2.example.com;lr>\r\n"
            "Max-Forwards: 70\r\n" +
                with(identifiers, "TAG", "") +
                "CSeq: 2 CANCEL\r\nReason: SIP;cause=200\r\nContent-Length: 0\r\n\r\n");
}

} // namespace
} // namespace midcom::sip
