// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/seal_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace midcom {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t now = 1'800'000'000; // Fri, 15 Jan 2027 08:00:00 GMT
const std::string sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                        "m=audio 4000 RTP/SAVP 0\r\n";
const std::string key_line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:K\r\n";

class SealRunTest : public testing::Test {
protected:
  SealTerms terms{.user = "sip:alice@example.com",
                  .far_certificate = "FAR",
                  .middles = {{"gw.example.com", "GW"}, {"label.example.com", ""}},
                  .kek_reference = "",
                  .requires_seal = false};
  std::string type = "application/sdp", more, start = "INVITE sip:bob@example.com SIP/2.0";
  std::vector<opener::Seal> asked;
  bool is_sealed = true;

  std::expected<sip::MessagePtr, Reason> run(const std::string& body) {
    auto message = sip::Message::parse(
        start +
            "\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n"
            "From: <sip:alice@example.com>;tag=f\r\nTo: <sip:bob@example.com>;tag=t\r\n"
            "Call-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n" +
            more + "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body,
        sip::Framing::stream, {});
    EXPECT_TRUE(message);
    int tokens = 0;
    SealRun sealing(*message, terms, [&] { return "t" + std::to_string(++tokens); }, now);
    while (auto question = sealing.next()) {
      asked.push_back(*question);
      EXPECT_FALSE(sealing.next()); // one at a time
      sealing.take({.id = 0,
                    .is_done = true,
                    .is_sealed = is_sealed,
                    .der = "DER" + std::to_string(asked.size())});
    }
    return sealing.result();
  }
};

TEST_F(SealRunTest, OnePartWithoutKeys) {
  const auto made = run(sdp);
  ASSERT_TRUE(made);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_THAT(asked[0].recipients, ElementsAre("FAR", "GW"));
  EXPECT_TRUE(asked[0].is_for_user);
  EXPECT_THAT(asked[0].cek_reference, Not(IsEmpty()));
  EXPECT_THAT(asked[0].content, HasSubstr(sdp));
  EXPECT_THAT(asked[0].content, HasSubstr("CSeq: 1 INVITE"));
  EXPECT_THAT(asked[0].content, HasSubstr("Date: Fri, 15 Jan 2027 08:00:00 GMT"));
  EXPECT_EQ((*made)->body(), "DER1");
  EXPECT_THAT(std::string((*made)->bytes()),
              HasSubstr("Proxy-Inspect-Body: gw.example.com;cid=\"t2@example.com\"\r\n"
                        "Proxy-Inspect-Body: label.example.com;cid=\"t2@example.com\"\r\n"));
  EXPECT_THAT(std::string((*made)->bytes()), HasSubstr("Content-ID: <t2@example.com>"));
}

TEST_F(SealRunTest, KeysAreForTheFarEndAlone) {
  const auto made = run(sdp + key_line);
  ASSERT_TRUE(made);
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_THAT(asked[0].content, Not(HasSubstr("inline")));
  EXPECT_THAT(asked[1].content, HasSubstr(sdp + key_line));
  EXPECT_THAT(asked[1].recipients, ElementsAre("FAR"));
  EXPECT_FALSE(asked[1].is_for_user);
  EXPECT_THAT(asked[1].cek_reference, IsEmpty());
  EXPECT_EQ((*made)->content_type(), "multipart/mixed");
  EXPECT_THAT(std::string((*made)->body()), HasSubstr("DER2"));
}

TEST_F(SealRunTest, AKeyThatMiddlesKnowHidesNothing) {
  terms.far_certificate.clear();
  terms.kek_reference = "r1";
  ASSERT_TRUE(run(sdp + key_line));
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].kek_reference, "r1");
}

TEST_F(SealRunTest, WithoutAFarEndItIsSignedAlone) {
  terms.far_certificate.clear();
  is_sealed = false;
  const auto made = run(sdp);
  ASSERT_TRUE(made);
  EXPECT_THAT(asked.at(0).recipients, IsEmpty()); // a middle alone reads nothing others don't
  EXPECT_EQ((*made)->content_type(), "application/pkcs7-mime");
  EXPECT_THAT(std::string((*made)->bytes()), HasSubstr("smime-type=signed-data"));
  terms.requires_seal = true;
  EXPECT_EQ(run(sdp).error(), Reason::no_certificate);
}

TEST_F(SealRunTest, ThePhonesDateIsReplaced) {
  more = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
  const auto made = run(sdp);
  ASSERT_TRUE(made);
  EXPECT_THAT(std::string((*made)->bytes()), Not(HasSubstr("1970")));
  EXPECT_THAT(std::string((*made)->bytes()), HasSubstr("Date: Fri, 15 Jan 2027 08:00:00 GMT"));
}

TEST_F(SealRunTest, TheAnswererNeedNotBeWhomItWasAskedOf) {
  start = "SIP/2.0 200 OK";
  terms.user = "sip:carol@example.com";
  ASSERT_TRUE(run(sdp));
  EXPECT_THAT(asked.at(0).content, HasSubstr("sip:carol@example.com"));
  EXPECT_THAT(asked.at(0).content, Not(HasSubstr("\r\nTo:")));
}

TEST_F(SealRunTest, WhatCannotBeSharedIsRefused) {
  EXPECT_EQ(run("no description").error(), Reason::sdp_syntax);
  more = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(run(sdp).error(), Reason::seal_failed);
  EXPECT_THAT(asked, IsEmpty());
}

TEST_F(SealRunTest, OtherBodiesGoAsTheyAre) {
  type = "text/plain;charset=utf-8";
  ASSERT_TRUE(run("a=crypto:1 is a line of text"));
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_THAT(asked[0].content, HasSubstr("Content-Type: text/plain;charset=utf-8"));
}

} // namespace
} // namespace midcom
