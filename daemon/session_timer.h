// SPDX-License-Identifier: GPL-3.0-or-later
// The session timer of a dialog (RFC 4028): how long its session lives after each INVITE or UPDATE
// that was answered with a 2xx. The last such answer decides, also when it says nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "sip/message.h"
#include "sip/offer_answer.h"
#include "sip/transaction.h"

namespace midcom {

class SessionTimer {
public:
  struct Refresh { // the request
    sip::Party from;
    std::uint32_t cseq;
    bool operator==(const Refresh&) const = default;
  };

  // Not known: a dialog of before this agent, which may have one.
  explicit SessionTimer(bool is_known = true) : is_known_(is_known) {}

  // A 2xx; `life`: how long the session lives from now on, empty without a timer. True when that
  // changes when it ends. Several passes of one answer count as one, of which the shortest life
  // holds: whoever was told it gives the dialog up then. A 2xx that comes again changes nothing.
  [[nodiscard]] bool on_success(const Refresh& refresh, std::optional<sip::Duration> life,
                                sip::TimePoint now);
  // The life begins now.
  void restart(sip::TimePoint now);
  // Empty: it has no end.
  [[nodiscard]] std::optional<sip::TimePoint> end() const { return end_; }
  [[nodiscard]] bool has_ended(sip::TimePoint now) const { return end_ && *end_ <= now; }

private:
  bool is_known_;
  std::optional<sip::Duration> life_;
  std::optional<sip::TimePoint> end_;
  std::deque<Refresh> seen_; // the last ones
};

// What a 2xx to INVITE or UPDATE says: the session interval, and `margin` for the answer's way and
// for the dialog's own end. Empty without Session-Expires, and with one that can't be read.
[[nodiscard]] std::optional<sip::Duration> session_life(const sip::Message& response,
                                                        sip::Duration margin);

} // namespace midcom
