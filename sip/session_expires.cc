// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/session_expires.h"

#include <limits>

#include "sip/header_name.h"
#include "sip/parameters.h"

namespace midcom::sip {
namespace {

// Of parameters that follow the grammar.
Result<Refresher> refresher_of(std::string_view parameters) {
  static constexpr CharSet ends_of_name(";="), ends_of_value(";");
  Cursor cursor(parameters);
  while (!cursor.at_end()) {
    const std::string_view name = trim(cursor.take_until(ends_of_name));
    std::string_view value;
    if (cursor.accept('=')) {
      cursor.skip_space();
      const std::size_t begin = cursor.offset();
      if (cursor.peek() == '"')
        if (const auto quoted = cursor.take_quoted(); !quoted)
          return std::unexpected(quoted.error());
      cursor.take_until(ends_of_value);
      value = trim(cursor.since(begin));
    }
    cursor.accept(';');
    if (!iequals(name, "refresher")) continue;
    if (iequals(value, "uac")) return Refresher::uac;
    if (iequals(value, "uas")) return Refresher::uas;
    return std::unexpected(Error::syntax);
  }
  return Refresher::unsaid;
}

} // namespace

Result<SessionExpires> SessionExpires::parse(std::string_view value) {
  Cursor cursor(value);
  cursor.skip_space();
  const auto seconds =
      parse_number(cursor.take_while(digit_chars), std::numeric_limits<std::uint32_t>::max());
  if (!seconds) return std::unexpected(seconds.error());
  const auto parameters = take_parameters(cursor);
  if (!parameters) return std::unexpected(parameters.error());
  const auto refresher = refresher_of(*parameters);
  if (!refresher) return std::unexpected(refresher.error());
  return SessionExpires{static_cast<std::uint32_t>(*seconds), *refresher};
}

} // namespace midcom::sip
