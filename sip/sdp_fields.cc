// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_fields.h"

#include <algorithm>
#include <limits>

namespace midcom::sip {

namespace {

using Status = Result<void>;

constexpr CharSet one_space(" ");
constexpr CharSet one_slash("/");
constexpr CharSet host_name_chars(alnum_chars, "-._");

// "/ttl", "/ttl/count" or "/count": 1*3DIGIT TTL, count from 1 (RFC 8866 5.7).
Status check_suffix(std::string_view text, bool is_ipv4) {
  Cursor cursor(text);
  const std::size_t most = is_ipv4 ? 2 : 1;
  for (std::size_t count = 0; !cursor.at_end(); ++count) {
    if (count == most || !cursor.accept('/')) return std::unexpected(Error::bad_address);
    if (!parse_number(cursor.take_until(one_slash), is_ipv4 && count == 0 ? 255 : 65535))
      return std::unexpected(Error::bad_address);
  }
  return {};
}

// What ends in a number but is no literal is no host name either: another reader could take
// "010.1", "1.2.3" or "0x0a000005" for an address.
bool ends_in_number(std::string_view text) {
  const std::string_view last = text.substr(text.rfind('.') + 1);
  return last.empty() || consists_of(last, digit_chars) || last.starts_with("0x") ||
         last.starts_with("0X");
}

} // namespace

bool consists_of(std::string_view text, const CharSet& set) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) { return set.has(c); });
}

Result<std::string_view> next_field(Cursor& cursor) {
  const std::string_view field = cursor.take_until(one_space);
  if (field.empty()) return std::unexpected(cursor.at_end() ? Error::truncated : Error::syntax);
  cursor.accept(' '); // one at the end of the line is tolerated
  return field;
}

Result<SdpAttribute> parse_attribute(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  if (!consists_of(name, sdp_token_chars)) return std::unexpected(Error::syntax);
  return SdpAttribute{name, text.substr(std::min(colon + 1, text.size()))};
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_number(text, std::numeric_limits<std::uint16_t>::max());
  if (!number) return std::unexpected(Error::bad_port);
  return static_cast<std::uint16_t>(*number);
}

Result<std::optional<IpAddress>> parse_address(std::string_view text) {
  if (auto literal = IpAddress::parse(text)) return literal;
  if (!consists_of(text, host_name_chars) || ends_in_number(text))
    return std::unexpected(Error::bad_address);
  return std::optional<IpAddress>{};
}

Result<SdpConnection> parse_connection(std::string_view text) {
  Cursor cursor(text);
  const auto network = next_field(cursor);
  if (!network) return std::unexpected(network.error());
  const auto family = next_field(cursor);
  if (!family) return std::unexpected(family.error());
  const auto whole = next_field(cursor);
  if (!whole) return std::unexpected(whole.error());
  if (!cursor.at_end()) return std::unexpected(Error::syntax);
  const std::size_t slash = std::min(whole->find('/'), whole->size());
  SdpConnection connection;
  connection.text = whole->substr(0, slash);
  connection.has_suffix = slash != whole->size();
  const bool is_ipv4 = *family == "IP4";
  if (*network != "IN" || (!is_ipv4 && *family != "IP6")) return connection;
  connection.family = is_ipv4 ? IpAddress::Family::ipv4 : IpAddress::Family::ipv6;
  if (auto ok = check_suffix(whole->substr(slash), is_ipv4); !ok)
    return std::unexpected(ok.error());
  auto address = parse_address(connection.text);
  if (!address) return std::unexpected(address.error());
  if (*address && ((*address)->family == IpAddress::Family::ipv4) != is_ipv4)
    return std::unexpected(Error::bad_address);
  connection.address = *address;
  return connection;
}

Result<SdpRtcp> parse_rtcp(std::string_view value) {
  Cursor cursor(value);
  const auto port = parse_port(cursor.take_until(one_space));
  if (!port) return std::unexpected(port.error());
  SdpRtcp rtcp;
  rtcp.port = *port;
  cursor.accept(' ');
  if (cursor.at_end()) return rtcp;
  auto connection = parse_connection(cursor.rest());
  if (!connection) return std::unexpected(connection.error());
  rtcp.connection = *connection;
  return rtcp;
}

} // namespace midcom::sip
