// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_attributes.h"

#include <algorithm>

#include "sip/header_name.h"
#include "sip/sdp_fields.h"

namespace midcom::sip {

namespace {

using Status = Result<void>;

constexpr CharSet path_end_chars("/;?");
constexpr std::uint16_t msrp_port = 2855; // RFC 4975 15.4

constexpr std::pair<std::string_view, Setup> setup_names[] = {
    {"active", Setup::active},
    {"passive", Setup::passive},
    {"actpass", Setup::actpass},
    {"holdconn", Setup::holdconn},
};

std::string_view trimmed(std::string_view value) {
  while (value.ends_with(' ')) value.remove_suffix(1);
  return value;
}

// A second one that says the same changes nothing.
Status keep_once(std::string_view& kept, std::string_view value, bool is_valid) {
  if (!is_valid || (!kept.empty() && kept != value)) return std::unexpected(Error::syntax);
  kept = value;
  return {};
}

Status read_ufrag(SdpTransport& transport, std::string_view value) {
  return keep_once(transport.ice_ufrag, value, is_ice_ufrag(value));
}

Status read_password(SdpTransport& transport, std::string_view value) {
  return keep_once(transport.ice_password, value, is_ice_password(value));
}

Status read_setup(SdpTransport& transport, std::string_view value) {
  Setup setup = Setup::other;
  for (const auto& [name, one] : setup_names)
    if (iequals(name, value)) setup = one;
  if (transport.setup && *transport.setup != setup) return std::unexpected(Error::syntax);
  transport.setup = setup;
  return {};
}

Status read_connection(SdpTransport& transport, std::string_view value) {
  transport.keeps_connection = iequals(value, "existing");
  return {};
}

// What a group can name; that it is a token is not asked for.
Status read_mid(SdpMedia& media, std::string_view value) {
  return keep_once(media.mid, value, !value.empty() && !value.contains(' '));
}

Status read_mux(SdpMedia& media, std::string_view) {
  media.is_rtcp_mux = true;
  return {};
}

Status read_mux_only(SdpMedia& media, std::string_view) {
  media.is_rtcp_mux = media.is_rtcp_mux_only = true;
  return {};
}

Status read_rtcp(SdpMedia& media, std::string_view value) {
  if (media.rtcp) return std::unexpected(Error::syntax);
  auto rtcp = parse_rtcp(value);
  if (!rtcp) return std::unexpected(rtcp.error());
  media.rtcp = *rtcp;
  return {};
}

// One that can't be read makes no rule and is left out (RFC 8839 5.1).
Status read_candidate(SdpMedia& media, std::string_view value) {
  if (const auto candidate = parse_candidate(value)) media.candidates.push_back(*candidate);
  return {};
}

Status read_remote_candidates(SdpMedia& media, std::string_view value) {
  if (auto all = parse_remote_candidates(value)) media.remote_candidates = std::move(*all);
  return {};
}

// Of two nobody knows which one is connected to.
Status read_path(SdpMedia& media, std::string_view value) {
  if (media.path) {
    media.path->address.reset();
    media.path->host = {};
  } else {
    media.path = parse_path(value);
  }
  return {};
}

Status read_bundle_only(SdpMedia& media, std::string_view) {
  media.is_bundle_only = true;
  return {};
}

template <class Section>
struct Reader {
  std::string_view name;
  Status (*read)(Section& section, std::string_view value);
};

constexpr Reader<SdpTransport> transport_readers[] = {
    {"ice-ufrag", read_ufrag},
    {"ice-pwd", read_password},
    {"setup", read_setup},
    {"connection", read_connection},
};

constexpr Reader<SdpMedia> media_readers[] = {
    {"mid", read_mid},
    {"rtcp", read_rtcp},
    {"rtcp-mux", read_mux},
    {"rtcp-mux-only", read_mux_only},
    {"candidate", read_candidate},
    {"remote-candidates", read_remote_candidates},
    {"path", read_path},
    {"bundle-only", read_bundle_only},
};

} // namespace

Result<void> read_attribute(SdpTransport& transport, const SdpAttribute& attribute) {
  const auto* reader =
      std::ranges::find(transport_readers, attribute.name, &Reader<SdpTransport>::name);
  if (reader == std::end(transport_readers)) return {};
  return reader->read(transport, trimmed(attribute.value));
}

Result<void> read_attribute(SdpMedia& media, const SdpAttribute& attribute) {
  const auto* reader = std::ranges::find(media_readers, attribute.name, &Reader<SdpMedia>::name);
  if (reader == std::end(media_readers)) return read_attribute(media.transport, attribute);
  // a=candidate and a=rtcp tolerate one space at their end themselves.
  const bool is_list = attribute.name == "candidate" || attribute.name == "rtcp";
  return reader->read(media, is_list ? attribute.value : trimmed(attribute.value));
}

Result<SdpGroup> parse_group(std::string_view value) {
  Cursor cursor(value);
  SdpGroup group;
  const auto semantics = next_field(cursor);
  if (!semantics) return std::unexpected(semantics.error());
  group.semantics = *semantics;
  while (!cursor.at_end()) {
    const auto mid = next_field(cursor);
    if (!mid) return std::unexpected(mid.error());
    group.mids.push_back(*mid);
  }
  return group;
}

// "msrp" ["s"] "://" [userinfo "@"] host [":" port] ["/" session-id] *(";" parameter)
SdpPath parse_path(std::string_view value) {
  SdpPath path;
  path.text = value.substr(0, value.find(' '));
  const std::size_t slashes = path.text.find("://");
  if (slashes == std::string_view::npos) return path;
  const std::string_view scheme = path.text.substr(0, slashes);
  if (!iequals(scheme, "msrp") && !iequals(scheme, "msrps")) return path;
  std::string_view authority = Cursor(path.text.substr(slashes + 3)).take_until(path_end_chars);
  authority.remove_prefix(std::min(authority.find('@') + 1, authority.size()));
  const bool is_bracketed = authority.starts_with('[');
  const std::size_t end = authority.find(is_bracketed ? ']' : ':');
  std::string_view host = authority.substr(0, end);
  std::string_view rest = end == std::string_view::npos ? "" : authority.substr(end);
  if (is_bracketed) {
    host.remove_prefix(1);
    if (rest.empty()) return path;
    rest.remove_prefix(1);
  }
  path.port = msrp_port;
  if (!rest.empty()) {
    const auto port = parse_port(rest.starts_with(":") ? rest.substr(1) : "");
    if (!port) return path;
    path.port = *port;
  }
  const auto address = parse_address(host);
  if (!address) return path;
  if (*address && ((*address)->family == IpAddress::Family::ipv6) == is_bracketed)
    path.address = *address;
  else if (!*address && !is_bracketed)
    path.host = host;
  return path;
}

} // namespace midcom::sip
