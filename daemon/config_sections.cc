// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config_sections.h"

#include <netinet/in.h>

#include "daemon/channel_codec.h"

namespace midcom::config {

namespace {

ConfigValue<std::string> any_text(std::string_view text) {
  return std::string(text);
}

// sockaddr_un has room for this much.
ConfigValue<std::string> socket_path(std::string_view text) {
  if (text.size() > 107) return std::unexpected(BadValue{"longer than 107 octets", ""});
  return parse_absolute_path(text);
}

using namespace std::chrono_literals;

void midcomd_keys(Keys& keys, Config& config) {
  keys.many<std::string>("name", config.agent.names, parse_host_name, "",
                         "own host name in Via, Record-Route and certificates");
  keys.required("name");
  keys.one<StationRole>(
      "role", config.agent.role,
      choice<StationRole>({"gateway", "endpoint"}, {StationRole::gateway, StationRole::endpoint}),
      "gateway", "what this process is");
  keys.one<std::string>("user", config.user, parse_user, "midcomd", "user of the agent");
  keys.one<std::string>("middlebox-user", config.middlebox_user, parse_user, "midcomd-middlebox",
                        "user of the middlebox");
  keys.one<std::string>("state-directory", config.state_directory, parse_absolute_path,
                        "/var/lib/midcomd", "where the secret of tokens and group ids is");
  keys.one<std::string>("control-socket", config.control_socket, socket_path,
                        "/run/midcomd/control.sock", "socket that midcomctl asks");
}

Parser<std::optional<TransportAddress>> transport_address() {
  return [](std::string_view text) -> ConfigValue<std::optional<TransportAddress>> {
    const auto value = parse_transport_address(text);
    if (!value) return std::unexpected(value.error());
    return *value;
  };
}

void listen_keys(Keys& keys, ListenDraft& draft) {
  keys.one<std::optional<TransportAddress>>("address", draft.address, transport_address(), "",
                                            "transport, address and port to listen on");
  keys.required("address");
  keys.one<std::string>("advertise", draft.advertise, any_text, "",
                        "host in Via, Record-Route and Path");
}

void tls_keys(Keys& keys, TlsConfig& tls) {
  keys.one<std::string>("certificate", tls.certificate_file, any_text, "",
                        "PEM file of the own certificate and its chain");
  keys.one<std::string>("key", tls.key_file, any_text, "", "PEM file of the private key");
  keys.one<std::string>("ca", tls.ca_file, any_text, "", "PEM file of the trust anchors");
  using Verify = TlsConfig::Verify;
  keys.one<Verify>("client-verify", tls.client_verify,
                   choice<Verify>({"none", "optional", "required"},
                                  {Verify::none, Verify::optional, Verify::required}),
                   "optional", "certificates of those who connect");
  keys.one<std::uint16_t>("minimum-version", tls.minimum_version,
                          choice<std::uint16_t>({"1.2", "1.3"}, {0x0303, 0x0304}), "1.2",
                          "lowest TLS version");
}

void smime_keys(Keys& keys, Config& config) {
  using std::chrono::seconds;
  OpenerConfig& opener = config.opener;
  SmimeConfig& smime = config.agent.smime;
  keys.one<std::string>("certificate", opener.certificate_file, any_text, "",
                        "PEM file of the certificate that bodies are sealed for");
  keys.one<std::string>("key", opener.key_file, any_text, "", "PEM file of its private key");
  keys.many<std::string>("ca", opener.ca_files, any_text, "",
                         "PEM file of authorities that signers' certificates come from");
  keys.many<std::string>("crl", opener.crl_files, any_text, "",
                         "PEM file of revocation lists of these authorities");
  using Policy = OpenerConfig::CrlPolicy;
  keys.one<Policy>(
      "crl-policy", opener.crl_policy,
      choice<Policy>({"use-if-present", "require"}, {Policy::use_if_present, Policy::required}),
      "use-if-present", "whether each authority must have a revocation list");
  keys.many<std::string>("eku", opener.extended_key_usages, parse_key_usage, "email",
                         "extended key usage of a signer");
  keys.one<std::size_t>("openers", smime.openers, number<std::size_t>(1, max_openers), "2",
                        "processes that open bodies");
  keys.one<std::string>("opener-user", opener.user, parse_user, "midcomd-opener",
                        "user of the openers");
  keys.one<seconds>("date-window", smime.date_window, duration<seconds>(1min, 24h), "1h",
                    "how far a signed Date may be from the clock");
  keys.one<std::size_t>("replay-entries", smime.replay_entries, number<std::size_t>(1000, 10000000),
                        "100000", "signed messages remembered against replay");
  keys.one<seconds>("cek-lifetime", opener.cek_lifetime, duration<seconds>(1min, 24h), "1h",
                    "how long an answer may be sealed with its request's key");
}

void endpoint_keys(Keys& keys, Config& config) {
  EndpointConfig& endpoint = config.agent.endpoint;
  keys.one<std::string>("contacts", config.opener.contact_directory, any_text, "",
                        "directory of PEM certificates of others");
  keys.one<SealPolicy>(
      "seal", endpoint.seal,
      choice<SealPolicy>({"known", "possible", "required"},
                         {SealPolicy::known, SealPolicy::possible, SealPolicy::required}),
      "possible", "what becomes of a body that can't be sealed");
  keys.many<std::string>("trusted-middles", endpoint.trusted_middles, parse_host_name, "own-domain",
                         "whose certificate from a 496 is taken");
}

void user_keys(Keys& keys, OpenerConfig::User& user) {
  keys.one<std::string>("address", user.address, parse_address_of_record, "",
                        "address of record that is signed for");
  keys.required("address");
  keys.one<std::string>("certificate", user.certificate_file, any_text, "",
                        "PEM file of the user's certificate and its chain");
  keys.required("certificate");
  keys.one<std::string>("key", user.key_file, any_text, "", "PEM file of its private key");
  keys.required("key");
}

void middle_keys(Keys& keys, MiddleDraft& draft) {
  keys.one<std::string>("certificate", draft.certificate_file, any_text, "",
                        "PEM file of the middle's certificate");
  keys.required("certificate");
}

void disclosure_keys(Keys& keys, DisclosurePolicy& policy) {
  using Policy = DisclosurePolicy;
  keys.many<std::string>("view", policy.view, parse_content_type, "",
                         "content type midcomd must be able to read");
  keys.many<std::string>("verify", policy.verify, parse_content_type, "",
                         "content type that must be signed");
  keys.one<Policy::Opaque>("opaque", policy.opaque,
                           choice<Policy::Opaque>({"forward", "refuse"}, {Policy::Opaque::forward,
                                                                          Policy::Opaque::refuse}),
                           "forward", "bodies sealed for others alone");
  keys.one<Policy::Legacy>(
      "legacy", policy.legacy,
      choice<Policy::Legacy>({"allow", "refuse"}, {Policy::Legacy::allow, Policy::Legacy::refuse}),
      "allow", "bodies without S/MIME");
  using BadAnswer = Policy::BadAnswer;
  keys.one<BadAnswer>("on-bad-answer", policy.on_bad_answer,
                      choice<BadAnswer>({"block-media", "terminate"},
                                        {BadAnswer::block_media, BadAnswer::terminate}),
                      "block-media", "what an unreadable or unverified answer leads to");
  using Answerer = Policy::Answerer;
  keys.one<Answerer>(
      "answerer", policy.answerer,
      choice<Answerer>({"to-uri", "peer-domain", "any-trusted"},
                       {Answerer::to_uri, Answerer::peer_domain, Answerer::any_trusted}),
      "to-uri", "who may sign an answer");
}

void peer_keys(Keys& keys, PeerDraft& draft) {
  PeerConfig& peer = draft.peer;
  keys.one<PeerKind>("kind", peer.kind,
                     choice<PeerKind>({"phones", "trunk"}, {PeerKind::phones, PeerKind::trunk}),
                     "phones", "what is behind it");
  keys.many<pinhole::Prefix>("network", peer.networks, parse_network, "",
                             "where its signalling comes from");
  keys.many<std::string>("identity", peer.identities, parse_host_name, "",
                         "certificate name it must prove");
  keys.many<std::string>("interface", peer.interfaces, parse_interface, "",
                         "interface it is reached by");
  keys.one<std::string>("side", peer.side, parse_word, "", "side of the gateway it is on");
  keys.many<std::string>("media", draft.media, any_text, "source",
                         "where its media may live: source or a network");
  keys.one<std::optional<TransportAddress>>("next-hop", draft.next_hop, transport_address(), "",
                                            "where requests to it go");
  keys.one<std::string>("tls-name", draft.tls_name, parse_host_name, "",
                        "certificate name of the next hop");
  keys.one<bool>("registrar", peer.is_registrar, yes_or_no(), "no",
                 "its answer to REGISTER proves an address of record");
  keys.one<KeyPolicy>("keys", peer.keys,
                      choice<KeyPolicy>({"hidden", "warn", "allow"},
                                        {KeyPolicy::hidden, KeyPolicy::warn, KeyPolicy::allow}),
                      "hidden", "SRTP keys in clear SDP");
  keys.many<std::string>("method", peer.methods, parse_method, "", "method it may send");
  using pinhole::SourceRule;
  keys.one<SourceRule>("media-source", peer.media_source,
                       choice<SourceRule>({"signalled", "same-address", "any-verified"},
                                          {SourceRule::signalled, SourceRule::same_address,
                                           SourceRule::any_verified}),
                       "signalled", "whom the gate may take for the sender of its media");
  keys.one<std::optional<bool>>("tcp-media", draft.tcp_media,
                                choice<std::optional<bool>>({"yes", "no"}, {true, false}), "",
                                "its addresses may be connected to by media over TCP");
  keys.one<bool>("media-names", peer.resolves_media_names,
                 choice<bool>({"refuse", "resolve"}, {false, true}), "refuse",
                 "host names in the place of its media's addresses");
  keys.one<std::uint32_t>("max-calls", peer.max_calls, number<std::uint32_t>(1, 1000000), "1000",
                          "calls at a time");
  disclosure_keys(keys, peer.disclosure);
}

void route_keys(Keys& keys, RouteConfig& route) {
  keys.one<std::string>("peer", route.peer, parse_word, "", "peer that serves this domain");
  keys.required("peer");
}

void media_keys(Keys& keys, Config& config) {
  using std::chrono::seconds;
  pinhole::Policy& policy = config.policy;
  MediaConfig& media = config.agent.media;
  keys.many<pinhole::PortRange>("ports", policy.media_ports, parse_ports, "1024-65535",
                                "ports media may use");
  keys.many<pinhole::PortRange>("forbidden-port", policy.forbidden_ports, parse_ports, "",
                                "port media never uses");
  keys.many<pinhole::Prefix>("forbidden-host", policy.forbidden_hosts, parse_network, "",
                             "host or network media never uses");
  keys.one<bool>("early", media.has_early, yes_or_no(), "yes",
                 "media that outruns its answer waits for it");
  keys.one<seconds>("one-way-after", media.one_way_after, duration<seconds>(1s, 5min), "5s",
                    "when the media of an agreed session is first looked at");
  keys.one<seconds>("inactivity", media.inactivity, duration<seconds>(0s, 24h), "5m",
                    "a call without a packet for this long ends");
  keys.one<seconds>("inactivity-on-hold", media.inactivity_on_hold, duration<seconds>(0s, 168h),
                    "1h", "likewise while it is on hold");
}

void dns_keys(Keys& keys, DnsConfig& dns) {
  using std::chrono::milliseconds;
  keys.many<sip::Endpoint>("server", dns.servers, parse_name_server, "",
                           "name server asked for host names in session descriptions");
  keys.one<milliseconds>("timeout", dns.timeout, duration<milliseconds>(100ms, 10s), "2s",
                         "wait for the names of one description");
}

void allow_keys(Keys& keys, AllowDraft& draft) {
  keys.one<pinhole::Prefix>("server", draft.allow.server, parse_network, "",
                            "server the inside may talk to");
  keys.required("server");
  keys.one<std::uint8_t>("protocol", draft.allow.protocol,
                         choice<std::uint8_t>({"udp", "tcp"}, {IPPROTO_UDP, IPPROTO_TCP}), "udp",
                         "transport protocol");
  keys.one<pinhole::PortRange>("port", draft.allow.ports, parse_ports, "", "port or range");
  keys.required("port");
}

void limit_keys(Keys& keys, Config& config) {
  LimitConfig& limits = config.agent.limits;
  const auto count = number<std::size_t>(1, 10000000);
  keys.one<std::size_t>("message", limits.message.message, size<std::size_t>(1024, 1048576), "64k",
                        "octets of a message");
  keys.one<std::size_t>("headers", limits.message.headers, size<std::size_t>(1024, 1048576), "16k",
                        "octets of start line and headers");
  keys.one<std::size_t>("body", limits.message.body, size<std::size_t>(0, 1048576), "48k",
                        "octets of a body");
  keys.one<std::size_t>("line", limits.message.line, size<std::size_t>(256, 65536), "4k",
                        "octets of a header field");
  keys.one<std::size_t>("fields", limits.message.fields, number<std::size_t>(16, 1024), "128",
                        "header fields");
  keys.one<std::size_t>("values", limits.message.values, number<std::size_t>(8, 1024), "64",
                        "values of one list header");
  keys.one<std::size_t>("sdp-size", limits.sdp.size, size<std::size_t>(256, 1048576), "32k",
                        "octets of a session description");
  keys.one<std::size_t>("sdp-media", limits.sdp.media, number<std::size_t>(1, 128), "32",
                        "m= lines");
  keys.one<std::size_t>("sdp-attributes", limits.sdp.attributes, number<std::size_t>(16, 8192),
                        "512", "a= lines");
  keys.one<std::size_t>("sdp-candidates", limits.sdp.candidates, number<std::size_t>(0, 1024), "64",
                        "candidates of one m= line");
  keys.one<std::size_t>("connections", limits.connections, count, "10000", "connections");
  keys.one<std::size_t>("connections-per-address", limits.connections_per_address, count, "200",
                        "connections of one address");
  keys.one<std::size_t>("transactions", limits.transactions, count, "100000", "transactions");
  keys.one<std::size_t>("transactions-per-address", limits.transactions_per_address, count, "20000",
                        "transactions of one address");
  keys.one<std::size_t>("calls", limits.calls, count, "20000", "calls");
  keys.one<std::size_t>("streams-per-call", limits.streams_per_call, number<std::size_t>(1, 128),
                        "32", "streams of one call");
  keys.one<std::size_t>("write-buffer", limits.write_buffer, size<std::size_t>(65536, 67108864),
                        "1M", "octets queued on one connection");
  keys.one<std::uint32_t>("rules", config.policy.max_rules, number<std::uint32_t>(1, 1000000),
                          "20000", "flows open at a time");
  keys.one<std::uint32_t>("rules-per-call", config.policy.max_group_rules,
                          number<std::uint32_t>(1, max_rules_in_message), "128",
                          "flows of one call");
}

void timeout_keys(Keys& keys, Config& config) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  TimeoutConfig& timeouts = config.agent.timeouts;
  keys.one<milliseconds>("t1", timeouts.t1, duration<milliseconds>(10ms, 10s), "500ms",
                         "RFC 3261 T1");
  keys.one<milliseconds>("t2", timeouts.t2, duration<milliseconds>(10ms, 1min), "4s",
                         "RFC 3261 T2");
  keys.one<milliseconds>("t4", timeouts.t4, duration<milliseconds>(10ms, 1min), "5s",
                         "RFC 3261 T4");
  keys.one<seconds>("timer-c", timeouts.timer_c, duration<seconds>(181s, 1h), "185s",
                    "RFC 3261 timer C");
  keys.one<seconds>("connect", timeouts.connect, duration<seconds>(1s, 2min), "10s",
                    "until a connection is there");
  keys.one<seconds>("handshake", timeouts.handshake, duration<seconds>(1s, 2min), "10s",
                    "until a TLS handshake is done");
  keys.one<milliseconds>("idle", timeouts.idle, duration<milliseconds>(10s, 24h), "15m",
                         "until an idle connection is closed");
  keys.one<seconds>("early", timeouts.early, duration<seconds>(10s, 1h), "5m",
                    "lifetime of an early dialog's rules");
  keys.one<seconds>("call", timeouts.call, duration<seconds>(1min, 168h), "12h",
                    "lifetime of a call's rules");
  keys.one<milliseconds>("grace", timeouts.grace, duration<milliseconds>(0ms, 1min), "2s",
                         "old rules after a change of ports");
  keys.one<milliseconds>("ice-grace", timeouts.ice_grace, duration<milliseconds>(0ms, 5min), "30s",
                         "old candidate pairs after an ICE restart");
  keys.one<milliseconds>("commit", timeouts.commit, duration<milliseconds>(50ms, 30s), "2s",
                         "wait for the middlebox");
  keys.one<milliseconds>("opener", timeouts.opener, duration<milliseconds>(50ms, 30s), "2s",
                         "wait for an opener");
  keys.one<std::uint32_t>(
      "refresh", config.policy.refresh_s,
      [parser = duration<seconds>(10s, 1h)](std::string_view text) -> ConfigValue<std::uint32_t> {
        const auto value = parser(text);
        if (!value) return std::unexpected(value.error());
        return static_cast<std::uint32_t>(value->count());
      },
      "2m", "kernel timeout of a rule that nobody refreshes");
}

void log_keys(Keys& keys, LogConfig& log) {
  using Format = LogConfig::Format;
  using Destination = LogConfig::Destination;
  keys.one<Format>("format", log.format,
                   choice<Format>({"logfmt", "json"}, {Format::logfmt, Format::json}), "logfmt",
                   "form of a line");
  keys.one<Destination>(
      "destination", log.destination,
      choice<Destination>({"auto", "journald", "stderr", "syslog", "file"},
                          {Destination::automatic, Destination::journald,
                           Destination::standard_error, Destination::syslog, Destination::file}),
      "auto", "where lines go");
  keys.one<std::string>("file", log.file, parse_absolute_path, "", "path for destination = file");
  keys.one<Level>(
      "level", log.level,
      choice<Level>({"debug", "info", "notice", "warning", "error"},
                    {Level::debug, Level::info, Level::notice, Level::warning, Level::error}),
      "info", "lowest level that is written");
}

void firewall_keys(Keys& keys, pinhole::Policy& policy) {
  using pinhole::Mode;
  keys.one<Mode>(
      "mode", policy.mode,
      choice<Mode>({"appliance", "mark", "observe"}, {Mode::appliance, Mode::mark, Mode::observe}),
      "appliance", "who decides about marked packets");
  keys.one<std::uint32_t>("mark", policy.mark, parse_mark, "0x4d000000", "mark of open media");
  keys.one<std::uint32_t>("mask", policy.mask, parse_mark, "0xff000000", "bits that are midcomd's");
  keys.one<bool>("delete-conntrack", policy.delete_conntrack, yes_or_no(), "yes",
                 "delete conntrack entries of a closed rule");
  keys.one<std::uint16_t>("gate-queue", policy.queue, number<std::uint16_t>(0, 65535), "4189",
                          "number of the queue of first packets");
  keys.one<std::uint32_t>("gate-rate", policy.sink_rate, number<std::uint32_t>(1, 100000), "200",
                          "first packets a second that are looked at of one address");
}

} // namespace

