// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/call_filter.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <seccomp.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/file_descriptor.h"

namespace midcom {

namespace {

constexpr int filter_mode = 2; // what PR_GET_SECCOMP answers (SECCOMP_MODE_FILTER)

struct Free {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Free>;

// `code` is a negative errno.
void check(int code, const char* step) {
  if (code != 0)
    throw std::runtime_error(std::string("seccomp: ") + step + ": " + std::strerror(-code));
}

// Calls that are allowed with any argument.
constexpr std::array allowed = {
    // what is open
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvmsg),
    SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(close), SCMP_SYS(fstat),
    SCMP_SYS(lseek), // the queue's counts, read again
    // waiting
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(timerfd_settime),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(futex), SCMP_SYS(restart_syscall),
    // memory
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
    SCMP_SYS(munlock),
    // time and chance
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    // itself, and its end
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group)};

struct Allowed {
  int call;
  scmp_arg_cmp argument;
};

// Calls that are allowed with one argument as given.
std::vector<Allowed> allowed_by_argument() {
  constexpr scmp_datum_t executable = PROT_EXEC;
  const auto equal = [](unsigned index, scmp_datum_t value) {
    return scmp_arg_cmp{index, SCMP_CMP_EQ, value, 0};
  };
  return {{SCMP_SYS(mmap), {2, SCMP_CMP_MASKED_EQ, executable, 0}},
          {SCMP_SYS(mprotect), {2, SCMP_CMP_MASKED_EQ, executable, 0}},
          {SCMP_SYS(newfstatat), equal(3, AT_EMPTY_PATH)}, // fstat() of a log's first line
          {SCMP_SYS(fcntl), equal(1, F_GETFL)},
          {SCMP_SYS(fcntl), equal(1, F_GETFD)},
          {SCMP_SYS(fcntl), equal(1, F_DUPFD_CLOEXEC)},
          {SCMP_SYS(prctl), equal(0, PR_GET_SECCOMP)},
          {SCMP_SYS(tgkill), equal(0, static_cast<scmp_datum_t>(::getpid()))}}; // abort()
}

void add(const Filter& filter, std::uint32_t action, int call) {
  check(seccomp_rule_add_array(filter.get(), action, call, 0, nullptr), "rule");
}

// `refusal`: what becomes of other calls.
Filter make_filter(CallFilter kind, std::uint32_t refusal) {
  const bool is_strict = kind == CallFilter::strict;
  Filter filter(seccomp_init(is_strict ? refusal : SCMP_ACT_ALLOW));
  if (!filter) throw std::runtime_error("seccomp: no filter");
  check(seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
        "architecture");
  for (const int call : {SCMP_SYS(socket), SCMP_SYS(connect)})
    add(filter, SCMP_ACT_ERRNO(EACCES), call);
  if (!is_strict) {
    for (const int call : {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(bind), SCMP_SYS(listen)})
      add(filter, refusal, call);
    return filter;
  }
  check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "tree");
  for (const int call : allowed) add(filter, SCMP_ACT_ALLOW, call);
  for (const auto& [call, argument] : allowed_by_argument())
    check(seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 1, &argument), "rule");
  return filter;
}

struct Probe {
  const char* what;
  bool is_for_sanitizer; // refused by both filters
  long (*attempt)();     // -1: refused
};

constexpr std::array<Probe, 7> probes = {
    {{"a program can be run", true,
      [] {
        char* const nothing[] = {nullptr};
        return long{::execve("/", nothing, nothing)};
      }},
     {"an address can be bound", true, [] { return long{::bind(-1, nullptr, 0)}; }},
     {"a file can be opened", false, [] { return long{::open("/x", O_RDONLY | O_CLOEXEC)}; }},
     {"a process can be started", false,
      [] {
        const pid_t pid = ::fork();
        if (pid == 0) ::_exit(0);
        return long{pid};
      }},
     {"a process can be traced", false,
      [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
     {"a signal can be sent", false, [] { return long{::kill(0, 0)}; }},
     {"memory can be made executable", false, [] {
        const void* memory =
            ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED ? -1L : 0L;
      }}}};

// Exit statuses of the children below.
constexpr int survived = 0x80, not_set_up = 0xff;
static_assert(probes.size() < 8, "one bit for each in an exit status");

// The child's wait status; it does what it is told with the filter in force.
int in_filtered_child(CallFilter kind, std::uint32_t refusal, int (*body)(CallFilter kind)) {
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("seccomp: no process to prove the filter by");
  if (pid == 0) {
    try {
      check(seccomp_load(make_filter(kind, refusal).get()), "load");
    } catch (...) {
      ::_exit(not_set_up);
    }
    ::_exit(body(kind));
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// A bit for each probe that isn't refused. The refusal is an error that no call gives by itself.
int try_probes(CallFilter kind) {
  int left = 0;
  for (std::size_t index = 0; index < probes.size(); ++index) {
    if (kind != CallFilter::strict && !probes[index].is_for_sanitizer) continue;
    errno = 0;
    if (probes[index].attempt() != -1 || errno != EUCLEAN) left |= 1 << index;
  }
  return left;
}

void require_none(const std::vector<std::string>& left) {
  if (left.empty()) return;
  std::string text = "system calls left over:";
  for (const auto& item : left) text += " " + item + ";";
  text.pop_back();
  throw std::runtime_error(text);
}

} // namespace

CallFilter filter_of_this_build() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return CallFilter::sanitizer;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return CallFilter::sanitizer;
#else
  return CallFilter::strict;
#endif
#else
  return CallFilter::strict;
#endif
}

std::string_view to_string(CallFilter filter) {
  return filter == CallFilter::strict ? "strict" : "sanitizer";
}

void limit_system_calls(CallFilter filter) {
  check(seccomp_load(make_filter(filter, SCMP_ACT_KILL_PROCESS).get()), "load");
}

std::vector<std::string> unfiltered_calls(CallFilter filter) {
  std::vector<std::string> left;
  const int refused = in_filtered_child(filter, SCMP_ACT_ERRNO(EUCLEAN), try_probes);
  for (std::size_t index = 0; index < probes.size(); ++index)
    if (!WIFEXITED(refused) || (WEXITSTATUS(refused) >> index & 1) != 0)
      left.emplace_back(probes[index].what);
  const int ended = in_filtered_child(filter, SCMP_ACT_KILL_PROCESS, [](CallFilter) {
    (void)probes.front().attempt();
    return survived;
  });
  if (!WIFSIGNALED(ended) || WTERMSIG(ended) != SIGSYS) left.emplace_back("nothing is ended");
  return left;
}

std::vector<std::string> leftover_calls() {
  std::vector<std::string> left;
  if (::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != filter_mode) left.emplace_back("no filter");
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    const FileDescriptor made(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (made || errno != EACCES) left.emplace_back("a socket can be made");
  }
  return left;
}

void limit_system_calls_and_prove(CallFilter filter) {
  require_none(unfiltered_calls(filter));
  limit_system_calls(filter);
  require_none(leftover_calls());
}

} // namespace midcom
