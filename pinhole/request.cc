// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/request.h"

namespace midcom::pinhole {

std::string_view to_string(Result result) {
  static constexpr std::string_view words[] = {
      "ok",
      "unknown-group",
      "not-participant",
      "conflict",
      "forbidden-address",
      "forbidden-port",
      "same-side",
      "too-many-rules",
      "table-full",
      "lifetime",
      "kernel",
      "malformed",
  };
  const auto index = static_cast<std::size_t>(result);
  return index < std::size(words) ? words[index] : "malformed";
}

} // namespace midcom::pinhole
