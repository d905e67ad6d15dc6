// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config_check.h"

#include <algorithm>

#include "daemon/config_files.h"
#include "daemon/endpoint_conversion.h"

namespace midcom {

namespace {

std::string transport_text(const TransportAddress& address) {
  static constexpr std::string_view words[] = {"udp", "tcp", "tls"};
  return std::string(words[static_cast<std::size_t>(address.transport)]) + ":" +
         address.address.to_string();
}

bool is_stream(Transport transport) {
  return transport != Transport::udp;
}

bool is_own_name(const ConfigDraft& draft, std::string_view host) {
  return std::ranges::find(draft.config.agent.names, host) != draft.config.agent.names.end();
}

void check_advertised(ConfigDraft& draft, const ListenDraft& listen) {
  if (listen.advertise.empty() || !listen.address) return;
  std::string_view host = listen.advertise;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto literal = sip::IpAddress::parse(host);
  if (literal && *literal == listen.address->address.address) return;
  const auto name = parse_host_name(listen.advertise);
  if (name && is_own_name(draft, *name)) return;
  draft.error(listen.text.place_of("advertise"), "advertise",
              "'" + listen.advertise + "' is neither an own name nor the address of this listener",
              "add name = " + listen.advertise + " to [midcomd]");
}

void check_same_address(ConfigDraft& draft, std::size_t index) {
  const ListenDraft& listen = draft.listeners[index];
  for (std::size_t i = 0; i < index; ++i) {
    const ListenDraft& other = draft.listeners[i];
    if (!other.address || other.address->address != listen.address->address) continue;
    if (is_stream(other.address->transport) != is_stream(listen.address->transport)) continue;
    draft.error(listen.text.place_of("address"), "address",
                listen.address->address.to_string() + " is taken by " + other.text.title() +
                    " at " + place_text(other.text.place_of("address")),
                "use another port");
    return;
  }
}

bool has_listener_for(const ConfigDraft& draft, const TransportAddress& hop) {
  return std::ranges::any_of(draft.listeners, [&](const ListenDraft& listen) {
    return listen.address && listen.address->transport == hop.transport &&
           listen.address->address.address.family == hop.address.address.family;
  });
}

void check_next_hop(ConfigDraft& draft, const PeerDraft& peer) {
  const ConfigPlace& place = peer.text.place_of("next-hop");
  const TransportAddress& hop = *peer.next_hop;
  const bool is_ipv4 = hop.address.address.family == sip::IpAddress::Family::ipv4;
  if (!has_listener_for(draft, hop)) {
    const std::string transport = transport_text(hop).substr(0, 3);
    draft.error(place, "next-hop", "no listener of this transport and address family",
                "add a [listen] with address = " + transport + ":" +
                    (is_ipv4 ? "IPV4-ADDRESS" : "[IPV6-ADDRESS]") + ":PORT");
  }
  for (const ListenDraft& listen : draft.listeners) {
    if (listen.address && listen.address->transport == hop.transport &&
        listen.address->address == hop.address)
      draft.error(place, "next-hop", "is the own " + listen.text.title());
  }
  if (to_pinhole(hop.address.address).is_special() &&
      to_pinhole(hop.address.address).octets[0] != 127)
    draft.error(place, "next-hop", hop.address.address.to_string() + " is not a unicast address");
  const pinhole::Address address = to_pinhole(hop.address.address);
  const auto contains = [&](const pinhole::Prefix& network) { return network.contains(address); };
  if (!peer.peer.networks.empty() && std::ranges::none_of(peer.peer.networks, contains))
    draft.error(place, "next-hop", "is outside the networks of " + peer.text.title(),
                "add network = " + address.to_string());
}

void check_tls_name(ConfigDraft& draft, const PeerDraft& peer) {
  const bool is_tls = peer.next_hop && peer.next_hop->transport == Transport::tls;
  if (is_tls && peer.text.find("tls-name") == nullptr) {
    const auto& identities = peer.peer.identities;
    const std::string name = identities.empty() ? "HOST" : identities.front();
    draft.error(peer.text.place_of("next-hop"), "next-hop",
                "a tls next hop needs tls-name, the name its certificate must have",
                "add tls-name = " + name);
  }
  if (!is_tls && !peer.tls_name.empty() && (peer.next_hop || peer.text.find("next-hop") == nullptr))
    draft.error(peer.text.place_of("tls-name"), "tls-name", "is only for a tls next-hop");
}

void check_media(ConfigDraft& draft, const PeerDraft& peer) {
  bool has_source = false;
  bool has_network = false;
  for (const ConfigEntry& entry : peer.text.entries) {
    if (entry.key != "media") continue;
    if (entry.value == "source") {
      has_source = true;
      continue;
    }
    has_network = true;
    const auto network = parse_network(entry.value);
    if (network) continue;
    static constexpr std::string_view source[] = {"source"};
    const std::string suggestion = network.error().suggestion;
    draft.error(entry.place, "media", network.error().message + ", nor the word source",
                suggestion.empty() ? did_you_mean(entry.value, source) : suggestion);
  }
  if (has_source && has_network)
    draft.error(peer.text.place_of("media"), "media", "source and networks exclude each other",
                "remove media = source");
  const bool has_network_key = peer.text.find("network") != nullptr;
  const bool has_firewall = draft.config.agent.role == StationRole::gateway;
  if (has_firewall && !has_network && !has_network_key)
    draft.error(peer.text.place, peer.text.title(), "no network: nowhere for its media to be",
                "add network = PREFIX, or media = PREFIX");
}

void check_identity(ConfigDraft& draft, const PeerDraft& peer) {
  // The next hop of an endpoint is reached by the connection that goes out.
  const bool is_known_by_hop = draft.config.agent.role == StationRole::endpoint && peer.next_hop;
  if (!is_known_by_hop && peer.text.find("network") == nullptr &&
      peer.text.find("identity") == nullptr)
    draft.error(peer.text.place, peer.text.title(), "nothing to know this peer by",
                "add network = PREFIX or identity = NAME");
  if (!peer.peer.identities.empty() && draft.config.tls.client_verify == TlsConfig::Verify::none)
    draft.error(peer.text.place_of("identity"), "identity",
                "can't be proven: [tls] has client-verify = none", "client-verify = optional");
}

struct PlacedNetwork {
  pinhole::Prefix prefix;
  std::string key;
  ConfigPlace place;
  const PeerDraft* peer;
};

std::vector<PlacedNetwork> placed_networks(const ConfigDraft& draft) {
  std::vector<PlacedNetwork> result;
  for (const PeerDraft& peer : draft.peers) {
    for (const ConfigEntry& entry : peer.text.entries) {
      if (entry.key != "network" && entry.key != "media") continue;
      if (const auto prefix = parse_network(entry.value))
        result.push_back({*prefix, entry.key, entry.place, &peer});
    }
  }
  return result;
}

bool is_same_to_all(const PlacedNetwork& a, const PlacedNetwork& b) {
  return a.peer != b.peer && a.key == "network" && b.key == "network" && a.prefix == b.prefix &&
         (a.peer->peer.identities.empty() || b.peer->peer.identities.empty());
}

struct Order {
  std::string_view smaller, larger;
  std::uint64_t small, large;
};

void check_order(ConfigDraft& draft, std::string_view kind, std::initializer_list<Order> orders) {
  const ConfigSection& section = draft.section(kind);
  for (const Order& order : orders) {
    if (order.small <= order.large) continue;
    const bool has_smaller = section.find(order.smaller) != nullptr;
    const std::string_view blamed = has_smaller ? order.smaller : order.larger;
    draft.error(section.place_of(blamed), std::string(blamed),
                std::string(order.smaller) + " is more than " + std::string(order.larger));
  }
}

} // namespace

const std::string& side_name(const PeerDraft& peer) {
  return peer.peer.side.empty() ? peer.text.name : peer.peer.side;
}

void check_listeners(ConfigDraft& draft) {
  if (draft.listeners.empty())
    draft.error(draft.section("midcomd").place, "[listen]", "no listener",
                "add [listen NAME] with address = tls:ADDRESS:5061");
  for (std::size_t i = 0; i < draft.listeners.size(); ++i) {
    const ListenDraft& listen = draft.listeners[i];
    if (const auto word = parse_word(listen.text.name); !word)
      draft.error(listen.text.place, listen.text.title(), word.error().message);
    check_advertised(draft, listen);
    if (!listen.address) continue;
    check_same_address(draft, i);
    const pinhole::Address address = to_pinhole(listen.address->address.address);
    const bool is_loopback = listen.address->address.address.to_string() == "::1" ||
                             (address.family == pinhole::Family::ipv4 && address.octets[0] == 127);
    if (address.is_special() && !is_loopback)
      draft.error(listen.text.place_of("address"), "address",
                  address.to_string() + " is not an address of an interface");
  }
}

void check_peers(ConfigDraft& draft) {
  if (draft.peers.empty())
    draft.error(draft.section("midcomd").place, "[peer]", "no peer: every request would be refused",
                "add [peer NAME] with network = PREFIX");
  for (std::size_t i = 0; i < draft.peers.size(); ++i) {
    const PeerDraft& peer = draft.peers[i];
    if (const auto word = parse_word(peer.text.name); !word)
      draft.error(peer.text.place, peer.text.title(), word.error().message);
    check_identity(draft, peer);
    check_media(draft, peer);
    if (peer.next_hop) check_next_hop(draft, peer);
    check_tls_name(draft, peer);
  }
}

void check_networks(ConfigDraft& draft) {
  const std::vector<PlacedNetwork> networks = placed_networks(draft);
  for (std::size_t i = 0; i < networks.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const PlacedNetwork &a = networks[i], &b = networks[j];
      const std::string where =
          b.prefix.to_string() + " of " + b.peer->text.title() + " at " + place_text(b.place);
      const bool is_across = side_name(*a.peer) != side_name(*b.peer);
      if (is_across && a.prefix.overlaps(b.prefix))
        draft.error(a.place, a.key, a.prefix.to_string() + " overlaps " + where,
                    "an address has one side: give both peers the same side, or split the network");
      else if (is_same_to_all(a, b))
        draft.error(a.place, a.key, a.prefix.to_string() + " is also " + where,
                    "give both peers an identity, or split the network");
    }
  }
}

