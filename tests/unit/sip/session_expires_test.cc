// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/session_expires.h"

#include <gtest/gtest.h>
#include <string>

#include "sip/message.h"
#include "sip/parameters.h"

namespace midcom::sip {
namespace {

TEST(SessionExpires, Known) {
  const struct {
    const char* text;
    std::uint32_t seconds;
    Refresher refresher;
  } rows[] = {{"4000", 4000, Refresher::unsaid},
              {"1800;refresher=uac", 1800, Refresher::uac},
              {"1800;refresher=uas", 1800, Refresher::uas},
              {" 90 ; Refresher = UAS ", 90, Refresher::uas},
              {"90\r\n ;refresher\r\n =uac", 90, Refresher::uac},
              {"0", 0, Refresher::unsaid},
              {"0000090", 90, Refresher::unsaid},
              {"4294967295", 4294967295, Refresher::unsaid},
              {"1800;x", 1800, Refresher::unsaid},
              {"1800;x=\"refresher=uac;\";refresher=uas;y=1", 1800, Refresher::uas}};
  for (const auto& row : rows) {
    const auto parsed = SessionExpires::parse(row.text);
    ASSERT_TRUE(parsed) << row.text;
    EXPECT_EQ(parsed->seconds, row.seconds) << row.text;
    EXPECT_EQ(parsed->refresher, row.refresher) << row.text;
  }
}

TEST(SessionExpires, RefusesOtherForms) {
  const struct {
    const char* text;
    Error error;
  } rows[] = {{"", Error::bad_number},
              {"-1", Error::bad_number},
              {"+90", Error::bad_number},
              {"x", Error::bad_number},
              {";refresher=uac", Error::bad_number},
              {"4294967296", Error::bad_number},
              {"99999999999999999999999999", Error::bad_number},
              {"1800.5", Error::syntax},
              {"1800 1800", Error::syntax},
              {"1800, 1800", Error::syntax},
              {"1800s", Error::syntax},
              {"1800;", Error::truncated},
              {"1800;;", Error::syntax},
              {"1800;refresher", Error::syntax},
              {"1800;refresher=", Error::truncated},
              {"1800;refresher=both", Error::syntax},
              {"1800;refresher=\"uac\"", Error::syntax},
              {"1800;x=\"", Error::truncated},
              {"1800;refresher=uac;refresher=uac", Error::duplicate_header}};
  for (const auto& row : rows) {
    const auto parsed = SessionExpires::parse(row.text);
    ASSERT_FALSE(parsed) << row.text;
    EXPECT_EQ(parsed.error(), row.error) << row.text;
  }
}

TEST(SessionExpires, HasNoMoreParametersThanAnyHeader) {
  std::string text = "1800";
  for (std::size_t i = 0; i < maximum_parameters; ++i) text += ";p" + std::to_string(i);
  EXPECT_TRUE(SessionExpires::parse(text));
  EXPECT_EQ(SessionExpires::parse(text + ";refresher=uac").error(), Error::too_many);
}

// One header under two names, and it may stand once.
TEST(SessionExpires, TheGateLetsItStandOnce) {
  const auto parsed = [](const std::string& fields) {
    return Message::parse("SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a.example.com;branch=z9hG4bK1\r\n"
                          "From: <sip:a@example.com>;tag=a\r\nTo: <sip:b@example.com>;tag=b\r\n"
                          "Call-ID: c\r\nCSeq: 1 INVITE\r\n" +
                              fields + "Content-Length: 0\r\n\r\n",
                          Framing::stream, {});
  };
  const auto once = parsed("x: 90;refresher=uas\r\n");
  ASSERT_TRUE(once);
  ASSERT_NE((*once)->first(HeaderName::session_expires), nullptr);
  EXPECT_EQ((*once)->first(HeaderName::session_expires)->value, "90;refresher=uas");
  const auto twice = parsed("x: 90\r\nSession-Expires: 90\r\n");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error(), Error::duplicate_header);
}

} // namespace
} // namespace midcom::sip
