// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/endpoint.h"

#include <gtest/gtest.h>

namespace midcom::pinhole {
namespace {

TEST(Address, ReadsAndWritesBothFamilies) {
  for (const char* text :
       {"192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "fe80::1"})
    EXPECT_EQ(Address::parse(text).value().to_string(), text);
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.2.01", "1", "::g",
                           "fe80::1%eth0", "2001:db8::1::", "host.example"})
    EXPECT_FALSE(Address::parse(text)) << text;
  EXPECT_FALSE(Address::parse(std::string_view("192.0.2.1\0", 10)));
}

TEST(Address, KnowsWhatIsNeverMedia) {
  for (const char* text : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1",
                           "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::2",
                           "ff02::1", "fe80::1", "febf::1", "::ffff:192.0.2.1", "::192.0.2.1"})
    EXPECT_TRUE(Address::parse(text).value().is_special()) << text;
  for (const char* text : {"1.0.0.1", "10.0.0.1", "169.253.1.1", "169.255.1.1", "223.255.255.255",
                           "2001:db8::1", "fec0::1", "fc00::1", "::1:0:0:1"})
    EXPECT_FALSE(Address::parse(text).value().is_special()) << text;
}

TEST(Endpoint, WritesBrackets) {
  EXPECT_EQ((Endpoint{*Address::parse("192.0.2.1"), 5060}).to_string(), "192.0.2.1:5060");
  EXPECT_EQ((Endpoint{*Address::parse("2001:db8::1"), 1}).to_string(), "[2001:db8::1]:1");
}

TEST(Prefix, IsStrict) {
  EXPECT_EQ(Prefix::parse("192.0.2.0/24").value().to_string(), "192.0.2.0/24");
  EXPECT_EQ(Prefix::parse("192.0.2.1").value().length, 32);
  EXPECT_EQ(Prefix::parse("2001:db8::/32").value().length, 32);
  EXPECT_EQ(Prefix::parse("::/0").value().length, 0);
  for (const char* text :
       {"192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/024", "192.0.2.0/-1",
        "192.0.2.0/24 ", "/24", "2001:db8::1/127", "2001:db8::/129", "192.0.2.0/300"})
    EXPECT_FALSE(Prefix::parse(text)) << text;
}

TEST(Prefix, ContainsAndOverlaps) {
  const Prefix net = *Prefix::parse("192.0.2.128/25");
  EXPECT_TRUE(net.contains(*Address::parse("192.0.2.128")));
  EXPECT_TRUE(net.contains(*Address::parse("192.0.2.255")));
  EXPECT_FALSE(net.contains(*Address::parse("192.0.2.127")));
  EXPECT_FALSE(net.contains(*Address::parse("2001:db8::1")));
  EXPECT_TRUE(net.overlaps(*Prefix::parse("192.0.2.0/24")));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->overlaps(net));
  EXPECT_FALSE(net.overlaps(*Prefix::parse("192.0.2.0/25")));
  EXPECT_FALSE(Prefix::parse("::/0")->contains(*Address::parse("192.0.2.1")));
}

} // namespace
} // namespace midcom::pinhole
