// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/load_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <utility>

namespace midcom::bench {
namespace {

constexpr std::array<std::pair<const char*, double>, 4> shares{
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1.0}}};

std::string number(double value, int digits) {
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

} // namespace

void Latency::add(std::chrono::nanoseconds value) {
  const auto counted =
      std::clamp<std::int64_t>(value.count() / 1000, 0, std::numeric_limits<std::uint32_t>::max());
  microseconds_.push_back(static_cast<std::uint32_t>(counted));
  is_sorted_ = false;
}

double Latency::at(double share) {
  if (microseconds_.empty()) return 0;
  if (!is_sorted_) std::ranges::sort(microseconds_);
  is_sorted_ = true;
  const auto last = static_cast<double>(microseconds_.size() - 1);
  return microseconds_[static_cast<std::size_t>(share * last)] / 1000.0;
}

std::string Latency::json() {
  std::string text;
  for (const auto& [name, share] : shares)
    text += (text.empty() ? "{\"" : ", \"") + std::string(name) + "\": " + number(at(share), 3);
  return text + "}";
}

std::string Latency::line() {
  std::string text;
  for (const auto& [name, share] : shares)
    text += " " + std::string(name) + " " + number(at(share), 2);
  return text + " ms";
}

std::size_t Report::failed_calls() const {
  std::size_t count = 0;
  for (const auto& [why, times] : failures) count += times;
  return count;
}

double Report::calls_per_second() const {
  const double seconds = std::chrono::duration<double>(took).count();
  return seconds > 0 ? static_cast<double>(completed) / seconds : 0;
}

std::string Report::json() {
  std::string why;
  for (const auto& [word, times] : failures)
    why += (why.empty() ? "\"" : ", \"") + word + "\": " + std::to_string(times);
  return "{\"started\": " + std::to_string(started) +
         ", \"completed\": " + std::to_string(completed) +
         ", \"failed\": " + std::to_string(failed_calls()) + ", \"failures\": {" + why +
         "}, \"in_flight_peak\": " + std::to_string(in_flight_peak) +
         ", \"seconds\": " + number(std::chrono::duration<double>(took).count(), 3) +
         ", \"calls_per_second\": " + number(calls_per_second(), 1) +
         ", \"invite_ms\": " + invite.json() + ", \"bye_ms\": " + bye.json() + "}\n";
}

std::string Report::lines() {
  std::string text = std::to_string(completed) + " calls, " + number(calls_per_second(), 1) +
                     " per second, " + std::to_string(failed_calls()) + " failed, at most " +
                     std::to_string(in_flight_peak) + " in flight\n";
  for (const auto& [word, times] : failures)
    text += "  failed with " + word + ": " + std::to_string(times) + "\n";
  return text + "INVITE to 200:" + invite.line() + "\nBYE to 200:   " + bye.line() + "\n";
}

} // namespace midcom::bench
