// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/stun.h"

#include <gtest/gtest.h>

#include "made_packets.h"

namespace midcom::pinhole {
namespace {

using made::Stun;
using Proof = made::Stun::Proof;
const std::string_view password = Stun{}.password;

TEST(StunTest, Rfc5769) {
  for (const std::string& octets :
       {made::rfc5769_request(), made::rfc5769_ipv4_response(), made::rfc5769_ipv6_response()}) {
    const auto message = read_stun(octets);
    ASSERT_TRUE(message);
    EXPECT_TRUE(has_right_fingerprint(*message));
    EXPECT_TRUE(has_right_integrity(*message, made::rfc5769_password));
    EXPECT_FALSE(has_right_integrity(*message, "VOkJxbRl1RmTxUk/WvJxBT"));
  }
  const std::string request = made::rfc5769_request();
  EXPECT_EQ(read_stun(request)->type, stun_binding_request);
  EXPECT_EQ(read_stun(request)->username, "evtj:h6vY");
  const std::string response = made::rfc5769_ipv4_response();
  EXPECT_EQ(read_stun(response)->type, 0x0101);
  EXPECT_FALSE(read_stun(response)->username);
}

TEST(StunTest, EveryFlippedBitIsFound) {
  const std::string right = made::rfc5769_request();
  for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
    std::string wrong = right;
    wrong[bit / 8] = static_cast<char>(static_cast<unsigned char>(wrong[bit / 8]) ^ 1U << bit % 8);
    const auto message = read_stun(wrong);
    EXPECT_FALSE(message && has_right_fingerprint(*message) &&
                 has_right_integrity(*message, made::rfc5769_password))
        << bit;
  }
}

TEST(StunTest, NoPartOfItIsOne) {
  const std::string right = made::rfc5769_request();
  for (std::size_t size = 0; size < right.size(); ++size) {
    const std::string part = right.substr(0, size);
    EXPECT_FALSE(read_stun(part)) << size;
  }
  EXPECT_FALSE(read_stun(right + std::string(4, '\0')));
}

TEST(StunTest, Sha256) {
  for (const Proof proof : {Proof::sha256, Proof::both}) {
    const std::string octets = made::stun({.proof = proof});
    const auto message = read_stun(octets);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->integrity_sha256);
    EXPECT_TRUE(has_right_integrity(*message, password));
    EXPECT_FALSE(has_right_integrity(*message, "another"));
  }
  // Both must be right.
  std::string octets = made::stun({.proof = Proof::both, .has_fingerprint = false});
  octets.back() ^= 1;
  EXPECT_FALSE(has_right_integrity(*read_stun(octets), password));
}

TEST(StunTest, AbsentProofsAreWrong) {
  const std::string bare = made::stun({.proof = Proof::none, .has_fingerprint = false});
  const auto message = read_stun(bare);
  ASSERT_TRUE(message);
  EXPECT_FALSE(has_right_integrity(*message, password));
  EXPECT_FALSE(has_right_fingerprint(*message));
}

TEST(StunTest, FingerprintIsLast) {
  std::string octets = made::stun({});
  made::append_stun_attribute(octets, 0x8022, "x");
  EXPECT_FALSE(read_stun(octets));
}

TEST(StunTest, OnlyTheProvenUsernameCounts) {
  std::string late = made::from_hex("000100002112a442b7e7a701bc34d686fa87dfae");
  made::append_stun_attribute(late, 0x0008, std::string(20, 'x'));
  made::append_stun_attribute(late, 0x0006, "recv:send");
  ASSERT_TRUE(read_stun(late));
  EXPECT_FALSE(read_stun(late)->username);
  std::string twice = made::from_hex("000100002112a442b7e7a701bc34d686fa87dfae");
  made::append_stun_attribute(twice, 0x0006, "first:one");
  made::append_stun_attribute(twice, 0x0006, "second:one");
  EXPECT_EQ(read_stun(twice)->username, "first:one");
}

TEST(StunTest, ProofsOfImpossibleLength) {
  const auto with = [](std::uint16_t type, std::size_t size) {
    std::string octets = made::from_hex("000100002112a442b7e7a701bc34d686fa87dfae");
    made::append_stun_attribute(octets, type, std::string(size, 'x'));
    return read_stun(octets).has_value();
  };
  EXPECT_TRUE(with(0x0008, 20));
  for (const std::size_t size : {0U, 16U, 19U, 21U, 24U}) EXPECT_FALSE(with(0x0008, size)) << size;
  for (const std::size_t size : {16U, 20U, 32U}) EXPECT_TRUE(with(0x001c, size)) << size;
  for (const std::size_t size : {0U, 12U, 18U, 36U}) EXPECT_FALSE(with(0x001c, size)) << size;
  for (const std::size_t size : {0U, 3U, 8U}) EXPECT_FALSE(with(0x8028, size)) << size;
}

TEST(StunTest, NotStun) {
  EXPECT_FALSE(read_stun(made::from_hex("000100002112a443b7e7a701bc34d686fa87dfae"))) << "cookie";
  EXPECT_FALSE(read_stun(made::from_hex("400100002112a442b7e7a701bc34d686fa87dfae"))) << "bits";
  EXPECT_FALSE(read_stun(made::from_hex("000100042112a442b7e7a701bc34d686fa87dfae"))) << "length";
  EXPECT_TRUE(read_stun(made::from_hex("000100002112a442b7e7a701bc34d686fa87dfae")));
}

} // namespace
} // namespace midcom::pinhole
