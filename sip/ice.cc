// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/ice.h"

#include <algorithm>
#include <limits>

#include "sip/header_name.h"
#include "sip/sdp_fields.h"

namespace midcom::sip {

namespace {

constexpr CharSet ice_chars(alnum_chars, "+/");
constexpr std::size_t longest_ice_string = 256;

constexpr std::pair<std::string_view, TcpType> tcp_types[] = {
    {"active", TcpType::active},
    {"passive", TcpType::passive},
    {"so", TcpType::simultaneous},
};

std::optional<MediaTransport> transport_named(std::string_view name) {
  if (iequals(name, "udp")) return MediaTransport::udp;
  if (iequals(name, "tcp")) return MediaTransport::tcp;
  return std::nullopt;
}

// Pairs of a name and a value. One that is cut off, or said twice in two ways, says nothing.
TcpType tcp_type_among(Cursor& cursor) {
  TcpType found = TcpType::none;
  while (!cursor.at_end()) {
    const auto name = next_field(cursor);
    const auto value = next_field(cursor);
    if (!name || !value) break;
    if (!iequals(*name, "tcptype")) continue;
    for (const auto& [word, type] : tcp_types) {
      if (!iequals(*value, word)) continue;
      if (found != TcpType::none && found != type) return TcpType::none;
      found = type;
    }
  }
  return found;
}

Result<std::uint16_t> parse_component(std::string_view text) {
  const auto component = parse_number(text, 256);
  if (!component || *component == 0) return std::unexpected(Error::bad_number);
  return static_cast<std::uint16_t>(*component);
}

} // namespace

Result<SdpCandidate> parse_candidate(std::string_view value) {
  Cursor cursor(value);
  std::string_view fields[8]; // foundation component transport priority address port "typ" type
  for (std::string_view& field : fields) {
    const auto next = next_field(cursor);
    if (!next) return std::unexpected(next.error());
    field = *next;
  }
  SdpCandidate candidate;
  candidate.text = value;
  candidate.foundation = fields[0];
  const auto component = parse_component(fields[1]);
  if (!component) return std::unexpected(component.error());
  candidate.component = *component;
  candidate.transport = transport_named(fields[2]);
  if (!parse_number(fields[3], std::numeric_limits<std::uint32_t>::max()))
    return std::unexpected(Error::bad_number);
  candidate.address_text = fields[4];
  const auto address = parse_address(fields[4]);
  if (!address) return std::unexpected(address.error());
  candidate.address = *address;
  const auto port = parse_port(fields[5]);
  if (!port) return std::unexpected(port.error());
  candidate.port = *port;
  if (fields[6] != "typ") return std::unexpected(Error::syntax);
  candidate.type = fields[7];
  if (candidate.transport == MediaTransport::tcp) candidate.tcp_type = tcp_type_among(cursor);
  return candidate;
}

Result<std::vector<RemoteCandidate>> parse_remote_candidates(std::string_view value) {
  std::vector<RemoteCandidate> all;
  Cursor cursor(value);
  do {
    std::string_view fields[3]; // component address port
    for (std::string_view& field : fields) {
      const auto next = next_field(cursor);
      if (!next) return std::unexpected(next.error());
      field = *next;
    }
    const auto component = parse_component(fields[0]);
    if (!component) return std::unexpected(component.error());
    const auto address = parse_address(fields[1]);
    if (!address) return std::unexpected(address.error());
    const auto port = parse_port(fields[2]);
    if (!port) return std::unexpected(port.error());
    all.push_back({*component, *address, *port});
  } while (!cursor.at_end());
  return all;
}

bool is_ice_ufrag(std::string_view text) {
  return text.size() >= 4 && text.size() <= longest_ice_string && consists_of(text, ice_chars);
}

bool is_ice_password(std::string_view text) {
  return text.size() >= 22 && text.size() <= longest_ice_string && consists_of(text, ice_chars);
}

} // namespace midcom::sip
