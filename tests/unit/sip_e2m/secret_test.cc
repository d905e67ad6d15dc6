// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace midcom::sip::e2m {
namespace {

TEST(Secret, MovesAndClones) {
  Secret first = Secret::copy_of("0123456789abcdef");
  const Secret copy = first.clone();
  EXPECT_TRUE(first == copy);
  const Secret moved = std::move(first);
  EXPECT_TRUE(moved == copy);
  EXPECT_TRUE(first.empty()); // NOLINT(bugprone-use-after-move): that is what is asked
}

TEST(Secret, ComparesSizeAndOctets) {
  EXPECT_TRUE(Secret(0) == Secret(0));
  EXPECT_FALSE(Secret::copy_of("a") == Secret::copy_of("b"));
  EXPECT_FALSE(Secret::copy_of("a") == Secret::copy_of("ab"));
}

TEST(Secret, RandomOnesDiffer) {
  EXPECT_FALSE(*Secret::random(16) == *Secret::random(16));
  EXPECT_EQ(Secret::random(0)->size(), 0U);
}

TEST(Secret, StartsAsZeros) {
  const Secret secret(32);
  EXPECT_TRUE(std::all_of(secret.octets().begin(), secret.octets().end(),
                          [](std::uint8_t octet) { return octet == 0; }));
}

} // namespace
} // namespace midcom::sip::e2m
