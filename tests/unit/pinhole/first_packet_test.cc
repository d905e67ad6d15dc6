// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/first_packet.h"

#include <gtest/gtest.h>

#include <memory>

#include "made_packets.h"

namespace midcom::pinhole {
namespace {

using made::at;
using made::Stun;
using Proof = made::Stun::Proof;

const Endpoint sender = at("192.0.2.7", 5004), receiver = at("10.0.0.1", 4000);
const Endpoint sender6 = at("2001:db8::7", 5004), receiver6 = at("2001:db8:1::1", 4000);

// What the judgement is, in one word.
std::string judged(std::string_view packet, const Promise& promise) {
  const auto datagram = read_datagram(packet);
  if (!datagram) return "malformed";
  const auto kind = judge(*datagram, promise);
  if (!kind) return std::string(to_string(kind.error()));
  switch (*kind) {
  case kind_stun:
    return "stun";
  case kind_dtls:
    return "dtls";
  case kind_rtp:
    return "rtp";
  case kind_rtcp:
    return "rtcp";
  case kind_udptl:
    return "udptl";
  case kind_tcp:
    return "tcp";
  default:
    return "?";
  }
}

Promise promise(int kinds) {
  Promise made;
  made.kinds = static_cast<std::uint8_t>(kinds);
  made.senders = {sender, sender6};
  made.payload_types[0] = 0x01; // 0
  made.payload_types[101 / 8] = 1 << 101 % 8;
  made.receiver_ufrag = "recv";
  made.sender_ufrag = "send";
  made.receiver_password = Stun{}.password;
  return made;
}

std::string of_payload(std::string_view payload, int kinds) {
  return judged(made::udp(sender, receiver, payload), promise(kinds));
}

TEST(ReadDatagramTest, BothFamilies) {
  const std::string v4 = made::udp(sender, receiver, "hello");
  ASSERT_TRUE(read_datagram(v4));
  EXPECT_EQ(read_datagram(v4)->key, (FlowKey{sender, receiver, 17}));
  EXPECT_EQ(read_datagram(v4)->payload.octets, "hello");
  EXPECT_EQ(read_datagram(v4)->payload.size, 5U);
  const std::string v6 = made::udp(sender6, receiver6, "hello");
  ASSERT_TRUE(read_datagram(v6));
  EXPECT_EQ(read_datagram(v6)->key, (FlowKey{sender6, receiver6, 17}));
  EXPECT_EQ(read_datagram(v6)->payload.octets, "hello");
  const std::string longer = v4 + "padding of the link";
  EXPECT_EQ(read_datagram(longer)->payload.octets, "hello");
}

TEST(ReadDatagramTest, Options) {
  std::string packet = made::udp(sender, receiver, "hello");
  packet.insert(20, std::string(8, '\1'));
  packet[0] = 0x47;
  packet[3] = static_cast<char>(packet.size());
  ASSERT_TRUE(read_datagram(packet));
  EXPECT_EQ(read_datagram(packet)->key, (FlowKey{sender, receiver, 17}));
  EXPECT_EQ(read_datagram(packet)->payload.octets, "hello");
}

TEST(ReadDatagramTest, Refuses) {
  const std::string right = made::udp(sender, receiver, "hello");
  const std::string right6 = made::udp(sender6, receiver6, "hello");
  ASSERT_TRUE(read_datagram(right));
  const auto with = [](std::string packet, std::size_t at, int octet) {
    packet[at] = static_cast<char>(octet);
    return read_datagram(packet).has_value();
  };
  EXPECT_FALSE(with(right, 0, 0x55)) << "version";
  EXPECT_FALSE(with(right, 0, 0x44)) << "header too short";
  EXPECT_FALSE(with(right, 0, 0x4f)) << "header beyond the end";
  EXPECT_FALSE(with(right, 3, 19)) << "total length below the header's";
  EXPECT_FALSE(with(right, 3, 32)) << "total length below UDP's";
  EXPECT_FALSE(with(right, 6, 0x20)) << "more fragments";
  EXPECT_FALSE(with(right, 7, 1)) << "a later fragment";
  EXPECT_FALSE(with(right, 9, 1)) << "ICMP";
  EXPECT_FALSE(with(right, 25, 12)) << "UDP shorter than IP says";
  EXPECT_FALSE(with(right, 25, 14)) << "UDP longer than IP says";
  EXPECT_FALSE(with(right6, 6, 44)) << "fragment header";
  EXPECT_FALSE(with(right6, 6, 0)) << "hop-by-hop options";
  EXPECT_FALSE(with(right6, 5, 0)) << "jumbo";
  EXPECT_FALSE(read_datagram(made::udp(at("192.0.2.7", 0), receiver, ""))) << "source port 0";
  EXPECT_FALSE(read_datagram(made::udp(sender, at("10.0.0.1", 0), ""))) << "port 0";
}

TEST(ReadDatagramTest, KeyOfWhatIsRefused) {
  std::string packet = made::udp(sender, receiver, "hello");
  packet[25] = 14;
  EXPECT_EQ(read_datagram(packet).error(), (FlowKey{sender, receiver, 17}));
  packet[9] = 1;
  EXPECT_EQ(read_datagram(packet).error(), (FlowKey{at("192.0.2.7", 0), at("10.0.0.1", 0), 1}));
  EXPECT_EQ(read_datagram("").error(), FlowKey{});
}

// Copies to the heap, exactly as long: whoever reads beyond is caught by the sanitizer.
TEST(JudgeTest, EveryTruncation) {
  const Promise all = promise(all_kinds);
  std::string long_rtp = made::rtp(101, 600);
  const std::string payloads[] = {made::stun({.proof = Proof::both}), made::client_hello(),
                                  long_rtp, made::rtcp(), made::udptl()};
  for (const auto& [from, to] : {std::pair{sender, receiver}, std::pair{sender6, receiver6}}) {
    for (const std::string& payload : payloads) {
      const std::string packet = made::udp(from, to, payload);
      EXPECT_NE(judged(packet, all), "malformed");
      const std::size_t headers = packet.size() - payload.size();
      for (std::size_t size = 0; size < packet.size(); ++size) {
        const auto copy = std::make_unique<char[]>(size);
        std::copy_n(packet.data(), size, copy.get());
        const std::string verdict = judged({copy.get(), size}, all);
        EXPECT_EQ(verdict == "malformed", size < headers) << size;
        EXPECT_NE(verdict, "stun") << size;
      }
    }
    const std::string opening = made::tcp(from, to, made::syn);
    for (std::size_t size = 0; size < opening.size(); ++size) {
      const auto copy = std::make_unique<char[]>(size);
      std::copy_n(opening.data(), size, copy.get());
      EXPECT_EQ(judged({copy.get(), size}, all), "malformed") << size;
    }
  }
}

// Shorter datagrams, as such: only what can't be seen to be cut passes.
TEST(JudgeTest, EveryShorterDatagram) {
  const auto passing = [](const std::string& payload, int kinds) {
    std::vector<std::size_t> sizes;
    for (std::size_t size = 0; size <= payload.size(); ++size) {
      const std::string verdict = of_payload(payload.substr(0, size), kinds);
      if (verdict != "unknown-kind") sizes.push_back(size);
    }
    return sizes;
  };
  const std::string stun = made::stun({}), hello = made::client_hello(), udptl = made::udptl();
  EXPECT_EQ(passing(stun, kind_stun), std::vector{stun.size()});
  EXPECT_EQ(passing(hello, kind_dtls), std::vector{hello.size()});
  EXPECT_EQ(passing(udptl, kind_udptl), std::vector{udptl.size()});
  EXPECT_EQ(passing(made::rtp(0, 3), kind_rtp), (std::vector<std::size_t>{12, 13, 14, 15}));
  // From the eighth octet behind the first packet on it may be SRTCP.
  EXPECT_EQ(passing(made::rtcp(), kind_rtcp), (std::vector<std::size_t>{28, 36, 37, 38, 39, 40}));
}

// A copy range of 256 octets: judged by what the lengths say.
TEST(JudgeTest, WhatIsCutIsTakenForRight) {
  const auto cut = [](const std::string& payload, int kinds, std::size_t size = 256) {
    return judged(made::udp(sender, receiver, payload).substr(0, size), promise(kinds));
  };
  const std::string primary(600, 'p'), two_octets = made::from_hex("00018258");
  EXPECT_EQ(cut(made::rtp(0, 600), kind_rtp), "rtp");
  EXPECT_EQ(cut(made::rtp(8, 600), kind_rtp), "wrong-payload");
  EXPECT_EQ(cut(made::rtcp() + std::string(600, 'x'), kind_rtcp), "rtcp");
  EXPECT_EQ(cut(made::client_hello() + std::string(600, 'x'), kind_dtls), "dtls");
  EXPECT_EQ(cut(two_octets + primary + std::string(2, '\0'), kind_udptl), "udptl");
  EXPECT_EQ(cut(two_octets + primary.substr(1), kind_udptl), "unknown-kind") << "it says 600";
  EXPECT_EQ(cut(made::stun({}), kind_stun, 28 + 60), "unknown-kind") << "can't be verified";
  std::string many_reports = made::rtcp(); // SR with 31 reports: 772 octets
  many_reports[0] = static_cast<char>(0x9f);
  many_reports[3] = static_cast<char>(772 / 4 - 1);
  many_reports.resize(772);
  EXPECT_EQ(cut(many_reports, kind_rtcp), "rtcp");
  many_reports.resize(771);
  EXPECT_EQ(cut(many_reports, kind_rtcp), "unknown-kind");
}

TEST(JudgeTest, Stun) {
  EXPECT_EQ(of_payload(made::stun({}), kind_stun), "stun");
  EXPECT_EQ(of_payload(made::stun({.proof = Proof::sha256}), kind_stun), "stun");
  EXPECT_EQ(of_payload(made::stun({.proof = Proof::both}), kind_stun), "stun");
  EXPECT_EQ(of_payload(made::stun({}), all_kinds & ~kind_stun), "unknown-kind");
  EXPECT_EQ(of_payload(made::stun({.username = "send:recv"}), kind_stun), "wrong-ufrag");
  EXPECT_EQ(of_payload(made::stun({.username = "recv:sent"}), kind_stun), "wrong-ufrag");
  EXPECT_EQ(of_payload(made::stun({.username = "recv:sendx"}), kind_stun), "wrong-ufrag");
  EXPECT_EQ(of_payload(made::stun({.username = "recv:"}), kind_stun), "wrong-ufrag");
  EXPECT_EQ(of_payload(made::stun({.username = "recv"}), kind_stun), "wrong-ufrag");
  EXPECT_EQ(of_payload(made::stun({.username = ""}), kind_stun), "wrong-ufrag");
  EXPECT_EQ(of_payload(made::stun({.password = "guessed"}), kind_stun), "wrong-integrity");
  EXPECT_EQ(of_payload(made::stun({.proof = Proof::none}), kind_stun), "wrong-integrity");
  EXPECT_EQ(of_payload(made::stun({.has_fingerprint = false}), kind_stun), "wrong-integrity");
  std::string bent = made::stun({});
  bent.back() ^= 1;
  EXPECT_EQ(of_payload(bent, kind_stun), "wrong-integrity");
  EXPECT_EQ(of_payload(made::rfc5769_ipv4_response(), kind_stun), "unknown-kind") << "a response";
}

TEST(JudgeTest, StunOfRfc5769) {
  Promise ice = promise(kind_stun);
  ice.receiver_ufrag = "evtj";
  ice.sender_ufrag = "h6vY";
  ice.receiver_password = made::rfc5769_password;
  EXPECT_EQ(judged(made::udp(sender, receiver, made::rfc5769_request()), ice), "stun");
  EXPECT_EQ(judged(made::udp(sender6, receiver6, made::rfc5769_request()), ice), "stun");
}

TEST(JudgeTest, StunWithoutWhatIsNotKnown) {
  const auto with = [](const Stun& parts, const Promise& ice) {
    return judged(made::udp(sender, receiver, made::stun(parts)), ice);
  };
  Promise ice = promise(kind_stun);
  ice.receiver_password.clear();
  EXPECT_EQ(with({.password = "anything"}, ice), "stun");
  EXPECT_EQ(with({.proof = Proof::none}, ice), "wrong-integrity") << "there must be one";
  ice = promise(kind_stun);
  ice.sender_ufrag.clear();
  EXPECT_EQ(with({}, ice), "wrong-ufrag") << "an answer without a ufrag";
  ice.awaits_answer = true;
  EXPECT_EQ(with({}, ice), "stun");
  EXPECT_EQ(with({.username = "recv:other"}, ice), "stun");
  EXPECT_EQ(with({.username = "recv:"}, ice), "wrong-ufrag");
  EXPECT_EQ(with({.username = "recvx:send"}, ice), "wrong-ufrag");
  EXPECT_EQ(with({.password = "guessed"}, ice), "wrong-integrity");
  ice.receiver_ufrag.clear();
  EXPECT_EQ(with({.username = ":send"}, ice), "wrong-ufrag") << "nobody speaks ICE";
}

TEST(JudgeTest, Dtls) {
  const std::string right = made::client_hello();
  EXPECT_EQ(of_payload(right, kind_dtls), "dtls");
  EXPECT_EQ(of_payload(right + right, kind_dtls), "dtls") << "two records";
  EXPECT_EQ(of_payload(right, all_kinds & ~(kind_dtls | kind_udptl)), "unknown-kind");
  const auto with = [&](std::size_t at, int octet) {
    std::string bent = right;
    bent[at] = static_cast<char>(octet);
    return of_payload(bent, kind_dtls);
  };
  EXPECT_EQ(with(0, 23), "unknown-kind") << "application data";
  EXPECT_EQ(with(2, 0xfd), "dtls") << "1.2";
  EXPECT_EQ(with(2, 0xfc), "unknown-kind") << "version";
  EXPECT_EQ(with(1, 0x03), "unknown-kind") << "TLS";
  EXPECT_EQ(with(4, 1), "unknown-kind") << "epoch";
  EXPECT_EQ(with(12, 200), "unknown-kind") << "record longer than the datagram";
  EXPECT_EQ(with(12, 11), "unknown-kind") << "record shorter than a handshake header";
  EXPECT_EQ(with(13, 20), "unknown-kind") << "finished, in epoch 0";
  EXPECT_EQ(with(16, 20), "unknown-kind") << "a hello too short";
  EXPECT_EQ(with(21, 1), "unknown-kind") << "fragment beyond the message";
  EXPECT_EQ(with(24, 200), "unknown-kind") << "fragment beyond the record";
  EXPECT_EQ(with(24, 0), "unknown-kind") << "empty fragment";
  EXPECT_EQ(with(25, 0x03), "unknown-kind") << "version of the hello";
}

TEST(JudgeTest, Rtp) {
  EXPECT_EQ(of_payload(made::rtp(0), kind_rtp), "rtp");
  EXPECT_EQ(of_payload(made::rtp(101), kind_rtp), "rtp");
  EXPECT_EQ(of_payload(made::rtp(101 | 0x80), kind_rtp), "rtp") << "marker";
  EXPECT_EQ(of_payload(made::rtp(8), kind_rtp), "wrong-payload");
  EXPECT_EQ(of_payload(made::rtp(0), kind_rtcp), "unknown-kind");
  EXPECT_EQ(of_payload(made::rtp(0), kind_stun | kind_dtls), "unknown-kind");
  EXPECT_EQ(of_payload(made::rtp(0, 0), kind_rtp), "rtp") << "no contents";
  const auto with = [](int first, std::string_view rest) {
    std::string bent = made::rtp(0, 0).append(rest);
    bent[0] = static_cast<char>(first);
    return of_payload(bent, kind_rtp);
  };
  EXPECT_EQ(with(0x40, "12345678"), "unknown-kind") << "version 1";
  EXPECT_EQ(with(0x82, "12345678"), "rtp") << "two CSRCs";
  EXPECT_EQ(with(0x82, "1234567"), "unknown-kind");
  EXPECT_EQ(with(0x90, std::string_view("ab\0\1cdef", 8)), "rtp") << "an extension";
  EXPECT_EQ(with(0x90, std::string_view("ab\0\2cdef", 8)), "unknown-kind");
  EXPECT_EQ(with(0x90, "ab"), "unknown-kind");
  EXPECT_EQ(with(0xa0, "\1"), "rtp") << "padding";
  EXPECT_EQ(with(0xa0, ""), "unknown-kind");
}

TEST(JudgeTest, Rtcp) {
  const std::string right = made::rtcp();
  EXPECT_EQ(of_payload(right, kind_rtcp), "rtcp");
  EXPECT_EQ(of_payload(right, kind_rtp | kind_rtcp), "rtcp");
  EXPECT_EQ(of_payload(right, kind_rtp), "wrong-payload") << "a type 72 of RTP";
  EXPECT_EQ(of_payload(made::rtp(0), kind_rtp | kind_rtcp), "rtp");
  EXPECT_EQ(of_payload(right + std::string(14, 'x'), kind_rtcp), "rtcp") << "trailer of SRTCP";
  EXPECT_EQ(of_payload(right.substr(0, 28) + "1234567", kind_rtcp), "unknown-kind");
  const auto with = [&](std::size_t at, int octet, int kinds = kind_rtcp) {
    std::string bent = right;
    bent[at] = static_cast<char>(octet);
    return of_payload(bent, kinds);
  };
  EXPECT_EQ(with(1, 201), "rtcp");
  EXPECT_EQ(with(1, 192), "rtcp");
  EXPECT_EQ(with(1, 207), "rtcp");
  EXPECT_EQ(with(1, 199), "unknown-kind");
  EXPECT_EQ(with(1, 208, kind_rtp | kind_rtcp), "unknown-kind") << "no RTP either";
  EXPECT_EQ(with(0, 0x82), "unknown-kind") << "no room for two reports";
  EXPECT_EQ(with(3, 5), "unknown-kind") << "an SR too short";
  EXPECT_EQ(with(3, 20), "unknown-kind") << "beyond the end";
}

TEST(JudgeTest, Udptl) {
  const std::string right = made::udptl();
  EXPECT_EQ(of_payload(right, kind_udptl), "udptl");
  EXPECT_EQ(of_payload(right, all_kinds & ~kind_udptl), "unknown-kind");
  EXPECT_EQ(of_payload(right + '\0', kind_udptl), "unknown-kind");
  EXPECT_EQ(of_payload(made::from_hex("000103c0010000"), kind_udptl), "unknown-kind");
  EXPECT_EQ(of_payload(made::from_hex("000103c001000000"), kind_udptl), "udptl") << "no recovery";
  EXPECT_EQ(of_payload(made::from_hex("0001000000"), kind_udptl), "unknown-kind") << "empty";
  EXPECT_EQ(of_payload(made::from_hex("000101068001030202aabb01cc"), kind_udptl), "udptl") << "FEC";
  EXPECT_EQ(of_payload(made::from_hex("000101068002030202aabb01cc"), kind_udptl), "unknown-kind");
  const std::string hundreds =
      made::from_hex("00018123") + std::string(0x123, 'p') + std::string(2, '\0');
  EXPECT_EQ(of_payload(hundreds, kind_udptl), "udptl") << "a length of two octets";
  EXPECT_EQ(of_payload(made::from_hex("0001c101ff0000"), kind_udptl), "unknown-kind");
  // The sequence number may look like anything.
  const std::string like_rtp = made::from_hex("800003c001000000");
  EXPECT_EQ(of_payload(like_rtp, kind_rtp | kind_udptl), "udptl");
  EXPECT_EQ(of_payload(made::rtp(8), kind_rtp | kind_udptl), "wrong-payload");
}

TEST(JudgeTest, Tcp) {
  const auto with = [](int flags, int kinds = kind_tcp) {
    return judged(made::tcp(sender, receiver, static_cast<std::uint8_t>(flags)), promise(kinds));
  };
  EXPECT_EQ(with(made::syn), "tcp");
  EXPECT_EQ(with(made::syn | 0xc0), "tcp") << "ECN";
  EXPECT_EQ(with(made::syn, all_kinds & ~kind_tcp), "unknown-kind");
  for (const int flags :
       {int{made::ack}, made::syn | made::ack, made::syn | made::rst, made::syn | made::fin, 0})
    EXPECT_EQ(with(flags), "unknown-kind") << flags;
  std::string bent = made::tcp(sender, receiver, made::syn);
  bent[32] = 0x40;
  EXPECT_EQ(judged(bent, promise(kind_tcp)), "malformed") << "header too short";
  bent[32] = 0x60;
  EXPECT_EQ(judged(bent, promise(kind_tcp)), "malformed") << "header beyond the end";
}

TEST(JudgeTest, FirstOctetTellsWhatToTry) {
  for (int first = 0; first < 256; ++first) {
    std::string payload = made::rtp(0);
    payload[0] = static_cast<char>(first);
    const std::string verdict = of_payload(payload, all_kinds & ~kind_udptl);
    const bool is_version_2 = first >= 128 && first <= 191;
    const bool has_extension = (first & 0x10) != 0; // as many words as "mm" says
    EXPECT_EQ(verdict, is_version_2 && !has_extension ? "rtp" : "unknown-kind") << first;
  }
  EXPECT_EQ(of_payload("", all_kinds), "unknown-kind");
}

TEST(JudgeTest, Sources) {
  const Endpoint other_port = at("192.0.2.7", 6000), other = at("192.0.2.8", 5004);
  struct Row {
    std::string payload;
    int kind;
    std::string_view word;
  };
  const Row rows[] = {
      {made::stun({}), kind_stun, "stun"},  {made::client_hello(), kind_dtls, "dtls"},
      {made::rtp(0), kind_rtp, "rtp"},      {made::rtcp(), kind_rtcp, "rtcp"},
      {made::udptl(), kind_udptl, "udptl"}, {"", kind_tcp, "tcp"}};
  for (const Row& row : rows) {
    Promise changing = promise(row.kind);
    changing.senders = {sender};
    const auto from = [&](const Endpoint& source) {
      return judged(row.kind == kind_tcp ? made::tcp(source, receiver, made::syn)
                                         : made::udp(source, receiver, row.payload),
                    changing);
    };
    EXPECT_EQ(from(sender), row.word);
    EXPECT_EQ(from(other_port), "wrong-source") << row.word;
    EXPECT_EQ(from(other), "wrong-source") << row.word;
    changing.senders = {at("192.0.2.7", 0)};
    EXPECT_EQ(from(other_port), row.word) << "any port";
    changing.senders = {sender};
    changing.source = SourceRule::same_address;
    EXPECT_EQ(from(other_port), row.word);
    EXPECT_EQ(from(other), "wrong-source") << row.word;
    changing.source = SourceRule::any_verified;
    EXPECT_EQ(from(other_port), row.word);
    EXPECT_EQ(from(other), row.kind == kind_stun ? "stun" : "wrong-source") << row.word;
    changing.source = SourceRule::signalled;
    changing.awaits_answer = true;
    EXPECT_EQ(from(other), row.word) << "nobody is known yet";
  }
}

} // namespace
} // namespace midcom::pinhole
