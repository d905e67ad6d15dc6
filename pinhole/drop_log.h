// SPDX-License-Identifier: GPL-3.0-or-later
// What the gate has dropped, told at most once per source address in ten seconds: a flood makes no
// flood of lines.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "pinhole/gate.h"

namespace midcom::pinhole {

class DropLog {
public:
  struct Line {
    FlowKey key;         // of the last packet
    GateReason reason;   // and why
    std::uint64_t count; // packets of this source since its last line, this one included
  };
  void note(const FlowKey& key, GateReason reason, TimePoint now);
  [[nodiscard]] std::vector<Line> take() { return std::exchange(lines_, {}); }

private:
  struct Source {
    TimePoint next;
    std::uint64_t count = 0;
  };
  std::map<Address, Source> sources_;
  TimePoint swept_{};
  std::vector<Line> lines_;
};

} // namespace midcom::pinhole
