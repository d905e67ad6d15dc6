// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/session_timer.h"

#include <algorithm>

#include "sip/session_expires.h"

namespace midcom {
namespace {

constexpr std::size_t refreshes_kept = 8;
constexpr std::chrono::seconds shortest_interval{90}; // RFC 4028 4: none is shorter

} // namespace

bool SessionTimer::on_success(const Refresh& refresh, std::optional<sip::Duration> life,
                              sip::TimePoint now) {
  const bool is_first = std::ranges::find(seen_, refresh) == seen_.end();
  const bool is_last = !is_first && seen_.back() == refresh;
  const bool is_shorter = life && (!life_ || *life < *life_);
  if (!is_first && !(is_last && is_shorter)) return false;
  if (is_first) {
    if (seen_.size() >= refreshes_kept) seen_.pop_front();
    seen_.push_back(refresh);
  }
  const bool may_have_had = life_ || !is_known_;
  is_known_ = true;
  life_ = life;
  end_.reset();
  restart(now);
  return may_have_had || life;
}

void SessionTimer::restart(sip::TimePoint now) {
  if (life_) end_ = now + *life_;
}

// A malformed one is ignored, not refused: it is a word between the two ends, who judge it
// themselves, and without it the session has the longest life that any may have.
std::optional<sip::Duration> session_life(const sip::Message& response, sip::Duration margin) {
  const auto* field = response.first(sip::HeaderName::session_expires);
  if (field == nullptr) return std::nullopt;
  const auto expires = sip::SessionExpires::parse(field->value);
  if (!expires) return std::nullopt;
  return std::max(std::chrono::seconds(expires->seconds), shortest_interval) + margin;
}

} // namespace midcom
