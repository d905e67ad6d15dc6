// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/latency_histogram.h"

#include <algorithm>
#include <bit>

namespace midcom {

using std::chrono::microseconds;

namespace {

// Below 16 us each microsecond has its bucket, above each power of two has eight.
constexpr std::size_t parts = 8;

std::size_t bucket_of(std::uint64_t value) {
  const auto shift =
      static_cast<std::size_t>(std::bit_width(std::max(value, std::uint64_t{8})) - 4);
  return shift * parts + static_cast<std::size_t>(value >> shift);
}

std::uint64_t most_of(std::size_t bucket) {
  if (bucket < std::size_t{2} * parts) return bucket;
  const std::size_t shift = bucket / parts - 1;
  return ((bucket % parts + parts + 1) << shift) - 1;
}

} // namespace

void LatencyHistogram::add(std::chrono::nanoseconds taken) {
  const auto value = std::max(std::chrono::ceil<microseconds>(taken), microseconds(0));
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(value.count()));
  ++counts_[std::min(bucket, buckets - 1)];
  ++count_;
  longest_ = std::max(longest_, value);
}

microseconds LatencyHistogram::percentile(unsigned percent) const {
  const std::uint64_t wanted = (count_ * percent + 99) / 100;
  std::uint64_t found = 0;
  for (std::size_t bucket = 0; bucket < buckets - 1; ++bucket) {
    found += counts_[bucket];
    if (found >= wanted && found > 0) return std::min(microseconds(most_of(bucket)), longest_);
  }
  return longest_;
}

} // namespace midcom
