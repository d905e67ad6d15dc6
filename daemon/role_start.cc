// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/role_start.h"

#include <csignal>
#include <cstdio>
#include <ctime>
#include <sys/prctl.h>
#include <utility>

#include "daemon/memory_file.h"

namespace midcom {

namespace {

constexpr int longest_wait_ms = 30000;

} // namespace

Channel::Message await_start(Channel& channel, const char* name) {
  (void)::prctl(PR_SET_NAME, name, 0, 0, 0); // exec of /proc/self/exe left "exe"
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) (void)std::signal(signal, SIG_IGN);
  ::tzset(); // while the time zone's file can be read
  auto message = channel.receive_within(longest_wait_ms);
  if (!message) throw RoleFailure(exit_failure, "no message from the supervisor");
  return std::move(*message);
}

std::string contents_of(const FileDescriptor& file) {
  return read_memory_file(file.get());
}

std::unique_ptr<Log> open_role_log(const LogConfig& config, std::string_view role) {
  auto log = Log::open(config, role);
  if (!log) throw RoleFailure(exit_failure, "log: " + log.error());
  return std::move(*log);
}

void report_role_failure(const char* role, const char* why) {
  std::fprintf(stderr, "midcomd: %s: %s\n", role, why);
}

} // namespace midcom
