// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/via.h"

#include "sip/cursor.h"
#include "sip/header_name.h"
#include "sip/parameters.h"
#include "sip/uri.h"

namespace midcom::sip {
namespace {

bool accept_slash(Cursor& cursor) {
  cursor.skip_space();
  if (!cursor.accept('/')) return false;
  cursor.skip_space();
  return true;
}

// sent-protocol of RFC 3261 20.42: white space may stand around the slashes.
Result<std::string_view> take_transport(Cursor& cursor) {
  if (!iequals(cursor.take_while(token_chars), "SIP") || !accept_slash(cursor))
    return std::unexpected(Error::syntax);
  if (cursor.take_while(token_chars) != "2.0") return std::unexpected(Error::bad_version);
  if (!accept_slash(cursor)) return std::unexpected(Error::syntax);
  return cursor.take_some(token_chars);
}

} // namespace

Result<Via> Via::parse(std::string_view value) {
  Via via;
  via.text = trim(value);
  Cursor cursor(via.text);
  const auto transport = take_transport(cursor);
  if (!transport) return std::unexpected(transport.error());
  via.transport = *transport;
  if (!space_chars.has(cursor.peek())) return std::unexpected(Error::syntax);
  cursor.skip_space();
  const auto host = take_host(cursor);
  if (!host) return std::unexpected(host.error());
  via.host = host->host;
  via.host_is_ipv6 = host->is_ipv6;
  cursor.skip_space();
  if (cursor.accept(':')) {
    cursor.skip_space();
    const auto port = take_port(cursor);
    if (!port) return std::unexpected(port.error());
    via.port = *port;
  }
  const auto parameters = take_parameters(cursor);
  if (!parameters) return std::unexpected(parameters.error());
  via.parameters = *parameters;
  return via;
}

std::optional<std::string_view> Via::parameter(std::string_view name) const {
  return find_parameter(parameters, name);
}

std::string_view Via::branch() const {
  return parameter("branch").value_or(std::string_view{});
}

} // namespace midcom::sip
