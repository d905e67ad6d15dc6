// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

namespace midcom::sip {

// Headers the library knows by name. Everything else is `other` and found by text.
enum class HeaderName : std::uint8_t {
  other,
  accept,
  allow,
  authorization,
  call_id,
  contact,
  content_disposition,
  content_encoding,
  content_id,
  content_length,
  content_transfer_encoding,
  content_type,
  cseq,
  date,
  expires,
  from,
  max_forwards,
  min_se,
  path,
  proxy_authenticate,
  proxy_authorization,
  proxy_inspect_body,
  proxy_require,
  rack,
  reason,
  record_route,
  refer_to,
  referred_by,
  replaces,
  require,
  retry_after,
  route,
  rseq,
  server,
  service_route,
  session_expires,
  supported,
  to,
  unsupported,
  user_agent,
  via,
  warning,
  www_authenticate,
};

// Case-insensitive; compact forms (RFC 3261 7.3.3 and later) included.
[[nodiscard]] HeaderName header_name(std::string_view text);
[[nodiscard]] std::string_view to_string(HeaderName name); // canonical spelling; "" for other
// True for headers that may stand only once (From, To, Call-ID, CSeq, Max-Forwards, Content-Length,
// Content-Type, Date, Expires, RSeq, RAck, ...).
[[nodiscard]] bool is_single(HeaderName name);

[[nodiscard]] bool iequals(std::string_view a, std::string_view b); // ASCII, case-insensitive

} // namespace midcom::sip
