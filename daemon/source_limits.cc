// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/source_limits.h"

namespace midcom {

namespace {

constexpr auto interval = std::chrono::seconds(10);
constexpr std::size_t max_sources = 4096;

} // namespace

std::size_t SourceCounts::of(const sip::IpAddress& source) const {
  const auto found = counts_.find(source);
  return found == counts_.end() ? 0 : found->second;
}

void SourceCounts::remove(const sip::IpAddress& source) {
  const auto found = counts_.find(source);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

// A flood from more sources than fit is written about no more until entries are old.
void SourceLog::write(Event event, const sip::IpAddress& source, std::string_view kind,
                      sip::TimePoint now) {
  if (seen_.size() >= max_sources) forget_old(now);
  auto found = seen_.find({source, kind});
  if (found == seen_.end()) {
    if (seen_.size() >= max_sources) return;
    found = seen_.emplace(std::pair(source, kind), Seen{now}).first;
  } else if (now - found->second.since < interval) {
    ++found->second.suppressed;
    return;
  }
  event.add("src", source.to_string());
  if (found->second.suppressed != 0) event.add("suppressed", found->second.suppressed);
  found->second = Seen{now};
  log_.write(event);
}

void SourceLog::forget_old(sip::TimePoint now) {
  std::erase_if(seen_, [&](const auto& entry) { return now - entry.second.since >= interval; });
}

} // namespace midcom
