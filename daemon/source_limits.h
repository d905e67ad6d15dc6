// SPDX-License-Identifier: GPL-3.0-or-later
// What one source address may have, and how often it is written about.
#pragma once

#include <map>
#include <string_view>
#include <utility>

#include "daemon/event_log.h"
#include "sip/ip_address.h"
#include "sip/transaction.h"

namespace midcom {

// How many connections each address holds.
class SourceCounts {
public:
  [[nodiscard]] std::size_t of(const sip::IpAddress& source) const;
  void add(const sip::IpAddress& source) { ++counts_[source]; }
  void remove(const sip::IpAddress& source);

private:
  std::map<sip::IpAddress, std::size_t> counts_;
};

// One event per source and kind in each interval: remote input can't fill the log. The next event
// that passes says how many were left out.
class SourceLog {
public:
  explicit SourceLog(EventLog& log) : log_(log) {}
  // `kind` is a fixed word. Adds src= and suppressed=.
  void write(Event event, const sip::IpAddress& source, std::string_view kind, sip::TimePoint now);

private:
  struct Seen {
    sip::TimePoint since;
    std::uint64_t suppressed = 0;
  };
  void forget_old(sip::TimePoint now);

  EventLog& log_;
  std::map<std::pair<sip::IpAddress, std::string_view>, Seen> seen_;
};

} // namespace midcom
