// SPDX-License-Identifier: GPL-3.0-or-later
// Which flows are looked at for their first packet, and when. Media often at first, each time after
// a quarter of the time it has been open; from a second on, and RTCP, which comes after a second at
// the earliest (RFC 3550 6.2), after half of it; every ten seconds at last.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "pinhole/flow.h"

namespace midcom::pinhole {

class FlowWatch {
public:
  // A flow beyond the limit isn't watched. Component: 1 media, 2 RTCP.
  void add(const FlowKey& key, std::uint8_t component, TimePoint now);
  void forget(const FlowKey& key);
  // Those to look at now. They come again, later each time, until they are forgotten.
  [[nodiscard]] std::vector<FlowKey> take_due(TimePoint now);
  [[nodiscard]] TimePoint opened(const FlowKey& key) const { return flows_.at(key).opened; }
  [[nodiscard]] std::optional<TimePoint> next_due() const;

private:
  struct Times {
    TimePoint opened, due;
  };
  void plan(const FlowKey& key, Times& times, TimePoint due);
  std::map<FlowKey, Times> flows_;
  std::set<std::pair<TimePoint, FlowKey>> due_;
};

} // namespace midcom::pinhole
