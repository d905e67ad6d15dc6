// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/parameters.h"

#include <array>
#include <span>

#include "sip/header_name.h"
#include "sip/ip_address.h"
#include "sip/uri.h"

namespace midcom::sip {
namespace {

// gen-value = token / host / quoted-string; "/", "@" and "=" stand unquoted in what devices send.
constexpr CharSet value_chars(token_chars, "[]:/@=");

bool is_host_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view label;
  while (true) {
    const std::size_t dot = host.find('.');
    label = host.substr(0, dot);
    if (label.empty() || label.size() > 63) return false;
    if (!alnum_chars.has(label.front()) || !alnum_chars.has(label.back())) return false;
    if (dot == std::string_view::npos) break;
    host.remove_prefix(dot + 1);
  }
  // toplabel begins with a letter: what ends in a number is an IPv4 address or nothing.
  return alpha_chars.has(label.front());
}

Result<std::string_view> take_value(Cursor& cursor) {
  return cursor.peek() == '"' ? cursor.take_quoted() : cursor.take_some(value_chars);
}

bool is_named(std::span<const std::string_view> names, std::string_view name) {
  for (const std::string_view known : names)
    if (iequals(known, name)) return true;
  return false;
}

} // namespace

Result<std::string_view> take_parameters(Cursor& cursor) {
  std::array<std::string_view, maximum_parameters> names;
  std::size_t count = 0;
  cursor.skip_space();
  if (cursor.at_end()) return std::string_view{};
  const std::size_t begin = cursor.offset() + 1;
  while (!cursor.at_end()) {
    if (!cursor.accept(';')) return std::unexpected(Error::syntax);
    cursor.skip_space();
    const auto name = cursor.take_some(token_chars);
    if (!name) return std::unexpected(name.error());
    if (is_named(std::span(names).first(count), *name))
      return std::unexpected(Error::duplicate_header);
    if (count == maximum_parameters) return std::unexpected(Error::too_many);
    names[count++] = *name;
    cursor.skip_space();
    if (!cursor.accept('=')) continue;
    cursor.skip_space();
    if (const auto value = take_value(cursor); !value) return std::unexpected(value.error());
    cursor.skip_space();
  }
  return cursor.since(begin);
}

Result<HostText> take_host(Cursor& cursor) {
  static constexpr CharSet name_chars(alnum_chars, "-.");
  static constexpr CharSet ipv6_chars(hex_chars, ":.");
  HostText host;
  if (cursor.accept('[')) {
    host.is_ipv6 = true;
    host.host = cursor.take_while(ipv6_chars);
    const auto address = IpAddress::parse(host.host);
    if (!address || address->family != IpAddress::Family::ipv6 || !cursor.accept(']'))
      return std::unexpected(Error::bad_host);
    return host;
  }
  host.host = cursor.take_while(name_chars);
  if (host.host.empty()) return std::unexpected(Error::bad_host);
  if (!is_host_name(host.host) && !IpAddress::parse(host.host))
    return std::unexpected(Error::bad_host);
  return host;
}

Result<std::uint16_t> take_port(Cursor& cursor) {
  const auto port = parse_number(cursor.take_while(digit_chars), 65535);
  if (!port || *port == 0) return std::unexpected(Error::bad_port);
  return static_cast<std::uint16_t>(*port);
}

std::optional<std::string_view> find_parameter(std::string_view parameters, std::string_view name) {
  static constexpr CharSet ends(";=\"");
  Cursor cursor(parameters);
  while (!cursor.at_end()) {
    const std::string_view key = trim(cursor.take_until(ends));
    std::string_view value;
    if (cursor.accept('=')) {
      cursor.skip_space();
      if (cursor.peek() == '"') {
        const auto quoted = cursor.take_quoted();
        if (!quoted) return std::nullopt;
        value = quoted->substr(1, quoted->size() - 2);
        cursor.take_until(CharSet(";"));
      } else {
        value = trim(cursor.take_until(CharSet(";")));
      }
    }
    if (iequals(key, name)) return value;
    if (!cursor.accept(';') && !cursor.at_end()) return std::nullopt;
  }
  return std::nullopt;
}

} // namespace midcom::sip
