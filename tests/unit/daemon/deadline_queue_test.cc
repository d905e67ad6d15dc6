// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/deadline_queue.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace midcom {
namespace {

sip::TimePoint at(int ms) {
  return sip::TimePoint{} + std::chrono::milliseconds(ms);
}

TEST(DeadlineQueue, EmptyHasNothingDue) {
  DeadlineQueue queue;
  EXPECT_FALSE(queue.next());
  EXPECT_FALSE(queue.pop_due(at(1000)));
  queue.set(1, std::nullopt);
  EXPECT_FALSE(queue.next());
}

TEST(DeadlineQueue, GivesThingsInTheirOrderAndOnce) {
  DeadlineQueue queue;
  queue.set(1, at(30));
  queue.set(2, at(10));
  queue.set(3, at(20));
  EXPECT_EQ(queue.next(), at(10));
  EXPECT_FALSE(queue.pop_due(at(9)));
  EXPECT_EQ(queue.pop_due(at(30)), 2U);
  EXPECT_EQ(queue.pop_due(at(30)), 3U);
  EXPECT_EQ(queue.pop_due(at(30)), 1U);
  EXPECT_FALSE(queue.pop_due(at(30)));
}

TEST(DeadlineQueue, ANewDeadlineReplacesTheOld) {
  DeadlineQueue queue;
  queue.set(1, at(10));
  queue.set(1, at(50));
  EXPECT_FALSE(queue.pop_due(at(49)));
  queue.set(1, at(20));
  EXPECT_EQ(queue.pop_due(at(20)), 1U);
  queue.set(1, at(10));
  queue.set(1, std::nullopt);
  EXPECT_FALSE(queue.pop_due(at(99)));
}

TEST(DeadlineQueue, AgreesWithAMap) {
  std::mt19937 random(1);
  DeadlineQueue queue;
  std::map<std::uint64_t, sip::TimePoint> model;
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t id = random() % 20;
    const auto when = at(static_cast<int>(random() % 100));
    switch (random() % 4) {
    case 0:
      queue.set(id, std::nullopt);
      model.erase(id);
      break;
    case 1:
      if (const auto due = queue.pop_due(when)) {
        ASSERT_TRUE(model.contains(*due));
        EXPECT_LE(model.at(*due), when);
        model.erase(*due);
      }
      break;
    default:
      queue.set(id, when);
      model[id] = when;
    }
    std::optional<sip::TimePoint> first;
    for (const auto& [key, value] : model)
      if (!first || value < *first) first = value;
    ASSERT_EQ(queue.next(), first);
  }
}

} // namespace
} // namespace midcom
