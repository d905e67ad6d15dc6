// SPDX-License-Identifier: GPL-3.0-or-later
// The messages of one call are taken in order: while one is with an opener the later ones wait,
// most_waiting of one Call-ID; whatever is beyond is dropped.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sip/transaction.h"

namespace midcom {

class CallTurns {
public:
  using Turn = std::function<void(sip::TimePoint now)>;

  [[nodiscard]] bool is_busy(std::string_view call_id) const;
  [[nodiscard]] bool is_full(std::string_view call_id) const;
  void begin(std::string_view call_id); // busy until end()
  void defer(std::string_view call_id, Turn turn);
  // Whoever waited takes its turn; it may make the call busy again, and who is left waits on.
  void end(const std::string& call_id, sip::TimePoint now);

  static constexpr std::size_t most_waiting = 64;

private:
  std::unordered_map<std::string, std::deque<Turn>> waiting_; // by Call-ID, while it is busy
};

} // namespace midcom
