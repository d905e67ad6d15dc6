// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/farewell.h"

#include <gtest/gtest.h>

namespace midcom {
namespace {

sip::MessagePtr parsed(const std::string& start, const std::string& fields) {
  auto message = sip::Message::parse(
      start +
          "\r\nVia: SIP/2.0/TLS a.example;branch=z9hG4bK1\r\nFrom: <sip:a@x.example>;tag=f\r\n"
          "Call-ID: c\r\n" +
          fields + "Content-Length: 0\r\n\r\n",
      sip::Framing::stream, {});
  EXPECT_TRUE(message.has_value());
  return message ? *message : nullptr;
}

class FarewellTest : public testing::Test {
protected:
  [[nodiscard]] Farewell farewell() const {
    const auto invite = parsed("INVITE sip:b@x.example SIP/2.0",
                               "To: <sip:b@x.example>\r\nCSeq: " + cseq + " INVITE\r\n" + caller);
    const auto answer = parsed("SIP/2.0 200 OK", "To: <sip:b@x.example>;tag=t\r\nCSeq: " + cseq +
                                                     " INVITE\r\n" + callee);
    return farewell_for(*invite, 1, *answer, 2);
  }
  std::string cseq = "7";
  std::string caller = "Contact: <sip:a@192.0.2.1>\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n";
  std::string callee = "Contact: <sip:b@192.0.2.2>\r\nRecord-Route: <sip:q2;lr>, <sip:q1;lr>, "
                       "<sip:us;lr>, <sip:us2;lr>, <sip:p1;lr>, <sip:p2;lr>\r\n";
};

TEST_F(FarewellTest, EachIsInTheNameOfTheOther) {
  const auto bye = farewell();
  EXPECT_EQ(bye.to_caller.flow, 1U);
  EXPECT_EQ(bye.to_caller.start_line, "BYE sip:a@192.0.2.1 SIP/2.0\r\n");
  EXPECT_NE(bye.to_caller.fields.find("Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n"
                                      "From: <sip:b@x.example>;tag=t\r\n"
                                      "To: <sip:a@x.example>;tag=f\r\n"),
            std::string::npos);
  EXPECT_EQ(bye.to_callee.flow, 2U);
  EXPECT_EQ(bye.to_callee.start_line, "BYE sip:b@192.0.2.2 SIP/2.0\r\n");
  EXPECT_NE(bye.to_callee.fields.find("Route: <sip:q1;lr>\r\nRoute: <sip:q2;lr>\r\nFrom: "
                                      "<sip:a@x.example>;tag=f\r\nTo: <sip:b@x.example>;tag=t\r\n"),
            std::string::npos);
}

// A PRACK or UPDATE may have gone before: a lower or equal number would be refused (RFC 3261
// 12.2.2).
TEST_F(FarewellTest, ItsNumberIsAboveAllOfTheDialogs) {
  EXPECT_NE(farewell().to_callee.fields.find("CSeq: 1000000000 BYE\r\n"), std::string::npos);
  cseq = "2147480000";
  EXPECT_NE(farewell().to_callee.fields.find("CSeq: 2147481000 BYE\r\n"), std::string::npos);
  cseq = "2147483647";
  EXPECT_NE(farewell().to_callee.fields.find("CSeq: 2147483647 BYE\r\n"), std::string::npos);
}

// RFC 3261 12.2.1.1.
TEST_F(FarewellTest, AStrictRouterIsAddressedItself) {
  caller = "Contact: <sip:a@192.0.2.1>\r\nRecord-Route: <sip:p1>, <sip:p2;lr>\r\n";
  const auto bye = farewell();
  EXPECT_EQ(bye.to_caller.start_line, "BYE sip:p1 SIP/2.0\r\n");
  EXPECT_NE(bye.to_caller.fields.find("Route: <sip:p2;lr>\r\nRoute: <sip:a@192.0.2.1>\r\nFrom"),
            std::string::npos);
}

TEST_F(FarewellTest, WhoGaveNoContactGetsNone) {
  callee = callee.substr(callee.find("Record-Route"));
  const auto bye = farewell();
  EXPECT_EQ(bye.to_callee.flow, 0U);
  EXPECT_EQ(bye.to_caller.flow, 1U);
}

} // namespace
} // namespace midcom
