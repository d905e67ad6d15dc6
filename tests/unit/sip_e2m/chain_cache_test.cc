// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/chain_cache.h"

#include <gtest/gtest.h>

namespace midcom::sip::e2m {
namespace {

Digest named(std::uint8_t name) {
  Digest digest{};
  digest[0] = name;
  return digest;
}

TEST(ChainCache, HoldsForItsPeriod) {
  ChainCache cache(4);
  EXPECT_FALSE(cache.holds(named(1), 15));
  cache.remember(named(1), 10, 20);
  EXPECT_TRUE(cache.holds(named(1), 10));
  EXPECT_TRUE(cache.holds(named(1), 19));
  EXPECT_FALSE(cache.holds(named(1), 20));
  EXPECT_EQ(cache.size(), 0U); // forgotten
}

TEST(ChainCache, AClockSetBack) {
  ChainCache cache(4);
  cache.remember(named(1), 10, 20);
  EXPECT_FALSE(cache.holds(named(1), 9));
}

TEST(ChainCache, TheLeastUsedGoes) {
  ChainCache cache(2);
  cache.remember(named(1), 0, 20);
  cache.remember(named(2), 0, 20);
  EXPECT_TRUE(cache.holds(named(1), 5));
  cache.remember(named(3), 0, 20);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(cache.holds(named(1), 5));
  EXPECT_FALSE(cache.holds(named(2), 5));
  EXPECT_TRUE(cache.holds(named(3), 5));
}

TEST(ChainCache, RememberedAgainAndNotAtAll) {
  ChainCache cache(2);
  cache.remember(named(1), 0, 20);
  cache.remember(named(1), 0, 30);
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_TRUE(cache.holds(named(1), 25));
  cache.remember(named(2), 5, 5);
  EXPECT_FALSE(cache.holds(named(2), 5));
  ChainCache none(0);
  none.remember(named(1), 0, 20);
  EXPECT_FALSE(none.holds(named(1), 5));
}

TEST(ChainCache, MovedKeepsItsOrder) {
  ChainCache first(2);
  first.remember(named(1), 0, 20);
  first.remember(named(2), 0, 20);
  ChainCache cache = std::move(first);
  EXPECT_TRUE(cache.holds(named(1), 5));
  cache.remember(named(3), 0, 20);
  EXPECT_TRUE(cache.holds(named(1), 5));
}

} // namespace
} // namespace midcom::sip::e2m
