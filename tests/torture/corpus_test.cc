// SPDX-License-Identifier: GPL-3.0-or-later
// The corpus of test messages, where it is at hand, against the expectations of its manifest. What
// deviates must stand in argued.tsv, and what stands there must deviate.
#include <gtest/gtest.h>

#include "sip/message.h"
#include "sip/sdp.h"
#include "sip/stream_framer.h"
#include "tests/torture/corpus.h"

namespace midcom::torture {
namespace {

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// The manifest speaks of the whole proxy; the gate sees syntax. What is not named as malformed must
// pass it, and policy decides later.
Expectation sip_expectation(const std::string& text) {
  if (text.empty() || text.starts_with("unclassified") || has(text, "|") || has(text, "liberal"))
    return Expectation::either;
  if (text.starts_with("forward") || text.starts_with("accept"))
    return has(text, " or ") || has(text, "400") ? Expectation::either : Expectation::accept;
  for (const char* word : {"reject", "drop", "no crash", "unfinished"})
    if (text.starts_with(word)) return Expectation::reject;
  return Expectation::accept;
}

Expectation sdp_expectation(const std::string& text) {
  if (text.starts_with("parse ok") || text.starts_with("legal") || text.starts_with("policy"))
    return Expectation::accept;
  if (text.starts_with("refuse") && !has(text, "policy")) return Expectation::reject;
  return Expectation::either;
}

std::string outcome_text(const sip::StreamFramer::Outcome& outcome) {
  using Framer = sip::StreamFramer;
  if (const auto* frame = std::get_if<Framer::Frame>(&outcome)) return "frame " + frame->bytes;
  if (const auto* broken = std::get_if<Framer::Broken>(&outcome))
    return "broken " + std::string(to_string(broken->error)) + broken->rejected;
  return "other " + std::to_string(outcome.index());
}

// All outcomes of a stream that comes in pieces of `step` octets.
std::vector<std::string> frame_stream(const std::string& bytes, std::size_t step) {
  sip::StreamFramer framer{{}};
  std::vector<std::string> all;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    framer.append(std::string_view(bytes).substr(at, step));
    while (true) {
      const auto outcome = framer.next();
      if (std::holds_alternative<sip::StreamFramer::NeedMore>(outcome)) break;
      all.push_back(outcome_text(outcome));
      if (std::holds_alternative<sip::StreamFramer::Broken>(outcome)) return all;
    }
  }
  return all;
}

// The first message of the stream, cut by the framer and parsed.
bool is_accepted_on_stream(const std::string& bytes) {
  for (const std::string& outcome : frame_stream(bytes, bytes.size() + 1))
    if (outcome.starts_with("frame "))
      return sip::Message::parse(outcome.substr(6), sip::Framing::stream, {}).has_value();
  return false;
}

TEST_F(Corpus, SipMessages) {
  std::size_t messages = 0;
  for (const auto& row : rows_) {
    if (row.size() < Column::columns || !row[Column::kind].starts_with("sip")) continue;
    const std::string bytes = bytes_of(row);
    const std::string& name = row[Column::file];
    ++messages;
    const auto whole = frame_stream(bytes, bytes.size() + 1);
    EXPECT_EQ(whole, frame_stream(bytes, 1)) << name;
    EXPECT_EQ(whole, frame_stream(bytes, 7)) << name;
    (void)sip::salvage_request(bytes);
    const bool in_datagram = sip::Message::parse(bytes, sip::Framing::datagram, {}).has_value();
    const std::string& on_stream = row[Column::stream_expect];
    judge(name + " stream", sip_expectation(on_stream), is_accepted_on_stream(bytes));
    if (row[Column::kind] == "sip-stream") continue;
    const std::string& udp = row[Column::datagram_expect];
    judge(name + " datagram", sip_expectation(udp == "=" ? on_stream : udp), in_datagram);
  }
  EXPECT_GT(messages, 0U);
  check_argued();
  RecordProperty("messages", static_cast<int>(messages));
}

TEST_F(Corpus, SessionDescriptions) {
  std::size_t descriptions = 0;
  for (const auto& row : rows_) {
    if (row.size() < Column::columns || row[Column::kind] != "sdp") continue;
    const auto sdp = sip::Sdp::parse(bytes_of(row), {});
    judge(row[Column::file] + " sdp", sdp_expectation(row[Column::stream_expect]), sdp.has_value());
    ++descriptions;
  }
  EXPECT_GT(descriptions, 0U);
  check_argued();
  RecordProperty("descriptions", static_cast<int>(descriptions));
}

} // namespace
} // namespace midcom::torture
