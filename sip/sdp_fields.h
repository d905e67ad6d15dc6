// SPDX-License-Identifier: GPL-3.0-or-later
// The fields that several lines of a session description share (RFC 8866 9).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sip/cursor.h"
#include "sip/sdp.h"

namespace midcom::sip {

inline constexpr CharSet sdp_token_chars(alnum_chars, "!#$%&'*+-.^_`{|}~");

// Not empty, and all of the set.
[[nodiscard]] bool consists_of(std::string_view text, const CharSet& set);
// The next field of a line whose fields are parted by one space.
[[nodiscard]] Result<std::string_view> next_field(Cursor& cursor);
// name [":" value]; the name is a token.
[[nodiscard]] Result<SdpAttribute> parse_attribute(std::string_view text);
[[nodiscard]] Result<std::uint16_t> parse_port(std::string_view text);
// The address of a c=, a=rtcp or a=candidate: a literal, or empty for a host name.
[[nodiscard]] Result<std::optional<IpAddress>> parse_address(std::string_view text);
// nettype SP addrtype SP connection-address. Another network than IN has no address here.
[[nodiscard]] Result<SdpConnection> parse_connection(std::string_view text);
[[nodiscard]] Result<SdpRtcp> parse_rtcp(std::string_view value);

} // namespace midcom::sip
