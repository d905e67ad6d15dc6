// SPDX-License-Identifier: GPL-3.0-or-later
// One processor does all the work for a packet, and its time is what the packet costs.
#pragma once

#include <chrono>
#include <fstream>

namespace midcom::bench {

[[nodiscard]] std::chrono::nanoseconds thread_time(); // processor time of the calling thread

class ProcessorClock {
public:
  enum class Kind : std::uint8_t {
    spent, // by this thread, what the kernel forwards in its place included, and by ksoftirqd
    wall,  // needed where the kernel accounts for interrupts apart (CONFIG_IRQ_TIME_ACCOUNTING)
  };
  // The calling thread stays on the processor it is on, and goes before others.
  explicit ProcessorClock(Kind kind);
  [[nodiscard]] std::chrono::nanoseconds now();

private:
  Kind kind_;
  std::ifstream ksoftirqd_; // its schedstat; closed: not to be seen from here
};

} // namespace midcom::bench
