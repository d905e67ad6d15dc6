// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sip/transaction.h"

namespace midcom {

// One deadline for each numbered thing.
class DeadlineQueue {
public:
  void set(std::uint64_t id, std::optional<sip::TimePoint> when) { // empty takes it out
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) {
      if (when && found->second == *when) return;
      queue_.erase({found->second, id});
      by_id_.erase(found);
    }
    if (!when) return;
    queue_.emplace(*when, id);
    by_id_.emplace(id, *when);
  }
  [[nodiscard]] std::optional<sip::TimePoint> next() const {
    if (queue_.empty()) return std::nullopt;
    return queue_.begin()->first;
  }
  // The first thing due at `now`, taken out; empty when there is none.
  [[nodiscard]] std::optional<std::uint64_t> pop_due(sip::TimePoint now) {
    if (queue_.empty() || queue_.begin()->first > now) return std::nullopt;
    const std::uint64_t id = queue_.begin()->second;
    queue_.erase(queue_.begin());
    by_id_.erase(id);
    return id;
  }

private:
  std::set<std::pair<sip::TimePoint, std::uint64_t>> queue_;
  std::unordered_map<std::uint64_t, sip::TimePoint> by_id_;
};

} // namespace midcom
