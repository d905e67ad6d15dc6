// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <getopt.h>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "daemon/agent_process.h"
#include "daemon/channel.h"
#include "daemon/child_process.h"
#include "daemon/config.h"
#include "daemon/exit_status.h"
#include "daemon/log.h"
#include "daemon/middlebox_process.h"
#include "daemon/opener_process.h"
#include "daemon/provisions.h"
#include "daemon/supervisor.h"
#include "daemon/version.h"

namespace midcom {
namespace {

constexpr const char* usage = "usage: midcomd --config FILE [--check]\n"
                              "       midcomd --version | --help\n";

struct CommandLine {
  std::string config_file = "/etc/midcomd/midcomd.conf";
  std::string role; // internal: how the supervisor starts its children
  bool is_check = false, is_version = false, is_help = false;
};

std::optional<CommandLine> parse_command_line(int count, char** words) {
  static constexpr option options[] = {
      {"config", required_argument, nullptr, 'c'}, {"check", no_argument, nullptr, 'k'},
      {"version", no_argument, nullptr, 'V'},      {"help", no_argument, nullptr, 'h'},
      {"role", required_argument, nullptr, 'r'},   {nullptr, 0, nullptr, 0}};
  CommandLine line;
  for (int letter = 0; (letter = ::getopt_long(count, words, "c:", options, nullptr)) != -1;) {
    switch (letter) {
    case 'c':
      line.config_file = optarg;
      break;
    case 'k':
      line.is_check = true;
      break;
    case 'V':
      line.is_version = true;
      break;
    case 'h':
      line.is_help = true;
      break;
    case 'r':
      line.role = optarg;
      break;
    default:
      return std::nullopt;
    }
  }
  if (optind != count) return std::nullopt;
  return line;
}

int run_role_named(const std::string& name) {
  static constexpr struct {
    Role role;
    int (*run)();
  } roles[] = {
      {Role::agent, run_agent}, {Role::middlebox, run_middlebox}, {Role::opener, run_opener}};
  for (const auto& [role, run] : roles)
    if (name == to_string(role) && Channel::is_channel(channel_fd)) return run();
  std::fputs("midcomd: --role is how midcomd starts its own children\n", stderr);
  return exit_usage;
}

void print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::fprintf(stderr, "midcomd: %s\n", line.c_str());
}

// The standard three must be something: a file opened later would otherwise be one of them.
void open_standard_descriptors() {
  int fd = 0;
  do fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= 2);
  if (fd > 2) ::close(fd);
}

int supervise(const Config& config) {
  auto log = Log::open(config.log, "supervisor", true);
  if (!log) {
    print({"log: " + log.error()});
    return exit_failure;
  }
  const auto provisions = gather_provisions(config);
  if (!provisions) {
    print(provisions.error().reasons);
    return provisions.error().status;
  }
  if (!provisions->control_failure.empty())
    (*log)->write(Event(Level::warning, "control.fail").add("detail", provisions->control_failure));
  limit_supervisor();
  return Supervisor(*provisions, **log).run();
}

int run(int count, char** words) {
  const auto line = parse_command_line(count, words);
  if (!line) {
    std::fputs(usage, stderr);
    return exit_usage;
  }
  if (!line->role.empty()) return run_role_named(line->role);
  if (line->is_help || line->is_version) {
    if (line->is_help) std::fputs(usage, stdout);
    if (line->is_version) std::printf("midcomd %s\n", version);
    return exit_ok;
  }
  open_standard_descriptors();
  // Before the configuration, whose key files only root can read.
  if (!line->is_check && ::geteuid() != 0) {
    print({"must be started as root"});
    return exit_no_permission;
  }
  const auto config = load_config(line->config_file);
  if (!config) {
    for (const ConfigError& error : config.error())
      std::fprintf(stderr, "%s\n", error.to_string().c_str());
    return exit_config;
  }
  if (line->is_check) {
    std::printf("%s: no errors\n", line->config_file.c_str());
    return exit_ok;
  }
  return supervise(*config);
}

} // namespace
} // namespace midcom

int main(int count, char** words) {
  try {
    return midcom::run(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "midcomd: %s\n", error.what());
    return midcom::exit_failure;
  }
}
