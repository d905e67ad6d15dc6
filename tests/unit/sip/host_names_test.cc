// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/host_names.h"

#include <gtest/gtest.h>

#include "sip/media_plan.h"
#include "sip/sdp.h"

namespace midcom::sip {
namespace {

using Family = IpAddress::Family;

std::string description(const std::string& connection, const std::string& media) {
  return "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=" + connection + "\r\nt=0 0\r\n" + media;
}

std::string candidate(const std::string& address, const std::string& transport = "UDP") {
  return "a=candidate:1 1 " + transport + " 1 " + address + " 4000 typ host\r\n";
}

SdpPtr parsed(const std::string& text, const NamedAddresses& names = {}) {
  const auto sdp = Sdp::parse(text, {}, names);
  EXPECT_TRUE(sdp.has_value()) << text;
  return sdp ? *sdp : nullptr;
}

std::vector<HostName> names_of(const std::string& connection, const std::string& media) {
  return host_names(*parsed(description(connection, media)));
}

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

const std::string audio = "m=audio 4000 RTP/AVP 0\r\n";
const std::string literal = "IN IP4 192.0.2.1";

TEST(HostNames, EachPlaceThatMediaIsSentTo) {
  EXPECT_EQ(names_of("IN IP4 A.Example", audio),
            (std::vector<HostName>{{"a.example", Family::ipv4}}));
  EXPECT_EQ(names_of(literal, audio + "c=IN IP6 b.example\r\na=rtcp:4001 IN IP4 c.example\r\n" +
                                  candidate("d.example")),
            (std::vector<HostName>{
                {"b.example", Family::ipv6}, {"c.example", Family::ipv4}, {"d.example", {}}}));
  EXPECT_EQ(names_of(literal, "m=message 9 TCP/MSRP *\r\na=path:msrp://e.example:7/s;tcp\r\n"),
            (std::vector<HostName>{{"e.example", {}}}));
}

TEST(HostNames, EachOnceForEachFamily) {
  EXPECT_EQ(names_of("IN IP4 a.example",
                     audio + "c=IN IP4 A.EXAMPLE\r\n" + audio + "c=IN IP6 a.example\r\n" + audio),
            (std::vector<HostName>{{"a.example", Family::ipv4}, {"a.example", Family::ipv6}}));
}

TEST(HostNames, WhatIsNotLookedUp) {
  EXPECT_TRUE(names_of("IN IP4 a.example", "m=audio 0 RTP/AVP 0\r\n").empty());
  EXPECT_TRUE(names_of("IN IP4 a.example", audio + "c=" + literal + "\r\n").empty());
  EXPECT_TRUE(names_of("IN IP4 a.example/127", audio).empty());
  EXPECT_TRUE(names_of("ATM NSAP a.example", audio).empty());
  for (const std::string name : {"f3.local", "x.invalid", "localhost", "a.LocalHost"}) {
    EXPECT_TRUE(names_of("IN IP4 " + name, audio).empty()) << name;
    EXPECT_TRUE(names_of(literal, audio + candidate(name)).empty()) << name;
  }
  EXPECT_TRUE(names_of(literal, audio + candidate("a.example", "SCTP")).empty());
  EXPECT_TRUE(names_of("IN IP4 " + std::string(254, 'a'), audio).empty());
  // Of two paths nobody knows which one is connected to.
  const std::string path = "a=path:msrp://e.example:7/s;tcp\r\n";
  EXPECT_TRUE(names_of(literal, "m=message 9 TCP/MSRP *\r\n" + path + path).empty());
  EXPECT_TRUE(
      names_of(literal, "m=message 9 TCP/MSRP *\r\na=path:msrp://[e.example]:7/s\r\n").empty());
}

TEST(HostNames, APinnedNameIsItsAddress) {
  const std::string text = description(
      "IN IP4 A.example", audio + "a=rtcp:5000 IN IP4 b.example\r\n" + candidate("c.example"));
  const NamedAddresses names{{{"a.example", Family::ipv4}, address("198.51.100.1")},
                             {{"b.example", Family::ipv4}, address("198.51.100.2")},
                             {{"c.example", {}}, address("2001:db8::3")}};
  const SdpPtr sdp = parsed(text, names);
  EXPECT_EQ(sdp->text(), text);
  EXPECT_EQ(sdp->names(), names);
  EXPECT_TRUE(host_names(*sdp).empty());
  const auto receive = receive_addresses(*sdp);
  ASSERT_EQ(receive.size(), 2U);
  EXPECT_EQ(receive[0].text, "A.example");
  EXPECT_EQ(receive[0].address, address("198.51.100.1"));
  EXPECT_EQ(receive[1].address, address("198.51.100.2"));
  EXPECT_EQ(receive[1].port, 5000);
  ASSERT_EQ(candidate_addresses(*sdp).size(), 1U);
  EXPECT_EQ(candidate_addresses(*sdp)[0].address, address("2001:db8::3"));
}

TEST(HostNames, APinnedPath) {
  const std::string text =
      description(literal, "m=message 9 TCP/MSRP *\r\na=path:msrp://u@E.example:7000/s;tcp\r\n");
  const SdpPtr sdp = parsed(text, {{{"e.example", {}}, address("198.51.100.1")}});
  const auto receive = receive_addresses(*sdp);
  ASSERT_EQ(receive.size(), 1U);
  EXPECT_EQ(receive[0].address, address("198.51.100.1"));
  EXPECT_EQ(receive[0].port, 7000);
}

TEST(HostNames, NothingElseIsPinned) {
  const std::string text = description("IN IP4 a.example", audio + candidate("a.example"));
  // Another family than the line asks for, another name, a literal.
  const SdpPtr sdp = parsed(text, {{{"a.example", Family::ipv6}, address("2001:db8::1")},
                                   {{"b.example", {}}, address("198.51.100.1")}});
  EXPECT_EQ(host_names(*sdp).size(), 2U);
  EXPECT_FALSE(
      parsed(text, {{{"a.example", Family::ipv4}, address("2001:db8::1")}})->connection()->address);
  EXPECT_EQ(
      parsed(description(literal, audio), {{{"192.0.2.1", Family::ipv4}, address("10.0.0.1")}})
          ->connection()
          ->address,
      address("192.0.2.1"));
}

} // namespace
} // namespace midcom::sip
