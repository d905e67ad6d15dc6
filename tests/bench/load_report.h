// SPDX-License-Identifier: GPL-3.0-or-later
// What a run of calls came to.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace midcom::bench {

class Latency {
public:
  void add(std::chrono::nanoseconds value);
  // {"p50": ..., "p90": ..., "p99": ..., "max": ...} in milliseconds.
  [[nodiscard]] std::string json();
  [[nodiscard]] std::string line();

private:
  [[nodiscard]] double at(double share); // of the sorted values, in milliseconds
  std::vector<std::uint32_t> microseconds_;
  bool is_sorted_ = false;
};

struct Report {
  std::size_t started = 0, completed = 0;
  std::map<std::string, std::size_t> failures; // by status or word
  std::size_t in_flight_peak = 0;
  std::chrono::nanoseconds took{0}; // first call started to last call ended
  Latency invite, bye;

  void failed(const std::string& why) { ++failures[why]; }
  [[nodiscard]] std::size_t failed_calls() const;
  [[nodiscard]] double calls_per_second() const;
  [[nodiscard]] std::string json();
  [[nodiscard]] std::string lines();
};

} // namespace midcom::bench
