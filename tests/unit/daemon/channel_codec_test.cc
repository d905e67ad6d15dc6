// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/channel_codec.h"

#include <gtest/gtest.h>

#include "daemon/channel.h"
#include "daemon/role_slice.h"

namespace midcom {
namespace {

using namespace pinhole;

Endpoint endpoint4(std::uint8_t last, std::uint16_t port) {
  return {{Family::ipv4, {192, 0, 2, last}}, port};
}

Endpoint endpoint6(std::uint8_t last, std::uint16_t port) {
  Endpoint endpoint{{Family::ipv6, {0x20, 0x01, 0x0d, 0xb8}}, port};
  endpoint.address.octets[15] = last;
  return endpoint;
}

GroupId group(std::uint8_t seed) {
  GroupId id;
  id.fill(seed);
  return id;
}

Participant participant(std::uint8_t seed) {
  Participant value;
  value.strong.fill(seed);
  value.network.fill(static_cast<std::uint8_t>(seed + 1));
  return value;
}

request::SetGroup set_group() {
  return {.transaction = 0x0102030405060708,
          .group = group(0xaa),
          .participants = {participant(1), participant(3)},
          .lifetime_s = 3600,
          .rules = {{.stream = 1,
                     .component = 2,
                     .protocol = 17,
                     .a = endpoint4(1, 4000),
                     .b = endpoint4(2, 5000),
                     .from_a = true,
                     .from_b = false},
                    {.stream = 0,
                     .component = 1,
                     .protocol = 17,
                     .a = endpoint6(1, 1),
                     .b = endpoint6(2, 65535),
                     .from_a = false,
                     .from_b = true}},
          .sinks = {{.stream = 1,
                     .component = 2,
                     .protocol = 6,
                     .at = endpoint6(3, 9),
                     .is_a = false,
                     .promise = 0}},
          .promises = {{.kinds = kind_stun | kind_rtp,
                        .awaits_answer = true,
                        .source = SourceRule::any_verified,
                        .session = 0x01020304,
                        .senders = {endpoint4(7, 0)},
                        .payload_types = {1, 2},
                        .receiver_ufrag = "abcd",
                        .sender_ufrag = "",
                        .receiver_password = std::string(256, 'x')}}};
}

Counter counter() {
  return {.stream = 7,
          .component = 2,
          .source = endpoint4(9, 9),
          .destination = endpoint6(8, 8),
          .packets = 0xffffffffffffffff,
          .bytes = 1};
}

std::vector<Request> all_requests() {
  return {set_group(),
          request::SetGroup{
              .transaction = 0, .group = {}, .participants = {}, .lifetime_s = 0, .rules = {}},
          request::Release{.transaction = 2, .group = group(2), .asker = participant(5)},
          request::ChangeLifetime{.transaction = 3, .group = group(3), .lifetime_s = 77},
          request::Status{.transaction = 4, .group = group(4)},
          request::List{.transaction = 5}};
}

std::vector<Reply> all_replies() {
  return {reply::Done{.transaction = 1, .result = Result::malformed, .counters = {counter()}},
          reply::Done{.transaction = 1, .result = Result::ok, .counters = {}},
          reply::Done{.transaction = 1,
                      .result = Result::ok,
                      .counters = {},
                      .participants = {participant(5), participant(6)}},
          reply::Groups{.transaction = 2, .groups = {group(1), group(2)}, .more = true},
          event::GroupEvent{.group = group(9),
                            .cause = event::Cause::repaired,
                            .counters = {counter(), counter()}},
          event::TableRepaired{.gap_us = 0xdeadbeef},
          event::Admitted{.group = group(4), .rule = set_group().rules[0], .kind = kind_dtls},
          event::FirstPacket{.group = group(4),
                             .stream = 1,
                             .component = 2,
                             .source = endpoint4(1, 2),
                             .destination = endpoint6(3, 4),
                             .delay_ms = 20},
          event::GateCounters{1, 2, 3, 4, 5, 6},
          event::Ready{.features = 63,
                       .adopted_groups = 1,
                       .adopted_elements = 4,
                       .description = "owner persist"}};
}

std::vector<Control> all_controls() {
  return {control::StartAgent{1, 2, 3},
          control::StartMiddlebox{4, 5},
          control::Peer{},
          control::Ping{6},
          control::Stop{},
          control::Up{},
          control::Pong{7},
          control::Violation{},
          control::StartOpener{8, 9},
          control::Peer{max_openers},
          control::OpenerViolation{1},
          control::OpenerViolation{max_openers}};
}

TEST(ChannelCodec, EncodesARequestAsDocumented) {
  const std::string bytes = encode(Request(request::ChangeLifetime{
      .transaction = 0x0102030405060708, .group = group(0xcc), .lifetime_s = 0x0a0b0c0d}));
  EXPECT_EQ(bytes, std::string("\x12\x01\x02\x03\x04\x05\x06\x07\x08", 9) +
                       std::string(16, '\xcc') + "\x0a\x0b\x0c\x0d");
}

TEST(ChannelCodec, WritesAnIpv4AddressInFourOctets) {
  const std::string one = encode(Reply(reply::Done{1, Result::ok, {}}));
  const std::string with = encode(Reply(reply::Done{1, Result::ok, {counter()}}));
  EXPECT_EQ(with.size() - one.size(), 2U + 1 + (1 + 4 + 2) + (1 + 16 + 2) + 8 + 8 + 1);
}

TEST(ChannelCodec, KnowsOnlySoManyOpeners) {
  std::string peer = encode(Control(control::Peer{max_openers}));
  peer.back() = static_cast<char>(max_openers + 1);
  EXPECT_EQ(decode_control(peer).error(), WireError::range);
  std::string violation = encode(Control(control::OpenerViolation{1}));
  violation.back() = '\0';
  EXPECT_EQ(decode_control(violation).error(), WireError::range);
  violation.back() = static_cast<char>(max_openers + 1);
  EXPECT_EQ(decode_control(violation).error(), WireError::range);
}

// The values have no operator==: what decodes to the same octets again is the same.
template <class Message, class Decode>
void expect_round_trip(const std::vector<Message>& messages, Decode decode) {
  for (const Message& message : messages) {
    const std::string bytes = encode(message);
    const auto decoded = decode(bytes);
    ASSERT_TRUE(decoded) << message.index();
    EXPECT_EQ(decoded->index(), message.index());
    EXPECT_EQ(encode(*decoded), bytes);
  }
}

template <class Message, class Decode>
void expect_exact_length(const std::vector<Message>& messages, Decode decode) {
  for (const Message& message : messages) {
    const std::string bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_EQ(decode(bytes.substr(0, size)).error(), WireError::truncated)
          << message.index() << " cut to " << size;
    EXPECT_EQ(decode(bytes + '\0').error(), WireError::trailing) << message.index();
  }
}

TEST(ChannelCodec, DecodesWhatItEncodes) {
  expect_round_trip(all_requests(), decode_request);
  expect_round_trip(all_replies(), decode_reply);
  expect_round_trip(all_controls(), decode_control);
}

TEST(ChannelCodec, DecodesEveryField) {
  const auto decoded = decode_request(encode(Request(set_group())));
  ASSERT_TRUE(decoded);
  const auto& got = std::get<request::SetGroup>(*decoded);
  const auto wanted = set_group();
  EXPECT_EQ(got.transaction, wanted.transaction);
  EXPECT_EQ(got.group, wanted.group);
  EXPECT_EQ(got.participants, wanted.participants);
  EXPECT_EQ(got.lifetime_s, wanted.lifetime_s);
  EXPECT_EQ(got.rules, wanted.rules);
  const auto reply = decode_reply(encode(all_replies()[0]));
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<reply::Done>(*reply).result, Result::malformed);
  EXPECT_EQ(std::get<reply::Done>(*reply).counters, std::vector{counter()});
  const auto status = decode_reply(encode(all_replies()[2]));
  ASSERT_TRUE(status);
  const pinhole::Participants both{participant(5), participant(6)};
  EXPECT_EQ(std::get<reply::Done>(*status).participants, both);
}

TEST(ChannelCodec, ConsumesEveryOctetAndNoMore) {
  expect_exact_length(all_requests(), decode_request);
  expect_exact_length(all_replies(), decode_reply);
  expect_exact_length(all_controls(), decode_control);
}

TEST(ChannelCodec, TakesARecordOfSeveralApart) {
  std::string record;
  for (const Request& request : all_requests()) record += encode(request);
  const auto requests = decode_requests(record);
  ASSERT_TRUE(requests);
  ASSERT_EQ(requests->size(), all_requests().size());
  std::string again;
  for (const Request& request : *requests) again += encode(request);
  EXPECT_EQ(again, record);
  std::string replies;
  for (const Reply& reply : all_replies()) replies += encode(reply);
  ASSERT_TRUE(decode_replies(replies));
  EXPECT_EQ(decode_replies(replies)->size(), all_replies().size());
  EXPECT_EQ(decode_replies(record).error(), WireError::unknown_kind);
}

TEST(ChannelCodec, TakesNothingOfARecordThatIsBadSomewhere) {
  const std::string good = encode(Request(set_group()));
  EXPECT_EQ(decode_requests(good + good.substr(0, good.size() - 1)).error(), WireError::truncated);
  EXPECT_EQ(decode_requests(good + '\0').error(), WireError::unknown_kind);
  EXPECT_EQ(decode_requests(good + encode(all_replies()[0]) + good).error(),
            WireError::unknown_kind);
}

TEST(ChannelCodec, RefusesAKindOfAnotherFamily) {
  for (const Request& request : all_requests()) {
    EXPECT_EQ(decode_reply(encode(request)).error(), WireError::unknown_kind);
    EXPECT_EQ(decode_control(encode(request)).error(), WireError::unknown_kind);
  }
  for (const Reply& reply : all_replies())
    EXPECT_EQ(decode_request(encode(reply)).error(), WireError::unknown_kind);
  for (const Control& message : all_controls())
    EXPECT_EQ(decode_request(encode(message)).error(), WireError::unknown_kind);
  for (int kind = 0; kind < 256; ++kind) {
    if (kind >= 0x10 && kind <= 0x14) continue;
    EXPECT_EQ(decode_request(std::string(1, static_cast<char>(kind))).error(),
              WireError::unknown_kind);
  }
}

TEST(ChannelCodec, RefusesValuesOutsideTheirType) {
  const std::string done = encode(Reply(reply::Done{1, Result::ok, {}}));
  std::string bad_result = done;
  bad_result[9] = static_cast<char>(static_cast<int>(Result::malformed) + 1);
  EXPECT_EQ(decode_reply(bad_result).error(), WireError::range);

  std::string bad_bool = encode(Reply(reply::Groups{1, {}, true}));
  bad_bool.back() = 2;
  EXPECT_EQ(decode_reply(bad_bool).error(), WireError::range);

  std::string bad_family = encode(Reply(reply::Done{1, Result::ok, {counter()}}));
  bad_family[1 + 8 + 1 + 4 + 3] = 5;
  EXPECT_EQ(decode_reply(bad_family).error(), WireError::range);
}

TEST(ChannelCodec, BoundsCountsBeforeAnythingIsReserved) {
  std::string huge = encode(Reply(reply::Groups{1, {}, false}));
  huge.replace(9, 4, "\xff\xff\xff\xff");
  EXPECT_EQ(decode_reply(huge).error(), WireError::count);
  std::string lying = encode(Reply(reply::Groups{1, {}, false}));
  lying.replace(9, 4, std::string("\0\0\x10\0", 4)); // 4096 groups, and none follows
  EXPECT_EQ(decode_reply(lying).error(), WireError::truncated);
}

TEST(ChannelCodec, FitsItsLargestMessagesInARecord) {
  auto largest = set_group();
  largest.rules.assign(max_rules_in_message, largest.rules[1]);
  EXPECT_LE(encode(Request(largest)).size(), max_channel_message);
  Counter six = counter();
  six.source = endpoint6(1, 1);
  const std::vector<Counter> counters(max_counters_in_message, six);
  EXPECT_LE(encode(Reply(event::GroupEvent{group(1), event::Cause::lost, counters})).size(),
            max_channel_message);
  EXPECT_LE(
      encode(Reply(reply::Groups{1, std::vector<GroupId>(max_groups_in_message), false})).size(),
      max_channel_message);
  largest.rules.emplace_back();
  EXPECT_THROW((void)encode(Request(largest)), std::length_error);
}

AgentSlice full_slice() {
  AgentSlice slice;
  slice.config.names = {"gw.example.com", "gw2.example.com"};
  slice.config.listeners = {
      {"outside", Transport::udp, {{sip::IpAddress::Family::ipv4, {192, 0, 2, 1}}, 5060}, "gw"}};
  PeerConfig peer;
  peer.name = "acme";
  peer.kind = PeerKind::trunk;
  peer.networks = {{{Family::ipv6, {0x20, 1}}, 32}};
  peer.identities = {"sip.acme.example"};
  peer.interfaces = {"eth0", "eth1"};
  peer.side = "out";
  peer.media_is_source = false;
  peer.media = {{{Family::ipv4, {10}}, 8}, {{Family::ipv4, {11}}, 8}};
  peer.next_hop = Target{Transport::tls, slice.config.listeners[0].address, "acme.example"};
  peer.is_registrar = true;
  peer.keys = KeyPolicy::allow;
  peer.methods = {"INVITE"};
  peer.max_calls = 5;
  peer.disclosure = {.view = {"application/sdp"},
                     .verify = {"application/sdp", "text/plain"},
                     .opaque = DisclosurePolicy::Opaque::refuse,
                     .legacy = DisclosurePolicy::Legacy::refuse,
                     .on_bad_answer = DisclosurePolicy::BadAnswer::terminate,
                     .answerer = DisclosurePolicy::Answerer::any_trusted};
  slice.config.peers = {peer, PeerConfig{}};
  slice.config.routes = {{"*", "acme"}};
  slice.config.media_ports = {{1024, 65535}};
  slice.config.forbidden_ports = {{5060, 5061}};
  slice.config.forbidden_hosts = {{{Family::ipv4, {10, 0, 0, 1}}, 32}};
  slice.config.timeouts.commit = std::chrono::milliseconds(1234);
  slice.config.limits.sdp.candidates = 3;
  slice.config.limits.write_buffer = 99;
  slice.config.mode = Mode::observe;
  slice.config.smime = {.openers = 3,
                        .date_window = std::chrono::seconds(60),
                        .replay_entries = 7,
                        .certificate = std::string("\x30\0\xff", 3)};
  slice.log = {LogConfig::Format::json, LogConfig::Destination::file, "/var/log/x", Level::debug};
  slice.client_verify = TlsConfig::Verify::required;
  slice.minimum_tls_version = 0x0304;
  return slice;
}

TEST(RoleSlice, GoesThereAndBack) {
  const AgentSlice slice = full_slice();
  const std::string bytes = encode(slice);
  const auto decoded = decode_agent_slice(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(encode(*decoded), bytes);
  EXPECT_EQ(decoded->config.names, slice.config.names);
  ASSERT_EQ(decoded->config.peers.size(), 2U);
  EXPECT_EQ(decoded->config.peers[0].next_hop, slice.config.peers[0].next_hop);
  EXPECT_EQ(decoded->config.peers[0].media, slice.config.peers[0].media);
  EXPECT_FALSE(decoded->config.peers[1].next_hop);
  EXPECT_EQ(decoded->config.timeouts.commit, slice.config.timeouts.commit);
  EXPECT_EQ(decoded->config.limits.sdp.candidates, 3U);
  EXPECT_EQ(decoded->config.limits.write_buffer, 99U);
  EXPECT_EQ(decoded->config.peers[0].disclosure.verify, slice.config.peers[0].disclosure.verify);
  EXPECT_EQ(decoded->config.smime.certificate, slice.config.smime.certificate);
  EXPECT_EQ(decoded->log.file, "/var/log/x");
  EXPECT_EQ(decoded->minimum_tls_version, 0x0304);
}

TEST(RoleSlice, ConsumesEveryOctetAndNoMore) {
  const std::string bytes = encode(full_slice());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_agent_slice(bytes.substr(0, size))) << size;
  EXPECT_EQ(decode_agent_slice(bytes + "x").error(), WireError::trailing);
  MiddleboxSlice slice;
  slice.policy = "policy";
  const std::string middlebox = encode(slice);
  EXPECT_EQ(decode_middlebox_slice(middlebox)->policy, "policy");
  EXPECT_FALSE(decode_middlebox_slice(middlebox + "x"));
  EXPECT_FALSE(decode_middlebox_slice(middlebox.substr(1)));
  OpenerSlice opener;
  opener.crl_policy = OpenerConfig::CrlPolicy::required;
  opener.extended_key_usages = {"1.3.6.1.5.5.7.3.4"};
  opener.cek_lifetime = std::chrono::seconds(77);
  const std::string octets = encode(opener);
  EXPECT_EQ(decode_opener_slice(octets)->cek_lifetime, opener.cek_lifetime);
  EXPECT_EQ(decode_opener_slice(octets)->extended_key_usages, opener.extended_key_usages);
  for (std::size_t size = 0; size < octets.size(); ++size)
    EXPECT_FALSE(decode_opener_slice(octets.substr(0, size))) << size;
  EXPECT_FALSE(decode_opener_slice(octets + "x"));
}

} // namespace
} // namespace midcom
