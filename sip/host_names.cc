// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/host_names.h"

#include <algorithm>

#include "sip/cursor.h"
#include "sip/header_name.h"
#include "sip/sdp.h"

namespace midcom::sip {

namespace {

constexpr std::size_t longest_name = 253; // RFC 1035 3.1, as text
constexpr std::string_view unknown_domains[] = {"local", "invalid", "localhost"};

bool may_be_known(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return !name.empty() && name.size() <= longest_name &&
         std::ranges::none_of(unknown_domains, [&](auto domain) { return iequals(domain, last); });
}

HostName host_name(std::string_view text, std::optional<IpAddress::Family> family) {
  HostName name{std::string(text), family};
  std::ranges::transform(name.name, name.name.begin(), to_lower);
  return name;
}

// Calls the function with each name and the place for its address.
template <class Connection, class Function>
void each_of_connection(Connection& connection, const Function& function) {
  if (connection.address || !connection.family || connection.has_suffix ||
      !may_be_known(connection.text))
    return;
  function(host_name(connection.text, connection.family), connection.address);
}

template <class Media, class Function>
void each_of_media(Media& media, const Function& function) {
  if (media.port == 0 && !media.is_bundle_only) return;
  for (auto& connection : media.connections) each_of_connection(connection, function);
  if (media.rtcp && media.rtcp->connection) each_of_connection(*media.rtcp->connection, function);
  if (media.path && !media.path->address && may_be_known(media.path->host))
    function(host_name(media.path->host, std::nullopt), media.path->address);
  for (auto& candidate : media.candidates)
    if (!candidate.address && candidate.transport && may_be_known(candidate.address_text))
      function(host_name(candidate.address_text, std::nullopt), candidate.address);
}

auto pinning(const NamedAddresses& names) {
  return [&names](const HostName& name, std::optional<IpAddress>& address) {
    const auto found = names.find(name);
    const bool fits =
        found != names.end() && (!name.family || found->second.family == *name.family);
    if (fits) address = found->second;
  };
}

} // namespace

std::vector<HostName> host_names(const Sdp& sdp) {
  std::vector<HostName> names;
  const auto add = [&](HostName name, const auto&) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  };
  const bool counts_for_all = std::ranges::any_of(sdp.media(), [](const SdpMedia& media) {
    return media.connections.empty() && (media.port != 0 || media.is_bundle_only);
  });
  if (counts_for_all && sdp.connection()) each_of_connection(*sdp.connection(), add);
  for (const SdpMedia& media : sdp.media()) each_of_media(media, add);
  return names;
}

void pin(SdpConnection& connection, const NamedAddresses& names) {
  each_of_connection(connection, pinning(names));
}

void pin(SdpMedia& media, const NamedAddresses& names) {
  each_of_media(media, pinning(names));
}

} // namespace midcom::sip
