// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/der.h"

#include <gtest/gtest.h>

namespace midcom::sip::e2m {
namespace {

using std::string_literals::operator""s;

TEST(Der, ReadsElementsInOrder) {
  const std::string octets = "\x30\x05\x02\x01\x07\x05\x00"s;
  auto members = DerReader(octets).enter(der_sequence);
  ASSERT_TRUE(members);
  EXPECT_EQ(members->take_number(7), 7U);
  EXPECT_TRUE(members->stands_at(der_null));
  const auto null = members->next();
  ASSERT_TRUE(null);
  EXPECT_EQ(null->whole, "\x05\x00"s);
  EXPECT_TRUE(members->at_end());
  EXPECT_EQ(members->take(der_null).error(), Error::truncated);
}

TEST(Der, RefusesLengthsThatAreNotTheShortest) {
  EXPECT_EQ(read_single("\x04\x81\x01\x61"s).error(), Error::malformed);
  EXPECT_EQ(read_single("\x04\x82\x00\x80"s + std::string(128, 'a')).error(), Error::malformed);
  EXPECT_EQ(read_single("\x30\x80\x00\x00"s).error(), Error::malformed);
  EXPECT_TRUE(read_single("\x04\x81\x80"s + std::string(128, 'a')));
}

TEST(Der, RefusesLengthsBeyondTheOctets) {
  EXPECT_EQ(read_single(""s).error(), Error::truncated);
  EXPECT_EQ(read_single("\x04"s).error(), Error::truncated);
  EXPECT_EQ(read_single("\x04\x02\x61"s).error(), Error::truncated);
  EXPECT_EQ(read_single("\x04\x82\x01"s).error(), Error::truncated);
  EXPECT_EQ(read_single("\x04\x84\xff\xff\xff\xff"s).error(), Error::truncated);
  EXPECT_EQ(read_single("\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff"s).error(), Error::too_large);
}

TEST(Der, RefusesTagsOutsideTheProfile) {
  for (const char tag : {'\x00', '\x10', '\x11', '\x1f', '\x24', '\x3f', '\x41', '\x61', '\x9f',
                         '\xbf', '\xc1', '\xe1'})
    EXPECT_EQ(read_single(std::string(1, tag) + "\x00"s).error(), Error::malformed)
        << static_cast<int>(tag);
  for (const char tag : {'\x01', '\x0c', '\x17', '\x30', '\x31', '\x80', '\xa0', '\xa2'})
    EXPECT_TRUE(read_single(std::string(1, tag) + "\x00"s)) << static_cast<int>(tag);
}

TEST(Der, RefusesOctetsLeftOver) {
  EXPECT_EQ(read_single("\x05\x00\x00"s).error(), Error::malformed);
  EXPECT_EQ(check_well_formed("\x30\x00\x00"s, 8).error(), Error::malformed);
}

TEST(Der, NumbersAreShortAndNotNegative) {
  EXPECT_EQ(DerReader("\x02\x01\x00"s).take_number(0), 0U);
  EXPECT_EQ(DerReader("\x02\x02\x00\x80"s).take_number(128), 128U);
  EXPECT_EQ(DerReader("\x02\x05\x00\x80\x00\x00\x00"s).take_number(0x80000000U), 0x80000000U);
  for (const std::string& octets : {"\x02\x00"s, "\x02\x01\x80"s, "\x02\x02\x00\x7f"s,
                                    "\x02\x06\x00\x80\x00\x00\x00\x00"s, "\x02\x01\x09"s})
    EXPECT_FALSE(DerReader(octets).take_number(8)) << octets.size();
}

std::string nested(std::size_t levels) {
  std::string octets;
  for (std::size_t i = 0; i < levels; ++i) octets = write_der(der_sequence, {octets});
  return octets;
}

TEST(Der, DepthIsLimited) {
  EXPECT_TRUE(check_well_formed(nested(8), 8));
  EXPECT_EQ(check_well_formed(nested(9), 8).error(), Error::too_deep);
  EXPECT_EQ(check_well_formed(nested(2000), 8).error(), Error::too_deep);
}

TEST(Der, AFaultDeepInsideIsSeen) {
  const std::string inner = write_der(der_sequence, {"\x04\x81\x01\x61"s});
  EXPECT_EQ(check_well_formed(write_der(der_set, {inner}), 8).error(), Error::malformed);
  // The inside of a primitive is nobody's structure.
  EXPECT_TRUE(check_well_formed(write_der(der_octet_string, {inner}), 8));
}

TEST(Der, WritesWhatItReads) {
  for (const std::size_t size : {0U, 1U, 127U, 128U, 255U, 256U, 65535U, 65536U}) {
    const std::string content(size, 'x');
    const std::string written = write_der(der_octet_string, {content});
    const auto element = read_single(written);
    ASSERT_TRUE(element) << size;
    EXPECT_EQ(element->content, content);
  }
  for (const std::uint32_t value :
       {0U, 1U, 127U, 128U, 255U, 256U, 65535U, 0x7fffffffU, 0x80000000U, 0xffffffffU})
    EXPECT_EQ(DerReader(write_der_number(value)).take_number(0xffffffffU), value);
}

TEST(Der, MembersOfASetAreOrderedAsOctets) {
  EXPECT_EQ(write_der_set(der_set, {"\x04\x01\xff"s, "\x04\x01\x01"s}),
            "\x31\x06\x04\x01\x01\x04\x01\xff"s);
}

} // namespace
} // namespace midcom::sip::e2m
