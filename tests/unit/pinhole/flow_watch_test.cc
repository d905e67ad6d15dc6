// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/flow_watch.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace midcom::pinhole {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

FlowKey flow(std::uint16_t port) {
  return {{*Address::parse("192.0.2.1"), port}, {*Address::parse("198.51.100.1"), 4000}, 17};
}

class FlowWatchTest : public testing::Test {
protected:
  // When each look at the only flow was, until `end`.
  std::vector<milliseconds> looks_until(milliseconds end) {
    std::vector<milliseconds> looks;
    while (watch_.next_due() && *watch_.next_due() <= begin_ + end) {
      const TimePoint now = *watch_.next_due();
      EXPECT_EQ(watch_.take_due(now).size(), 1U);
      looks.push_back(std::chrono::duration_cast<milliseconds>(now - begin_));
    }
    return looks;
  }
  const TimePoint begin_{seconds(100)};
  FlowWatch watch_;
};

TEST_F(FlowWatchTest, WhatIsToldOfMediaIsWithinAQuarterInTheFirstSecond) {
  watch_.add(flow(1), 1, begin_);
  const auto looks = looks_until(seconds(1));
  ASSERT_FALSE(looks.empty());
  EXPECT_EQ(looks.front(), milliseconds(20));
  for (std::size_t i = 1; i < looks.size(); ++i)
    EXPECT_LE(looks[i] - looks[i - 1], std::max(looks[i - 1] / 4, milliseconds(10)));
}

TEST_F(FlowWatchTest, LooksSeldomAtRtcpAndAtWhatIsSilent) {
  watch_.add(flow(1), 2, begin_);
  EXPECT_TRUE(looks_until(milliseconds(999)).empty());
  EXPECT_EQ(looks_until(seconds(10)).size(), 6U);
  watch_.forget(flow(1));
  watch_.add(flow(1), 1, begin_);
  EXPECT_LE(looks_until(seconds(10)).size(), 25U);
  const auto late = looks_until(seconds(600));
  for (std::size_t i = 1; i < late.size(); ++i) EXPECT_LE(late[i] - late[i - 1], seconds(10));
}

TEST_F(FlowWatchTest, WhatWasForgottenIsNotLookedAt) {
  watch_.add(flow(1), 1, begin_);
  watch_.forget(flow(1));
  EXPECT_FALSE(watch_.next_due());
  watch_.forget(flow(1));
}

TEST_F(FlowWatchTest, WhatIsNearlyDueComesAlong) {
  watch_.add(flow(1), 1, begin_);
  watch_.add(flow(2), 1, begin_ + milliseconds(4));
  EXPECT_EQ(watch_.take_due(begin_ + milliseconds(20)).size(), 2U);
}

TEST_F(FlowWatchTest, AFlowThatIsCountedAnewBeginsAnew) {
  watch_.add(flow(1), 1, begin_);
  watch_.add(flow(1), 1, begin_ + seconds(5));
  EXPECT_EQ(watch_.opened(flow(1)), begin_ + seconds(5));
  EXPECT_EQ(watch_.next_due(), begin_ + seconds(5) + milliseconds(20));
}

TEST_F(FlowWatchTest, IsBounded) {
  for (int i = 0; i < 10000; ++i) watch_.add(flow(static_cast<std::uint16_t>(i)), 1, begin_);
  std::size_t seen = 0, turns = 0;
  for (; watch_.next_due() == begin_ + milliseconds(20); ++turns)
    seen += watch_.take_due(begin_ + milliseconds(20)).size();
  EXPECT_EQ(seen, 8192U);
  EXPECT_EQ(turns, 8U);
}

} // namespace
} // namespace midcom::pinhole
