// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/call_turns.h"

#include <iterator>
#include <utility>

namespace midcom {

bool CallTurns::is_busy(std::string_view call_id) const {
  return !waiting_.empty() && waiting_.contains(std::string(call_id));
}

bool CallTurns::is_full(std::string_view call_id) const {
  const auto found = waiting_.find(std::string(call_id));
  return found != waiting_.end() && found->second.size() >= most_waiting;
}

void CallTurns::begin(std::string_view call_id) {
  waiting_.try_emplace(std::string(call_id));
}

void CallTurns::defer(std::string_view call_id, Turn turn) {
  auto& turns = waiting_[std::string(call_id)];
  if (turns.size() < most_waiting) turns.push_back(std::move(turn));
}

void CallTurns::end(const std::string& call_id, sip::TimePoint now) {
  const auto found = waiting_.find(call_id);
  if (found == waiting_.end()) return;
  auto turns = std::move(found->second);
  waiting_.erase(found);
  while (!turns.empty() && !waiting_.contains(call_id)) {
    const Turn turn = std::move(turns.front());
    turns.pop_front();
    turn(now);
  }
  if (turns.empty()) return;
  auto& queue = waiting_[call_id]; // what deferred itself meanwhile came later
  queue.insert(queue.begin(), std::make_move_iterator(turns.begin()),
               std::make_move_iterator(turns.end()));
}

} // namespace midcom
