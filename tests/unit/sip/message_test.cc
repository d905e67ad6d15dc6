// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/message.h"

#include <gtest/gtest.h>

#include "tests/unit/sip/sample_message.h"

namespace midcom::sip {
namespace {

std::string verdict(const std::string& bytes, Framing framing = Framing::stream,
                    const MessageLimits& limits = {}) {
  const auto message = Message::parse(bytes, framing, limits);
  return message ? "accept" : std::string(to_string(message.error()));
}

std::string with_header(const std::string& line) {
  return verdict(sample_request(line + "\r\n"));
}

TEST(Message, GivesWhatItHolds) {
  const auto message = sample_message("k: timer, 100rel\r\nSubject: x\r\n y\r\nSupported: path\r\n"
                                      "c: application/sdp ;charset=x\r\n",
                                      "v=0\r\n");
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->is_request());
  EXPECT_EQ(message->method(), "INVITE");
  EXPECT_EQ(message->request_uri().host, "biloxi.example.com");
  EXPECT_EQ(message->vias().size(), 2U);
  EXPECT_EQ(message->top_via().branch(), "z9hG4bK74bf9");
  EXPECT_EQ(message->from().tag(), "9fxced76sl");
  EXPECT_EQ(message->to().tag(), "");
  EXPECT_EQ(message->call_id(), "3848276298220188511@atlanta.example.com");
  EXPECT_EQ(message->cseq().number, 2U);
  EXPECT_EQ(message->max_forwards(), 70U);
  EXPECT_EQ(message->content_type(), "application/sdp");
  EXPECT_EQ(message->body(), "v=0\r\n");
  EXPECT_EQ(message->values(HeaderName::route).size(), 2U);
  EXPECT_EQ(message->values(HeaderName::supported).size(), 3U);
  EXPECT_TRUE(message->has_token(HeaderName::supported, "100REL"));
  EXPECT_FALSE(message->has_token(HeaderName::supported, "100"));
  EXPECT_EQ(message->first("SUBJECT")->value, "x\r\n y");
  EXPECT_EQ(message->first("k")->name, "k");
  EXPECT_EQ(message->first("nothing"), nullptr);
  EXPECT_EQ(message->start_line(), "INVITE sip:bob@biloxi.example.com SIP/2.0");
}

TEST(Message, ViewsPointIntoItsOwnBytes) {
  const auto message = sample_message({}, "body");
  const auto inside = [&](std::string_view view) {
    return view.data() >= message->bytes().data() &&
           view.data() + view.size() <= message->bytes().data() + message->bytes().size();
  };
  EXPECT_TRUE(inside(message->call_id()) && inside(message->body()) && inside(message->method()));
  EXPECT_TRUE(inside(message->from().text) && inside(message->top_via().text));
  std::string lines(message->start_line());
  lines += "\r\n";
  for (const HeaderField& field : message->fields()) {
    EXPECT_TRUE(inside(field.line) && inside(field.value) && inside(field.name));
    lines += field.line;
  }
  EXPECT_EQ(lines + "\r\nbody", message->bytes());
}

TEST(Message, ResponsesNeedTheSameEssentials) {
  const std::string start = "INVITE sip:bob@biloxi.example.com SIP/2.0";
  const auto respond = [&](const std::string& line) {
    return verdict(with(sample_request(), start, line));
  };
  for (const char* line :
       {"SIP/2.0 200 OK", "SIP/2.0 100 ", "SIP/2.0 699 \xd0\x9d", "sip/2.0 200 x"})
    EXPECT_EQ(respond(line), "accept") << line;
  for (const char* line : {"SIP/2.0 200", "SIP/2.0 20 OK", "SIP/2.0 2000 OK", "SIP/2.0  200 OK",
                           "SIP/2.0 4294967301 x", "SIP/2.0", "SIP/2.0 +20 OK", "SIP/ 200 OK"})
    EXPECT_NE(respond(line), "accept") << line;
  EXPECT_EQ(respond("SIP/2.0 099 x"), "bad-number");
  EXPECT_EQ(respond("SIP/2.0 700 x"), "bad-number");
  EXPECT_EQ(respond("SIP/3.0 200 OK"), "bad-version");
}

TEST(Message, StartLineIsExact) {
  const std::string start = "INVITE sip:bob@biloxi.example.com SIP/2.0";
  const std::pair<const char*, const char*> cases[] = {
      {"INVITE  sip:a@b SIP/2.0", "bad-uri"},
      {"INVITE sip:a@b  SIP/2.0", "bad-uri"},
      {"INVITE sip:a@b SIP/2.0 ", "syntax"},
      {"INVITE sip:a@b SIP/7.0", "bad-version"},
      {"INVITE sip:a@b SIP/02.0", "bad-version"},
      {"INVITE sip:a@b SIP/2", "syntax"},
      {"INVITE sip:a@b HTTP/1.1", "not-sip"},
      {"INVITE sip:a@b", "not-sip"},
      {"INVITE", "not-sip"},
      {"", "not-sip"},
      {"IN(VITE sip:a@b SIP/2.0", "syntax"},
      {" INVITE sip:a@b SIP/2.0", "syntax"},
      {"INVITE <sip:a@b> SIP/2.0", "bad-uri"},
      {"INVITE sip:a@b?Route=x SIP/2.0", "bad-uri"},
      {"INVITE sip:a@b;lr\tSIP/2.0", "not-sip"},
      {"INVITE x:opaque SIP/2.0", "accept"},
      {"INVITE tel:+1 SIP/2.0", "accept"},
  };
  for (const auto& [line, expected] : cases)
    EXPECT_EQ(verdict(with(sample_request(), start, line)), expected) << line;
}

TEST(Message, EssentialsMustBeThere) {
  for (const char* name : {"From", "To", "Call-ID", "CSeq", "Via"})
    EXPECT_EQ(verdict(with(sample_request(), std::string("\r\n") + name + ":",
                           std::string("\r\nX-") + name + ":")),
              "missing-header")
        << name;
  EXPECT_EQ(verdict(with(sample_request(), "Max-Forwards:", "X:")), "accept");
}

TEST(Message, SingleHeadersStandOnce) {
  for (const char* line : {"f: <sip:x@y>;tag=1", "To: <sip:x@y>", "i: x", "CSeq: 2 INVITE",
                           "Max-Forwards: 70", "l: 0", "Content-Length: 0"})
    EXPECT_EQ(with_header(line), "duplicate-header") << line;
  EXPECT_EQ(with_header("Content-Type: a/b\r\nc: a/b"), "duplicate-header");
  EXPECT_EQ(with_header("Supported: a\r\nSupported: b"), "accept");
}

TEST(Message, NothingIsNormalised) {
  const std::pair<const char*, const char*> cases[] = {
      {"X : y", "syntax"},
      {"X\t: y", "syntax"},
      {"X y", "syntax"},
      {": y", "syntax"},
      {"X(: y", "syntax"},
      {"X: a\x01", "control-character"},
      {"X: a\x7f", "control-character"},
      {"X: a\rb", "control-character"},
      {"X: a\nb: c", "control-character"},
      {"X: a\r\n \r\nY: b", "syntax"},
      {"X: a\r\n\t\r\n", "syntax"},
      {"X: a\tb", "accept"},
      {"X:", "accept"},
      {"X: a\r\n b", "accept"},
      {"X:\r\n\tb\r\n c", "accept"},
      {"X: \xff\xfe", "accept"},
  };
  for (const auto& [line, expected] : cases) EXPECT_EQ(with_header(line), expected) << line;
  EXPECT_EQ(verdict(sample_request(std::string("X: a\0b\r\n", 8))), "control-character");
  EXPECT_EQ(verdict(with(sample_request(), "\r\nVia", "\r\n Via")), "syntax");
  EXPECT_EQ(verdict(with(sample_request(), "\r\nVia", "\nVia")), "control-character");
}

TEST(Message, ValuesAreChecked) {
  const std::string cseq = "CSeq: 2 INVITE";
  const std::pair<const char*, const char*> cseqs[] = {
      {"CSeq: 2147483647 INVITE", "accept"},
      {"CSeq: 2147483648 INVITE", "bad-cseq"},
      {"CSeq: 36893488147419103232 INVITE", "bad-cseq"},
      {"CSeq: 0009\r\n  INVITE", "accept"},
      {"CSeq: 2INVITE", "bad-cseq"},
      {"CSeq: 2 invite", "bad-cseq"},
      {"CSeq: 2 BYE", "bad-cseq"},
      {"CSeq: -2 INVITE", "bad-cseq"},
      {"CSeq: 2", "bad-cseq"},
      {"CSeq: 2 INVITE x", "bad-cseq"},
  };
  for (const auto& [line, expected] : cseqs)
    EXPECT_EQ(verdict(with(sample_request(), cseq, line)), expected) << line;
  const std::pair<const char*, const char*> hops[] = {
      {"0", "accept"},      {"255", "accept"},    {"0068", "accept"}, {"256", "bad-number"},
      {"-1", "bad-number"}, {"+1", "bad-number"}, {"", "bad-number"}, {"1 0", "bad-number"}};
  for (const auto& [value, expected] : hops)
    EXPECT_EQ(
        verdict(with(sample_request(), "Max-Forwards: 70", std::string("Max-Forwards: ") + value)),
        expected)
        << value;
  for (const char* line :
       {"RSeq: 0", "RSeq: 4294967296", "RAck: 1 2", "RAck: x 1 INVITE", "RAck: 776656 1INVITE"})
    EXPECT_EQ(with_header(line), "bad-number") << line;
  EXPECT_EQ(with_header("RSeq: 4294967295\r\nRAck: 776656 1 INVITE"), "accept");
  EXPECT_EQ(verdict(with(sample_request(), "Call-ID: 3848276298220188511@", "Call-ID: a b@")),
            "syntax");
  EXPECT_EQ(verdict(with(sample_request(), "From: Alice <", "From: A, B <")), "syntax");
  EXPECT_EQ(verdict(with(sample_request(), "To: Bob <sip:bob@biloxi.example.com>", "To: *")),
            "syntax");
  EXPECT_EQ(with_header("Route: sip:a@b"), "syntax");
  EXPECT_EQ(with_header("Record-Route: <sip:a@b;lr>,"), "syntax");
  EXPECT_EQ(with_header("Path: *"), "syntax");
  EXPECT_EQ(with_header("Contact: *"), "accept");
  EXPECT_EQ(with_header("Contact: sip:a@b?c=d"), "syntax");
  EXPECT_EQ(with_header("Via: SIP/2.0/UDP h,,SIP/2.0/UDP i"), "syntax");
}

TEST(Message, ContentLengthIsExactOnAStream) {
  const std::string end = "Content-Length: 4";
  const auto length = [&](const std::string& value, Framing framing = Framing::stream) {
    return verdict(with(sample_request({}, "body"), end, "Content-Length: " + value), framing);
  };
  EXPECT_EQ(length("4"), "accept");
  EXPECT_EQ(length("0004"), "accept");
  EXPECT_EQ(length("\r\n 4"), "accept");
  for (const char* value : {"3", "5", "", "+4", "-4", "0x4", "4,4", "4 4", "4;", "4.0",
                            "18446744073709551616", "18446744073709551620", "99999999999999999999"})
    EXPECT_EQ(length(value), "bad-content-length") << value;
  EXPECT_EQ(length("4294967300"), "too-long"); // 4 + 2^32
  EXPECT_EQ(length("18446744073709551615"), "too-long");
  EXPECT_EQ(verdict(with(sample_request({}, "body"), end, "X: y")), "missing-header");
}

TEST(Message, ADatagramMayHaveMoreOrNoLength) {
  const std::string request = sample_request({}, "body");
  const auto cut = Message::parse(request + "tail", Framing::datagram, {});
  ASSERT_TRUE(cut);
  EXPECT_EQ((*cut)->body(), "body");
  EXPECT_EQ((*cut)->bytes(), request);
  const auto rest =
      Message::parse(with(request, "Content-Length: 4", "X: y"), Framing::datagram, {});
  ASSERT_TRUE(rest);
  EXPECT_EQ((*rest)->body(), "body");
  EXPECT_EQ(verdict(with(request, "h: 4", "h: 5"), Framing::datagram), "bad-content-length");
}

TEST(Message, LimitsHold) {
  const std::string request = sample_request("X: 0123456789\r\n", "body");
  const std::size_t headers = request.size() - 4;
  EXPECT_EQ(verdict(request, Framing::stream, {.message = request.size()}), "accept");
  EXPECT_EQ(verdict(request, Framing::stream, {.message = request.size() - 1}), "too-long");
  EXPECT_EQ(verdict(request, Framing::stream, {.headers = headers}), "accept");
  EXPECT_EQ(verdict(request, Framing::stream, {.headers = headers - 1}), "too-long");
  EXPECT_EQ(verdict(request, Framing::stream, {.body = 4}), "accept");
  EXPECT_EQ(verdict(request, Framing::stream, {.body = 3}), "too-long");
  EXPECT_EQ(verdict(request, Framing::stream, {.fields = 10}), "accept");
  EXPECT_EQ(verdict(request, Framing::stream, {.fields = 9}), "too-many");
  EXPECT_EQ(verdict(request, Framing::stream, {.values = 4}), "accept"); // 2 Via, 2 Route
  EXPECT_EQ(verdict(request, Framing::stream, {.values = 3}), "too-many");
  EXPECT_EQ(verdict(sample_request("X: " + std::string(4096 - 5, 'x') + "\r\n")), "accept");
  EXPECT_EQ(verdict(sample_request("X: " + std::string(4096 - 4, 'x') + "\r\n")), "too-long");
  std::string folded = "X: y";
  for (int i = 0; i < 600; ++i) folded += "\r\n abcd";
  EXPECT_EQ(with_header(folded), "too-long");
}

TEST(Message, EveryTruncationIsRefused) {
  const std::string request = sample_request("X: a\r\n b\r\n", "body");
  for (std::size_t size = 0; size < request.size(); ++size)
    EXPECT_NE(verdict(request.substr(0, size)), "accept") << size;
}

TEST(SalvageRequest, KeepsWhatAnAnswerNeeds) {
  const auto parts = salvage_request(sample_request("X : y\r\nv: SIP/2.0/UDP z\r\nTo: second\r\n"));
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->method, "INVITE");
  EXPECT_TRUE(parts->via_lines.starts_with("Via: SIP/2.0/TLS client"));
  EXPECT_TRUE(parts->via_lines.ends_with("v: SIP/2.0/UDP z\r\n"));
  EXPECT_EQ(parts->to, "Bob <sip:bob@biloxi.example.com>");
  EXPECT_EQ(parts->cseq, "2 INVITE");
  EXPECT_EQ(parts->call_id, "3848276298220188511@atlanta.example.com");
}

TEST(SalvageRequest, NeverGivesBackControlCharacters) {
  const auto parts = salvage_request(with(sample_request(), "Alice", "Al\x1bice\nX"));
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->from, "");
  EXPECT_FALSE(salvage_request("SIP/2.0 200 OK\r\nVia: x\r\n\r\n"));
  EXPECT_FALSE(salvage_request("GET / HTTP/1.1\r\nVia: x\r\n\r\n"));
  EXPECT_FALSE(salvage_request("\x16\x03\x01"));
  EXPECT_FALSE(salvage_request(""));
  EXPECT_TRUE(salvage_request("OPTIONS sip:a SIP/2.0\r\nVia: cut"));
}

TEST(StatusFor, AnswersByKind) {
  EXPECT_EQ(status_for(Error::syntax), 400);
  EXPECT_EQ(status_for(Error::too_long), 513);
  EXPECT_EQ(status_for(Error::bad_version), 505);
}

} // namespace
} // namespace midcom::sip
