// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace midcom {

namespace {

// What a role may need of our environment: the time zone, and the options of a sanitizer build.
// NOTIFY_SOCKET is not among it: only the supervisor speaks to the service manager.
constexpr std::array<const char*, 7> inherited = {
    "TZ",           "LANG",          "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS",
    "TSAN_OPTIONS", "JOURNAL_STREAM"};

std::vector<std::string> child_environment() {
  std::vector<std::string> environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  for (const char* name : inherited)
    if (const char* value = std::getenv(name))
      environment.push_back(std::string(name) + "=" + value);
  return environment;
}

// Between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(char* const* arguments, char* const* environment, int channel) {
  if (channel == channel_fd) {
    ::fcntl(channel, F_SETFD, 0);
  } else {
    ::dup2(channel, channel_fd);
  }
  ::close_range(channel_fd + 1, ~0U, 0);
  const int nothing = ::open("/dev/null", O_RDWR);
  if (nothing >= 0) {
    ::dup2(nothing, STDIN_FILENO);
    ::close(nothing);
  }
  ::execve("/proc/self/exe", arguments, environment);
  constexpr std::string_view failed = "midcomd: can't run a role: exec of /proc/self/exe failed\n";
  if (::write(STDERR_FILENO, failed.data(), failed.size()) < 0) ::_exit(71);
  ::_exit(71);
}

} // namespace

std::string_view to_string(Role role) {
  switch (role) {
  case Role::agent:
    return "agent";
  case Role::middlebox:
    return "middlebox";
  case Role::opener:
    return "opener";
  }
  return "";
}

pid_t start_child(Role role, const FileDescriptor& channel) {
  std::string program = "midcomd", option = "--role", name(to_string(role));
  std::vector<std::string> environment = child_environment();
  std::array<char*, 4> arguments{program.data(), option.data(), name.data(), nullptr};
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) become(arguments.data(), variables.data(), channel.get());
  return pid;
}

int restart_delay_ms(int deaths) {
  if (deaths <= 3) return 0;
  return std::min(30000, 1000 << std::min(deaths - 4, 5));
}

} // namespace midcom