void check_routes(ConfigDraft& draft) {
  std::vector<std::string_view> names;
  for (const PeerDraft& peer : draft.peers) names.push_back(peer.text.name);
  for (RouteDraft& route : draft.routes) {
    const std::string& domain = route.text.name;
    if (domain == "*" || sip::IpAddress::parse(domain)) {
      route.route.domain = domain;
    } else if (const auto host = parse_host_name(domain)) {
      route.route.domain = *host;
    } else {
      draft.error(route.text.place, route.text.title(),
                  host.error().message + ", an IP address or *", host.error().suggestion);
    }
    for (const RouteDraft& other : draft.routes) {
      if (&other == &route) break;
      if (!other.route.domain.empty() && other.route.domain == route.route.domain)
        draft.error(route.text.place, route.text.title(),
                    "same domain as " + other.text.title() + " at " + place_text(other.text.place));
    }
    if (route.route.peer.empty()) continue;
    const auto peer = std::ranges::find(draft.peers, route.route.peer,
                                        [](const PeerDraft& p) { return p.text.name; });
    const ConfigPlace& place = route.text.place_of("peer");
    if (peer == draft.peers.end())
      draft.error(place, "peer", "there is no [peer " + route.route.peer + "]",
                  did_you_mean(route.route.peer, names));
    else if (peer->text.find("next-hop") == nullptr)
      draft.error(place, "peer", peer->text.title() + " has no next-hop",
                  "add next-hop = TRANSPORT:ADDRESS:PORT to it");
  }
}

