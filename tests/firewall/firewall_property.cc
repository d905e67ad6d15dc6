// SPDX-License-Identifier: GPL-3.0-or-later
// For any sequence of exchanges: what is open is what the last agreed descriptions, and offers that
// are still open, need; no more. MIDCOM_CALLS: how many calls; MIDCOM_SEED: the first one's;
// MIDCOM_TRACE=1: with all that is open after every step.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/firewall/call.h"

namespace midcom::firewall_test {
namespace {

unsigned number_from(const char* variable, unsigned fallback) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? fallback : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

// Of a thousand calls: or the test would be about nothing.
constexpr std::pair<const char*, int> floors[] = {
    {"BUNDLE agreed", 100},
    {"ICE agreed", 700},
    {"ICE restart", 150},
    {"TCP agreed", 200},
    {"UPDATE", 1000},
    {"admitted", 600},
    {"answer in ACK", 70},
    {"answer in PRACK", 40},
    {"answered", 450},
    {"cancelled", 90},
    {"compared with open flows", 7000},
    {"failure", 250},
    {"fork", 200},
    {"glare", 200},
    {"grace", 1000},
    {"invite again", 250},
    {"late 2xx", 3},
    {"offer in PRACK", 100},
    {"offerless", 110},
    {"packet kept out", 200},
    {"preview", 350},
    {"re-INVITE", 600},
    {"re-INVITE fails", 150},
    {"refused", 50},
    {"reliable 1xx", 350},
    {"repeated", 900},
    {"rolled back", 120},
    {"trickle", 800},
    {"within grace", 1000},
};

TEST(FirewallProperty, LiveIsWhatIsNeeded) {
  const unsigned first = number_from("MIDCOM_SEED", 1);
  const unsigned calls = number_from("MIDCOM_CALLS", 2000);
  Counts counts;
  for (unsigned seed = first; seed < first + calls; ++seed) {
    Call call(seed, counts);
    ASSERT_TRUE(call.run()) << call.trace();
  }
  if (calls < 1000) return;
  for (const auto& [what, floor] : floors)
    EXPECT_GE(counts[what], floor * static_cast<int>(calls / 1000)) << what;
  EXPECT_LE(counts["short of room"], static_cast<int>(calls / 200)) << "these are compared less";
}

} // namespace
} // namespace midcom::firewall_test
