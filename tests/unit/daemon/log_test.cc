// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/log.h"

#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log_format.h"

namespace midcom {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

LogTime time_of(std::int64_t microseconds) {
  return LogTime(
      std::chrono::duration_cast<LogTime::duration>(std::chrono::microseconds(microseconds)));
}

const LogTime noon = time_of(1795400000000123); // 2026-11-23T02:13:20.000123Z

std::string value_of(std::string_view text) {
  const std::string line = to_logfmt(Event(Level::info, "x").add("k", text), noon);
  return line.substr(line.find(" k=") + 3);
}

TEST(LogFormat, LineHasTimeLevelEventVersionThenFields) {
  const Event event = Event(Level::notice, "pinhole.open").add("call", "7f3a").add("n", 12);
  EXPECT_EQ(to_logfmt(event, noon),
            "ts=" + time_text(noon) + " lvl=notice ev=pinhole.open v=1 call=7f3a n=12");
  EXPECT_EQ(to_json(event, noon), "{\"ts\":\"" + time_text(noon) +
                                      "\",\"lvl\":\"notice\",\"ev\":\"pinhole.open\",\"v\":1,"
                                      "\"call\":\"7f3a\",\"n\":\"12\"}");
}

TEST(LogFormat, TimeIsUtcWithMicroseconds) {
  EXPECT_EQ(time_text(time_of(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(time_text(time_of(951782400000042)), "2000-02-29T00:00:00.000042Z");
}

TEST(LogFormat, PlainValuesStayBare) {
  EXPECT_EQ(value_of("192.0.2.7:5061"), "192.0.2.7:5061");
  EXPECT_EQ(value_of("[2001:db8::1]:5061"), "[2001:db8::1]:5061");
  EXPECT_EQ(value_of("sip:alice@acme.example"), "sip:alice@acme.example");
}

TEST(LogFormat, ValuesThatCouldEndThemselvesAreQuoted) {
  EXPECT_EQ(value_of(""), "\"\"");
  EXPECT_EQ(value_of("a b"), "\"a b\"");
  EXPECT_EQ(value_of("a=b"), "\"a=b\"");
  EXPECT_EQ(value_of("a\" src=192.0.2.1"), "\"a\\\" src=192.0.2.1\"");
  EXPECT_EQ(value_of("a\\"), "\"a\\\\\"");
}

TEST(LogFormat, NothingEndsTheLineOrSteersATerminal) {
  EXPECT_EQ(value_of("a\r\nts=0 ev=fake"), "\"a\\r\\nts=0 ev=fake\"");
  EXPECT_EQ(value_of("\x1b[2J"), "\"\\u001b[2J\"");
  EXPECT_EQ(value_of("\t\x7f"), "\"\\t\\u007f\"");
  EXPECT_EQ(value_of(std::string_view("a\0b", 3)), "\"a\\u0000b\"");
  EXPECT_EQ(value_of("\xc2\x9b"), "\"\\u009b\"");                // CSI of C1
  EXPECT_EQ(value_of("\xe2\x80\xa8"), "\"\\u2028\"");            // line separator
  EXPECT_EQ(value_of("\xe2\x80\xae"), "\"\\u202e\"");            // right-to-left override
  EXPECT_EQ(value_of("\xf3\xa0\x80\x81"), "\"\\udb40\\udc01\""); // tag character
}

TEST(LogFormat, Utf8PassesAndWhatIsNotIsShownByOctets) {
  EXPECT_EQ(value_of("Zo\xc3\xab"), "\"Zo\xc3\xab\"");
  EXPECT_EQ(value_of("\xf0\x9f\x93\x9e"), "\"\xf0\x9f\x93\x9e\"");
  EXPECT_EQ(value_of("\xff"), "\"\\xff\"");
  EXPECT_EQ(value_of("\xc3"), "\"\\xc3\"");                            // cut off
  EXPECT_EQ(value_of("\xc0\xaf"), "\"\\xc0\\xaf\"");                   // overlong
  EXPECT_EQ(value_of("\xe0\x80\xaf"), "\"\\xe0\\x80\\xaf\"");          // overlong
  EXPECT_EQ(value_of("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"");          // surrogate
  EXPECT_EQ(value_of("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\""); // above U+10FFFF
}

TEST(LogFormat, LongValuesAreCut) {
  const std::string value = value_of(std::string(5000, 'a'));
  EXPECT_EQ(value, std::string(2048, 'a') + "...(2952 more)");
}

TEST(LogFormat, JsonHasNoInvalidTextAndNoRawControl) {
  const std::string line = to_json(Event(Level::info, "x").add("k", "\xff\x01\"\\"), noon);
  EXPECT_THAT(line, HasSubstr("\"k\":\"\\ufffd\\u0001\\\"\\\\\""));
}

TEST(LogFormat, EveryOctetIsPrintable) {
  for (int octet = 0; octet < 256; ++octet) {
    const std::string text(1, static_cast<char>(octet));
    for (const std::string& line : {to_logfmt(Event(Level::info, "x").add("k", text), noon),
                                    to_json(Event(Level::info, "x").add("k", text), noon)}) {
      for (const char c : line) EXPECT_TRUE(c >= ' ' && c < 0x7f) << octet;
    }
  }
}

TEST(Event, FieldsAreFoundByKey) {
  const Event event = Event(Level::error, "x").add("a", "1").add("b", 2);
  EXPECT_EQ(event.field("a"), "1");
  EXPECT_EQ(event.field("b"), "2");
  EXPECT_EQ(event.field("c"), "");
}

class LogFile : public ::testing::Test {
protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "midcom-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    config_.destination = LogConfig::Destination::file;
    config_.file = (folder_ / "midcomd.log").string();
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string text(const std::string& name = "midcomd.log") {
    std::ifstream stream(folder_ / name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  fs::path folder_;
  LogConfig config_;
};

TEST_F(LogFile, OneEventIsOneLine) {
  const auto log = Log::open(config_, "agent");
  ASSERT_TRUE(log) << log.error();
  (*log)->write(Event(Level::info, "a.b").add("k", "v\n"));
  (*log)->write(Event(Level::warning, "c"));
  EXPECT_THAT(text(), StartsWith("ts=2"));
  EXPECT_THAT(text(), HasSubstr(" lvl=info ev=a.b v=1 proc=agent k=\"v\\n\"\nts="));
  EXPECT_THAT(text(), EndsWith(" lvl=warn ev=c v=1 proc=agent\n"));
}

TEST_F(LogFile, LevelIsKept) {
  config_.level = Level::notice;
  const auto log = Log::open(config_, "");
  ASSERT_TRUE(log);
  (*log)->write(Event(Level::info, "low"));
  EXPECT_EQ(text(), "");
  (*log)->write(Event(Level::notice, "high"));
  EXPECT_THAT(text(), EndsWith(" lvl=notice ev=high v=1\n"));
}

TEST_F(LogFile, JsonLines) {
  config_.format = LogConfig::Format::json;
  const auto log = Log::open(config_, "middlebox");
  ASSERT_TRUE(log);
  (*log)->write(Event(Level::error, "x"));
  EXPECT_THAT(text(), EndsWith("\"lvl\":\"error\",\"ev\":\"x\",\"v\":1,\"proc\":\"middlebox\"}\n"));
}

TEST_F(LogFile, ReopenAfterRotation) {
  const auto log = Log::open(config_, "");
  ASSERT_TRUE(log);
  (*log)->write(Event(Level::info, "first"));
  fs::rename(config_.file, folder_ / "old.log");
  (*log)->write(Event(Level::info, "second"));
  ASSERT_TRUE((*log)->reopen());
  (*log)->write(Event(Level::info, "third"));
  EXPECT_THAT(text("old.log"), HasSubstr("ev=second"));
  EXPECT_THAT(text(), HasSubstr("ev=third"));
  EXPECT_EQ(text().find("second"), std::string::npos);
}

TEST_F(LogFile, ReopenThatFailsKeepsTheOldFile) {
  const auto log = Log::open(config_, "");
  ASSERT_TRUE(log);
  fs::rename(config_.file, folder_ / "old.log");
  fs::create_directory(config_.file);
  EXPECT_FALSE((*log)->reopen());
  (*log)->write(Event(Level::info, "still"));
  EXPECT_THAT(text("old.log"), HasSubstr("ev=still"));
}

TEST_F(LogFile, NobodyElseReadsItAndNoProgramInheritsIt) {
  const auto log = Log::open(config_, "");
  ASSERT_TRUE(log);
  struct stat status{};
  ASSERT_EQ(::stat(config_.file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007, 0U);
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (fs::read_symlink(entry.path(), error) != config_.file) continue;
    const int fd = std::atoi(entry.path().filename().c_str());
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_F(LogFile, FolderThatIsNotThere) {
  config_.file = "/proc/none/midcomd.log";
  const auto log = Log::open(config_, "");
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error(), HasSubstr("/proc/none/midcomd.log"));
}

TEST(Log, AutomaticWithoutJournalIsStderrAndSaysSo) {
  if (::access("/run/systemd/journal/socket", F_OK) == 0) GTEST_SKIP() << "a journal is here";
  ::testing::internal::CaptureStderr();
  const auto log = Log::open({}, "supervisor", true);
  ASSERT_TRUE(log);
  (*log)->write(Event(Level::info, "start"));
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("ev=log.fallback v=1 proc=supervisor to=stderr detail=\"no journal"));
  EXPECT_THAT(text, HasSubstr("ev=start"));
}

TEST(Log, JournaldWithoutJournalIsAnError) {
  if (::access("/run/systemd/journal/socket", F_OK) == 0) GTEST_SKIP() << "a journal is here";
  LogConfig config;
  config.destination = LogConfig::Destination::journald;
  EXPECT_FALSE(Log::open(config, ""));
}

} // namespace
} // namespace midcom
