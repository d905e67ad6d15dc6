// SPDX-License-Identifier: GPL-3.0-or-later
// epoll with a nanosecond timeout.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace midcom::bench {

class Poller {
public:
  Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)), events_(64) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
  ~Poller() { ::close(fd_); }
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int fd, std::uint64_t id) { control(EPOLL_CTL_ADD, fd, id, EPOLLIN); }
  void want_write(int fd, std::uint64_t id, bool is_wanted) {
    control(EPOLL_CTL_MOD, fd, id, is_wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
  void remove(int fd) { epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }
  // Empty at the timeout and at a signal.
  [[nodiscard]] std::span<const epoll_event> wait(std::chrono::nanoseconds timeout) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(timeout);
    const timespec until{whole.count(), (timeout - whole).count()};
    const int count =
        epoll_pwait2(fd_, events_.data(), static_cast<int>(events_.size()), &until, nullptr);
    return {events_.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }

private:
  void control(int operation, int fd, std::uint64_t id, std::uint32_t interest) {
    epoll_event event{};
    event.events = interest;
    event.data.u64 = id;
    if (epoll_ctl(fd_, operation, fd, &event) != 0)
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }

  int fd_;
  std::vector<epoll_event> events_;
};

} // namespace midcom::bench
