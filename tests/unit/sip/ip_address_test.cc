// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/ip_address.h"

#include <gtest/gtest.h>

namespace midcom::sip {
namespace {

std::string round_trip(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? address->to_string() : "none";
}

TEST(IpAddress, ReadsAndWritesIpv4) {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "10.0.0.0"})
    EXPECT_EQ(round_trip(text), text);
}

TEST(IpAddress, RefusesWhatIsNotStrictIpv4) {
  for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04",
                           "1.2.3.", ".1.2.3", "1..2.3", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4",
                           "1.2.3.-4", "1.2.3.+4", "1.2.3.4\n", "1111.2.3.4", "00.0.0.0"})
    EXPECT_EQ(round_trip(text), "none") << text;
}

// RFC 5952.
TEST(IpAddress, WritesIpv6InCanonicalForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8::1", "2001:db8::1"},
      {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8::192.0.2.1", "2001:db8::c000:201"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"::ffff:c000:201", "::ffff:192.0.2.1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"fe80::", "fe80::"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(round_trip(text), expected) << text;
}

TEST(IpAddress, RefusesWhatIsNotIpv6) {
  for (const char* text : {":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2::3",
                           "12345::",
                           "g::1",
                           "[::1]",
                           "fe80::1%eth0",
                           "::1.2.3",
                           "::1.2.3.256",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "2001:db8:::1",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "::1 ",
                           ":1::",
                           "1::2:"})
    EXPECT_EQ(round_trip(text), "none") << text;
}

TEST(IpAddress, KnowsTheUnspecified) {
  EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("0.0.0.1")->is_unspecified());
  EXPECT_NE(*IpAddress::parse("0.0.0.0"), *IpAddress::parse("::"));
}

TEST(Endpoint, IsWrittenWithItsPort) {
  EXPECT_EQ((Endpoint{*IpAddress::parse("192.0.2.1"), 5061}.to_string()), "192.0.2.1:5061");
  EXPECT_EQ((Endpoint{*IpAddress::parse("2001:db8::1"), 5061}.to_string()), "[2001:db8::1]:5061");
}

} // namespace
} // namespace midcom::sip
