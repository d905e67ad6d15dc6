// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/userdata.h"

#include <gtest/gtest.h>

namespace midcom::pinhole {
namespace {

OwnerRecord record(std::uint8_t group, std::uint8_t pair) {
  return {.group = {group},
          .participants = {Participant{.strong = {pair}}, Participant{.network = {pair}}},
          .stream = 300,
          .component = 2,
          .deadline_s = 4'000'000'000U,
          .created_s = 1'800'000'000U};
}

TEST(Userdata, RoundTrips) {
  for (int pairs = 1; pairs <= 3; ++pairs) {
    std::vector<OwnerRecord> owners;
    for (std::uint8_t i = 0; i < 5; ++i)
      owners.push_back(record(i, static_cast<std::uint8_t>(i % pairs)));
    const auto bytes = encode_owners(owners);
    ASSERT_TRUE(bytes) << pairs;
    EXPECT_LE(bytes->size(), max_userdata);
    EXPECT_EQ(decode_owners(*bytes), owners);
  }
}

TEST(Userdata, SaysWhenOwnersDoNotFit) {
  std::vector<OwnerRecord> owners;
  EXPECT_FALSE(encode_owners(owners));
  for (std::uint8_t i = 0; i < 7; ++i) owners.push_back(record(i, 1));
  EXPECT_TRUE(encode_owners(owners));
  owners.push_back(record(7, 1));
  EXPECT_FALSE(encode_owners(owners));
}

TEST(Userdata, IsStrict) {
  const std::string bytes = *encode_owners({record(1, 1), record(2, 2)});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_owners(bytes.substr(0, size)));
  EXPECT_FALSE(decode_owners(bytes + '\0'));
  const auto with = [&](std::size_t offset, char value) {
    std::string changed = bytes;
    changed[offset] = value;
    return decode_owners(changed);
  };
  EXPECT_FALSE(with(0, 2));           // version
  EXPECT_FALSE(with(1, 1));           // pairs
  EXPECT_FALSE(with(2, 1));           // owners
  EXPECT_FALSE(with(3 + 64 + 16, 2)); // no such pair
  EXPECT_FALSE(with(3 + 64 + 16, 1)); // pair 0 unused
  EXPECT_FALSE(with(3 + 64 + 28, 1)); // the same group twice
  EXPECT_FALSE(decode_owners("strange"));
  EXPECT_FALSE(decode_owners(std::string(257, 1)));
}

} // namespace
} // namespace midcom::pinhole
