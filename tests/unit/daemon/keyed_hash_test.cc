// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/keyed_hash.h"

#include <gtest/gtest.h>

namespace midcom {
namespace {

constexpr SecretKey key{9, 8, 7};

TEST(KeyedHash, FieldsCannotFlowIntoEachOther) {
  EXPECT_NE(keyed_hash(key, {"ab", "c"}), keyed_hash(key, {"a", "bc"}));
  EXPECT_NE(keyed_hash(key, {"abc"}), keyed_hash(key, {"abc", ""}));
  EXPECT_NE(keyed_hash(key, {"", "abc"}), keyed_hash(key, {"abc", ""}));
  EXPECT_NE(keyed_hash(key, {}), keyed_hash(key, {""}));
  using namespace std::string_view_literals;
  EXPECT_NE(keyed_hash(key, {"a"}), keyed_hash(key, {"a\0"sv}));
  EXPECT_NE(keyed_hash(key, {"\0\0\0\1a"sv}), keyed_hash(key, {"", "a"}));
}

TEST(KeyedHash, DependsOnKeyAlone) {
  EXPECT_EQ(keyed_hash(key, {"a"}), keyed_hash(key, {"a"}));
  EXPECT_NE(keyed_hash(key, {"a"}), keyed_hash(SecretKey{}, {"a"}));
}

TEST(GroupId, IsTheSameFromBothSides) {
  EXPECT_EQ(group_id(key, "c", "a", "b"), group_id(key, "c", "b", "a"));
}

TEST(GroupId, EveryDialogHasItsOwn) {
  const auto id = group_id(key, "c", "a", "b");
  EXPECT_NE(id, group_id(key, "c2", "a", "b"));
  EXPECT_NE(id, group_id(key, "c", "a", "b2"));
  EXPECT_NE(id, group_id(key, "c", "ab", ""));
  EXPECT_NE(id, group_id(key, "ca", "", "b"));
}

TEST(HashedIdentity, UnknownIsAllZero) {
  EXPECT_EQ(hashed_identity(key, ""), pinhole::Identity{});
  EXPECT_NE(hashed_identity(key, "san:a"), pinhole::Identity{});
  EXPECT_NE(hashed_identity(key, "san:a"), hashed_identity(key, "aor:a"));
}

TEST(ToHex, IsLowerCaseAndWhole) {
  constexpr std::uint8_t octets[] = {0x00, 0x0f, 0xf0, 0xab};
  EXPECT_EQ(to_hex(octets, 4), "000ff0ab");
  EXPECT_EQ(to_hex(octets, 0), "");
}

} // namespace
} // namespace midcom
