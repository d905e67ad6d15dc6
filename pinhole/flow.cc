// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/flow.h"

namespace midcom::pinhole {

FlowCounter& FlowCounter::operator+=(const FlowCounter& other) {
  packets += other.packets;
  bytes += other.bytes;
  return *this;
}

} // namespace midcom::pinhole
