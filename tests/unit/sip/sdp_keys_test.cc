// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_keys.h"

#include <gtest/gtest.h>

#include <string>

#include "sip/sdp.h"

namespace midcom::sip {
namespace {

const std::string head = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
                         "t=0 0\r\n";
const std::string audio = "m=audio 49170 RTP/SAVP 0\r\n";
const std::string crypto =
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

std::string stripped(const std::string& sdp) {
  return without_key_material(sdp).value_or("refused");
}

TEST(SdpKeys, LinesWithKeysGoAndOthersStay) {
  const std::string kept = "a=rtpmap:0 PCMU/8000\r\na=fingerprint:SHA-256 4A:AD\r\n"
                           "a=zrtp-hash:1.10 fe30\r\na=cryptographic\r\n";
  EXPECT_EQ(stripped(head + audio + crypto + kept), head + audio + kept);
  EXPECT_EQ(stripped(head + audio + "k=prompt\r\n" + kept), head + audio + kept);
  EXPECT_EQ(stripped(head + "a=key-mgmt:mikey AQAFgM0X\r\n" + audio), head + audio);
  EXPECT_EQ(stripped(head + audio + kept), head + audio + kept);
}

TEST(SdpKeys, CapabilitiesCarryKeysToo) {
  EXPECT_EQ(stripped(head + audio + "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:W\r\n"),
            head + audio);
  EXPECT_EQ(stripped(head + audio + "a=acap:2 key-mgmt:mikey AQ\r\na=acap:3 ptime:20\r\n"),
            head + audio + "a=acap:3 ptime:20\r\n");
}

TEST(SdpKeys, CaseDoesNotHideAKey) {
  EXPECT_EQ(stripped(head + audio + "a=CRYPTO:1 X inline:W\r\na=Key-Mgmt:mikey A\r\n"),
            head + audio);
  EXPECT_EQ(stripped(head + audio + "A=crypto:1 X inline:W\r\nK=clear:W\r\n"), head + audio);
}

TEST(SdpKeys, EndsOfLinesStayAndTheLastMayLack) {
  const std::string lines = "v=0\no=a 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\n"
                            "m=audio 4 RTP/SAVP 0\n";
  EXPECT_EQ(stripped(lines + "a=crypto:1 X inline:W\na=ptime:20"), lines + "a=ptime:20");
  EXPECT_EQ(stripped(lines + "a=crypto:1 X inline:W"), lines);
}

TEST(SdpKeys, WhatCantBeReadIsNotShared) {
  for (const std::string& sdp :
       {std::string(), std::string("a=crypto:1"), head + audio + "a=x\ra=crypto:1 X inline:W\r\n",
        head + audio + "a= crypto:1 X inline:W\r\n"})
    EXPECT_FALSE(without_key_material(sdp)) << sdp;
}

TEST(SdpKeys, TheResultHasNoneAndReads) {
  const auto shared = without_key_material(head + audio + crypto);
  ASSERT_TRUE(shared);
  const auto sdp = Sdp::parse(*shared, {});
  ASSERT_TRUE(sdp);
  EXPECT_FALSE((*sdp)->media().front().has_key_material);
}

TEST(SdpKeys, PrivateIsSharedAndKeysAndNothingElse) {
  const std::string shared = head + audio + "a=ptime:20\r\n";
  const std::string own = head + audio + crypto + "a=ptime:20\r\n";
  EXPECT_TRUE(is_same_but_keys(shared, own));
  EXPECT_TRUE(is_same_but_keys(shared, shared));
  EXPECT_FALSE(is_same_but_keys(own, own));
  EXPECT_FALSE(is_same_but_keys(own, shared));
  EXPECT_FALSE(is_same_but_keys(shared, own + "a=sendonly\r\n"));
  EXPECT_FALSE(is_same_but_keys(shared + "a=sendonly\r\n", own));
  std::string moved = own;
  moved.replace(moved.find("49170"), 5, "49172");
  EXPECT_FALSE(is_same_but_keys(shared, moved));
  EXPECT_FALSE(is_same_but_keys(shared, "v=0\r\n"));
  EXPECT_FALSE(is_same_but_keys({}, {}));
}

TEST(SdpKeys, OtherEndsOfLinesAreTheSameDescription) {
  std::string shared = head + audio;
  std::erase(shared, '\r');
  EXPECT_TRUE(is_same_but_keys(shared, head + audio + crypto));
}

TEST(SdpKeys, NoKeyOnAScreen) {
  EXPECT_EQ(with_keys_hidden(head + audio + crypto + "k=clear:W\r\na=ptime:20"),
            head + audio + "a=crypto:[key]\r\nk=[key]\r\na=ptime:20");
  EXPECT_EQ(with_keys_hidden("a=acap:1 crypto:1 X inline:W"), "a=acap:[key]");
  EXPECT_EQ(with_keys_hidden("a=crypto"), "a=crypto[key]");
}

TEST(SdpKeys, NoKeyOnAScreenInWhatIsNoDescription) {
  EXPECT_EQ(with_keys_hidden("take a=crypto:1 X inline:W\rhello\n  K=W"), "[key]\rhello\n[key]");
  EXPECT_EQ(with_keys_hidden("a =crypto: 1"), "[key]");
  EXPECT_EQ(with_keys_hidden("hello\r\n\r\nBob"), "hello\r\n\r\nBob");
}

} // namespace
} // namespace midcom::sip
