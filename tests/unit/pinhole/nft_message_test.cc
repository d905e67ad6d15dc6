// SPDX-License-Identifier: GPL-3.0-or-later
// Bytes of netlink messages; the lab runs them on a kernel, except the native queue expression,
// which not every kernel has.
#include <gtest/gtest.h>

#include "pinhole/nft_message.h"

namespace midcom::pinhole {
namespace {

std::string attribute(std::uint16_t type, const std::string& payload, bool nested = false) {
  const auto size = static_cast<std::uint16_t>(payload.size() + 4);
  std::string bytes(4, '\0');
  bytes[0] = static_cast<char>(size);
  bytes[1] = static_cast<char>(size >> 8);
  bytes[2] = static_cast<char>(type);
  bytes[3] = static_cast<char>(nested ? 0x80 : 0);
  bytes += payload;
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

std::string text(const std::string& value) {
  return value + '\0';
}

FlowKey key4() {
  return {{*Address::parse("192.0.2.1"), 1}, {*Address::parse("192.0.2.2"), 0x1234}};
}

// Little-endian lengths as on every machine this is tested on.
TEST(NftMessage, NativeQueueRuleIsEncoded) {
  NftBatch batch(NftBatch::Kind::plain);
  {
    nft::Rule(batch, "t", "c").queue(5);
  }
  const std::string data = attribute(1, {"\x00\x05", 2}) + // number
                           attribute(2, {"\x00\x01", 2}) + // total
                           attribute(3, {"\x00\x00", 2});  // flags: no bypass
  const std::string expression = attribute(1, text("queue")) + attribute(2, data, true);
  const std::string expected = attribute(1, text("t")) + attribute(2, text("c")) +
                               attribute(4, attribute(1, expression, true), true);
  const std::string_view bytes = batch.bytes();
  ASSERT_GE(bytes.size(), 20U);
  EXPECT_EQ(bytes.substr(4, 2), std::string("\x06\x0a", 2));    // nftables NEWRULE
  EXPECT_EQ(bytes.substr(16, 4), std::string("\x01\0\0\0", 4)); // inet
  EXPECT_EQ(bytes.substr(20), expected);
}

TEST(NftMessage, CompatQueueRuleCarriesTheTarget) {
  NftBatch batch(NftBatch::Kind::plain);
  {
    nft::Rule(batch, "t", "c").compat_queue(5);
  }
  const std::string data = attribute(1, text("NFQUEUE")) + attribute(2, {"\0\0\0\x03", 4}) +
                           attribute(3, {"\x05\0\x01\0\0\0\0\0", 8});
  EXPECT_NE(batch.bytes().find(data), std::string::npos);
}

TEST(NftMessage, DestroyElementIsMessage30WithEcho) {
  NftBatch batch(NftBatch::Kind::plain);
  nft::delete_element(batch, "t", "s", key4(), nft::Absent::is_fine);
  EXPECT_EQ(batch.bytes().substr(4, 4), std::string("\x1e\x0a\x09\x00", 4));
}

TEST(NftMessage, ElementsAlwaysHaveATimeout) {
  NftBatch batch(NftBatch::Kind::plain);
  nft::new_element(batch, "t", "s", {.key = key4(), .timeout_ms = 0});
  EXPECT_NE(batch.bytes().find(attribute(4, {"\0\0\0\0\0\0\0\x01", 8})), std::string::npos);
}

TEST(NftReply, ReadsBackWhatIsWritten) {
  const FlowKey key6{{*Address::parse("2001:db8::1"), 7}, {*Address::parse("2001:db8::2"), 65535}};
  for (const FlowKey& key : {key4(), key6}) {
    NftBatch batch(NftBatch::Kind::plain);
    nft::new_element(batch, "t", "s",
                     {.key = key, .timeout_ms = 9, .userdata = "mine", .counter = {3, 300}});
    const auto flows = nft::decode_elements(batch.bytes());
    ASSERT_TRUE(flows);
    ASSERT_EQ(flows->size(), 1U);
    EXPECT_EQ(flows->at(0).key, key);
    EXPECT_EQ(flows->at(0).userdata, "mine");
    EXPECT_EQ(flows->at(0).counter, (FlowCounter{3, 300}));
    EXPECT_FALSE(nft::decode_table_flags(batch.bytes()));
    EXPECT_EQ(nft::decode_event(batch.bytes())->table, "t");
    for (std::size_t size = 0; size < batch.bytes().size(); ++size)
      EXPECT_FALSE(nft::decode_elements(batch.bytes().substr(0, size)));
  }
}

TEST(NftReply, ReadsSinksAndTheTransportOfTheirSet) {
  const FlowKey sink4 = sink_key(6, key4().destination);
  const FlowKey sink6 = sink_key(6, {*Address::parse("2001:db8::2"), 65535});
  for (const FlowKey& key : {sink4, sink6}) {
    NftBatch batch(NftBatch::Kind::plain);
    nft::new_element(batch, "t", "sinks_tcp",
                     {.key = key, .timeout_ms = 9, .counter = {3, 300}, .limit = {.rate = 200}});
    const auto flows = nft::decode_elements(batch.bytes());
    ASSERT_TRUE(flows);
    ASSERT_EQ(flows->size(), 1U);
    EXPECT_EQ(flows->at(0).key, key);
    EXPECT_TRUE(is_sink(flows->at(0).key));
    EXPECT_EQ(flows->at(0).counter, (FlowCounter{3, 300}));
    const std::string rate = attribute(1, {"\0\0\0\0\0\0\0\xc8", 8}) + // packets
                             attribute(2, {"\0\0\0\0\0\0\0\x01", 8}) + // per second
                             attribute(3, {"\0\0\0\x64", 4});          // burst
    EXPECT_NE(batch.bytes().find(rate), std::string::npos);
  }
}

TEST(NftReply, ReadsTableFlags) {
  NftBatch batch(NftBatch::Kind::plain);
  nft::new_table(batch, "midcomd", 6);
  EXPECT_EQ(nft::decode_table_flags(batch.bytes()), 6U);
  EXPECT_EQ(nft::decode_event(batch.bytes())->table, "midcomd");
  EXPECT_FALSE(nft::decode_elements(batch.bytes()));
  EXPECT_FALSE(nft::decode_generation(batch.bytes()));
}

} // namespace
} // namespace midcom::pinhole
