// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/replay_cache.h"

#include <gtest/gtest.h>

namespace midcom {
namespace {

using std::chrono::seconds;

constexpr std::int64_t start = 1'800'000'000;

struct Body {
  std::array<std::uint8_t, 32> digest{};
  std::string signer = "sip:alice@example.com", call_id = "c1", cseq = "1 INVITE", identity = "a";
  std::int64_t date = start + 10;
  [[nodiscard]] ReplayCache::Signed view() const {
    return {signer, digest, call_id, cseq, date, identity};
  }
};

TEST(ReplayCache, TheSameBodyCountsOnceForOthers) {
  ReplayCache cache(start, seconds(3600), 100, seconds(185));
  Body body;
  EXPECT_EQ(cache.take(body.view(), start + 10), Reason::none);
  body.identity = "mallory";
  EXPECT_EQ(cache.take(body.view(), start + 11), Reason::signature_replayed);
}

TEST(ReplayCache, BranchesOfAForkPassWhileTheirTransactionMayLive) {
  ReplayCache cache(start, seconds(3600), 100, seconds(185));
  const Body body;
  EXPECT_EQ(cache.take(body.view(), start + 10), Reason::none);
  EXPECT_EQ(cache.take(body.view(), start + 195), Reason::none);
  EXPECT_EQ(cache.take(body.view(), start + 196), Reason::signature_replayed);
}

TEST(ReplayCache, AnotherCallOrCSeqIsAnotherBody) {
  ReplayCache cache(start, seconds(3600), 100, seconds(185));
  Body body;
  EXPECT_EQ(cache.take(body.view(), start + 10), Reason::none);
  body.identity = "b";
  body.cseq = "2 INVITE";
  EXPECT_EQ(cache.take(body.view(), start + 10), Reason::none);
  body.call_id = "c2";
  EXPECT_EQ(cache.take(body.view(), start + 10), Reason::none);
}

TEST(ReplayCache, WhatIsDatedBeforeTheStartMayHaveBeenTakenBefore) {
  ReplayCache cache(start, seconds(3600), 100, seconds(185));
  Body body;
  body.date = start - 1;
  EXPECT_EQ(cache.take(body.view(), start), Reason::signature_stale);
  body.date = start;
  EXPECT_EQ(cache.take(body.view(), start), Reason::none);
}

TEST(ReplayCache, ForgetsWhatIsTooOldToPassAnyway) {
  ReplayCache cache(start, seconds(3600), 100, seconds(185));
  Body body;
  EXPECT_EQ(cache.take(body.view(), start + 10), Reason::none);
  EXPECT_EQ(cache.size(), 1U);
  body.digest[0] = 1;
  body.date = start + 3611;
  EXPECT_EQ(cache.take(body.view(), start + 3611), Reason::none);
  EXPECT_EQ(cache.size(), 1U);
}

// One signer can't push out what others signed: a full cache refuses, and one's share is small.
TEST(ReplayCache, AFullCacheRefusesAndASignerFillsOnlyItsShare) {
  ReplayCache cache(start, seconds(3600), 16, seconds(185));
  Body body;
  Reason last = Reason::none;
  for (std::uint8_t n = 0; n < 16 && last == Reason::none; ++n) {
    body.digest[0] = n;
    last = cache.take(body.view(), start + 10);
  }
  EXPECT_EQ(last, Reason::replay_table_full);
  EXPECT_EQ(cache.size(), 3U);
  body.signer = "sip:bob@example.com";
  EXPECT_EQ(cache.take(body.view(), start + 10), Reason::none);
  for (std::uint8_t n = 0; n < 30; ++n) {
    body.signer = "sip:u" + std::to_string(n) + "@example.com";
    body.digest[0] = n;
    last = cache.take(body.view(), start + 10);
  }
  EXPECT_EQ(last, Reason::replay_table_full);
  EXPECT_EQ(cache.size(), 16U);
  body.signer = "sip:alice@example.com";
  body.digest[0] = 0;
  EXPECT_EQ(cache.take(body.view(), start + 20), Reason::none); // what it knows it still knows
}

} // namespace
} // namespace midcom
