// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config.h"
#include "daemon/endpoint_conversion.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <tuple>

#include "daemon/config_check.h"
#include "daemon/config_schema.h"
#include "daemon/config_text.h"

namespace midcom {

namespace {

namespace fs = std::filesystem;

// `main_file`, then conf.d/*.conf beside it in lexical order. Names that begin with a dot (an
// editor's) are left out.
std::vector<std::string> files_of(const std::string& main_file, ConfigErrors& errors) {
  std::vector<std::string> files;
  const fs::path folder = fs::path(main_file).parent_path() / "conf.d";
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.extension() == ".conf" && !path.filename().native().starts_with('.'))
      files.push_back(path.native());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    errors.push_back({folder.native(), 0, "", error.message(), ""});
  std::ranges::sort(files);
  files.insert(files.begin(), main_file);
  return files;
}

std::vector<ConfigSection> read_files(const std::string& main_file, ConfigErrors& errors) {
  std::vector<ConfigSection> sections;
  for (const std::string& file : files_of(main_file, errors)) {
    std::string text, why;
    if (!read_config_file(file, text, why)) {
      errors.push_back({file, 0, "", why, ""});
      continue;
    }
    ConfigText content = read_config_text(text, file);
    std::ranges::move(content.sections, std::back_inserter(sections));
    std::ranges::move(content.errors, std::back_inserter(errors));
  }
  return sections;
}

std::string default_advertised(const ListenDraft& draft, const std::vector<std::string>& names) {
  const sip::IpAddress& address = draft.address->address.address;
  if (draft.address->transport == Transport::tls) return names.front();
  const bool is_ipv6 = address.family == sip::IpAddress::Family::ipv6;
  return is_ipv6 ? "[" + address.to_string() + "]" : address.to_string();
}

// As it is written into a URI: a name in lower case, IPv6 in brackets.
std::string advertised(const ListenDraft& draft, const std::vector<std::string>& names) {
  if (draft.advertise.empty()) return default_advertised(draft, names);
  if (const auto literal = sip::IpAddress::parse(draft.advertise))
    return literal->family == sip::IpAddress::Family::ipv6 ? "[" + literal->to_string() + "]"
                                                           : literal->to_string();
  if (const auto name = parse_host_name(draft.advertise)) return *name;
  return draft.advertise;
}

PeerConfig peer_of(const PeerDraft& draft) {
  PeerConfig peer = draft.peer;
  peer.name = draft.text.name;
  peer.side = side_name(draft);
  for (const std::string& text : draft.media) {
    if (const auto network = parse_network(text)) peer.media.push_back(*network);
  }
  peer.media_is_source = peer.media.empty();
  peer.takes_tcp_media = draft.tcp_media.value_or(peer.kind == PeerKind::trunk);
  if (draft.next_hop)
    peer.next_hop = Target{draft.next_hop->transport, draft.next_hop->address, draft.tls_name};
  return peer;
}

bool covers(const pinhole::Prefix& outer, const pinhole::Prefix& inner) {
  return outer.length <= inner.length && outer.contains(inner.address);
}

// Keeps the prefixes of a side apart: the kernel's interval sets take no overlap.
void add_network(std::vector<pinhole::Prefix>& networks, const pinhole::Prefix& network) {
  const auto has = [&](const pinhole::Prefix& other) { return covers(other, network); };
  if (std::ranges::any_of(networks, has)) return;
  std::erase_if(networks, [&](const pinhole::Prefix& other) { return covers(network, other); });
  networks.push_back(network);
}

std::vector<pinhole::Side> sides_of(const std::vector<PeerConfig>& peers) {
  std::vector<pinhole::Side> sides;
  for (const PeerConfig& peer : peers) {
    auto side = std::ranges::find(sides, peer.side, &pinhole::Side::name);
    if (side == sides.end()) side = sides.insert(side, pinhole::Side{peer.side, {}, {}, false});
    side->is_tcp_inbound |= peer.takes_tcp_media;
    for (const std::string& name : peer.interfaces) {
      if (std::ranges::find(side->interfaces, name) == side->interfaces.end())
        side->interfaces.push_back(name);
    }
    const auto& networks = peer.media_is_source ? peer.networks : peer.media;
    for (const pinhole::Prefix& network : networks) add_network(side->media, network);
  }
  // A side is checked by interface only when each of its peers names one.
  for (const PeerConfig& peer : peers) {
    if (peer.interfaces.empty())
      std::ranges::find(sides, peer.side, &pinhole::Side::name)->interfaces.clear();
  }
  return sides;
}

void fill_agent(ConfigDraft& draft) {
  AgentConfig& agent = draft.config.agent;
  for (const ListenDraft& listen : draft.listeners)
    agent.listeners.push_back({listen.text.name, listen.address->transport, listen.address->address,
                               advertised(listen, agent.names)});
  for (const PeerDraft& peer : draft.peers) agent.peers.push_back(peer_of(peer));
  for (const RouteDraft& route : draft.routes) agent.routes.push_back(route.route);
  for (const UserDraft& user : draft.users) {
    agent.endpoint.users.push_back({user.user.address, {}});
    draft.config.opener.users.push_back(user.user);
  }
  for (const MiddleDraft& middle : draft.middles) {
    agent.endpoint.middles.push_back({middle.text.name, {}});
    draft.config.opener.middle_files.push_back(middle.certificate_file);
  }
  sip::SdpLimits& sdp = agent.limits.sdp; // no key of its own: what the other limits can need
  sdp.lines = std::max(sdp.lines, sdp.attributes + 8 * sdp.media);
}

void fill_policy(ConfigDraft& draft) {
  AgentConfig& agent = draft.config.agent;
  pinhole::Policy& policy = draft.config.policy;
  agent.media_ports = policy.media_ports;
  agent.forbidden_ports = policy.forbidden_ports;
  agent.forbidden_hosts = policy.forbidden_hosts;
  agent.mode = policy.mode;
  agent.limits.rules = policy.max_rules;
  agent.limits.rules_per_call = policy.max_group_rules;
  policy.sides = sides_of(agent.peers);
  // From a group's first rule: early media, then the call.
  policy.max_lifetime_s =
      static_cast<std::uint32_t>((agent.timeouts.early + agent.timeouts.call).count());
  for (const ListenerConfig& listener : agent.listeners) {
    const pinhole::Address address = to_pinhole(listener.address.address);
    const bool is_ipv4 = address.family == pinhole::Family::ipv4;
    add_network(policy.own_addresses, {address, static_cast<std::uint8_t>(is_ipv4 ? 32 : 128)});
  }
  for (const AllowDraft& allow : draft.allows) {
    policy.static_allows.push_back(allow.allow);
    policy.static_allows.back().name = allow.text.name;
  }
}

void check_all(ConfigDraft& draft) {
  check_listeners(draft);
  check_peers(draft);
  check_networks(draft);
  check_routes(draft);
  check_tls(draft);
  check_smime(draft);
  check_role(draft);
  check_limits(draft);
  check_log_and_firewall(draft);
}

// By file in the order they are read, then by line.
void sort(ConfigErrors& errors, const std::string& main_file) {
  std::ranges::sort(errors, [&](const ConfigError& a, const ConfigError& b) {
    const bool a_is_main = a.file == main_file, b_is_main = b.file == main_file;
    if (a_is_main != b_is_main) return a_is_main;
    return std::tie(a.file, a.line, a.key, a.message) < std::tie(b.file, b.line, b.key, b.message);
  });
}

} // namespace

std::string ConfigError::to_string() const {
  std::string text = file;
  if (line != 0) text += ":" + std::to_string(line);
  text += ": ";
  if (!key.empty()) text += key + ": ";
  text += message;
  if (!suggestion.empty()) text += " (" + suggestion + ")";
  return text;
}

std::expected<Config, std::vector<ConfigError>> load_config(const std::string& file) {
  ConfigErrors errors;
  std::vector<ConfigSection> sections = read_files(file, errors);
  const bool is_main_missing = !errors.empty() && errors.front().file == file &&
                               errors.front().line == 0 && sections.empty();
  if (is_main_missing) return std::unexpected(std::move(errors));
  ConfigDraft draft = read_sections(std::move(sections), file);
  check_all(draft);
  std::ranges::move(draft.errors, std::back_inserter(errors));
  if (!errors.empty()) {
    sort(errors, file);
    return std::unexpected(std::move(errors));
  }
  fill_agent(draft);
  fill_policy(draft);
  return std::move(draft.config);
}

} // namespace midcom