void unnamed_keys(Keys& keys, std::string_view kind, Config& config) {
  if (kind == "midcomd") midcomd_keys(keys, config);
  if (kind == "tls") tls_keys(keys, config.tls);
  if (kind == "smime") smime_keys(keys, config);
  if (kind == "endpoint") endpoint_keys(keys, config);
  if (kind == "media") media_keys(keys, config);
  if (kind == "dns") dns_keys(keys, config.agent.dns);
  if (kind == "limits") limit_keys(keys, config);
  if (kind == "timeouts") timeout_keys(keys, config);
  if (kind == "log") log_keys(keys, config.log);
  if (kind == "firewall") firewall_keys(keys, config.policy);
}

void named_keys(Keys& keys, ListenDraft& draft) {
  listen_keys(keys, draft);
}
void named_keys(Keys& keys, PeerDraft& draft) {
  peer_keys(keys, draft);
}
void named_keys(Keys& keys, RouteDraft& draft) {
  route_keys(keys, draft.route);
}
void named_keys(Keys& keys, AllowDraft& draft) {
  allow_keys(keys, draft);
}
void named_keys(Keys& keys, UserDraft& draft) {
  user_keys(keys, draft.user);
}
void named_keys(Keys& keys, MiddleDraft& draft) {
  middle_keys(keys, draft);
}

} // namespace midcom::config
