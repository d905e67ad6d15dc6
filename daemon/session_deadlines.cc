// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/session_deadlines.h"

namespace midcom {

void SessionDeadlines::set(const CallPtr& call, const Leg& leg, std::optional<sip::TimePoint> end) {
  if (!end) return forget(leg);
  owners_[leg.id] = {call, leg.tag};
  deadlines_.set(leg.id, end);
}

void SessionDeadlines::forget(const Leg& leg) {
  if (owners_.erase(leg.id) > 0) deadlines_.set(leg.id, std::nullopt);
}

std::optional<SessionDeadlines::Due> SessionDeadlines::pop_due(sip::TimePoint now) {
  while (const auto id = deadlines_.pop_due(now)) {
    const auto owner = owners_.extract(*id);
    const CallPtr call = owner.mapped().call.lock();
    if (Leg* const leg = call ? call->find_leg(owner.mapped().tag, *id) : nullptr)
      return Due{call, leg};
  }
  return std::nullopt;
}

} // namespace midcom
