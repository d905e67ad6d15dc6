// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

#include "sip/error.h"

namespace midcom::sip {

enum class Refresher : std::uint8_t { unsaid, uac, uas };

// Session-Expires (RFC 4028 4): delta-seconds, who refreshes, and parameters that nobody knows.
struct SessionExpires {
  std::uint32_t seconds = 0;
  Refresher refresher = Refresher::unsaid;

  // Error::bad_number for an interval that is no number below 2^32, Error::duplicate_header for a
  // parameter that stands twice, Error::syntax for a refresher that is neither uac nor uas.
  [[nodiscard]] static Result<SessionExpires> parse(std::string_view value);
};

} // namespace midcom::sip
