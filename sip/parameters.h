// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sip/cursor.h"
#include "sip/error.h"

namespace midcom::sip {

// One value has no more parameters than this: their names are compared pair by pair.
inline constexpr std::size_t maximum_parameters = 64;

// *( SEMI generic-param ) up to the end of the cursor (RFC 3261 25.1), white space and folds
// allowed around ";" and "=". Returns them without the first ";". A name that stands twice is
// Error::duplicate_header (7.3.1), other text is Error::syntax.
[[nodiscard]] Result<std::string_view> take_parameters(Cursor& cursor);

// host of RFC 3261 25.1: "[v6]", IPv4 or a host name.
struct HostText {
  std::string_view host; // without brackets
  bool is_ipv6 = false;
};
[[nodiscard]] Result<HostText> take_host(Cursor& cursor);
// The digits of a port, 1..65535.
[[nodiscard]] Result<std::uint16_t> take_port(Cursor& cursor);

} // namespace midcom::sip
