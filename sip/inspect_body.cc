// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/inspect_body.h"

#include <algorithm>

#include "sip/cursor.h"
#include "sip/ip_address.h"
#include "sip/parameters.h"
#include "sip/uri.h"

namespace midcom::sip {
namespace {

// The characters of an atom are those of a token without ".".
bool is_dot_atom(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return token_chars.has(c); });
}

bool is_host(std::string_view text) {
  Cursor cursor(text);
  return take_host(cursor).has_value() && cursor.at_end();
}

bool is_content_id(std::string_view id) {
  const std::size_t at = id.find('@');
  if (at == std::string_view::npos || !is_dot_atom(id.substr(0, at))) return false;
  const std::string_view domain = id.substr(at + 1);
  return is_dot_atom(domain) || is_host(domain);
}

std::string canonical(const HostText& host) {
  if (const auto address = IpAddress::parse(host.host)) return address->to_string();
  std::string name(host.host);
  for (char& c : name) c = to_lower(c);
  if (name.ends_with('.')) name.pop_back();
  return name;
}

// Before the first ";".
Result<std::string> take_middle(Cursor& cursor) {
  const auto host = take_host(cursor);
  if (!host) return std::unexpected(host.error());
  cursor.skip_space();
  if (cursor.peek() != ';') return std::unexpected(Error::syntax);
  return canonical(*host);
}

Result<std::string> take_content_id(Cursor& cursor) {
  static constexpr CharSet ends(",;\" \t\r\n");
  std::string_view id;
  if (cursor.peek() == '"') {
    const auto quoted = cursor.take_quoted();
    if (!quoted) return std::unexpected(quoted.error());
    id = quoted->substr(1, quoted->size() - 2);
  } else {
    id = cursor.take_until(ends);
  }
  if (id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
  if (!is_content_id(id)) return std::unexpected(Error::syntax);
  return std::string(id);
}

Result<std::string> take_cid(Cursor& cursor) {
  cursor.skip_space();
  if (!iequals(cursor.take_while(token_chars), "cid")) return std::unexpected(Error::syntax);
  cursor.skip_space();
  if (!cursor.accept('=')) return std::unexpected(Error::syntax);
  cursor.skip_space();
  auto id = take_content_id(cursor);
  cursor.skip_space();
  return id;
}

Result<std::vector<std::string>> take_content_ids(Cursor& cursor) {
  std::vector<std::string> ids;
  do {
    if (ids.size() == maximum_content_ids) return std::unexpected(Error::too_many);
    auto id = take_cid(cursor);
    if (!id) return std::unexpected(id.error());
    ids.push_back(std::move(*id));
  } while (cursor.accept(','));
  return ids;
}

} // namespace

Result<InspectBody> parse_inspect_body(std::string_view field_value) {
  Cursor cursor(trim(field_value));
  auto host = take_middle(cursor);
  if (!host) return std::unexpected(host.error());
  cursor.accept(';');
  auto ids = take_content_ids(cursor);
  if (!ids) return std::unexpected(ids.error());
  const auto parameters = take_parameters(cursor);
  if (!parameters) return std::unexpected(parameters.error());
  // Nested bodies are separated by commas; a second list would have no order.
  if (find_parameter(*parameters, "cid")) return std::unexpected(Error::duplicate_header);
  return InspectBody{std::move(*host), std::move(*ids)};
}

Result<std::string> canonical_middle_name(std::string_view host) {
  if (const auto address = IpAddress::parse(host)) return address->to_string();
  Cursor cursor(host);
  const auto text = take_host(cursor);
  if (!text || !cursor.at_end()) return std::unexpected(Error::bad_host);
  return canonical(*text);
}

Result<std::string> write_inspect_body(const InspectBody& label) {
  const auto host = canonical_middle_name(label.host);
  if (!host) return std::unexpected(host.error());
  if (label.content_ids.empty()) return std::unexpected(Error::syntax);
  if (label.content_ids.size() > maximum_content_ids) return std::unexpected(Error::too_many);
  std::string value = host->find(':') == std::string::npos ? *host : '[' + *host + ']';
  char separator = ';';
  for (const std::string& id : label.content_ids) {
    if (!is_content_id(id)) return std::unexpected(Error::syntax);
    value += separator;
    value += "cid=\"";
    value += id;
    value += '"';
    separator = ',';
  }
  return value;
}

Result<std::vector<Label>> labels_for(const Message& message,
                                      std::span<const std::string> own_names) {
  std::vector<Label> labels;
  for (const HeaderField& field : message.fields()) {
    if (field.id != HeaderName::proxy_inspect_body) continue;
    Cursor cursor(field.value);
    const auto host = take_host(cursor);
    if (!host || std::ranges::find(own_names, canonical(*host)) == own_names.end()) continue;
    auto label = parse_inspect_body(field.value);
    if (!label) return std::unexpected(label.error());
    labels.push_back({&field, std::move(*label)});
  }
  return labels;
}

} // namespace midcom::sip
