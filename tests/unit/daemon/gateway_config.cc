// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway_config.h"

#include <stdexcept>

namespace midcom::test {
namespace {

pinhole::Prefix prefix(std::string_view text) {
  const auto parsed = pinhole::Prefix::parse(text);
  if (!parsed) throw std::invalid_argument(std::string(text));
  return *parsed;
}

PeerConfig phones(const std::string& name, std::string_view network) {
  PeerConfig peer;
  peer.name = name;
  peer.networks = {prefix(network)};
  return peer;
}

PeerConfig trunk(const std::string& name, std::string_view network, const Target& next_hop) {
  PeerConfig peer = phones(name, network);
  peer.kind = PeerKind::trunk;
  peer.media_is_source = false;
  peer.media = peer.networks;
  peer.next_hop = next_hop;
  return peer;
}

} // namespace

sip::IpAddress address(std::string_view text) {
  const auto parsed = sip::IpAddress::parse(text);
  if (!parsed) throw std::invalid_argument(std::string(text));
  return *parsed;
}

AgentConfig gateway_config() {
  AgentConfig config;
  config.names = {"gw.example.com"};
  config.listeners = {
      {"inside", Transport::tls, {address("10.1.0.1"), 5061}, "gw.example.com"},
      {"outside", Transport::tls, {address("198.51.100.1"), 5061}, "gw.example.com"},
      {"plain", Transport::udp, {address("198.51.100.1"), 5060}, ""},
      {"six", Transport::tls, {address("2001:db8:1::1"), 5061}, ""},
  };
  PeerConfig core = trunk("core", "192.0.2.0/28",
                          {Transport::tls, {address("192.0.2.5"), 5061}, "core.example.com"});
  core.identities = {"core.example.com"};
  core.is_registrar = true;
  PeerConfig plain =
      trunk("plain", "192.0.2.128/26", {Transport::udp, {address("192.0.2.130"), 5060}, ""});
  PeerConfig inside = phones("inside", "10.1.0.0/24");
  inside.networks.push_back(prefix("2001:db8:1::/48"));
  config.peers = {inside, phones("outside", "203.0.113.0/24"), core, plain};
  config.routes = {{"example.com", "core"}, {"phones.example", "inside"}};
  config.media_ports = {{1024, 65535}};
  config.forbidden_ports = {{5060, 5061}};
  config.forbidden_hosts = {prefix("10.1.0.200/32")};
  return config;
}

sip::MessagePtr request(std::string_view method, std::string_view uri, std::string_view extra,
                        std::string_view via) {
  std::string text(method);
  text.append(" ").append(uri).append(" SIP/2.0\r\n");
  text.append("Via: ");
  text.append(via.empty() ? "SIP/2.0/TLS 10.1.0.10:5061;branch=z9hG4bKa" : via).append("\r\n");
  text.append("From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>\r\n"
              "Call-ID: c1\r\nCSeq: 1 ");
  text.append(method).append("\r\nMax-Forwards: 70\r\n").append(extra);
  text.append("Content-Length: 0\r\n\r\n");
  auto message = sip::Message::parse(text, sip::Framing::stream, {});
  return message ? *message : nullptr;
}

} // namespace midcom::test
