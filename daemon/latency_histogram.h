// SPDX-License-Identifier: GPL-3.0-or-later
// How long something took, over the life of the process: counts in buckets of an eighth of their
// value, so that adding one costs a few instructions and percentiles are right to 12 %.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace midcom {

class LatencyHistogram {
public:
  void add(std::chrono::nanoseconds taken);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // No more than `percent` of a hundred took longer than this; 0: nothing was added.
  [[nodiscard]] std::chrono::microseconds percentile(unsigned percent) const;
  [[nodiscard]] std::chrono::microseconds longest() const { return longest_; }

private:
  static constexpr std::size_t buckets = 200; // up to 67 s; what took longer is in the last
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::chrono::microseconds longest_{0};
};

} // namespace midcom
