// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/latency_histogram.h"

#include <gtest/gtest.h>

namespace midcom {
namespace {

using std::chrono::microseconds;

TEST(LatencyHistogram, EmptySaysNothing) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(50), microseconds(0));
  EXPECT_EQ(histogram.percentile(99), microseconds(0));
  EXPECT_EQ(histogram.longest(), microseconds(0));
}

TEST(LatencyHistogram, PercentilesOfAFewValues) {
  LatencyHistogram histogram;
  for (int i = 0; i < 98; ++i) histogram.add(microseconds(7));
  histogram.add(microseconds(1000));
  histogram.add(microseconds(50000));
  EXPECT_EQ(histogram.count(), 100U);
  EXPECT_EQ(histogram.percentile(50), microseconds(7));
  EXPECT_EQ(histogram.percentile(98), microseconds(7));
  EXPECT_EQ(histogram.percentile(99), microseconds(1023));
  EXPECT_EQ(histogram.percentile(100), microseconds(50000));
  EXPECT_EQ(histogram.longest(), microseconds(50000));
}

TEST(LatencyHistogram, NeverLowAndAtMostAnEighthHigh) {
  for (std::int64_t value = 0; value < 60'000'000; value += 1 + value / 7) {
    LatencyHistogram histogram;
    histogram.add(microseconds(value));
    histogram.add(microseconds(66'000'000));
    EXPECT_GE(histogram.percentile(50).count(), value);
    EXPECT_LE(histogram.percentile(50).count(), value + value / 8);
  }
}

TEST(LatencyHistogram, BoundsWhatIsOutOfRange) {
  LatencyHistogram histogram;
  histogram.add(microseconds(-5)); // a clock that was set back
  EXPECT_EQ(histogram.percentile(100), microseconds(0));
  histogram.add(std::chrono::hours(2000));
  EXPECT_EQ(histogram.percentile(100), std::chrono::hours(2000));
  EXPECT_EQ(histogram.count(), 2U);
}

TEST(LatencyHistogram, RoundsUpToMicroseconds) {
  LatencyHistogram histogram;
  histogram.add(std::chrono::nanoseconds(2001));
  EXPECT_EQ(histogram.percentile(50), microseconds(3));
}

} // namespace
} // namespace midcom
