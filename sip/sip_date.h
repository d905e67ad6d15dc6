// SPDX-License-Identifier: GPL-3.0-or-later
// SIP-date (RFC 3261 20.17, 25.1): "Sat, 13 Nov 2010 23:29:00 GMT" and no other form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sip/error.h"

namespace midcom::sip {

// Seconds since the epoch. Error::bad_date for another form, a day that is none or not of that
// weekday, a leap second, and years outside 1970..9999.
[[nodiscard]] Result<std::int64_t> parse_sip_date(std::string_view text);
// Error::bad_date outside the years 1970..9999.
[[nodiscard]] Result<std::string> write_sip_date(std::int64_t seconds);

} // namespace midcom::sip
