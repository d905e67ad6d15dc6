// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/event_log.h"

namespace midcom {

Event& Event::add(std::string_view key, std::string_view value) {
  fields_.emplace_back(key, std::string(value));
  return *this;
}

Event& Event::add(std::string_view key, std::uint64_t value) {
  fields_.emplace_back(key, std::to_string(value));
  return *this;
}

std::string_view Event::field(std::string_view key) const {
  for (const auto& [name, value] : fields_) {
    if (name == key) return value;
  }
  return {};
}

} // namespace midcom
