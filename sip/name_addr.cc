// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/name_addr.h"

#include "sip/cursor.h"
#include "sip/parameters.h"

namespace midcom::sip {
namespace {

// display-name = *(token LWS) / quoted-string. Leaves the cursor on "<" when this is a name-addr.
Result<std::string_view> take_display_name(Cursor& cursor) {
  if (cursor.peek() == '"') {
    const auto quoted = cursor.take_quoted();
    if (!quoted) return std::unexpected(quoted.error());
    cursor.skip_space();
    if (cursor.peek() != '<') return std::unexpected(Error::syntax);
    return *quoted;
  }
  static constexpr CharSet name_chars(token_chars, " \t\r\n");
  return trim(cursor.take_while(name_chars));
}

Result<Uri> take_bracketed(Cursor& cursor) {
  static constexpr CharSet closing(">");
  cursor.accept('<');
  const auto uri = Uri::parse(cursor.take_until(closing));
  if (!cursor.accept('>')) return std::unexpected(Error::truncated);
  return uri;
}

// RFC 3261 20.10: without brackets "," ";" and "?" are not the URI's.
Result<Uri> take_bare(Cursor& cursor) {
  static constexpr CharSet ends("; \t\r\n");
  const std::string_view text = cursor.take_until(ends);
  if (text.find_first_of(",?") != std::string_view::npos) return std::unexpected(Error::syntax);
  return Uri::parse(text);
}

} // namespace

Result<NameAddr> NameAddr::parse(std::string_view value) {
  NameAddr result;
  result.text = trim(value);
  if (result.text == "*") {
    result.is_star = true;
    return result;
  }
  Cursor cursor(result.text);
  const auto name = take_display_name(cursor);
  if (!name) return std::unexpected(name.error());
  const bool bracketed = cursor.peek() == '<';
  if (bracketed)
    result.display_name = *name;
  else
    cursor.rewind(0);
  const auto uri = bracketed ? take_bracketed(cursor) : take_bare(cursor);
  if (!uri) return std::unexpected(uri.error());
  result.uri = *uri;
  const auto parameters = take_parameters(cursor);
  if (!parameters) return std::unexpected(parameters.error());
  result.parameters = *parameters;
  return result;
}

std::optional<std::string_view> NameAddr::parameter(std::string_view name) const {
  return find_parameter(parameters, name);
}

std::string_view NameAddr::tag() const {
  return parameter("tag").value_or(std::string_view{});
}

Result<std::vector<std::string_view>> split_list(std::string_view value) {
  std::vector<std::string_view> elements;
  static constexpr CharSet stops(",\"<");
  static constexpr CharSet closing(">");
  Cursor cursor(value);
  std::size_t begin = 0;
  while (true) {
    cursor.take_until(stops);
    if (cursor.peek() == '"' && !cursor.at_end()) {
      if (const auto quoted = cursor.take_quoted(); !quoted) return std::unexpected(quoted.error());
      continue;
    }
    if (cursor.accept('<')) {
      cursor.take_until(closing);
      if (!cursor.accept('>')) return std::unexpected(Error::syntax);
      continue;
    }
    const std::string_view element = trim(cursor.since(begin));
    if (element.empty()) return std::unexpected(Error::syntax);
    elements.push_back(element);
    if (!cursor.accept(',')) return elements;
    begin = cursor.offset();
  }
}

} // namespace midcom::sip
