// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/stream_framer.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/sip/sample_message.h"

namespace midcom::sip {
namespace {

using Outcomes = std::vector<std::string>;

std::string text_of(const StreamFramer::Outcome& outcome) {
  if (const auto* frame = std::get_if<StreamFramer::Frame>(&outcome)) return "F" + frame->bytes;
  if (const auto* broken = std::get_if<StreamFramer::Broken>(&outcome))
    return "B" + std::string(to_string(broken->error)) + "|" + broken->rejected;
  return std::holds_alternative<StreamFramer::KeepAlive>(outcome) ? "K" : "P";
}

void drain(StreamFramer& framer, Outcomes& outcomes) {
  while (true) {
    const auto outcome = framer.next();
    if (std::holds_alternative<StreamFramer::NeedMore>(outcome)) return;
    outcomes.push_back(text_of(outcome));
    if (std::holds_alternative<StreamFramer::Broken>(outcome)) return;
  }
}

Outcomes feed(const std::vector<std::string_view>& segments, const MessageLimits& limits = {}) {
  StreamFramer framer{limits};
  Outcomes outcomes;
  for (const std::string_view segment : segments) {
    framer.append(segment);
    drain(framer, outcomes);
    if (!outcomes.empty() && outcomes.back().front() == 'B') break;
  }
  return outcomes;
}

// Whole, in single octets, and split once and twice: the outcomes must be the same.
Outcomes feed_all_ways(const std::string& bytes, const MessageLimits& limits = {}) {
  const std::string_view all(bytes);
  const Outcomes whole = feed({all}, limits);
  std::vector<std::string_view> octets;
  for (std::size_t i = 0; i < all.size(); ++i) octets.push_back(all.substr(i, 1));
  EXPECT_EQ(feed(octets, limits), whole);
  for (std::size_t i = 0; i <= all.size(); ++i) {
    EXPECT_EQ(feed({all.substr(0, i), all.substr(i)}, limits), whole) << i;
    const std::size_t j = i + (all.size() - i) / 3;
    EXPECT_EQ(feed({all.substr(0, i), all.substr(i, j - i), all.substr(j)}, limits), whole) << i;
  }
  return whole;
}

TEST(StreamFramer, CutsByContentLengthWhateverTheSegments) {
  const std::string a = sample_request({}, "v=0\r\n\r\nINVITE sip:x@y SIP/2.0\r\n");
  const std::string b =
      with(sample_request(), "INVITE sip:bob@biloxi.example.com SIP/2.0", "SIP/2.0 200 OK");
  const std::string c = sample_request("X: 1\r\n 2\r\n", "body");
  const Outcomes outcomes = feed_all_ways(a + "\r\n\r\n" + b + "\r\n" + c + "\r\n\r\n\r\n" + a);
  EXPECT_EQ(outcomes, (Outcomes{"F" + a, "K", "F" + b, "P", "F" + c, "K", "P", "F" + a}));
}

TEST(StreamFramer, KeepAlivesHoldNoBytes) {
  StreamFramer framer{{}};
  framer.append("\r\n");
  EXPECT_TRUE(std::holds_alternative<StreamFramer::NeedMore>(framer.next()));
  EXPECT_EQ(framer.buffered(), 0U);
  framer.append("\r\n");
  EXPECT_TRUE(std::holds_alternative<StreamFramer::KeepAlive>(framer.next()));
  EXPECT_TRUE(std::holds_alternative<StreamFramer::NeedMore>(framer.next()));
}

TEST(StreamFramer, EndsWhatDoesNotBeginLikeSip) {
  for (const std::string& bytes :
       {std::string("POST / HTTP/1.1\r\n"), std::string("GET http://x/ HTTP/1.1\r\n"),
        std::string("OPTIONS * HTTP/1.1\r\n"), std::string("SSH-2.0-OpenSSH\r\n"),
        std::string("\x16\x03\x01\x02"), std::string("\0", 1), std::string("\n"),
        std::string("\rX"), std::string(" INVITE"), std::string("HTTP/1.1 200 OK\r\n"),
        std::string("INVITE sip:a@b SIP/2.0\n"), std::string("INVITE\r\n"),
        std::string("INVITE sip:a\x01"), std::string("INVITE sip:a@b SIP/2.0 \r\n"),
        std::string("INVITE sip:a@b sip/2.0x\r\n")}) {
    EXPECT_EQ(feed_all_ways(bytes), Outcomes{"Bnot-sip|"}) << bytes;
  }
  // Certain at once, without a line end.
  EXPECT_EQ(feed({"\x16"}), Outcomes{"Bnot-sip|"});
  EXPECT_EQ(feed({"POST /"}), Outcomes{"Bnot-sip|"});
  EXPECT_EQ(feed({"HTTP/"}), Outcomes{"Bnot-sip|"});
}

// NAT slipstreaming: SIP inside an HTTP POST, at any offset.
TEST(StreamFramer, FindsNoSipInsideHttp) {
  for (std::size_t padding = 0; padding < 64; ++padding)
    for (const Outcomes& outcomes :
         {feed({"POST /x HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(padding, 'a'),
                sample_request()}),
          feed({"POST /x HTTP/1.1\r\n" + std::string(padding, 'a') + "\r\n" + sample_request()})})
      EXPECT_EQ(outcomes, Outcomes{"Bnot-sip|"});
}

TEST(StreamFramer, OtherVersionsAreFramedToBeAnswered) {
  const std::string request = with(sample_request(), "com SIP/2.0", "com SIP/7.0");
  EXPECT_EQ(feed_all_ways(request), Outcomes{"F" + request});
}

TEST(StreamFramer, BreaksOnLengthTricks) {
  const auto header = [](const std::string& line) {
    return with(sample_request(), "Content-Length: 0", line);
  };
  const std::pair<const char*, const char*> cases[] = {
      {"X: y", "missing-header"},
      {"Content-Length: +5", "bad-content-length"},
      {"Content-Length: -1", "bad-content-length"},
      {"Content-Length: 5, 5", "bad-content-length"},
      {"Content-Length: 18446744073709551616", "bad-content-length"},
      {"Content-Length: 4294967296", "too-long"},
      {"Content-Length: 49153", "too-long"},
      {"Content-Length: 5\r\nContent-Length: 5", "duplicate-header"},
      {"l: 5\r\nContent-Length: 0", "duplicate-header"},
      {"Content-Length : 5", "syntax"},
      {"X: a\x02\r\nContent-Length: 0", "control-character"},
      {"X: a\rb\r\nContent-Length: 0", "control-character"},
  };
  for (const auto& [line, error] : cases) {
    const std::string bytes = header(line);
    EXPECT_EQ(feed_all_ways(bytes), Outcomes{std::string("B") + error + "|" + bytes}) << line;
  }
  EXPECT_EQ(feed_all_ways(header("X: a\nContent-Length: 0")), Outcomes{"Bcontrol-character|"});
}

TEST(StreamFramer, LimitsFallAtAPosition) {
  const std::string request = sample_request("X: " + std::string(300, 'x') + "\r\n", "body");
  EXPECT_EQ(feed_all_ways(request, {.line = 305}), Outcomes{"F" + request});
  EXPECT_EQ(feed_all_ways(request, {.line = 304}), Outcomes{"Btoo-long|"});
  EXPECT_EQ(feed_all_ways(request, {.line = 20}), Outcomes{"Btoo-long|"});
  EXPECT_EQ(feed_all_ways(request, {.headers = request.size() - 4}), Outcomes{"F" + request});
  EXPECT_EQ(feed_all_ways(request, {.headers = request.size() - 5}), Outcomes{"Btoo-long|"});
  const std::string head = request.substr(0, request.size() - 4);
  EXPECT_EQ(feed_all_ways(request, {.message = request.size() - 1}), Outcomes{"Btoo-long|" + head});
  EXPECT_EQ(feed_all_ways(head, {.body = 3}), Outcomes{"Btoo-long|" + head});
  EXPECT_EQ(feed_all_ways(request, {.fields = 3}), Outcomes{"Btoo-many|" + head});
}

TEST(StreamFramer, StaysBroken) {
  StreamFramer framer{{}};
  framer.append("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(std::holds_alternative<StreamFramer::Broken>(framer.next()));
  framer.append(sample_request());
  EXPECT_TRUE(std::holds_alternative<StreamFramer::Broken>(framer.next()));
  EXPECT_EQ(framer.buffered(), 0U);
}

// 4 MB in messages of 16 kB, an octet at a time: a framer that looks twice takes minutes.
TEST(StreamFramer, DribbleIsLinear) {
  const std::string request = sample_request({}, std::string(16000, 'x'));
  StreamFramer framer{{}};
  Outcomes outcomes;
  for (int round = 0; round < 64; ++round)
    for (const char& c : request) {
      framer.append(std::string_view(&c, 1));
      drain(framer, outcomes);
    }
  EXPECT_EQ(outcomes.size(), 64U);
  EXPECT_EQ(framer.buffered(), 0U);
}

TEST(StreamFramer, RandomSegmentsGiveTheSame) {
  std::mt19937 random(7);
  std::string bytes;
  for (int i = 0; i < 40; ++i)
    bytes += sample_request({}, std::string(random() % 900, 'b')) + (i % 3 == 0 ? "\r\n\r\n" : "");
  const Outcomes whole = feed({bytes});
  EXPECT_EQ(whole.size(), 54U);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string_view> segments;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = 1 + random() % 3000;
      segments.push_back(std::string_view(bytes).substr(at, size));
      at += size;
    }
    EXPECT_EQ(feed(segments), whole);
  }
}

} // namespace
} // namespace midcom::sip
