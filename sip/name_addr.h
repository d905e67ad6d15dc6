// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/uri.h"

namespace midcom::sip {

// name-addr or addr-spec with its header parameters (From, To, Contact, Route, Record-Route, Path).
// In the addr-spec form (no angle brackets) parameters belong to the header, not to the URI
// (RFC 3261 20.10); an addr-spec with '?' or ',' in it is an error.
struct NameAddr {
  std::string_view text;         // the whole value, trimmed
  std::string_view display_name; // quoted string with its quotes, or tokens, or empty
  Uri uri;
  std::string_view parameters; // without the first ';'
  bool is_star = false;        // Contact: *

  [[nodiscard]] static Result<NameAddr> parse(std::string_view value);
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
  [[nodiscard]] std::string_view tag() const; // "" when there is none
};

// Splits a comma-separated header value at top level (not inside "..." or <...>), trimmed. An empty
// element or an open quote is a syntax error.
[[nodiscard]] Result<std::vector<std::string_view>> split_list(std::string_view value);

} // namespace midcom::sip