void check_tls(ConfigDraft& draft) {
  TlsConfig& tls = draft.config.tls;
  bool has_listener = false;
  bool has_next_hop = false;
  for (const ListenDraft& listen : draft.listeners)
    has_listener |= listen.address && listen.address->transport == Transport::tls;
  for (const PeerDraft& peer : draft.peers)
    has_next_hop |= peer.next_hop && peer.next_hop->transport == Transport::tls;
  const ConfigSection& section = draft.section("tls");
  const std::string why = has_listener ? "needed by a tls listener" : "needed by a tls next-hop";
  const auto need = [&](const char* key, const std::string& reason) {
    if (section.find(key) == nullptr)
      draft.error(section.place, key, "missing in [tls]: " + reason,
                  std::string("add ") + key + " = FILE");
  };
  if (has_listener || has_next_hop) {
    need("certificate", why);
    need("key", why);
  }
  if (has_next_hop)
    need("ca", "needed by a tls next-hop");
  else if (has_listener && tls.client_verify != TlsConfig::Verify::none)
    need("ca", "needed to verify clients");
  check_pem(draft, "tls", "certificate", tls.certificate_file);
  check_pem(draft, "tls", "key", tls.key_file);
  check_pem(draft, "tls", "ca", tls.ca_file);
}

void check_limits(ConfigDraft& draft) {
  const LimitConfig& limits = draft.config.agent.limits;
  const pinhole::Policy& policy = draft.config.policy;
  check_order(draft, "limits",
              {{"headers", "message", limits.message.headers, limits.message.message},
               {"body", "message", limits.message.body, limits.message.message},
               {"line", "headers", limits.message.line, limits.message.headers},
               {"sdp-size", "body", limits.sdp.size, limits.message.body},
               {"connections-per-address", "connections", limits.connections_per_address,
                limits.connections},
               {"transactions-per-address", "transactions", limits.transactions_per_address,
                limits.transactions},
               {"rules-per-call", "rules", policy.max_group_rules, policy.max_rules}});
  const TimeoutConfig& timeouts = draft.config.agent.timeouts;
  const auto ms = [](std::chrono::milliseconds value) {
    return static_cast<std::uint64_t>(value.count());
  };
  check_order(draft, "timeouts",
              {{"t1", "t2", ms(timeouts.t1), ms(timeouts.t2)},
               {"early", "call", ms(timeouts.early), ms(timeouts.call)},
               {"refresh", "call", policy.refresh_s, ms(timeouts.call) / 1000}});
}

