// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/drop_log.h"

namespace midcom::pinhole {

namespace {

constexpr std::chrono::seconds interval{10};
constexpr std::chrono::seconds sweep_interval{1};
constexpr std::size_t max_sources = 1024; // of a source beyond it nothing is told

} // namespace

void DropLog::note(const FlowKey& key, GateReason reason, TimePoint now) {
  const bool is_full = sources_.size() >= max_sources && !sources_.contains(key.source.address);
  if (is_full && swept_ + sweep_interval <= now) {
    std::erase_if(sources_, [&](const auto& each) { return each.second.next <= now; });
    swept_ = now;
  }
  if (sources_.size() >= max_sources && !sources_.contains(key.source.address)) return;
  Source& source = sources_[key.source.address];
  ++source.count;
  if (source.next > now) return;
  lines_.push_back({key, reason, std::exchange(source.count, 0)});
  source.next = now + interval;
}

} // namespace midcom::pinhole
