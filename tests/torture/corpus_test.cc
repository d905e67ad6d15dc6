// SPDX-License-Identifier: GPL-3.0-or-later
// The corpus of test messages, where it is at hand, against the expectations of its manifest. What
// deviates must stand in argued.tsv, and what stands there must deviate.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "sip/message.h"
#include "sip/sdp.h"
#include "sip/stream_framer.h"
#include "tests/torture/table.h"

namespace midcom::torture {
namespace {

enum class Expectation { accept, reject, either };
enum Column { file = 1, kind = 2, stream_expect = 5, datagram_expect = 6, columns = 10 };

// A folder that is gone with the object.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "torture-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

std::string archive_path() {
  if (const char* named = std::getenv("MIDCOM_CORPORA")) return named;
  return std::string(MIDCOM_SOURCE_DIR) + "/../shared/corpora.tar.gz";
}

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

class Corpus : public testing::Test {
protected:
  void SetUp() override {
    const std::string archive = archive_path();
    if (!is_file(archive))
      GTEST_SKIP() << archive << " is not there; MIDCOM_CORPORA may name the archive";
    const std::string command = "tar -xzf '" + archive + "' -C '" + folder_.path() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    for (const auto& row : read_table(std::string(MIDCOM_SOURCE_DIR) + "/tests/torture/argued.tsv"))
      argued_.insert(row.at(0) + " " + row.at(1));
    rows_ = read_table(folder_.path() + "/corpora/manifest.tsv");
    ASSERT_GT(rows_.size(), 1U);
    rows_.erase(rows_.begin());
  }

  std::string bytes_of(const std::vector<std::string>& row) const {
    return read_bytes(folder_.path() + "/corpora/" + row.at(Column::file));
  }

  void judge(const std::string& name, Expectation expected, bool accepted) {
    judged_.insert(name);
    if (expected == Expectation::either) return;
    if (accepted == (expected == Expectation::accept)) return;
    deviating_.insert(name);
    EXPECT_TRUE(argued_.contains(name))
        << name << (accepted ? ": accepted" : ": refused") << " against the manifest";
  }

  void check_argued() const {
    for (const std::string& name : argued_) {
      if (!judged_.contains(name)) continue; // another test's row
      EXPECT_TRUE(deviating_.contains(name)) << name << " is argued for but does not deviate";
    }
  }

  TemporaryFolder folder_;
  std::vector<std::vector<std::string>> rows_;
  std::set<std::string> argued_, deviating_, judged_;
};

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
