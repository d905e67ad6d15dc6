// SPDX-License-Identifier: GPL-3.0-or-later
// Content-Transfer-Encoding undone (RFC 2045 6.7, 6.8), strictly: text that a lenient decoder reads
// and this one doesn't is Error::bad_encoding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sip/error.h"
#include "sip/mime.h"

namespace midcom::sip {

// The content of a part that is not a multipart. More than `most` octets: Error::too_long.
[[nodiscard]] Result<std::string> decode(const MimePart& part, std::size_t most);

// Lines of any length ended by CRLF; padding complete, at the end only, its unused bits zero.
[[nodiscard]] Result<std::string> decode_base64(std::string_view text, std::size_t most);
// "=" only before two upper-case hexadecimal digits or CRLF; no white space before a CRLF, no
// control characters, nothing above 0x7e.
[[nodiscard]] Result<std::string> decode_quoted_printable(std::string_view text, std::size_t most);

} // namespace midcom::sip
