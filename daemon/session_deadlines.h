// SPDX-License-Identifier: GPL-3.0-or-later
// When the sessions of legs end that nobody refreshes. The kernel has the same deadlines; these are
// for legs that have no rules, and while the middlebox is away.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/call.h"
#include "daemon/deadline_queue.h"

namespace midcom {

class SessionDeadlines {
public:
  // The leg's session has this end now; empty: none.
  void set(const CallPtr& call, const Leg& leg, std::optional<sip::TimePoint> end);
  void forget(const Leg& leg);

  struct Due {
    CallPtr call;
    Leg* leg;
  };
  // The next one that has ended, taken out.
  [[nodiscard]] std::optional<Due> pop_due(sip::TimePoint now);
  [[nodiscard]] std::optional<sip::TimePoint> next() const { return deadlines_.next(); }

private:
  struct Owner {
    std::weak_ptr<Call> call;
    std::string tag;
  };
  std::unordered_map<std::uint64_t, Owner> owners_; // by the ids of legs
  DeadlineQueue deadlines_;
};

} // namespace midcom
