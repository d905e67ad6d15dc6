// SPDX-License-Identifier: GPL-3.0-or-later
// Asks a running midcomd what it has: one question, one answer. Beside that, sub-programs that need
// no daemon.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <expected>
#include <getopt.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "daemon/certificate_command.h"
#include "daemon/control_tables.h"
#include "daemon/file_descriptor.h"
#include "daemon/inspect_command.h"
#include "daemon/log_format.h"
#include "daemon/open_command.h"
#include "daemon/seal_command.h"
#include "daemon/version.h"

namespace midcom {
namespace {

constexpr const char* usage =
    "usage: midcomctl [--socket PATH] [--json] status | flows | peers | calls | call CALL-ID |\n"
    "                 pinholes\n"
    "       midcomctl certs DIR --domain DOMAIN --gateway HOST --user NAME ...\n"
    "       midcomctl seal | open | inspect FILE ...\n"
    "       midcomctl --version | --help\n";

enum Status : int { status_ok = 0, status_usage = 2, status_not_found = 3, status_unreachable = 4 };

constexpr timeval patience{.tv_sec = 8, .tv_usec = 0};
constexpr std::size_t max_answer = 64U << 20;

struct SubProgram {
  std::string_view name;
  int (*run)(int count, char** words);
};
constexpr std::array sub_programs{
    SubProgram{"certs", run_certificate_command}, SubProgram{"inspect", run_inspect_command},
    SubProgram{"open", run_open_command}, SubProgram{"seal", run_seal_command}};

struct CommandLine {
  std::string socket = "/run/midcomd/control.sock";
  std::string request; // a line of the protocol
  bool is_json = false, is_version = false, is_help = false;
};

std::optional<CommandLine> parse_command_line(int count, char** words) {
  static constexpr option options[] = {{"socket", required_argument, nullptr, 's'},
                                       {"json", no_argument, nullptr, 'j'},
                                       {"version", no_argument, nullptr, 'V'},
                                       {"help", no_argument, nullptr, 'h'},
                                       {nullptr, 0, nullptr, 0}};
  CommandLine line;
  for (int letter = 0; (letter = ::getopt_long(count, words, "s:j", options, nullptr)) != -1;) {
    switch (letter) {
    case 's':
      line.socket = optarg;
      break;
    case 'j':
      line.is_json = true;
      break;
    case 'V':
      line.is_version = true;
      break;
    case 'h':
      line.is_help = true;
      break;
    default:
      return std::nullopt;
    }
  }
  for (int index = optind; index < count; ++index)
    line.request += (line.request.empty() ? "" : " ") + std::string(words[index]);
  return line;
}

std::unexpected<std::string> failure(const std::string& what) {
  return std::unexpected(what + ": " + std::strerror(errno));
}

std::expected<std::string, std::string> ask(const CommandLine& line) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  errno = ENAMETOOLONG;
  if (line.socket.size() >= sizeof address.sun_path) return failure(line.socket);
  line.socket.copy(address.sun_path, line.socket.size());
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return failure("socket");
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    (void)::setsockopt(socket.get(), SOL_SOCKET, option, &patience, sizeof patience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failure(line.socket);
  const std::string request = line.request + "\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return failure(line.socket);
  std::string answer, part(65536, '\0');
  while (true) {
    const ssize_t size = ::recv(socket.get(), part.data(), part.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failure(line.socket);
    if (size == 0) break;
    answer.append(part, 0, static_cast<std::size_t>(size));
    if (answer.size() > max_answer) return std::unexpected(line.socket + ": endless answer");
  }
  if (!answer.ends_with('\n')) return std::unexpected(line.socket + ": no whole answer");
  return answer;
}

int show(const CommandLine& line, const ControlRequest& request, const std::string& answer) {
  const auto value = parse_json(answer);
  if (!value) {
    std::fputs("midcomctl: the answer is no JSON\n", stderr);
    return status_unreachable;
  }
  const std::string error = (*value)["error"].text();
  if (line.is_json)
    std::fputs(answer.c_str(), stdout);
  else if (error.empty())
    std::fputs(control_table(request.kind, *value).c_str(), stdout);
  else
    std::fprintf(stderr, "midcomctl: %s\n", escaped(error).c_str());
  if (error.empty()) return status_ok;
  return error == "not-found" ? status_not_found : status_usage;
}

int run(int count, char** words) {
  const std::string_view first = count > 1 ? words[1] : "";
  const auto* program = std::ranges::find(sub_programs, first, &SubProgram::name);
  if (program != sub_programs.end()) return program->run(count - 1, words + 1);
  const auto line = parse_command_line(count, words);
  if (line && line->is_help) return std::fputs(usage, stdout) < 0;
  if (line && line->is_version) return std::printf("midcomctl %s\n", version) < 0;
  const auto request = line ? parse_control_request(line->request) : std::nullopt;
  if (!request) {
    std::fputs(usage, stderr);
    return status_usage;
  }
  const auto answer = ask(*line);
  if (!answer) {
    std::fprintf(stderr, "midcomctl: %s\n", answer.error().c_str());
    return status_unreachable;
  }
  return show(*line, *request, *answer);
}

} // namespace
} // namespace midcom

int main(int count, char** words) {
  try {
    return midcom::run(count, words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "midcomctl: %s\n", error.what());
    return 1;
  }
}
