// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener_messages.h"

#include <gtest/gtest.h>
#include <stdexcept>

#include "daemon/channel.h"
#include "daemon/channel_codec.h"

namespace midcom::opener {
namespace {

const std::string octets("\x30\x00\xff\x0a", 4);

std::vector<Request> all_requests() {
  return {Open{},
          Open{.id = 1,
               .pair = "sip:a@x sip:b@y",
               .der = octets,
               .may_use_private_key = true,
               .now = 1790000000},
          Verify{.id = 2, .der = octets, .detached = std::nullopt, .now = 3},
          Verify{.id = 2, .der = octets, .detached = "", .now = 3},
          Verify{.id = 4, .der = "", .detached = octets, .now = 5},
          Seal{},
          Seal{.id = 6,
               .pair = "sip:a@x sip:b@y",
               .user = "sip:a@x",
               .content = octets,
               .recipients = {octets, "x"},
               .is_for_user = true,
               .kek_reference = "r1",
               .cek_reference = "r2",
               .now = 7},
          CheckCertificate{.id = 8, .der = octets, .now = 9}};
}

std::vector<Reply> all_replies() {
  Digest one{}, other{};
  one.fill(0xaa);
  other.fill(0xbb);
  return {Opened{.id = 1, .is_open = false, .content = "", .by_kek = false},
          Opened{.id = 1, .is_open = true, .content = "", .by_kek = false},
          Opened{.id = 2, .is_open = true, .content = octets, .by_kek = true},
          Verified{.id = 3, .finding = Finding::failed, .content = "", .uris = {}},
          Verified{.id = 4,
                   .finding = Finding::trusted,
                   .content = octets,
                   .uris = {"sip:a@x", "sips:a@x"},
                   .identity = one,
                   .signer = other,
                   .certificate = octets},
          Sealed{.id = 5},
          Sealed{.id = 5, .is_done = true, .is_sealed = true, .der = octets},
          CheckedCertificate{.id = 6, .finding = Finding::untrusted},
          CheckedCertificate{.id = 6,
                             .finding = Finding::trusted,
                             .certificate = octets,
                             .uris = {"sip:a@x"},
                             .dns_names = {"gw.x"}}};
}

TEST(OpenerMessages, GoThereAndBack) {
  for (const Request& request : all_requests()) EXPECT_EQ(decode_request(encode(request)), request);
  for (const Reply& reply : all_replies()) EXPECT_EQ(decode_reply(encode(reply)), reply);
}

TEST(OpenerMessages, EncodesAsDocumented) {
  EXPECT_EQ(encode(Request(Open{.id = 0x0102030405060708,
                                .pair = "a b",
                                .der = "xy",
                                .may_use_private_key = true,
                                .now = 9})),
            std::string("\x20\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x03"
                        "a b\0\0\0\0\0\0\0\x02xy\x01\0\0\0\0\0\0\0\x09",
                        35));
  EXPECT_EQ(encode(Reply(Opened{.id = 1, .is_open = false, .content = "", .by_kek = false})),
            std::string("\x30\0\0\0\0\0\0\0\x01\0", 10));
}

TEST(OpenerMessages, ConsumeEveryOctetAndNoMore) {
  for (const Request& request : all_requests()) {
    const std::string bytes = encode(request);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_EQ(decode_request(bytes.substr(0, size)).error(), WireError::truncated) << size;
    EXPECT_EQ(decode_request(bytes + '\0').error(), WireError::trailing);
  }
  for (const Reply& reply : all_replies()) {
    const std::string bytes = encode(reply);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_EQ(decode_reply(bytes.substr(0, size)).error(), WireError::truncated) << size;
    EXPECT_EQ(decode_reply(bytes + '\0').error(), WireError::trailing);
  }
}

TEST(OpenerMessages, EveryFindingHasAWord) {
  for (std::uint8_t value = 0; value <= static_cast<std::uint8_t>(Finding::failed); ++value) {
    EXPECT_FALSE(to_string(static_cast<Finding>(value)).empty()) << int{value};
    const Reply reply = Verified{.id = 1, .finding = static_cast<Finding>(value)};
    EXPECT_EQ(decode_reply(encode(reply)), reply);
  }
}

TEST(OpenerMessages, AreOfOneFamilyOnly) {
  for (const Request& request : all_requests()) {
    EXPECT_EQ(decode_reply(encode(request)).error(), WireError::unknown_kind);
    EXPECT_EQ(midcom::decode_request(encode(request)).error(), WireError::unknown_kind);
    EXPECT_EQ(decode_control(encode(request)).error(), WireError::unknown_kind);
  }
  for (const Reply& reply : all_replies()) {
    EXPECT_EQ(decode_request(encode(reply)).error(), WireError::unknown_kind);
    EXPECT_EQ(midcom::decode_reply(encode(reply)).error(), WireError::unknown_kind);
  }
}

// What failed says nothing more, not even by what its sender put into the other fields.
TEST(OpenerMessages, AFailureHasNoRoomForMore) {
  const Reply closed = Opened{.id = 1, .is_open = false, .content = octets, .by_kek = true};
  EXPECT_EQ(decode_reply(encode(closed)),
            Reply(Opened{.id = 1, .is_open = false, .content = "", .by_kek = false}));
  const Reply bad =
      Verified{.id = 1, .finding = Finding::bad_signature, .content = octets, .uris = {"sip:a@x"}};
  EXPECT_EQ(decode_reply(encode(bad)),
            Reply(Verified{.id = 1, .finding = Finding::bad_signature, .content = "", .uris = {}}));
}

TEST(OpenerMessages, RefuseWhatNoSenderOfOursWrites) {
  std::string finding = encode(Reply(Verified{.id = 1, .finding = Finding::failed}));
  finding.back() = '\x0b';
  EXPECT_EQ(decode_reply(finding).error(), WireError::range);
  std::string is_open = encode(Reply(Opened{.id = 1, .is_open = false, .content = ""}));
  is_open.back() = '\x02';
  EXPECT_EQ(decode_reply(is_open).error(), WireError::range);
  std::string pair = encode(Request(Open{}));
  pair.replace(9, 4, std::string("\0\0\x04\x01", 4)); // 1025
  EXPECT_EQ(decode_request(pair + std::string(2000, 'x')).error(), WireError::count);
  EXPECT_EQ(decode_request("").error(), WireError::truncated);
  EXPECT_EQ(decode_request("\x24").error(), WireError::unknown_kind);
}

TEST(OpenerMessages, TheLargestFitsTheChannelAndALargerOneIsKnownBefore) {
  Verify verify{.id = 1, .der = std::string(max_body, 'x'), .detached = std::string(max_body, 'y')};
  EXPECT_TRUE(fits(verify));
  EXPECT_LE(encode(Request(verify)).size(), max_channel_message);
  verify.detached->push_back('y');
  EXPECT_FALSE(fits(verify));
  EXPECT_THROW((void)encode(Request(verify)), std::length_error);
  EXPECT_FALSE(fits(Open{.pair = "", .der = std::string(max_body + 1, 'x')}));
  EXPECT_FALSE(fits(Open{.pair = std::string(max_pair + 1, 'x'), .der = ""}));
  EXPECT_FALSE(fits(Verify{.der = std::string(max_body + 1, 'x'), .detached = std::nullopt}));
  Verified verified{.id = 1,
                    .finding = Finding::trusted,
                    .content = std::string(max_body, 'x'),
                    .uris = std::vector<std::string>(max_uris, std::string(max_uri, 'u'))};
  EXPECT_LE(encode(Reply(verified)).size(), max_channel_message);
}

} // namespace
} // namespace midcom::opener
