// SPDX-License-Identifier: GPL-3.0-or-later
// What an opener and the middlebox may still ask of the kernel. Each case sets a filter in a
// process of its own.
#include "daemon/call_filter.h"

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log.h"
#include "tests/unit/daemon/in_child.h"

namespace midcom {
namespace {

using test::in_child;

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += word + "; ";
  return text;
}

std::string filtered(const std::function<std::string()>& body) {
  return in_child([&] {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit_system_calls(filter_of_this_build());
    return body();
  });
}

std::string filtered_after(const std::function<std::unique_ptr<Log>()>& open,
                           const std::function<std::string(Log& log)>& body) {
  return in_child([&] {
    ::tzset(); // as await_start() does
    const auto log = open();
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit_system_calls(filter_of_this_build());
    return body(*log);
  });
}

TEST(CallFilter, IsProven) {
  EXPECT_EQ(in_child([] {
              ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
              limit_system_calls_and_prove(filter_of_this_build());
              return std::string("proven");
            }),
            "proven");
}

TEST(CallFilter, ItsAbsenceIsSeen) {
  EXPECT_EQ(in_child([] { return join(leftover_calls()); }),
            "no filter; a socket can be made; a socket can be made; a socket can be made; a socket "
            "can be made; ");
}

TEST(CallFilter, LetsNoSocketBeMade) {
  EXPECT_EQ(filtered([] {
              const bool is_refused = ::socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES &&
                                      ::connect(0, nullptr, 0) < 0 && errno == EACCES;
              return std::string(is_refused ? "refused" : "made");
            }),
            "refused");
}

TEST(CallFilter, EndsWhoRunsAProgram) {
  EXPECT_EQ(filtered([] {
              char* const nothing[] = {nullptr};
              ::execve("/bin/true", nothing, nothing);
              return std::string("still here");
            }),
            " (SIGSYS)");
}

// A sanitizer's runtime needs files and such memory for itself: its filter lets them be.
TEST(CallFilter, EndsWhoOpensAFileOrMakesMemoryExecutable) {
  const bool is_strict = filter_of_this_build() == CallFilter::strict;
  EXPECT_EQ(filtered([] {
              const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
              return std::string(fd >= 0 ? "opened" : "refused");
            }),
            is_strict ? " (SIGSYS)" : "opened");
  EXPECT_EQ(filtered([] {
              void* memory = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              ::mprotect(memory, 4096, PROT_READ | PROT_EXEC);
              return std::string("executable");
            }),
            is_strict ? " (SIGSYS)" : "executable");
  EXPECT_EQ(
      filtered([] { return std::string(::kill(::getppid(), 0) == 0 ? "signalled" : "refused"); }),
      is_strict ? " (SIGSYS)" : "signalled");
}

// By every kind of sink that needs no daemon; a syslog that isn't there is no end either.
TEST(CallFilter, LetsALogBeWritten) {
  char name[] = "/tmp/midcomd-filter-XXXXXX";
  const int made = ::mkstemp(name);
  ASSERT_GE(made, 0);
  const auto write = [&](LogConfig::Destination destination) {
    return filtered_after(
        [&] {
          LogConfig config;
          config.destination = destination;
          config.file = destination == LogConfig::Destination::file ? name : "";
          return *Log::open(config, "opener");
        },
        [](Log& log) {
          for (int line = 0; line < 3; ++line) log.write(Event(Level::error, "opener.test"));
          return std::string("written");
        });
  };
  EXPECT_EQ(write(LogConfig::Destination::file), "written");
  EXPECT_EQ(write(LogConfig::Destination::syslog), "written");
  std::string text(4096, '\0');
  const ssize_t size = ::pread(made, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  EXPECT_NE(text.find("opener.test"), std::string::npos) << text;
  ::close(made);
  ::unlink(name);
}

// As the middlebox reads the counts of its queue.
TEST(CallFilter, LetsWhatIsOpenBeReadAgain) {
  std::ifstream counts("/proc/uptime");
  ASSERT_TRUE(counts.is_open());
  EXPECT_EQ(filtered([&] {
              std::string line;
              for (int i = 0; i < 3; ++i) {
                counts.clear();
                counts.seekg(0);
                if (!std::getline(counts, line)) return std::string("not read");
              }
              return std::string("read");
            }),
            "read");
}

TEST(CallFilter, LetsMemoryGrowAndTheProcessEnd) {
  EXPECT_EQ(filtered([] {
              std::string big;
              for (int turn = 0; turn < 8; ++turn) big.append(1 << 20, 'x');
              big.shrink_to_fit();
              return std::to_string(big.size() >> 20);
            }),
            "8");
}

} // namespace
} // namespace midcom
