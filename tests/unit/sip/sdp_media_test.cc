// SPDX-License-Identifier: GPL-3.0-or-later
// What descriptions say of ICE, connections, groups and paths.
#include <gtest/gtest.h>

#include "sip/sdp.h"
#include "sip/sdp_attributes.h"

namespace midcom::sip {
namespace {

const std::string begin =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
const std::string audio = begin + "m=audio 4000 RTP/AVP 0\r\n";
const std::string second = "m=video 4002 RTP/AVP 31\r\n";
const std::string password = "0123456789012345678901";

std::string verdict(const std::string& text) {
  const auto sdp = Sdp::parse(text, {});
  return sdp ? "ok" : std::string(to_string(sdp.error()));
}

SdpPtr parsed(const std::string& text) {
  const auto sdp = Sdp::parse(text, {});
  EXPECT_TRUE(sdp.has_value()) << text;
  return sdp ? *sdp : nullptr;
}

TEST(SdpMedia, IceCredentialsOfSessionAndMedia) {
  const SdpPtr sdp = parsed(
      begin + "a=ice-ufrag:8hhY\r\na=ice-pwd:" + password +
      "\r\nm=audio 4000 RTP/AVP 0\r\na=ice-ufrag:own1\r\na=ice-pwd:" + password + "X\r\n" + second);
  EXPECT_EQ(sdp->ice_ufrag_of(0), "own1");
  EXPECT_EQ(sdp->ice_password_of(0), password + "X");
  EXPECT_EQ(sdp->ice_ufrag_of(1), "8hhY");
  EXPECT_EQ(sdp->ice_password_of(1), password);
  EXPECT_EQ(sdp->ice_ufrag_of(2), "");
  EXPECT_EQ(parsed(audio)->ice_password_of(0), "");
}

// Beyond, what a plan costs would be their square.
TEST(SdpMedia, NoMoreGroupsAndMidsThanLines) {
  const auto mids = [](std::size_t count) {
    std::string line = "a=group:BUNDLE";
    while (count-- > 0) line += " a";
    return line + "\r\n";
  };
  EXPECT_EQ(verdict(begin + mids(32) + second), "ok");
  EXPECT_EQ(verdict(begin + mids(33) + second), "too-many");
  std::string groups;
  for (int i = 0; i < 32; ++i) groups += mids(1);
  EXPECT_EQ(verdict(begin + groups + second), "ok");
  EXPECT_EQ(verdict(begin + groups + mids(1) + second), "too-many");
}

// RFC 8839 5.4
TEST(SdpMedia, IceStringsThatAreNone) {
  const auto ufrag = [](const std::string& text) {
    return verdict(audio + "a=ice-ufrag:" + text + "\r\n");
  };
  EXPECT_EQ(ufrag("8hh+"), "ok");
  EXPECT_EQ(ufrag("8hhY "), "ok");
  EXPECT_EQ(ufrag(std::string(256, 'a')), "ok");
  for (const std::string& bad : {std::string(), std::string("8hh"), std::string(257, 'a'),
                                 std::string("8hh:Y"), std::string("8hh Y"), std::string("8hh-Y")})
    EXPECT_EQ(ufrag(bad), "syntax") << bad;
  EXPECT_EQ(verdict(audio + "a=ice-pwd:" + password + "\r\n"), "ok");
  EXPECT_EQ(verdict(audio + "a=ice-pwd:" + password.substr(1) + "\r\n"), "syntax");
}

TEST(SdpMedia, WhatTwoReadersCouldReadInTwoWays) {
  for (const std::string line : {"a=ice-ufrag:8hhY\r\n", "a=mid:a\r\n", "a=setup:active\r\n"}) {
    EXPECT_EQ(verdict(audio + line + line), "ok") << line;
    EXPECT_EQ(verdict(audio + line + line.substr(0, line.size() - 2) + "bb\r\n"), "syntax") << line;
  }
  EXPECT_EQ(verdict(begin + "a=setup:active\r\na=setup:passive\r\n"), "syntax");
  EXPECT_EQ(verdict(audio + "a=mid:a\r\n" + second + "a=mid:b\r\n"), "ok");
  EXPECT_EQ(verdict(audio + "a=mid:a\r\n" + second + "a=mid:a\r\n"), "syntax");
  EXPECT_EQ(verdict(audio + "a=mid:\r\n"), "syntax");
  EXPECT_EQ(verdict(audio + "a=mid:a b\r\n"), "syntax");
}

// RFC 6544 4.5 and 4.6
TEST(SdpMedia, TcpCandidates) {
  const auto type_of = [](const std::string& rest) {
    const SdpPtr sdp =
        parsed(audio + "a=candidate:1 1 TCP 2128609279 10.0.1.1 9 typ host" + rest + "\r\n");
    return sdp->media()[0].candidates.at(0).tcp_type;
  };
  EXPECT_EQ(type_of(" tcptype active"), TcpType::active);
  EXPECT_EQ(type_of(" tcptype passive generation 0"), TcpType::passive);
  EXPECT_EQ(type_of(" raddr 10.0.1.1 rport 9 tcptype so"), TcpType::simultaneous);
  EXPECT_EQ(type_of(" TCPTYPE SO"), TcpType::simultaneous);
  EXPECT_EQ(type_of(""), TcpType::none);
  EXPECT_EQ(type_of(" tcptype"), TcpType::none);
  EXPECT_EQ(type_of(" tcptype both"), TcpType::none);
  EXPECT_EQ(type_of(" raddr tcptype active"), TcpType::none);
  EXPECT_EQ(type_of(" tcptype active tcptype passive"), TcpType::none);
  const SdpPtr udp = parsed(audio + "a=candidate:f/1 1 UDP 1 10.0.1.1 8998 typ host tcptype so\r\n"
                                    "a=candidate:2 1 sctp 1 10.0.1.1 8998 typ host\r\n");
  EXPECT_EQ(udp->media()[0].candidates.at(0).tcp_type, TcpType::none);
  EXPECT_EQ(udp->media()[0].candidates.at(0).foundation, "f/1");
  EXPECT_EQ(udp->media()[0].candidates.at(1).transport, std::nullopt);
}

// RFC 8839 5.2
TEST(SdpMedia, RemoteCandidates) {
  const SdpPtr sdp = parsed(audio + "a=remote-candidates:1 192.0.2.3 45664 2 2001:db8::1 1\r\n");
  const auto& remote = sdp->media()[0].remote_candidates;
  ASSERT_EQ(remote.size(), 2U);
  EXPECT_EQ(remote[0].port, 45664);
  EXPECT_EQ(remote[1].component, 2);
  EXPECT_EQ(remote[1].address, IpAddress::parse("2001:db8::1"));
  for (const char* bad : {"1", "1 192.0.2.3", "0 192.0.2.3 1", "1 192.0.2.300 1", "1 a.b 65536"})
    EXPECT_TRUE(
        parsed(audio + "a=remote-candidates:" + bad + "\r\n")->media()[0].remote_candidates.empty())
        << bad;
}

TEST(SdpMedia, SetupAndConnection) {
  const SdpPtr sdp = parsed(begin +
                            "a=setup:actpass\r\na=connection:existing\r\n"
                            "m=audio 4000 RTP/AVP 0\r\na=setup:HOLDCONN\r\n"
                            "a=connection:new\r\n" +
                            second + "a=setup:what\r\n" + "m=x 1 udptl t38\r\n");
  EXPECT_EQ(sdp->setup_of(0), Setup::holdconn);
  EXPECT_EQ(sdp->setup_of(1), Setup::other);
  EXPECT_EQ(sdp->setup_of(2), Setup::actpass);
  EXPECT_EQ(sdp->setup_of(3), std::nullopt);
  EXPECT_FALSE(sdp->keeps_connection(0));
  EXPECT_TRUE(sdp->keeps_connection(1));
  EXPECT_FALSE(parsed(audio)->keeps_connection(0));
}

TEST(SdpMedia, Groups) {
  const SdpPtr sdp = parsed(begin +
                            "a=group:BUNDLE a b \r\na=group:ANAT\r\na=group:\r\n"
                            "a=group:LS  a\r\nm=audio 4000 RTP/AVP 0\r\na=mid:a\r\n"
                            "a=bundle-only\r\n" +
                            second + "a=group:BUNDLE x\r\n");
  ASSERT_EQ(sdp->groups().size(), 2U);
  EXPECT_EQ(sdp->groups()[0].semantics, "BUNDLE");
  EXPECT_EQ(sdp->groups()[0].mids, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(sdp->groups()[1].mids.empty());
  EXPECT_TRUE(sdp->media()[0].is_bundle_only);
  EXPECT_EQ(sdp->find_mid("a"), 0U);
  EXPECT_EQ(sdp->find_mid("b"), std::nullopt);
  EXPECT_EQ(sdp->find_mid(""), std::nullopt);
}

TEST(SdpMedia, PayloadTypes) {
  const SdpPtr sdp = parsed(begin + "m=audio 4000 RTP/AVP 0 8 127 128 -1 x 00000101\r\n");
  EXPECT_EQ(sdp->media()[0].payload_types.count(), 4U);
  for (const std::size_t type : {0U, 8U, 101U, 127U})
    EXPECT_TRUE(sdp->media()[0].payload_types[type]) << type;
}

TEST(SdpMedia, Path) {
  const SdpPath path = parse_path("MSRPS://alice@[2001:db8::1]:9000/s;tcp msrp://10.0.0.1:1/b;tcp");
  EXPECT_EQ(path.text, "MSRPS://alice@[2001:db8::1]:9000/s;tcp");
  EXPECT_EQ(path.address, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(path.port, 9000);
  EXPECT_EQ(parse_path("msrp://192.0.2.1;tcp").port, 2855);
  EXPECT_EQ(parse_path("msrp://a.example:7654/s;tcp").port, 7654);
  for (const char* without :
       {"", "msrp:", "msrp://", "msrp://a.example:7654/s;tcp", "sip://1.2.3.4/",
        "msrp://192.0.2.1:65536/", "msrp://192.0.2.1:/", "msrp://[192.0.2.1]/"})
    EXPECT_FALSE(parse_path(without).address) << without;
}

} // namespace
} // namespace midcom::sip
