// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/journal.h"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/log.h"

namespace midcom {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

// A socket where the journal's would be.
class Journal : public ::testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/midcom-journal-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directory(folder_ / "empty");
    listen();
    config_.destination = LogConfig::Destination::journald;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void listen() {
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    ::unlink(path().c_str());
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
  }
  std::string path() const { return (folder_ / "socket").string(); }
  std::string receive() {
    std::string entry(300000, 0);
    const ssize_t size = ::recv(socket_.get(), entry.data(), entry.size(), 0);
    entry.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return entry;
  }
  std::unique_ptr<Log> open() {
    auto log = Log::open(config_, "agent", false, path());
    EXPECT_TRUE(log) << log.error();
    return std::move(*log);
  }

  fs::path folder_;
  FileDescriptor socket_;
  LogConfig config_;
};

TEST(JournalField, PlainAndWithALength) {
  EXPECT_EQ(journal_field("A", "b=c"), "A=b=c\n");
  EXPECT_EQ(journal_field("A", ""), "A=\n");
  EXPECT_EQ(journal_field("A", "b\nc"), std::string("A\n\3\0\0\0\0\0\0\0b\nc\n", 14));
  const std::string text = std::string(0x1234 - 1, 'x') + "\n";
  EXPECT_THAT(journal_field("A", text), StartsWith(std::string("A\n\x34\x12\0\0\0\0\0\0x", 11)));
}

TEST(JournalEntry, EveryFieldOfTheEventIsAFieldOfTheEntry) {
  const Event event = Event(Level::notice, "call.end").add("call-id", "a\nPRIORITY=0").add("n", 7);
  const std::string entry = journal_entry(event, "the line");
  EXPECT_THAT(entry, StartsWith("MESSAGE=the line\nPRIORITY=5\nSYSLOG_IDENTIFIER=midcomd\n"));
  EXPECT_THAT(entry, HasSubstr("\nMIDCOM_EVENT=call.end\nMIDCOM_CALL_ID=a\\nPRIORITY=0\n"));
  EXPECT_THAT(entry, HasSubstr("\nMIDCOM_N=7\n"));
  const std::size_t id = entry.find("\nMESSAGE_ID=") + 12;
  EXPECT_EQ(entry.find('\n', id), id + 32);
  EXPECT_EQ(
      entry.substr(id, 32),
      journal_entry(Event(Level::error, "call.end"), "")
          .substr(journal_entry(Event(Level::error, "call.end"), "").find("MESSAGE_ID=") + 11, 32));
}

TEST_F(Journal, OneEventIsOneEntry) {
  const auto log = open();
  log->write(Event(Level::info, "first").add("k", "v"));
  log->write(Event(Level::warning, "second"));
  EXPECT_THAT(receive(), HasSubstr("\nMIDCOM_EVENT=first\nMIDCOM_PROC=agent\nMIDCOM_K=v\n"));
  EXPECT_THAT(receive(), HasSubstr("\nPRIORITY=4\n"));
  EXPECT_EQ(receive(), "");
  EXPECT_EQ(log->lost(), 0U);
}

TEST_F(Journal, AutomaticTakesIt) {
  config_.destination = LogConfig::Destination::automatic;
  open()->write(Event(Level::info, "first"));
  EXPECT_THAT(receive(), HasSubstr("MIDCOM_EVENT=first\n"));
}

TEST_F(Journal, NoSocketIsAnErrorThatNamesIt) {
  const auto log = Log::open(config_, "", false, path() + "-not");
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error(), HasSubstr(path() + "-not"));
  EXPECT_FALSE(JournalSocket::open(std::string(200, 'x')));
}

TEST_F(Journal, ALostJournalIsCountedAndEndsNothing) {
  const auto log = open();
  socket_.reset();
  log->write(Event(Level::info, "first"));
  log->write(Event(Level::info, "second"));
  EXPECT_EQ(log->lost(), 2U);
  listen(); // a new socket of the same name is none of ours
  log->write(Event(Level::info, "third"));
  EXPECT_EQ(log->lost(), 3U);
}

TEST_F(Journal, ASlowJournalIsWaitedForOnceAndTheLossIsSaid) {
  const auto log = open();
  std::size_t written = 0;
  for (; written < 5000 && log->lost() == 0; ++written) log->write(Event(Level::info, "fill"));
  ASSERT_EQ(log->lost(), 1U);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) log->write(Event(Level::info, "more"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
  EXPECT_EQ(log->lost(), 101U);
  while (!receive().empty()) {
  }
  log->write(Event(Level::info, "back"));
  EXPECT_THAT(receive(), HasSubstr("MIDCOM_EVENT=back\n"));
  const std::string report = receive();
  EXPECT_THAT(report, HasSubstr("MIDCOM_EVENT=log.lost\n"));
  EXPECT_THAT(report, HasSubstr("MIDCOM_LINES=101\n"));
}

// As a role logs: without a file system, without a user's rights.
TEST_F(Journal, WorksInAnEmptyRootWithoutPrivileges) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto log = open();
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_dropped = ::chroot((folder_ / "empty").c_str()) == 0 && ::chdir("/") == 0 &&
                            ::setresgid(65534, 65534, 65534) == 0 &&
                            ::setresuid(65534, 65534, 65534) == 0;
    if (!is_dropped) ::_exit(2);
    log->write(Event(Level::info, "inside"));
    ::_exit(log->lost() == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(receive(), HasSubstr("MIDCOM_EVENT=inside\n"));
}

} // namespace
} // namespace midcom
