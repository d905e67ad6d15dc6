// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace midcom::sip {
namespace {

const std::string begin = "v=0\r\no=alice 53655765 2353687637 IN IP4 192.0.2.1\r\ns=-\r\n";
const std::string head = begin + "c=IN IP4 192.0.2.1\r\nt=0 0\r\n";
const std::string audio = head + "m=audio 49170 RTP/AVP 0 8\r\n";

SdpPtr parsed(const std::string& text, const SdpLimits& limits = {}) {
  auto sdp = Sdp::parse(text, limits);
  EXPECT_TRUE(sdp.has_value()) << text << to_string(sdp.error());
  return sdp ? *sdp : nullptr;
}

std::string verdict(const std::string& text, const SdpLimits& limits = {}) {
  const auto sdp = Sdp::parse(text, limits);
  return sdp ? "ok" : std::string(to_string(sdp.error()));
}

TEST(Sdp, ReadsTheExampleOfRfc8866) {
  const SdpPtr sdp = parsed("v=0\r\n"
                            "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
                            "s=Call to John Smith\r\n"
                            "i=SDP Offer #1\r\n"
                            "u=http://www.jdoe.example.com/home.html\r\n"
                            "e=Jane Doe <jane@jdoe.example.com>\r\n"
                            "p=+1 617 555-6011\r\n"
                            "c=IN IP4 198.51.100.1\r\n"
                            "t=0 0\r\n"
                            "m=audio 49170 RTP/AVP 0\r\n"
                            "m=audio 49180 RTP/AVP 0\r\n"
                            "m=video 51372 RTP/AVP 99\r\n"
                            "c=IN IP6 2001:db8::2\r\n"
                            "a=rtpmap:99 h263-1998/90000\r\n");
  ASSERT_TRUE(sdp);
  EXPECT_EQ(sdp->origin(), "jdoe 3724394400 3724394405 IN IP4 198.51.100.1");
  EXPECT_EQ(sdp->origin_version(), 3724394405U);
  ASSERT_EQ(sdp->media().size(), 3U);
  EXPECT_EQ(sdp->media()[1].port, 49180);
  EXPECT_EQ(sdp->media()[2].type, "video");
  EXPECT_EQ(sdp->media()[2].attribute("rtpmap"), "99 h263-1998/90000");
  EXPECT_FALSE(sdp->media()[2].attribute("fmtp"));
  EXPECT_EQ(sdp->connection_of(0)->address, IpAddress::parse("198.51.100.1"));
  EXPECT_EQ(sdp->connection_of(2)->address, IpAddress::parse("2001:db8::2"));
  EXPECT_EQ(sdp->connection_of(3), nullptr);
  EXPECT_EQ(sdp->media()[0].formats, std::vector<std::string_view>{"0"});
}

TEST(Sdp, OwnsItsText) {
  SdpPtr sdp;
  {
    const std::string text = audio;
    sdp = parsed(text);
  }
  ASSERT_TRUE(sdp);
  EXPECT_EQ(sdp->text(), audio);
  const std::string_view type = sdp->media()[0].type;
  EXPECT_GE(type.data(), sdp->text().data());
  EXPECT_LT(type.data(), sdp->text().data() + sdp->text().size());
}

struct Case {
  const char* name;
  std::string text;
  const char* verdict;
};

class SdpVerdict : public testing::TestWithParam<Case> {};
TEST_P(SdpVerdict, IsAsStated) {
  EXPECT_EQ(verdict(GetParam().text), GetParam().verdict);
}

const Case cases[] = {
    {"empty", "", "truncated"},
    {"no_media", head, "ok"},
    {"lf_only", "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n", "ok"},
    {"no_line_end", begin + "t=0 0", "ok"},
    {"empty_lines_at_the_end", audio + "\r\n\n\r\n", "ok"},
    {"empty_line_inside", head + "\r\nm=audio 1 RTP/AVP 0\r\n", "syntax"},
    {"no_time", begin + "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n", "ok"},
    {"empty_subject", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=\r\nt=0 0\r\n", "ok"},
    {"unknown_letter", head + "y=what\r\nm=audio 1 RTP/AVP 0\r\ny=more\r\n", "ok"},
    {"no_subject", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nt=0 0\r\n", "syntax"},
    {"only_version", "v=0\r\n", "truncated"},
    {"version_one", "v=1\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n", "bad-version"},
    {"no_version", "o=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n", "syntax"},
    {"origin_twice", begin + "o=- 1 1 IN IP4 192.0.2.1\r\n", "syntax"},
    {"origin_short", "v=0\r\no=- 1 1 IN IP4\r\ns=-\r\n", "truncated"},
    {"origin_long", "v=0\r\no=- 1 1 IN IP4 192.0.2.1 x\r\ns=-\r\n", "syntax"},
    {"origin_two_spaces", "v=0\r\no=-  1 1 IN IP4 192.0.2.1\r\ns=-\r\n", "syntax"},
    {"origin_version_no_number", "v=0\r\no=- 1 x IN IP4 192.0.2.1\r\ns=-\r\n", "bad-number"},
    {"origin_version_over_64_bits", "v=0\r\no=- 1 18446744073709551616 IN IP4 192.0.2.1\r\ns=-\r\n",
     "bad-number"},
    {"origin_version_64_bits", "v=0\r\no=- 1 18446744073709551615 IN IP4 192.0.2.1\r\ns=-\r\n",
     "ok"},
    {"time_before_connection", begin + "t=0 0\r\nc=IN IP4 192.0.2.1\r\n", "syntax"},
    {"attribute_before_time", begin + "a=sendrecv\r\nt=0 0\r\n", "syntax"},
    {"bandwidth_anywhere", head + "b=AS:64\r\nm=audio 1 RTP/AVP 0\r\na=x\r\nb=AS:64\r\n", "ok"},
    {"media_attribute_before_connection", audio + "a=sendrecv\r\nc=IN IP4 192.0.2.1\r\n", "syntax"},
    {"session_line_in_media", audio + "t=0 0\r\n", "syntax"},
    {"session_connection_twice", begin + "c=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2\r\n", "syntax"},
    {"repeat_and_zone", begin + "t=1 2\r\nr=7d 1h 0\r\nz=1 0\r\nt=3 4\r\n", "ok"},
    {"nul", head + std::string("a=x\0y\r\n", 7), "control-character"},
    {"bare_cr", head + "a=x\ry\r\n", "control-character"},
    {"no_equals", head + "a sendrecv\r\n", "syntax"},
    {"space_before_type", head + " a=sendrecv\r\n", "syntax"},
    {"port_zero", head + "m=audio 0 RTP/AVP 0\r\n", "ok"},
    {"port_most", head + "m=audio 65535 RTP/AVP 0\r\n", "ok"},
    {"port_over", head + "m=audio 65536 RTP/AVP 0\r\n", "bad-port"},
    {"port_negative", head + "m=audio -1 RTP/AVP 0\r\n", "bad-port"},
    {"port_empty_count", head + "m=audio 1/ RTP/AVP 0\r\n", "bad-number"},
    {"port_count_zero", head + "m=audio 1/0 RTP/AVP 0\r\n", "bad-number"},
    {"port_count", head + "m=audio 49170/2 RTP/AVP 0\r\n", "ok"},
    {"media_no_format", head + "m=audio 49170 RTP/AVP\r\n", "truncated"},
    {"media_space_at_end", head + "m=audio 49170 RTP/AVP 0 \r\n", "ok"},
    {"media_two_spaces", head + "m=audio  49170 RTP/AVP 0\r\n", "syntax"},
    {"media_bad_type", head + "m=au(dio 49170 RTP/AVP 0\r\n", "syntax"},
    {"no_connection", begin + "m=audio 4000 RTP/AVP 0\r\n", "bad-address"},
    {"no_connection_needed", begin + "m=audio 0 RTP/AVP 0\r\n", "ok"},
    {"connection_short", begin + "c=IN IP4\r\n", "truncated"},
    {"connection_long", begin + "c=IN IP4 192.0.2.1 x\r\n", "syntax"},
    {"connection_octet_over", begin + "c=IN IP4 192.0.2.256\r\n", "bad-address"},
    {"connection_leading_zero", begin + "c=IN IP4 192.0.2.01\r\n", "bad-address"},
    {"connection_three_numbers", begin + "c=IN IP4 192.0.2\r\n", "bad-address"},
    {"connection_hexadecimal", begin + "c=IN IP4 0x0a000005\r\n", "bad-address"},
    {"connection_one_number", begin + "c=IN IP4 167772165\r\n", "bad-address"},
    {"connection_ends_in_number", begin + "c=IN IP4 a.1\r\n", "bad-address"},
    {"connection_other_family", begin + "c=IN IP4 2001:db8::1\r\n", "bad-address"},
    {"connection_other_family_6", begin + "c=IN IP6 192.0.2.1\r\n", "bad-address"},
    {"connection_zone", begin + "c=IN IP6 fe80::1%eth0\r\n", "bad-address"},
    {"connection_ttl_over", begin + "c=IN IP4 233.252.0.1/256\r\n", "bad-address"},
    {"connection_ttl_empty", begin + "c=IN IP4 233.252.0.1/\r\n", "bad-address"},
    {"connection_three_parts", begin + "c=IN IP4 233.252.0.1/1/2/3\r\n", "bad-address"},
    {"connection_ipv6_two_parts", begin + "c=IN IP6 ff00::1/1/2\r\n", "bad-address"},
    {"attribute_no_name", head + "a=:x\r\n", "syntax"},
    {"attribute_space_in_name", head + "a=x y\r\n", "syntax"},
    {"directions_differ", audio + "a=sendonly\r\na=recvonly\r\n", "syntax"},
    {"directions_same", audio + "a=sendonly\r\na=sendonly\r\n", "ok"},
    {"rtcp_port_over", audio + "a=rtcp:65536\r\n", "bad-port"},
    {"rtcp_empty", audio + "a=rtcp:\r\n", "bad-port"},
    {"rtcp_twice", audio + "a=rtcp:1\r\na=rtcp:1\r\n", "syntax"},
    {"rtcp_bad_address", audio + "a=rtcp:1 IN IP4 1.2.3\r\n", "bad-address"},
};
INSTANTIATE_TEST_SUITE_P(Table, SdpVerdict, testing::ValuesIn(cases),
                         [](const auto& row) { return row.param.name; });

TEST(Sdp, MulticastAddressKeepsThatItHasASuffix) {
  const SdpPtr four = parsed(begin + "c=IN IP4 233.252.0.1/127/3\r\nt=0 0\r\n");
  ASSERT_TRUE(four);
  EXPECT_TRUE(four->connection()->has_suffix);
  EXPECT_EQ(four->connection()->text, "233.252.0.1");
  EXPECT_EQ(four->connection()->address, IpAddress::parse("233.252.0.1"));
  const SdpPtr six = parsed(begin + "c=IN IP6 ff00::db8:0:101/3\r\nt=0 0\r\n");
  ASSERT_TRUE(six);
  EXPECT_TRUE(six->connection()->has_suffix);
}

TEST(Sdp, HostNamesAndOtherNetworksHaveNoAddress) {
  const SdpPtr name = parsed(begin + "c=IN IP4 media.example.com\r\nt=0 0\r\n");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->connection()->text, "media.example.com");
  EXPECT_FALSE(name->connection()->address);
  const SdpPtr atm = parsed(begin + "c=ATM NSAP 47.0091.8100.0000.0060.3e64.fd01\r\nt=0 0\r\n");
  ASSERT_TRUE(atm);
  EXPECT_FALSE(atm->connection()->address);
}

TEST(Sdp, Directions) {
  const SdpPtr sdp = parsed(head + "a=recvonly\r\nm=audio 1 RTP/AVP 0\r\nm=audio 1 RTP/AVP 0\r\n"
                                   "a=inactive\r\nm=audio 1 RTP/AVP 0\r\na=sendonly:no\r\n");
  ASSERT_TRUE(sdp);
  EXPECT_EQ(sdp->direction_of(0), Direction::recvonly);
  EXPECT_FALSE(sdp->media()[0].direction);
  EXPECT_EQ(sdp->direction_of(1), Direction::inactive);
  EXPECT_EQ(sdp->direction_of(2), Direction::recvonly);
  EXPECT_EQ(parsed(audio)->direction_of(0), Direction::sendrecv);
}

TEST(Sdp, RtcpAttribute) {
  const SdpPtr port = parsed(audio + "a=rtcp:53020\r\n");
  ASSERT_TRUE(port && port->media()[0].rtcp);
  EXPECT_EQ(port->media()[0].rtcp->port, 53020);
  EXPECT_FALSE(port->media()[0].rtcp->connection);
  const SdpPtr address = parsed(audio + "a=rtcp:53020 IN IP6 2001:db8::5\r\n");
  ASSERT_TRUE(address && address->media()[0].rtcp->connection);
  EXPECT_EQ(address->media()[0].rtcp->connection->address, IpAddress::parse("2001:db8::5"));
}

TEST(Sdp, RtcpMux) {
  EXPECT_FALSE(parsed(audio)->media()[0].is_rtcp_mux);
  const SdpPtr mux = parsed(audio + "a=rtcp-mux\r\n");
  EXPECT_TRUE(mux->media()[0].is_rtcp_mux);
  EXPECT_FALSE(mux->media()[0].is_rtcp_mux_only);
  const SdpPtr only = parsed(audio + "a=rtcp-mux-only\r\n");
  EXPECT_TRUE(only->media()[0].is_rtcp_mux);
  EXPECT_TRUE(only->media()[0].is_rtcp_mux_only);
}

TEST(Sdp, Candidates) {
  const SdpPtr sdp =
      parsed(audio + "a=ice-ufrag:8hhY\r\n"
                     "a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host\r\n"
                     "a=candidate:2 2 udp 1694498815 2001:db8::9 45664 typ srflx raddr 10.0.1.1 "
                     "rport 8998\r\n"
                     "a=candidate:3 1 TCP 1694498815 192.0.2.3 9 typ host tcptype active\r\n"
                     "a=candidate:4 1 udp 1 2f2b1aa3-7bd1.local 5000 typ host\r\n"
                     "a=candidate:5 0 udp 1 192.0.2.3 5000 typ host\r\n"
                     "a=candidate:5 257 udp 1 192.0.2.3 5000 typ host\r\n"
                     "a=candidate:6 1 udp 1 192.0.2.3 65536 typ host\r\n"
                     "a=candidate:7 1 udp 4294967296 192.0.2.3 5000 typ host\r\n"
                     "a=candidate:8 1 udp 1 192.0.2.300 5000 typ host\r\n"
                     "a=candidate:9 1 udp 1 192.0.2.3 5000 type host\r\n"
                     "a=candidate:nonsense\r\n");
  ASSERT_TRUE(sdp);
  EXPECT_TRUE(sdp->has_ice(0));
  const auto& candidates = sdp->media()[0].candidates;
  ASSERT_EQ(candidates.size(), 4U);
  EXPECT_EQ(candidates[0].component, 1);
  EXPECT_EQ(candidates[0].transport, MediaTransport::udp);
  EXPECT_EQ(candidates[0].address, IpAddress::parse("203.0.113.141"));
  EXPECT_EQ(candidates[0].port, 8998);
  EXPECT_EQ(candidates[0].type, "host");
  EXPECT_EQ(candidates[1].type, "srflx");
  EXPECT_EQ(candidates[1].component, 2);
  EXPECT_EQ(candidates[2].transport, MediaTransport::tcp);
  EXPECT_EQ(candidates[2].tcp_type, TcpType::active);
  EXPECT_FALSE(candidates[3].address);
  EXPECT_EQ(candidates[3].address_text, "2f2b1aa3-7bd1.local");
}

TEST(Sdp, IceOfTheSession) {
  const SdpPtr sdp = parsed(head + "a=ice-ufrag:8hhY\r\nm=audio 1 RTP/AVP 0\r\n");
  EXPECT_TRUE(sdp->has_ice(0));
  EXPECT_FALSE(sdp->has_ice(1));
  EXPECT_FALSE(parsed(audio)->has_ice(0));
}

TEST(Sdp, KeyMaterial) {
  const std::string second = "m=audio 5000 RTP/AVP 0\r\n";
  const auto keys = [](const SdpPtr& sdp) {
    std::string flags;
    for (const SdpMedia& media : sdp->media()) flags += media.has_key_material ? 'k' : '-';
    return flags;
  };
  EXPECT_EQ(keys(parsed(audio + second)), "--");
  EXPECT_EQ(keys(parsed(audio + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n" + second)), "k-");
  EXPECT_EQ(keys(parsed(audio + second + "a=key-mgmt:mikey AAAA\r\n")), "-k");
  EXPECT_EQ(keys(parsed(audio + "k=clear:x\r\n" + second)), "k-");
  EXPECT_EQ(keys(parsed(audio + "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n")), "k");
  EXPECT_EQ(keys(parsed(audio + "a=acap:1 ptime:20\r\na=acap:crypto\r\n")), "-");
  EXPECT_EQ(keys(parsed(head + "a=key-mgmt:mikey AAAA\r\nm=audio 1 RTP/AVP 0\r\n" + second)), "kk");
  EXPECT_EQ(keys(parsed(head + "k=prompt\r\nm=audio 1 RTP/AVP 0\r\n" + second)), "kk");
  EXPECT_EQ(keys(parsed(audio + "a=fingerprint:sha-256 AA:BB\r\n")), "-");
}

std::string repeated(const std::string& line, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += line;
  return all;
}

TEST(Sdp, Limits) {
  SdpLimits limits;
  limits.size = audio.size();
  EXPECT_EQ(verdict(audio, limits), "ok");
  EXPECT_EQ(verdict(audio + "a=x\r\n", limits), "too-long");
  limits = {};
  limits.line = 64;
  EXPECT_EQ(verdict(audio + "a=" + std::string(62, 'x') + "\r\n", limits), "ok");
  EXPECT_EQ(verdict(audio + "a=" + std::string(63, 'x') + "\r\n", limits), "too-long");
  limits = {};
  limits.lines = 6;
  EXPECT_EQ(verdict(audio, limits), "ok");
  EXPECT_EQ(verdict(audio + "y=\r\n", limits), "too-many");
  limits = {};
  limits.media = 2;
  EXPECT_EQ(verdict(audio + "m=audio 1 RTP/AVP 0\r\n", limits), "ok");
  EXPECT_EQ(verdict(audio + repeated("m=audio 1 RTP/AVP 0\r\n", 2), limits), "too-many");
  limits = {};
  limits.attributes = 3;
  EXPECT_EQ(verdict(head + "a=x\r\nm=audio 1 RTP/AVP 0\r\na=x\r\na=x\r\n", limits), "ok");
  EXPECT_EQ(verdict(audio + repeated("a=x\r\n", 4), limits), "too-many");
  limits = {};
  limits.candidates = 2;
  const std::string candidate = "a=candidate:1 1 UDP 1 203.0.113.141 8998 typ host\r\n";
  EXPECT_EQ(verdict(audio + repeated(candidate, 2), limits), "ok");
  EXPECT_EQ(verdict(audio + repeated(candidate, 3), limits), "too-many");
  EXPECT_EQ(
      verdict(audio + repeated(candidate, 2) + "m=audio 1 RTP/AVP 0\r\n" + repeated(candidate, 2),
              limits),
      "ok");
}

// Whatever is changed in a good description, the parser ends and what it gives is consistent.
TEST(Sdp, RandomDamage) {
  std::mt19937 random(8866);
  const std::string good = audio + "a=rtcp:53020 IN IP6 2001:db8::5\r\na=rtcp-mux\r\n"
                                   "a=candidate:1 1 UDP 1 203.0.113.141 8998 typ host\r\n"
                                   "m=video 0/2 RTP/AVP 31\r\nc=IN IP4 233.252.0.1/127\r\n";
  const std::string alphabet("=\r\n :/.0129amvIPx\0", 18);
  int accepted = 0;
  for (int round = 0; round < 10000; ++round) {
    std::string text = good;
    for (auto edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 8);
      else
        text[at] = alphabet[random() % alphabet.size()];
    }
    const auto sdp = Sdp::parse(text, SdpLimits{});
    if (!sdp) continue;
    ++accepted;
    for (std::size_t i = 0; i < (*sdp)->media().size(); ++i) {
      if ((*sdp)->media()[i].port != 0) {
        ASSERT_NE((*sdp)->connection_of(i), nullptr);
      }
      ASSERT_GE((*sdp)->media()[i].port_count, 1U);
      ASSERT_FALSE((*sdp)->media()[i].formats.empty());
    }
  }
  EXPECT_GT(accepted, 500);
}

} // namespace
} // namespace midcom::sip