void check_log_and_firewall(ConfigDraft& draft) {
  const ConfigSection& log = draft.section("log");
  const bool is_file = draft.config.log.destination == LogConfig::Destination::file;
  if (is_file && log.find("file") == nullptr)
    draft.error(log.place_of("destination"), "destination", "file needs the key file",
                "add file = /var/log/midcomd/midcomd.log");
  if (!is_file && !draft.config.log.file.empty())
    draft.error(log.place_of("file"), "file", "is only used with destination = file",
                "add destination = file");
  const pinhole::Policy& policy = draft.config.policy;
  const ConfigSection& firewall = draft.section("firewall");
  const char* blamed = firewall.find("mark") != nullptr ? "mark" : "mask";
  if (policy.mark == 0)
    draft.error(firewall.place_of("mark"), "mark", "0 marks nothing", "mark = 0x4d000000");
  else if ((policy.mark & ~policy.mask) != 0)
    draft.error(firewall.place_of(blamed), blamed, "mark has bits outside mask",
                "make mask cover every bit of mark");
  const auto& user = draft.config.user;
  if (user == draft.config.middlebox_user)
    draft.error(draft.section("midcomd").place_of("middlebox-user"), "middlebox-user",
                "is the agent's user: the two must be apart", "make a user of its own");
}

} // namespace midcom
