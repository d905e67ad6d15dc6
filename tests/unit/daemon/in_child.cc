// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/daemon/in_child.h"

#include <array>
#include <fcntl.h>
#include <stdexcept>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

namespace midcom::test {

std::string in_child(const std::function<std::string()>& body) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "no pipe";
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::string text;
    try {
      text = body();
    } catch (const std::exception& error) {
      text = std::string("thrown: ") + error.what();
    }
    const bool is_written = ::write(ends[1], text.data(), text.size()) >= 0;
    ::_exit(is_written ? 0 : 1); // no leak check: it needs what has been dropped
  }
  ::close(ends[1]);
  std::string text(4096, '\0');
  const ssize_t size = ::read(ends[0], text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) return text + " (SIG" + ::sigabbrev_np(WTERMSIG(status)) + ")";
  return text + (status == 0 ? "" : " (status " + std::to_string(WEXITSTATUS(status)) + ")");
}

} // namespace midcom::test
