// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/belief.h"

#include <gtest/gtest.h>

#include "gateway_config.h"

namespace midcom {
namespace {

using test::address;

class BeliefTest : public testing::Test {
protected:
  Judgement judge_text(std::size_t peer, std::string_view source, const std::string& lines) const {
    const auto sdp = sip::Sdp::parse("v=0\r\no=- 1 1 IN IP4 10.1.0.10\r\ns=-\r\n" + lines, {});
    if (!sdp) {
      ADD_FAILURE() << "no SDP: " << lines;
      return {};
    }
    return judge(config_, peer, address(source), **sdp);
  }
  Judgement judge_at(std::size_t peer, std::string_view source, const std::string& media_address,
                     int port = 40000, const std::string& more = {}) const {
    const std::string family = media_address.find(':') == std::string::npos ? "IP4" : "IP6";
    return judge_text(peer, source,
                      "c=IN " + family + " " + media_address + "\r\nt=0 0\r\nm=audio " +
                          std::to_string(port) + " RTP/AVP 0\r\n" + more);
  }
  AgentConfig config_ = test::gateway_config();
};

constexpr std::size_t inside = 0, core = 2;

TEST_F(BeliefTest, APhoneLivesWhereItsSignallingComesFrom) {
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "10.1.0.10").refusal, Reason::none);
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "10.1.0.11").refusal, Reason::media_not_source);
  EXPECT_EQ(judge_at(inside, "2001:db8:1::10", "2001:db8:1::10").refusal, Reason::none);
  EXPECT_EQ(judge_at(inside, "2001:db8:1::10", "2001:db8:1:0:0:0:0:10").refusal, Reason::none);
  EXPECT_EQ(judge_at(inside, "2001:db8:1::10", "2001:db8:1::11").refusal, Reason::media_not_source);
}

TEST_F(BeliefTest, ATrunkLivesInItsNetworks) {
  EXPECT_EQ(judge_at(core, "192.0.2.5", "192.0.2.9").refusal, Reason::none);
  EXPECT_EQ(judge_at(core, "192.0.2.5", "192.0.2.16").refusal, Reason::media_outside_networks);
  EXPECT_EQ(judge_at(core, "192.0.2.5", "10.1.0.10").refusal, Reason::media_outside_networks);
}

// Even when the operator's prefixes are as wide as can be, or the packet claims to come from there.
TEST_F(BeliefTest, ReservedRangesAreNeverBelieved) {
  config_.peers[core].media = {*pinhole::Prefix::parse("0.0.0.0/0"),
                               *pinhole::Prefix::parse("::/0")};
  for (const char* reserved : {"0.0.0.1",     "0.255.255.255",   "127.0.0.1", "127.255.255.254",
                               "169.254.0.1", "169.254.169.254", "224.0.0.1", "239.255.255.250",
                               "240.0.0.1",   "255.255.255.255", "::1",       "fe80::1",
                               "febf::1",     "ff02::1",         "ff0e::1",   "::ffff:10.1.0.10",
                               "::ffff:0:0",  "::10.1.0.10",     "::7f00:1",  "::2"}) {
    EXPECT_EQ(judge_at(core, "192.0.2.5", reserved).refusal, Reason::media_forbidden_address)
        << reserved;
    EXPECT_EQ(judge_at(inside, reserved, reserved).refusal, Reason::media_forbidden_address)
        << reserved;
  }
}

TEST_F(BeliefTest, NeighboursOfReservedRangesAreBelieved) {
  config_.peers[core].media = {*pinhole::Prefix::parse("0.0.0.0/0"),
                               *pinhole::Prefix::parse("::/0")};
  for (const char* usable : {"1.0.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255",
                             "169.255.0.0", "223.255.255.255", "fec0::1", "fe7f::1", "2001:db8::1"})
    EXPECT_EQ(judge_at(core, "192.0.2.5", usable).refusal, Reason::none) << usable;
}

// Addresses that hide an IPv4 address are other addresses: nobody lives there by accident.
TEST_F(BeliefTest, TranslatedAddressesAreNotTheirIpv4) {
  for (const char* hiding : {"64:ff9b::10.1.0.10", "64:ff9b:1::a01:a", "2002:a01:a::1"})
    EXPECT_NE(judge_at(inside, "10.1.0.10", hiding).refusal, Reason::none) << hiding;
}

TEST_F(BeliefTest, TheGatewayAndForbiddenHostsAreNobodysMedia) {
  EXPECT_EQ(judge_at(inside, "10.1.0.1", "10.1.0.1").refusal, Reason::media_forbidden_address);
  EXPECT_EQ(judge_at(inside, "198.51.100.1", "198.51.100.1").refusal,
            Reason::media_forbidden_address);
  EXPECT_EQ(judge_at(inside, "10.1.0.200", "10.1.0.200").refusal, Reason::media_forbidden_address);
}

