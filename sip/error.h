// SPDX-License-Identifier: GPL-3.0-or-later
// The one error type of the protocol library. An Error says what was wrong with the input; it never
// carries remote text. to_string() gives the word used in logs (kebab-case, stable).
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace midcom::sip {

enum class Error : std::uint8_t {
  syntax,             // does not follow the grammar
  truncated,          // ends before the grammar does
  too_long,           // a limit on length was passed
  too_many,           // a limit on count was passed
  missing_header,     // an essential header is not there (RFC 3261 8.1.1)
  duplicate_header,   // a header that may stand once stands twice
  bad_version,        // not SIP/2.0
  bad_content_length, // Content-Length not a number, or does not fit the body
  bad_cseq,           // CSeq not a number below 2^31, or its method is not the request's
  bad_number,         // a number out of its range
  control_character,  // NUL, bare CR or LF, or another control character where none may stand
  bad_uri,
  bad_host,
  bad_address, // an address literal that is none
  bad_port,
  unsupported,  // well formed, but of a kind that is not handled here
  overlap,      // two edits touch the same bytes
  outside,      // a span lies outside the message
  mismatch,     // two parts that must agree don't (m= count, version, tags)
  not_sip,      // the bytes do not begin like SIP
  too_deep,     // multiparts inside one another beyond the limit
  bad_boundary, // a multipart boundary that is none, or that also stands where it ends no part
  bad_encoding, // a body that is not what its transfer encoding allows
  bad_date,     // no SIP-date (RFC 3261 25.1) of the years 1970 to 9999
};

[[nodiscard]] std::string_view to_string(Error error);

template <class T>
using Result = std::expected<T, Error>;

} // namespace midcom::sip
