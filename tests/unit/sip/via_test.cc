// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/via.h"

#include <gtest/gtest.h>

namespace midcom::sip {
namespace {

TEST(Via, ReadsSpacedForms) {
  const auto via = Via::parse(" SIP /\r\n 2.0 / UDP first.example.com : 4000 ;ttl=16\r\n ;maddr = "
                              "224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1 ");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->transport, "UDP");
  EXPECT_EQ(via->host, "first.example.com");
  EXPECT_EQ(via->port, 4000);
  EXPECT_EQ(via->parameter("maddr"), "224.2.0.1");
  EXPECT_EQ(via->branch(), "z9hG4bKa7c6a8dlze.1");
}

TEST(Via, ReadsAddressesAndTransports) {
  const auto via =
      Via::parse("sip/2.0/TLS [2001:db8::1]:5061;received=[2001:db8::9];rport;branch=b");
  ASSERT_TRUE(via);
  EXPECT_EQ(via->host, "2001:db8::1");
  EXPECT_TRUE(via->host_is_ipv6);
  EXPECT_EQ(via->parameter("rport"), "");
  EXPECT_EQ(via->parameter("received"), "[2001:db8::9]");
  EXPECT_EQ(Via::parse("SIP/2.0/UNKNOWN h;received=2001:db8::9")->parameter("received"),
            "2001:db8::9");
  EXPECT_TRUE(Via::parse("SIP/2.0/UDP 0.0.0.0")); // policy's to refuse
  EXPECT_EQ(Via::parse("SIP/2.0/UDP h")->branch(), "");
  EXPECT_EQ(Via::parse("SIP/2.0/UDP h;branch=z9hG4bK+a/b=")->branch(), "z9hG4bK+a/b=");
}

TEST(Via, RefusesTheRest) {
  for (const char* text : {"",
                           "SIP/2.0/UDP",
                           "SIP/2.0/UDP ",
                           "SIP/2.0 h",
                           "SIP/2.0/ h",
                           "HTTP/1.1/TCP h",
                           "SIP/2.0/UDPh:5060;",
                           "SIP/2.0/UDP h:",
                           "SIP/2.0/UDP h:0",
                           "SIP/2.0/UDP h:65536",
                           "SIP/2.0/UDP h:4294967301",
                           "SIP/2.0/UDP h;",
                           "SIP/2.0/UDP h;;branch=x",
                           "SIP/2.0/UDP h;branch=",
                           "SIP/2.0/UDP h;branch=a;branch=b",
                           "SIP/2.0/UDP h, SIP/2.0/UDP i",
                           "SIP/2.0/UDP 1.2.3.4.5",
                           "SIP/2.0/UDP [::1",
                           "SIP/2.0/UDP 2001:db8::1",
                           "SIP/2.0/UDP h x;branch=a",
                           "SIP/2.0/UDP <h>"})
    EXPECT_FALSE(Via::parse(text)) << text;
  EXPECT_EQ(Via::parse("SIP/7.0/UDP h").error(), Error::bad_version);
}

} // namespace
} // namespace midcom::sip