TEST_F(BeliefTest, PortsStayInTheirRange) {
  const auto of_port = [&](int port) {
    return judge_at(inside, "10.1.0.10", "10.1.0.10", port, "a=rtcp-mux-only\r\na=rtcp-mux\r\n")
        .refusal;
  };
  EXPECT_EQ(of_port(1023), Reason::media_forbidden_port);
  EXPECT_EQ(of_port(1024), Reason::none);
  EXPECT_EQ(of_port(5059), Reason::none);
  EXPECT_EQ(of_port(5060), Reason::media_forbidden_port);
  EXPECT_EQ(of_port(5061), Reason::media_forbidden_port);
  EXPECT_EQ(of_port(5062), Reason::none);
  EXPECT_EQ(of_port(65535), Reason::none);
}

TEST_F(BeliefTest, RtcpIsJudgedToo) {
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "10.1.0.10", 5059).refusal,
            Reason::media_forbidden_port); // RTCP would be 5060
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "10.1.0.10", 40000, "a=rtcp:22\r\n").refusal,
            Reason::media_forbidden_port);
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "10.1.0.10", 40000, "a=rtcp:40001 IN IP4 10.1.0.66\r\n")
                .refusal,
            Reason::media_not_source);
}

TEST_F(BeliefTest, HoldAndRefusedStreamsAskForNothing) {
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "0.0.0.0").refusal, Reason::none);
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "::").refusal, Reason::none);
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "127.0.0.1", 0).refusal, Reason::none);
}

TEST_F(BeliefTest, HostNamesAreNobodysPromise) {
  EXPECT_EQ(judge_at(inside, "10.1.0.10", "phone.example.com").refusal,
            Reason::media_forbidden_address);
}

TEST_F(BeliefTest, ConnectionsAreJudgedToo) {
  const auto judged = [&](const std::string& where, const std::string& lines) {
    return judge_text(inside, "10.1.0.10",
                      "c=IN IP4 " + where + "\r\nt=0 0\r\nm=application " + lines)
        .refusal;
  };
  EXPECT_EQ(judged("10.1.0.10", "40000 TCP/BFCP *\r\na=setup:passive\r\n"), Reason::none);
  EXPECT_EQ(judged("10.1.0.10", "22 TCP/BFCP *\r\na=setup:passive\r\n"),
            Reason::media_forbidden_port);
  EXPECT_EQ(judged("10.1.0.11", "40000 TCP/BFCP *\r\na=setup:passive\r\n"),
            Reason::media_not_source);
  // Who connects says no port, but where from.
  EXPECT_EQ(judged("10.1.0.10", "9 TCP/BFCP *\r\na=setup:active\r\n"), Reason::none);
  EXPECT_EQ(judged("10.1.0.11", "9 TCP/BFCP *\r\na=setup:active\r\n"), Reason::media_not_source);
  EXPECT_EQ(judged("10.1.0.10", "40000 TCP/MSRP *\r\na=path:msrp://10.1.0.11:40000/a;tcp\r\n"),
            Reason::media_not_source);
}

TEST_F(BeliefTest, OneBadStreamDoesNotHideBehindAGoodOne) {
  const auto judgement = judge_text(inside, "10.1.0.10",
                                    "c=IN IP4 10.1.0.10\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
                                    "m=video 40002 RTP/AVP 96\r\nc=IN IP4 10.1.0.66\r\n");
  EXPECT_FALSE(judgement.is_denied(0));
  EXPECT_TRUE(judgement.is_denied(1));
  EXPECT_EQ(judgement.refusal, Reason::media_not_source);
}

TEST_F(BeliefTest, WithIceAForbiddenDefaultOnlyOpensNothing) {
  const std::string ice = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
                          "a=candidate:1 1 UDP 2130706431 10.1.0.10 40000 typ host\r\n"
                          "a=candidate:2 1 UDP 2130706430 127.0.0.1 40000 typ host\r\n"
                          "a=candidate:3 1 UDP 1694498815 10.1.0.66 22 typ host\r\n";
  const auto judgement = judge_at(inside, "10.1.0.10", "10.1.0.66", 40000, ice);
  EXPECT_EQ(judgement.refusal, Reason::none);
  EXPECT_TRUE(judgement.is_denied(0));
  EXPECT_EQ(judgement.candidates_left_out, 2U);
}

TEST_F(BeliefTest, EachAddressIsJudgedByItself) {
  const auto is = [&](std::size_t peer, const char* source, const char* host, std::uint16_t port) {
    return is_believed(config_, peer, address(source), {address(host), port});
  };
  EXPECT_TRUE(is(inside, "10.1.0.10", "10.1.0.10", 40000));
  EXPECT_FALSE(is(inside, "10.1.0.10", "10.1.0.11", 40000));
  EXPECT_FALSE(is(inside, "10.1.0.10", "10.1.0.10", 80));
  EXPECT_TRUE(is(inside, "10.1.0.10", "10.1.0.10", 0)); // any port
  EXPECT_TRUE(is(core, "192.0.2.5", "192.0.2.9", 40000));
  EXPECT_FALSE(is(core, "192.0.2.5", "169.254.0.1", 40000));
  EXPECT_FALSE(is(no_peer, "192.0.2.5", "192.0.2.9", 40000));
}

} // namespace
} // namespace midcom
