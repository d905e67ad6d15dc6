// SPDX-License-Identifier: GPL-3.0-or-later
// What a fuzz target asks of what it has got: else the input is a finding.
#pragma once

#include <cstdlib>
#include <string_view>

namespace midcom::fuzz {

inline void require(bool condition) {
  if (!condition) std::abort();
}

// Nothing is within everything.
inline bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

} // namespace midcom::fuzz
