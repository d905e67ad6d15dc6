// SPDX-License-Identifier: GPL-3.0-or-later
// What the roles have in common at their start.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "daemon/channel.h"
#include "daemon/config.h"
#include "daemon/exit_status.h"
#include "daemon/log.h"

namespace midcom {

// Ends a role before its loop runs.
class RoleFailure : public std::runtime_error {
public:
  RoleFailure(ExitStatus status, const std::string& why)
      : std::runtime_error(why), status_(status) {}
  [[nodiscard]] ExitStatus status() const { return status_; }

private:
  ExitStatus status_;
};

// The supervisor's first message, awaited on fd 3; `name` is the process's in ps. Signals that a
// terminal sends to the whole group are the supervisor's business and ignored from here on.
[[nodiscard]] Channel::Message await_start(Channel& channel, const char* name);

// The whole contents of a memory file that came along.
[[nodiscard]] std::string contents_of(const FileDescriptor& file);

[[nodiscard]] std::unique_ptr<Log> open_role_log(const LogConfig& config, std::string_view role);

// Runs `body` and turns what it throws into an exit status and a line on stderr.
template <class Body>
[[nodiscard]] int run_role(const char* role, Body body);
void report_role_failure(const char* role, const char* why);

template <class Body>
int run_role(const char* role, Body body) {
  try {
    return body();
  } catch (const RoleFailure& failure) {
    report_role_failure(role, failure.what());
    return failure.status();
  } catch (const std::exception& error) {
    report_role_failure(role, error.what());
    return exit_failure;
  }
}

} // namespace midcom
