// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/cek_store.h"

#include <gtest/gtest.h>

#include "sip/e2m/envelope.h"

namespace midcom::sip::e2m {
namespace {

constexpr auto pair = "sip:alice@a.example sip:bob@b.example";
constexpr std::int64_t start = 1000;

const Secret& cek() {
  static const Secret key = Secret::copy_of("0123456789abcdef");
  return key;
}

Digest message(int number) {
  return sha256(std::to_string(number));
}

TEST(CekStore, GivesTheKekToThePairAlone) {
  CekStore store{{}};
  EXPECT_TRUE(store.keep("ref", pair, cek().clone(), 1, start));
  const Secret* kek = store.find("ref", pair, message(1), start);
  ASSERT_NE(kek, nullptr);
  EXPECT_TRUE(*kek == Secret::copy_of("fedcba9876543210"));
  EXPECT_EQ(store.find("ref", "sip:eve@e.example sip:bob@b.example", message(1), start), nullptr);
  EXPECT_EQ(store.find("other", pair, message(1), start), nullptr);
}

TEST(CekStore, TheSameOctetsCountOnce) {
  CekStore store{{}};
  store.keep("ref", pair, cek().clone(), 2, start);
  for (const int number : {1, 1, 1, 2, 2, 1}) {
    ASSERT_NE(store.find("ref", pair, message(number), start), nullptr) << number;
    store.count("ref", pair, message(number), start);
  }
  EXPECT_EQ(store.find("ref", pair, message(3), start), nullptr);
  store.count("ref", pair, message(3), start);
  EXPECT_EQ(store.find("ref", pair, message(3), start), nullptr);
  EXPECT_NE(store.find("ref", pair, message(2), start), nullptr);
}

TEST(CekStore, LookingCountsNothing) {
  CekStore store{{}};
  store.keep("ref", pair, cek().clone(), 1, start);
  for (int number = 0; number < 5; ++number)
    EXPECT_NE(store.find("ref", pair, message(number), start), nullptr);
}

TEST(CekStore, MaxDecryptsIsCapped) {
  CekStore store{{.max_decrypts = 3}};
  store.keep("ref", pair, cek().clone(), 0x80000000U, start);
  for (int number = 0; number < 3; ++number) store.count("ref", pair, message(number), start);
  EXPECT_EQ(store.find("ref", pair, message(3), start), nullptr);
}

TEST(CekStore, EndsWithItsTime) {
  CekStore store{{.lifetime = 60}};
  store.keep("ref", pair, cek().clone(), 1, start);
  EXPECT_NE(store.find("ref", pair, message(1), start + 59), nullptr);
  EXPECT_EQ(store.find("ref", pair, message(1), start + 60), nullptr);
  store.expire(start + 60);
  EXPECT_EQ(store.size(), 0U);
}

TEST(CekStore, ARetransmissionNeitherRenewsNorResets) {
  CekStore store{{.lifetime = 60}};
  store.keep("ref", pair, cek().clone(), 1, start);
  store.count("ref", pair, message(1), start);
  EXPECT_TRUE(store.keep("ref", pair, cek().clone(), 1, start + 30));
  EXPECT_EQ(store.size(), 1U);
  EXPECT_EQ(store.find("ref", pair, message(2), start + 30), nullptr);
  EXPECT_EQ(store.find("ref", pair, message(1), start + 60), nullptr);
}

TEST(CekStore, AnotherCekDoesNotDisplaceALiveOne) {
  CekStore store{{.lifetime = 60}};
  store.keep("ref", pair, cek().clone(), 1, start);
  EXPECT_FALSE(store.keep("ref", pair, Secret::copy_of("another key here"), 1, start + 1));
  EXPECT_TRUE(*store.find("ref", pair, message(1), start) == kek_from_cek(cek()));
  EXPECT_TRUE(store.keep("ref", pair, Secret::copy_of("another key here"), 1, start + 60));
}

TEST(CekStore, OnePairCannotFlushAnother) {
  CekStore store{{.entries = 100, .entries_per_pair = 4}};
  store.keep("ref", pair, cek().clone(), 1, start);
  for (int number = 0; number < 1000; ++number)
    store.keep("flood" + std::to_string(number), "sip:eve@e sip:bob@b", cek().clone(), 1, start);
  EXPECT_EQ(store.size(), 5U);
  EXPECT_NE(store.find("ref", pair, message(1), start), nullptr);
  // The flooder keeps its latest.
  for (int number = 996; number < 1000; ++number)
    EXPECT_NE(
        store.find("flood" + std::to_string(number), "sip:eve@e sip:bob@b", message(1), start),
        nullptr);
}

TEST(CekStore, TheOldestOfAllGoesWhenFull) {
  CekStore store{{.entries = 3, .entries_per_pair = 2}};
  for (const char* owner : {"a", "b", "c", "d"}) store.keep("ref", owner, cek().clone(), 1, start);
  EXPECT_EQ(store.size(), 3U);
  EXPECT_EQ(store.find("ref", "a", message(1), start), nullptr);
  EXPECT_NE(store.find("ref", "b", message(1), start), nullptr);
  EXPECT_NE(store.find("ref", "d", message(1), start), nullptr);
}

TEST(CekStore, WithoutRoomKeepsNothing) {
  CekStore store{{.entries = 0}};
  EXPECT_FALSE(store.keep("ref", pair, cek().clone(), 1, start));
  EXPECT_EQ(store.size(), 0U);
}

} // namespace
} // namespace midcom::sip::e2m
