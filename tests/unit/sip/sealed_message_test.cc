// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sealed_message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sip/mime.h"
#include "tests/unit/sip/sample_message.h"

namespace midcom::sip {
namespace {

constexpr std::int64_t now = 1'800'000'000;
const std::string sdp = "v=0\r\n";
const std::vector<InspectBody> labels{{"gw.example.com", {"1@example.com"}}};

MessagePtr with_sdp(const std::string& extra = {}) {
  return sample_message("c: application/sdp\r\n" + extra, sdp);
}

MessagePtr response(const std::string& contact = "Contact: <sip:bob@192.0.2.4>\r\n") {
  const std::string text =
      "SIP/2.0 200 OK\r\n"
      "Via: SIP/2.0/TLS client.example.com:5061;branch=z9hG4bK74bf9\r\n"
      "From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>;tag=b\r\n"
      "Call-ID: 1@example.com\r\nCSeq: 2 INVITE\r\n" +
      contact + "Content-Type: application/sdp\r\n\r\n" + sdp;
  return Message::parse(text, Framing::datagram, {}).value_or(nullptr);
}

TEST(SealedMessage, TheBodyBecomesAnEntityWithLongFieldNames) {
  const auto message = with_sdp("Content-Language: en\r\nContent-Disposition: session\r\n");
  ASSERT_TRUE(message);
  const auto entity = body_entity(*message);
  ASSERT_TRUE(entity);
  EXPECT_EQ(write_entity(*entity),
            "Content-Type: application/sdp\r\nContent-Disposition: session\r\n"
            "Content-Language: en\r\n\r\n" +
                sdp);
}

TEST(SealedMessage, OctetsThatAreNot7bitAreCalledBinary) {
  const auto message = sample_message("Content-Type: text/plain\r\n", "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(body_entity(*message)->encoding, "binary");
  EXPECT_EQ(body_entity(*with_sdp())->encoding, "");
}

TEST(SealedMessage, WhatHasNoReadableBody) {
  EXPECT_EQ(body_entity(*sample_message()).error(), Error::missing_header);
  EXPECT_EQ(body_entity(*sample_message("", sdp)).error(), Error::missing_header);
  EXPECT_EQ(body_entity(*with_sdp("Content-Encoding: gzip\r\n")).error(), Error::unsupported);
}

TEST(SealedMessage, TheIdentityOfARequestIsItsOwn) {
  const auto message = with_sdp();
  const auto aib = identity_of(*message, now, labels);
  ASSERT_TRUE(aib);
  EXPECT_EQ(check_aib(*aib, *message), AibFault::none);
  EXPECT_EQ(aib->from_tag, "9fxced76sl");
  EXPECT_TRUE(aib->to && aib->contact && aib->cseq);
  ASSERT_EQ(aib->others.size(), 1U);
  EXPECT_EQ(aib->others.front().name, "Proxy-Inspect-Body");
  const auto entity = identity_entity(*aib);
  ASSERT_TRUE(entity);
  EXPECT_EQ(parse_aib(entity->body), *aib);
  const std::string text = write_entity(*entity);
  const auto part = parse_mime_entity(text, {});
  ASSERT_TRUE(part);
  EXPECT_EQ(part->disposition, "aib");
  EXPECT_EQ(part->handling, Handling::optional);
}

TEST(SealedMessage, TheIdentityOfAResponseIsTheResponders) {
  const auto message = response();
  ASSERT_TRUE(message);
  const auto aib = identity_of(*message, now, {});
  ASSERT_TRUE(aib);
  EXPECT_EQ(aib->from, "sip:bob@example.com");
  EXPECT_EQ(aib->from_tag, "b");
  EXPECT_FALSE(aib->to);
  EXPECT_EQ(check_aib(*aib, *message), AibFault::none);
}

TEST(SealedMessage, SeveralContactsCantBeBound) {
  EXPECT_TRUE(identity_of(*response(""), now, {}));
  EXPECT_EQ(
      identity_of(*response("Contact: <sip:b@192.0.2.4>, <sip:b@192.0.2.5>\r\n"), now, {}).error(),
      Error::unsupported);
}

TEST(SealedMessage, DateIsTheMessagesOrNow) {
  EXPECT_EQ(date_of(*with_sdp(), now), now);
  EXPECT_EQ(date_of(*with_sdp("Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"), now), 1289690940);
  EXPECT_EQ(date_of(*with_sdp("Date: yesterday\r\n"), now).error(), Error::bad_date);
}

TEST(SealedMessage, OnlyTheBodyAndItsFieldsChange) {
  const auto message = with_sdp("Subject: hello\r\nContent-Language: en\r\n");
  const MimeEntity entity{
      .content_type = "text/plain", .content_id = "1@example.com", .body = "other"};
  const auto bytes = with_body(*message, entity, labels, now);
  ASSERT_TRUE(bytes);
  const std::string expected = with(
      sample_request("Subject: hello\r\n"), "Content-Length: 0\r\n\r\n",
      "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
      "Proxy-Inspect-Body: gw.example.com;cid=\"1@example.com\"\r\nContent-Type: text/plain\r\n"
      "Content-ID: <1@example.com>\r\nContent-Length: 5\r\n\r\nother");
  EXPECT_EQ(*bytes, expected);
  EXPECT_TRUE(Message::parse(*bytes, Framing::stream, {}));
}

TEST(SealedMessage, ADateThatIsThereStays) {
  const auto message = with_sdp("Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n");
  const auto bytes = with_body(*message, {.content_type = "text/plain", .body = "x"}, {}, now);
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(bytes->contains("Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"));
  EXPECT_FALSE(bytes->contains("2027"));
}

} // namespace
} // namespace midcom::sip
