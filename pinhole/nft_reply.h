// SPDX-License-Identifier: GPL-3.0-or-later
// What nftables sends: elements (of GET, dumps and echoed deletions), table flags, and whose table
// an event is about. Bounds-checked here; input is one whole netlink message with its header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pinhole/kernel.h"

namespace midcom::pinhole {

// Elements whose key isn't a flow of ours are left out. nullopt: not an element message.
[[nodiscard]] std::optional<std::vector<StoredFlow>> decode_elements(std::string_view message);
[[nodiscard]] std::optional<std::uint32_t> decode_table_flags(std::string_view message);
[[nodiscard]] std::optional<std::uint32_t> decode_generation(std::string_view message);

struct TableEvent {
  std::string table;        // "" for events about no table (NEWGEN)
  std::uint32_t sender = 0; // netlink port of who caused it
};
[[nodiscard]] std::optional<TableEvent> decode_event(std::string_view message);

} // namespace midcom::pinhole
