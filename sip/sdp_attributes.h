// SPDX-License-Identifier: GPL-3.0-or-later
// The attributes of a session description that rules depend on. All others pass unread.
#pragma once

#include <string_view>

#include "sip/sdp.h"

namespace midcom::sip {

// What may stand at both levels, and what only an m= line has. Attributes that are none of these
// change nothing.
[[nodiscard]] Result<void> read_attribute(SdpTransport& transport, const SdpAttribute& attribute);
[[nodiscard]] Result<void> read_attribute(SdpMedia& media, const SdpAttribute& attribute);

[[nodiscard]] Result<SdpGroup> parse_group(std::string_view value);
[[nodiscard]] SdpPath parse_path(std::string_view value);

} // namespace midcom::sip
