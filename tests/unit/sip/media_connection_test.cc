// SPDX-License-Identifier: GPL-3.0-or-later
// Media over TCP: who connects to whom.
#include "sip/media_connection.h"

#include <gtest/gtest.h>

#include "tests/unit/sip/media_text.h"

namespace midcom::sip {
namespace {

using namespace test;

const std::string to_callee = "0 rtp 198.51.100.2:5000 tcp from 192.0.2.1:*\n";
const std::string to_caller = "0 rtp 192.0.2.1:4000 tcp from 198.51.100.2:*\n";

// State and sinks.
std::string planned(const SessionPair& pair) {
  const MediaPlan plan = plan_media(pair);
  EXPECT_TRUE(plan.flows.empty());
  return text_of(plan) + sinks_of(plan);
}

std::string planned(const std::string& caller, const std::string& callee) {
  return planned(make_pair_of(caller, callee));
}

struct Roles {
  const char* offered;
  const char* answered; // "" for none
  const std::string expected;
};

// RFC 4145 4.1, and what it doesn't allow.
const Roles roles[] = {
    {"", "", to_callee},
    {"", "passive", to_callee},
    {"active", "", to_callee},
    {"active", "passive", to_callee},
    {"actpass", "passive", to_callee},
    {"actpass", "", to_callee},
    {"actpass", "active", to_caller},
    {"passive", "active", to_caller},
    {"PASSIVE", "Active", to_caller},
    {"active", "active", "0 unsupported\n"},
    {"", "active", "0 unsupported\n"},
    {"passive", "passive", "0 unsupported\n"},
    {"passive", "", "0 unsupported\n"},
    {"actpass", "actpass", "0 unsupported\n"},
    {"nonsense", "passive", "0 unsupported\n"},
    {"actpass", "nonsense", "0 unsupported\n"},
    {"holdconn", "holdconn", "0 held\n"},
    {"active", "holdconn", "0 held\n"},
    {"holdconn", "active", "0 held\n"},
};

std::string setup_line(const std::string& role) {
  return role.empty() ? "" : "a=setup:" + role + "\r\n";
}

TEST(MediaConnection, Roles) {
  for (const char* protocol : {"TCP/BFCP *", "TCP/TLS/BFCP *", "TCP/MSRP *", "TCP/TLS/MSRP *",
                               "TCP t38", "TCP/DTLS/SCTP x"}) {
    for (const Roles& one : roles) {
      const std::string offer =
          std::string("m=x 4000 ") + protocol + "\r\n" + setup_line(one.offered);
      const std::string answer =
          std::string("m=x 5000 ") + protocol + "\r\n" + setup_line(one.answered);
      EXPECT_EQ(planned(offer, answer), one.expected)
          << protocol << " " << one.offered << " " << one.answered;
    }
  }
}

TEST(MediaConnection, TheOffererMakesTheDifference) {
  SessionPair pair = make_pair_of("m=x 4000 TCP/MSRP *\r\n", "m=x 5000 TCP/MSRP *\r\n");
  EXPECT_EQ(planned(pair), to_callee);
  pair.offerer = Party::callee;
  EXPECT_EQ(planned(pair), to_caller);
}

// RFC 4145 7.1 and 7.2; 7.3 with the answer's connection kept.
TEST(MediaConnection, ExamplesOfRfc4145) {
  EXPECT_EQ(planned({description("IP4 192.0.2.2", "m=image 54111 TCP t38\r\na=setup:passive\r\n"
                                                  "a=connection:new\r\n"),
                     description("IP4 192.0.2.1", "m=image 9 TCP t38\r\na=setup:active\r\n"
                                                  "a=connection:new\r\n")}),
            "0 rtp 192.0.2.2:54111 tcp from 192.0.2.1:*\n");
  EXPECT_EQ(planned({description("IP4 192.0.2.2", "m=image 54111 TCP t38\r\na=setup:actpass\r\n"
                                                  "a=connection:new\r\n"),
                     description("IP4 192.0.2.1", "m=image 54321 TCP t38\r\na=setup:passive\r\n"
                                                  "a=connection:new\r\n")}),
            "0 rtp 192.0.2.1:54321 tcp from 192.0.2.2:*\n");
  EXPECT_EQ(planned({description("IP4 192.0.2.2", "m=image 54111 TCP t38\r\na=setup:passive\r\n"
                                                  "a=connection:existing\r\n"),
                     description("IP4 192.0.2.1", "a=connection:existing\r\nm=image 9 TCP t38\r\n"
                                                  "a=setup:active\r\n")}),
            "0 keeps its connection\n0 rtp 192.0.2.2:54111 tcp from 192.0.2.1:*\n");
}

TEST(MediaConnection, SetupOfTheSession) {
  EXPECT_EQ(planned("a=setup:passive\r\nm=x 4000 TCP/BFCP *\r\n",
                    "a=setup:passive\r\nm=x 9 TCP/BFCP *\r\na=setup:active\r\n"),
            to_caller);
}

// RFC 4975 4 and 8.1: the offerer connects to the first URI of the answer's path.
TEST(MediaConnection, MsrpPath) {
  const auto msrp = [](const std::string& path) {
    return "m=message 7654 TCP/MSRP *\r\na=accept-types:text/plain\r\na=path:" + path + "\r\n";
  };
  const std::string offer = msrp("msrp://192.0.2.1:7654/jshA7weztas;tcp");
  EXPECT_EQ(planned(offer, msrp("msrp://198.51.100.9:12763/kjhd37s2s20w2a;tcp")),
            "0 rtp 198.51.100.9:12763 tcp from 192.0.2.1:*\n");
  EXPECT_EQ(planned(offer, msrp("msrps://relay@198.51.100.9/a;tcp msrp://10.0.0.1:1/b;tcp")),
            "0 rtp 198.51.100.9:2855 tcp from 192.0.2.1:*\n");
  EXPECT_EQ(planned(msrp("msrp://203.0.113.5:9000/r;tcp msrp://192.0.2.1:7654/j;tcp"),
                    msrp("msrp://198.51.100.9:12763/k;tcp")),
            "0 rtp 198.51.100.9:12763 tcp from 203.0.113.5:*\n");
  for (const char* without : {"msrp://bob.example.com:8888/9di4ea;tcp", "sip:198.51.100.9:1", "x",
                              "msrp://198.51.100.9:x/a;tcp", "msrp://198.51.100.9:0/a;tcp",
                              "msrp://[198.51.100.9]:1/a;tcp", "msrp://[2001:db8::1:1/a;tcp",
                              "msrp://[2001:db8::1]1/a;tcp", "msrp://2001:db8::1/a;tcp",
                              "msrp://[2001:db8::1]:1/a;tcp", "msrp://224.0.0.1:5000/a;tcp",
                              "msrp://198.51.100.9:1/a;tcp\r\na=path:msrp://198.51.100.9:2/a;tcp"})
    EXPECT_EQ(planned(offer, msrp(without)), "0 unsupported\n") << without;
}

// RFC 6135 4.2: actpass, answered by one who is behind a NAT, and by one who knows no a=setup.
TEST(MediaConnection, MsrpWithSetup) {
  const std::string offer = "m=message 4000 TCP/MSRP *\r\na=setup:actpass\r\n"
                            "a=path:msrp://192.0.2.1:4000/a;tcp\r\n";
  EXPECT_EQ(planned(offer, "m=message 9 TCP/MSRP *\r\na=setup:active\r\n"
                           "a=path:msrp://198.51.100.2:9/b;tcp\r\n"),
            to_caller);
  EXPECT_EQ(
      planned(offer, "m=message 5000 TCP/MSRP *\r\na=path:msrp://198.51.100.2:5000/b;tcp\r\n"),
      to_callee);
}

// RFC 6714 5.
TEST(MediaConnection, MsrpCema) {
  EXPECT_EQ(
      planned("m=message 4000 TCP/MSRP *\r\na=msrp-cema\r\na=path:msrp://10.0.0.1:1/a;tcp\r\n",
              "m=message 5000 TCP/MSRP *\r\na=msrp-cema\r\na=path:msrp://10.0.0.2:1/b;tcp\r\n"),
      to_callee);
}

// RFC 4583 11 and RFC 8856 12: over TLS the floor control client connects.
TEST(MediaConnection, Bfcp) {
  const std::string rest = "a=floorctrl:s-only\r\na=confid:4321\r\na=userid:1234\r\n";
  EXPECT_EQ(planned("m=application 4000 TCP/TLS/BFCP *\r\na=setup:passive\r\n"
                    "a=connection:new\r\n" +
                        rest,
                    "m=application 9 TCP/TLS/BFCP *\r\na=setup:active\r\na=connection:new\r\n"),
            to_caller);
}

// RFC 4571 7: RTCP has a connection of its own.
TEST(MediaConnection, RtpOverTcp) {
  const std::string passive = "m=audio 4000 TCP/RTP/AVP 0\r\na=setup:passive\r\n";
  const std::string active = "m=audio 9 TCP/RTP/AVP 0\r\na=setup:active\r\n";
  EXPECT_EQ(planned(passive, active),
            to_caller + "0 rtcp 192.0.2.1:4001 tcp from 198.51.100.2:*\n");
  EXPECT_EQ(planned(passive + "a=rtcp-mux\r\n", active + "a=rtcp-mux\r\n"),
            "0 muxed\n" + to_caller);
}

TEST(MediaConnection, NothingToConnectTo) {
  const auto active = [](const std::string& connection) {
    return "m=x 9 TCP/BFCP *\r\n" + connection + "a=setup:active\r\n";
  };
  const auto passive = [](const std::string& connection) {
    return "m=x 4000 TCP/BFCP *\r\n" + connection + "a=setup:passive\r\n";
  };
  const std::string name = "c=IN IP4 a.example\r\n";
  EXPECT_EQ(planned(passive(""), active("")), to_caller);
  EXPECT_EQ(planned("m=x 9 TCP/BFCP *\r\na=setup:passive\r\n", active("")), "0 unsupported\n");
  EXPECT_EQ(planned(passive(name), active("")), "0 unsupported\n");
  EXPECT_EQ(planned(passive(""), active(name)), "0 unsupported\n");
  EXPECT_EQ(planned(passive(""), active("c=IN IP6 2001:db8::1\r\n")), "0 unsupported\n");
  EXPECT_EQ(planned(passive("c=IN IP4 0.0.0.0\r\n"), active("")), "0 held\n");
  EXPECT_EQ(planned(passive(""), "m=x 5000 UDP/BFCP *\r\n"), "0 unsupported\n");
  EXPECT_EQ(planned("m=x 4000/2 TCP/BFCP *\r\n", "m=x 4000/2 TCP/BFCP *\r\n"), "0 unsupported\n");
  EXPECT_EQ(planned("m=x 0 TCP/BFCP *\r\n", active("")), "0 refused\n");
}

TEST(MediaConnection, BeforeTheAnswer) {
  EXPECT_TRUE(may_wait(Setup::passive));
  EXPECT_TRUE(may_wait(Setup::actpass));
  EXPECT_FALSE(may_wait(Setup::active));
  EXPECT_FALSE(may_wait(Setup::holdconn));
  EXPECT_FALSE(may_wait(std::nullopt));
}

} // namespace
} // namespace midcom::sip
