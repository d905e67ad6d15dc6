// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/content_fields.h"

#include <algorithm>
#include <array>

#include "sip/cursor.h"
#include "sip/parameters.h"

namespace midcom::sip {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return token_chars.has(c); });
}

std::string unquote(std::string_view quoted) {
  std::string out;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\' && i + 2 < quoted.size()) ++i;
    out += quoted[i];
  }
  return out;
}

// What structure hangs on: a reader of RFC 2231 ("boundary*0=") must not see another one.
bool is_structural(std::string_view name) {
  static constexpr std::array<std::string_view, 7> names{
      "boundary", "start", "type", "protocol", "micalg", "smime-type", "handling"};
  return std::ranges::find(names, name) != names.end();
}

Result<MimeParameter> take_parameter(Cursor& cursor) {
  static constexpr CharSet ends("; \t\r\n");
  MimeParameter parameter;
  cursor.skip_space();
  parameter.name = lower(cursor.take_while(token_chars));
  const std::size_t star = parameter.name.find('*');
  if (star != std::string::npos && is_structural(parameter.name.substr(0, star)))
    return std::unexpected(Error::unsupported);
  cursor.skip_space();
  if (!cursor.accept('=')) return parameter;
  cursor.skip_space();
  if (cursor.peek() == '"') {
    const auto quoted = cursor.take_quoted();
    if (!quoted) return std::unexpected(quoted.error());
    parameter.value = unquote(*quoted);
  } else {
    parameter.value = cursor.take_until(ends);
    // RFC 2046 5.1.1: such a boundary must be quoted, or it ends at the first of these characters.
    if (parameter.name == "boundary" && !is_token(parameter.value))
      return std::unexpected(Error::bad_boundary);
  }
  cursor.skip_space();
  return parameter;
}

Result<std::vector<MimeParameter>> read_parameters(Cursor& cursor) {
  const auto text = take_parameters(cursor);
  if (!text) return std::unexpected(text.error());
  std::vector<MimeParameter> parameters;
  Cursor list(*text);
  while (!list.at_end()) {
    auto parameter = take_parameter(list);
    if (!parameter) return std::unexpected(parameter.error());
    parameters.push_back(std::move(*parameter));
    if (!list.accept(';') && !list.at_end()) return std::unexpected(Error::syntax);
  }
  return parameters;
}

// media-type of RFC 3261 25.1: white space may stand around the slash.
Result<void> read_type(std::string_view value, MimePart& part) {
  Cursor cursor(value);
  const auto type = cursor.take_some(token_chars);
  cursor.skip_space();
  if (!type || !cursor.accept('/')) return std::unexpected(Error::syntax);
  cursor.skip_space();
  const auto subtype = cursor.take_some(token_chars);
  if (!subtype) return std::unexpected(Error::syntax);
  auto parameters = read_parameters(cursor);
  if (!parameters) return std::unexpected(parameters.error());
  part.type = lower(*type);
  part.subtype = lower(*subtype);
  part.parameters = std::move(*parameters);
  return {};
}

Result<void> read_disposition(std::string_view value, MimePart& part) {
  Cursor cursor(value);
  const auto type = cursor.take_some(token_chars);
  if (!type) return std::unexpected(Error::syntax);
  const auto parameters = read_parameters(cursor);
  if (!parameters) return std::unexpected(parameters.error());
  part.disposition = lower(*type);
  for (const auto& [name, text] : *parameters)
    if (name == "handling" && iequals(text, "optional")) part.handling = Handling::optional;
  return {};
}

// msg-id of RFC 2045 7; what devices send may lack the angle brackets.
Result<void> read_content_id(std::string_view value, MimePart& part) {
  if (value.starts_with('<')) {
    if (!value.ends_with('>')) return std::unexpected(Error::syntax);
    value = value.substr(1, value.size() - 2);
  }
  const bool is_id = !value.empty() && std::ranges::all_of(value, [](char c) {
    return c > ' ' && c <= '~' && std::string_view("<>\"(),;\\").find(c) == std::string_view::npos;
  });
  if (!is_id) return std::unexpected(Error::syntax);
  part.content_id = value;
  return {};
}

Result<void> read_transfer_encoding(std::string_view value, MimePart& part) {
  using enum TransferEncoding;
  struct Row {
    std::string_view word;
    TransferEncoding encoding;
  };
  static constexpr std::array<Row, 5> rows{{{"7bit", identity},
                                            {"8bit", identity},
                                            {"binary", identity},
                                            {"base64", base64},
                                            {"quoted-printable", quoted_printable}}};
  for (const Row& row : rows) {
    if (!iequals(row.word, value)) continue;
    part.encoding = row.encoding;
    return {};
  }
  return std::unexpected(Error::unsupported);
}

Result<void> note_content_encoding(std::string_view /*value*/, MimePart& part) {
  part.has_content_encoding = true;
  return {};
}

bool is_content_name(std::string_view name) {
  return iequals(name.substr(0, 8), "Content-");
}

Result<void> check_names(std::span<const HeaderField> fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const HeaderField& field = fields[i];
    if (!is_content_name(field.name)) {
      if (is_content_name(to_string(field.id))) return std::unexpected(Error::syntax);
      continue;
    }
    for (const HeaderField& earlier : fields.first(i))
      if (iequals(earlier.name, field.name)) return std::unexpected(Error::duplicate_header);
  }
  return {};
}

} // namespace

Result<void> read_content_fields(std::span<const HeaderField> fields, FieldsOf of, MimePart& part) {
  struct Row {
    HeaderName name;
    Result<void> (*read)(std::string_view value, MimePart& part);
  };
  static constexpr std::array<Row, 5> rows{
      {{HeaderName::content_type, read_type},
       {HeaderName::content_disposition, read_disposition},
       {HeaderName::content_id, read_content_id},
       {HeaderName::content_transfer_encoding, read_transfer_encoding},
       {HeaderName::content_encoding, note_content_encoding}}};
  if (of == FieldsOf::part)
    if (const auto checked = check_names(fields); !checked) return checked;
  for (const HeaderField& field : fields)
    for (const Row& row : rows)
      if (field.id == row.name)
        if (const auto read = row.read(field.value, part); !read) return read;
  return {};
}

} // namespace midcom::sip
