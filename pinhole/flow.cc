// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/flow.h"

namespace midcom::pinhole {

FlowKey sink_key(std::uint8_t protocol, const Endpoint& at) {
  return {{{.family = at.address.family}, 0}, at, protocol};
}

bool is_sink(const FlowKey& key) {
  return key.source.port == 0;
}

FlowCounter& FlowCounter::operator+=(const FlowCounter& other) {
  packets += other.packets;
  bytes += other.bytes;
  return *this;
}

} // namespace midcom::pinhole
