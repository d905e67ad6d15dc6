// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/trickle_ice.h"

#include <gtest/gtest.h>

#include <random>

namespace midcom::sip {
namespace {

// RFC 8840 4.4
const std::string example = "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
                            "a=ice-ufrag:8hhY\r\n"
                            "m=audio 9 RTP/AVP 0\r\n"
                            "a=mid:1\r\n"
                            "a=candidate:1 1 UDP 2130706432 2001:db8:a0b:12f0::1 5000 typ host\r\n"
                            "a=candidate:1 2 UDP 2130706432 2001:db8:a0b:12f0::1 5001 typ host\r\n"
                            "m=audio 9 RTP/AVP 0\r\n"
                            "a=mid:2\r\n"
                            "a=candidate:1 1 UDP 2130706432 2001:db8:a0b:12f0::1 5002 typ host\r\n"
                            "a=end-of-candidates\r\n";

std::string verdict(const std::string& text, const SdpLimits& limits = {}) {
  const auto fragment = TrickleFragment::parse(text, limits);
  return fragment ? "ok" : std::string(to_string(fragment.error()));
}

TrickleFragmentPtr parsed(const std::string& text) {
  const auto fragment = TrickleFragment::parse(text, {});
  EXPECT_TRUE(fragment.has_value()) << text;
  return fragment ? *fragment : nullptr;
}

SdpPtr description(const std::string& rest) {
  return Sdp::parse(
             "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + rest, {})
      .value();
}

TEST(TrickleFragment, ReadsTheExampleOfRfc8840) {
  const auto fragment = parsed(example);
  ASSERT_EQ(fragment->media().size(), 2U);
  EXPECT_EQ(fragment->text(), example);
  EXPECT_EQ(fragment->ice_ufrag_of(0), "8hhY");
  EXPECT_EQ(fragment->ice_ufrag_of(2), "");
  EXPECT_EQ(fragment->media()[0].type, "audio");
  EXPECT_EQ(fragment->media()[0].mid, "1");
  ASSERT_EQ(fragment->media()[0].candidates.size(), 2U);
  EXPECT_EQ(fragment->media()[0].candidates[1].component, 2);
  EXPECT_EQ(fragment->media()[0].candidates[1].port, 5001);
}

// RFC 8840 6 and 7
TEST(TrickleFragment, LeavesOutWhatDoesNotCount) {
  const auto fragment = parsed("a=group:BUNDLE foo bar\r\na=ICE-UFRAG:8hhY\r\n"
                               "a=end-of-candidates\r\nm=audio 9 RTP/AVP 0\r\na=mid:foo\r\n"
                               "a=rtcp-mux\r\na=rtcp\r\na=extension:1\r\n"
                               "a=candidate:nonsense\r\n");
  EXPECT_EQ(fragment->ice_ufrag_of(0), "8hhY");
  EXPECT_TRUE(fragment->media()[0].candidates.empty());
}

TEST(TrickleFragment, FindsItsLine) {
  const std::string ufrag = "a=ice-ufrag:8hhY\r\n";
  const auto fragment = parsed(example);
  const SdpPtr sdp = description(ufrag + "m=audio 9 RTP/AVP 0\r\na=mid:2\r\n"
                                         "m=audio 9 RTP/AVP 0\r\na=mid:1\r\n"
                                         "m=audio 9 RTP/AVP 0\r\na=mid:3\r\n"
                                         "m=audio 9 RTP/AVP 0\r\na=mid:1x\r\n"
                                         "m=audio 9 RTP/AVP 0\r\n");
  EXPECT_EQ(fragment->find(*sdp, 0), &fragment->media()[1]);
  EXPECT_EQ(fragment->find(*sdp, 1), &fragment->media()[0]);
  for (const std::size_t none : {2U, 3U, 4U, 5U}) EXPECT_EQ(fragment->find(*sdp, none), nullptr);
  const SdpPtr other = description("m=audio 9 RTP/AVP 0\r\na=mid:1\r\na=ice-ufrag:8hhX\r\n"
                                   "m=audio 9 RTP/AVP 0\r\na=mid:2\r\n");
  EXPECT_EQ(fragment->find(*other, 0), nullptr);
  EXPECT_EQ(fragment->find(*other, 1), nullptr);
}

TEST(TrickleFragment, WithoutMidByPlace) {
  const auto fragment =
      parsed("a=ice-ufrag:8hhY\r\nm=audio 9 RTP/AVP 0\r\nm=video 9 RTP/AVP 0\r\n");
  const SdpPtr sdp = description("a=ice-ufrag:8hhY\r\nm=audio 9 RTP/AVP 0\r\n"
                                 "m=video 9 RTP/AVP 0\r\na=mid:v\r\nm=video 9 RTP/AVP 0\r\n");
  EXPECT_EQ(fragment->find(*sdp, 0), &fragment->media()[0]);
  EXPECT_EQ(fragment->find(*sdp, 1), nullptr);
  EXPECT_EQ(fragment->find(*sdp, 2), nullptr);
}

TEST(TrickleFragment, Refused) {
  EXPECT_EQ(verdict(""), "ok");
  EXPECT_EQ(verdict("a=x"), "ok");
  for (const std::string bad :
       {"v=0\r\n", "\r\n", "c=IN IP4 192.0.2.1\r\n", "a=\r\n", "a=x y\r\n", "m=\r\n", "m=(\r\n",
        "a=ice-ufrag:8hh\r\n", "a=ice-ufrag:8hhY\r\na=ice-ufrag:8hhX\r\n", "a=ice-pwd:short\r\n",
        "m=a\r\na=mid:1\r\nm=a\r\na=mid:1\r\n", "m=a\r\na=mid:1\r\na=mid:2\r\n", "A=x\r\n"})
    EXPECT_NE(verdict(bad), "ok") << bad;
  EXPECT_EQ(verdict("a=x\ry\r\n"), "control-character");
  EXPECT_EQ(verdict(std::string("a=x\0\r\n", 6)), "control-character");
}

TEST(TrickleFragment, Limits) {
  SdpLimits limits;
  limits.size = 10;
  EXPECT_EQ(verdict("a=12345678", limits), "ok");
  EXPECT_EQ(verdict("a=123456789", limits), "too-long");
  limits = {};
  limits.line = 4;
  EXPECT_EQ(verdict("a=123\r\n", limits), "too-long");
  limits = {};
  limits.lines = 1;
  EXPECT_EQ(verdict("a=x\r\na=y\r\n", limits), "too-many");
  limits = {};
  limits.attributes = 1;
  EXPECT_EQ(verdict("a=x\r\na=y\r\n", limits), "too-many");
  limits = {};
  limits.media = 1;
  EXPECT_EQ(verdict("m=a\r\nm=b\r\n", limits), "too-many");
  limits = {};
  limits.candidates = 1;
  const std::string candidate = "a=candidate:1 1 UDP 1 192.0.2.1 1 typ host\r\n";
  EXPECT_EQ(verdict("m=a\r\n" + candidate + "m=b\r\n" + candidate, limits), "ok");
  EXPECT_EQ(verdict("m=a\r\n" + candidate + candidate, limits), "too-many");
}

TEST(TrickleFragment, RandomDamage) {
  std::mt19937 random(8840);
  int accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text = example;
    for (auto edits = 1 + random() % 3; edits > 0; --edits)
      text[random() % text.size()] = "=\r\n :/.0129am"[random() % 13];
    const auto fragment = TrickleFragment::parse(text, {});
    if (!fragment) continue;
    ++accepted;
    for (const TrickledMedia& media : (*fragment)->media())
      for (const SdpCandidate& one : media.candidates) ASSERT_GE(one.component, 1);
  }
  EXPECT_GT(accepted, 500);
}

} // namespace
} // namespace midcom::sip
