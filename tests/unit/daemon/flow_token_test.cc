// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/flow_token.h"

#include <limits>
#include <set>

#include <gtest/gtest.h>

namespace midcom {
namespace {

constexpr SecretKey key{1, 2, 3};

TEST(FlowToken, SurvivesItsText) {
  for (const auto kind : {FlowToken::Kind::flow, FlowToken::Kind::peer})
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0}})
      for (const std::uint32_t epoch : {0U, 1U, std::numeric_limits<std::uint32_t>::max()}) {
        const FlowToken token{kind, value, epoch};
        const auto decoded = decode_token(key, encode(key, token));
        ASSERT_TRUE(decoded);
        EXPECT_EQ(*decoded, token);
      }
}

TEST(FlowToken, IsFitForAUriUser) {
  const auto text = encode(key, {FlowToken::Kind::flow, 12345, 99});
  EXPECT_EQ(text.size(), 46U);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(FlowToken, AnyChangedNibbleIsTampering) {
  const auto text = encode(key, {FlowToken::Kind::flow, 12345, 99});
  for (std::size_t i = 0; i < text.size(); ++i)
    for (const char c : std::string_view("0123456789abcdef")) {
      if (c == text[i]) continue;
      std::string forged = text;
      forged[i] = c;
      const auto decoded = decode_token(key, forged);
      ASSERT_FALSE(decoded) << forged;
      EXPECT_EQ(decoded.error(), TokenError::tampered);
    }
}

TEST(FlowToken, AnyOtherLengthIsTampering) {
  const auto text = encode(key, {FlowToken::Kind::peer, 1, 0});
  for (std::size_t size = 1; size < text.size(); ++size)
    EXPECT_EQ(decode_token(key, text.substr(0, size)).error(), TokenError::tampered);
  EXPECT_EQ(decode_token(key, text + "0").error(), TokenError::tampered);
  EXPECT_EQ(decode_token(key, text + text).error(), TokenError::tampered);
}

TEST(FlowToken, OnlyItsOwnSpellingPasses) {
  auto text = encode(key, {FlowToken::Kind::flow, 0xabcdefabcdef, 0xabcdef});
  for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(decode_token(key, text).error(), TokenError::tampered);
  EXPECT_EQ(decode_token(key, "alice").error(), TokenError::tampered);
  EXPECT_EQ(decode_token(key, std::string(46, '\0')).error(), TokenError::tampered);
}

TEST(FlowToken, AnEmptyUserIsNoToken) {
  EXPECT_EQ(decode_token(key, "").error(), TokenError::absent);
}

TEST(FlowToken, AnotherKeyMakesAnotherToken) {
  constexpr SecretKey other{1, 2, 4};
  const FlowToken token{FlowToken::Kind::flow, 1, 1};
  EXPECT_NE(encode(key, token), encode(other, token));
  EXPECT_FALSE(decode_token(other, encode(key, token)));
}

// A kind this version doesn't know can't come from it, even with a good MAC.
TEST(FlowToken, UnknownKindIsRefused) {
  const auto text = encode(key, {static_cast<FlowToken::Kind>('x'), 1, 1});
  EXPECT_EQ(decode_token(key, text).error(), TokenError::tampered);
}

TEST(FlowToken, PeerValuesDiffer) {
  const std::set<std::uint64_t> values{peer_token_value(""), peer_token_value("a"),
                                       peer_token_value("b"), peer_token_value("ab"),
                                       peer_token_value("ba")};
  EXPECT_EQ(values.size(), 5U);
}

} // namespace
} // namespace midcom
