// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "daemon/config_values.h"
#include "tests/unit/daemon/config_folder.h"

namespace midcom {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using test::base;
using test::tls;
using ConfigTest = test::ConfigFolder;

TEST_F(ConfigTest, SmallestConfigHasTheDocumentedDefaults) {
  const auto config = load(base);
  ASSERT_TRUE(config) << config.error().front().to_string();
  const AgentConfig& agent = config->agent;
  EXPECT_THAT(agent.names, ElementsAre("gw.example.com"));
  ASSERT_THAT(agent.listeners, SizeIs(1));
  EXPECT_EQ(agent.listeners[0].name, "a");
  EXPECT_EQ(agent.listeners[0].transport, Transport::udp);
  EXPECT_EQ(agent.listeners[0].advertised, "192.0.2.1");
  ASSERT_THAT(agent.peers, SizeIs(1));
  EXPECT_EQ(agent.peers[0].side, "phones");
  EXPECT_TRUE(agent.peers[0].media_is_source);
  EXPECT_EQ(agent.peers[0].keys, KeyPolicy::hidden);
  EXPECT_EQ(agent.media_ports, (std::vector<pinhole::PortRange>{{1024, 65535}}));
  EXPECT_EQ(config->user, "midcomd");
  EXPECT_TRUE(config->tls.certificate_file.empty());
}

// The texts of the schema and the initial values of the structures are the same defaults.
TEST_F(ConfigTest, DefaultsOfSchemaAndStructuresAgree) {
  const auto config = load(base);
  ASSERT_TRUE(config);
  const LimitConfig &limits = config->agent.limits, initial;
  EXPECT_EQ(limits.message.message, initial.message.message);
  EXPECT_EQ(limits.message.headers, initial.message.headers);
  EXPECT_EQ(limits.message.body, initial.message.body);
  EXPECT_EQ(limits.message.line, initial.message.line);
  EXPECT_EQ(limits.message.fields, initial.message.fields);
  EXPECT_EQ(limits.message.values, initial.message.values);
  EXPECT_EQ(limits.sdp.size, initial.sdp.size);
  EXPECT_EQ(limits.sdp.media, initial.sdp.media);
  EXPECT_EQ(limits.sdp.lines, initial.sdp.lines);
  EXPECT_EQ(limits.sdp.attributes, initial.sdp.attributes);
  EXPECT_EQ(limits.sdp.candidates, initial.sdp.candidates);
  EXPECT_EQ(limits.connections, initial.connections);
  EXPECT_EQ(limits.connections_per_address, initial.connections_per_address);
  EXPECT_EQ(limits.transactions, initial.transactions);
  EXPECT_EQ(limits.transactions_per_address, initial.transactions_per_address);
  EXPECT_EQ(limits.calls, initial.calls);
  EXPECT_EQ(limits.streams_per_call, initial.streams_per_call);
  EXPECT_EQ(limits.write_buffer, initial.write_buffer);
  const TimeoutConfig &timeouts = config->agent.timeouts, first;
  EXPECT_EQ(timeouts.t1, first.t1);
  EXPECT_EQ(timeouts.t2, first.t2);
  EXPECT_EQ(timeouts.t4, first.t4);
  EXPECT_EQ(timeouts.timer_c, first.timer_c);
  EXPECT_EQ(timeouts.connect, first.connect);
  EXPECT_EQ(timeouts.handshake, first.handshake);
  EXPECT_EQ(timeouts.idle, first.idle);
  EXPECT_EQ(timeouts.early, first.early);
  EXPECT_EQ(timeouts.call, first.call);
  EXPECT_EQ(timeouts.grace, first.grace);
  EXPECT_EQ(timeouts.commit, first.commit);
  EXPECT_EQ(timeouts.opener, first.opener);
  EXPECT_EQ(config->agent.dns.timeout, DnsConfig().timeout);
  const pinhole::Policy &policy = config->policy, plain;
  EXPECT_EQ(policy.mode, plain.mode);
  EXPECT_EQ(policy.mark, plain.mark);
  EXPECT_EQ(policy.mask, plain.mask);
  EXPECT_EQ(policy.media_ports, plain.media_ports);
  EXPECT_EQ(policy.max_rules, plain.max_rules);
  EXPECT_EQ(policy.max_group_rules, plain.max_group_rules);
  EXPECT_EQ(policy.max_lifetime_s, plain.max_lifetime_s);
  EXPECT_EQ(policy.refresh_s, plain.refresh_s);
  EXPECT_EQ(config->control_socket, Config().control_socket);
  EXPECT_EQ(policy.delete_conntrack, plain.delete_conntrack);
  EXPECT_EQ(config->log.level, LogConfig().level);
  EXPECT_EQ(config->tls.client_verify, TlsConfig().client_verify);
}

TEST_F(ConfigTest, ReadsEverythingAndFillsThePolicy) {
  const auto config = load(
      "[midcomd]\nname = gw.example.com\nname = gw2.example.com\n"
      "[listen t]\naddress = tls:192.0.2.1:5061 ; a comment\n"
      "[listen six]\naddress = udp:[2001:db8::1]:5060\nadvertise = gw2.example.com\n" +
      tls +
      "[peer phones]\nnetwork = 192.0.2.0/25\nnetwork = 2001:db8::/64\ninterface = eth0\n"
      "[peer core]\nkind = trunk\nside = out\nnetwork = 198.51.100.7\nmedia = 198.51.100.0/24\n"
      "media = 203.0.113.0/24\nidentity = SIP.acme.example\nnext-hop = tls:198.51.100.7:5061\n"
      "tls-name = sip.acme.example\nregistrar = yes\nkeys = allow\nmethod = INVITE\n"
      "method = ACK\nmax-calls = 5\nmedia-source = any-verified\nmedia-names = resolve\n"
      "[route *]\npeer = core\n[route Acme.Example]\npeer = core\n"
      "[media]\nports = 10000-20000\nports = 30000\nforbidden-port = 5060-5061\n"
      "forbidden-host = 198.51.100.7\nearly = no\none-way-after = 7s\ninactivity = 0s\n"
      "inactivity-on-hold = 2h\n"
      "[dns]\nserver = 192.0.2.53\nserver = 2001:db8::53\ntimeout = 500ms\n"
      "[allow turn]\nserver = 203.0.113.20\nport = 3478\nprotocol = tcp\n"
      "[limits]\nmessage = 128k\nrules = 77\nrules-per-call = 7\n"
      "[timeouts]\nt1 = 250ms\ncall = 2h\nrefresh = 30s\n"
      "[log]\nformat = json\nlevel = debug\n[firewall]\nmode = mark\nmark = 0x10\nmask = 0xf0\n"
      "gate-queue = 7\ngate-rate = 50\n");
  ASSERT_TRUE(config) << config.error().front().to_string();
  const AgentConfig& agent = config->agent;
  EXPECT_EQ(agent.listeners[0].advertised, "gw.example.com");
  EXPECT_EQ(agent.listeners[1].advertised, "gw2.example.com");
  EXPECT_EQ(config->tls.key_file, (folder_ / "key.pem").string());
  const PeerConfig& core = agent.peers[1];
  EXPECT_EQ(core.kind, PeerKind::trunk);
  EXPECT_FALSE(core.media_is_source);
  EXPECT_THAT(core.media, SizeIs(2));
  EXPECT_THAT(core.identities, ElementsAre("sip.acme.example"));
  ASSERT_TRUE(core.next_hop);
  EXPECT_EQ(core.next_hop->tls_name, "sip.acme.example");
  EXPECT_EQ(core.next_hop->address.to_string(), "198.51.100.7:5061");
  EXPECT_TRUE(core.is_registrar);
  EXPECT_EQ(core.media_source, pinhole::SourceRule::any_verified);
  EXPECT_TRUE(core.takes_tcp_media);
  EXPECT_FALSE(agent.peers[0].takes_tcp_media);
  EXPECT_TRUE(core.resolves_media_names);
  EXPECT_FALSE(agent.peers[0].resolves_media_names);
  EXPECT_THAT(agent.dns.servers,
              ElementsAre(sip::Endpoint{*sip::IpAddress::parse("192.0.2.53"), 53},
                          sip::Endpoint{*sip::IpAddress::parse("2001:db8::53"), 53}));
  EXPECT_EQ(agent.dns.timeout, std::chrono::milliseconds(500));
  EXPECT_FALSE(agent.media.has_early);
  EXPECT_EQ(agent.media.one_way_after, std::chrono::seconds(7));
  EXPECT_EQ(agent.media.inactivity, std::chrono::seconds(0));
  EXPECT_EQ(agent.media.inactivity_on_hold, std::chrono::hours(2));
  EXPECT_EQ(agent.limits.rules_per_call, 7U);
  EXPECT_THAT(core.methods, ElementsAre("INVITE", "ACK"));
  EXPECT_EQ(agent.routes[1].domain, "acme.example");
  EXPECT_EQ(agent.mode, pinhole::Mode::mark);
  EXPECT_EQ(agent.forbidden_ports, (std::vector<pinhole::PortRange>{{5060, 5061}}));
  const pinhole::Policy& policy = config->policy;
  ASSERT_THAT(policy.sides, SizeIs(2));
  EXPECT_EQ(policy.sides[0].name, "phones");
  EXPECT_THAT(policy.sides[0].media, SizeIs(2));
  EXPECT_THAT(policy.sides[0].interfaces, ElementsAre("eth0"));
  EXPECT_FALSE(policy.sides[0].is_tcp_inbound);
  EXPECT_EQ(policy.sides[1].name, "out");
  EXPECT_TRUE(policy.sides[1].is_tcp_inbound);
  EXPECT_EQ(policy.queue, 7U);
  EXPECT_EQ(policy.sink_rate, 50U);
  EXPECT_EQ(policy.own_addresses.size(), 2U);
  EXPECT_EQ(policy.own_addresses[1].to_string(),
            pinhole::Prefix::parse("2001:db8::1")->to_string());
  ASSERT_THAT(policy.static_allows, SizeIs(1));
  EXPECT_EQ(policy.static_allows[0].name, "turn");
  EXPECT_EQ(policy.static_allows[0].protocol, 6);
  EXPECT_EQ(policy.static_allows[0].ports, (pinhole::PortRange{3478, 3478}));
  EXPECT_EQ(policy.max_rules, 77U);
  EXPECT_EQ(policy.max_lifetime_s, 7200U + 300U); // early media comes before the call
  EXPECT_EQ(policy.refresh_s, 30U);
  EXPECT_EQ(policy.mark, 0x10U);
  EXPECT_EQ(agent.limits.message.message, 131072U);
  EXPECT_EQ(agent.timeouts.t1, std::chrono::milliseconds(250));
  EXPECT_EQ(config->log.format, LogConfig::Format::json);
}

TEST_F(ConfigTest, PeersOfOneSideShareItAndItsNetworksStayApart) {
  const auto config = load("[midcomd]\nname = gw.example.com\n[listen a]\n"
                           "address = udp:192.0.2.1:5060\n"
                           "[peer one]\nside = in\nnetwork = 10.0.1.0/24\ninterface = eth0\n"
                           "[peer two]\nside = in\nnetwork = 10.0.0.0/16\ninterface = eth1\n"
                           "[peer three]\nside = out\nnetwork = 10.1.0.0/16\ninterface = eth2\n"
                           "[peer four]\nside = out\nnetwork = 10.2.0.0/16\n");
  ASSERT_TRUE(config) << config.error().front().to_string();
  ASSERT_THAT(config->policy.sides, SizeIs(2));
  ASSERT_THAT(config->policy.sides[0].media, SizeIs(1));
  EXPECT_EQ(config->policy.sides[0].media[0].to_string(), "10.0.0.0/16");
  EXPECT_THAT(config->policy.sides[0].interfaces, ElementsAre("eth0", "eth1"));
  EXPECT_THAT(config->policy.sides[1].interfaces, IsEmpty()); // four names none: not checked
}

TEST_F(ConfigTest, FolderBesideIsReadInOrder) {
  put("conf.d/20-b.conf", "[midcomd]\nname = b.example.com\n[limits]\ncalls = 7\n");
  put("conf.d/10-a.conf", "[midcomd]\nname = a.example.com\n");
  put("conf.d/ignored.conf~", "nonsense");
  put("conf.d/.hidden.conf", "nonsense");
  const auto config = load(base);
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_THAT(config->agent.names, ElementsAre("gw.example.com", "a.example.com", "b.example.com"));
  EXPECT_EQ(config->agent.limits.calls, 7U);
  put("conf.d/30-c.conf", "[limits]\ncalls = 8\n");
  EXPECT_THAT(errors(base), ElementsAre("conf.d/30-c.conf:2: calls: given twice in [limits]; first "
                                        "at conf.d/20-b.conf:4 (remove one)"));
}

TEST_F(ConfigTest, MissingFile) {
  const auto config = load_config((folder_ / "nothing.conf").string());
  ASSERT_FALSE(config);
  ASSERT_THAT(config.error(), SizeIs(1));
  EXPECT_EQ(config.error()[0].line, 0);
  EXPECT_EQ(config.error()[0].to_string(),
            (folder_ / "nothing.conf").string() + ": No such file or directory");
  EXPECT_FALSE(load_config(folder_.string()));
}

TEST_F(ConfigTest, AllErrorsAtOnceInOrder) {
  const auto list = errors("stray = 1\n[midcomd]\nnmae = gw.example.com\n[lisen a]\nx = 1\n"
                           "[peer p]\nnetwork = 192.0.2.1/24\nkind = phone\nmax-calls = many\n"
                           "[limits]\nmessage = 64q\n[timeouts]\nt1 = 500\n");
  EXPECT_THAT(list, Contains("midcomd.conf:1: stray: key outside of any section (put it below a "
                             "line such as [midcomd])"));
  EXPECT_THAT(list, Contains("midcomd.conf:3: nmae: unknown key in [midcomd] (did you mean "
                             "'name'?)"));
  EXPECT_THAT(list, Contains("midcomd.conf:2: name: missing in [midcomd]"));
  EXPECT_THAT(list, Contains("midcomd.conf:4: [lisen a]: unknown section (did you mean "
                             "'listen'?)"));
  EXPECT_THAT(list, Contains("midcomd.conf:7: network: '192.0.2.1/24' has host bits set (write "
                             "192.0.2.0/24)"));
  EXPECT_THAT(list, Contains("midcomd.conf:8: kind: 'phone' is not one of phones and trunk (did "
                             "you mean 'phones'?)"));
  EXPECT_THAT(list, Contains("midcomd.conf:9: max-calls: 'many' is not a number"));
  EXPECT_THAT(list, Contains("midcomd.conf:11: message: '64q' is not a size in octets, with k or "
                             "M, such as 64k"));
  EXPECT_THAT(list, Contains("midcomd.conf:13: t1: '500' is not a duration with a unit (ms, s, m, "
                             "h, d), such as 30s (write 500s)"));
  EXPECT_THAT(list, SizeIs(10)); // and: no listener
}

struct Refusal {
  const char* name;
  std::string text; // behind `base`
  const char* error;
};
class ConfigRefusal : public ConfigTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(ConfigRefusal, IsTheOnlyError) {
  const auto list = errors(base + GetParam().text);
  ASSERT_THAT(list, SizeIs(1)) << ::testing::PrintToString(list);
  EXPECT_THAT(list[0], HasSubstr(GetParam().error));
}

const std::string trunk = "[peer core]\nnetwork = 198.51.100.0/24\n"; // 7-8
const Refusal refusals[] = {
    {"overlap", "[peer b]\nnetwork = 192.0.2.128/25\n",
     "midcomd.conf:8: network: 192.0.2.128/25 overlaps 192.0.2.0/24 of [peer phones] at "
     "midcomd.conf:6 (an address has one side"},
    {"overlap_of_media", trunk + "media = 192.0.0.0/16\n", "9: media: 192.0.0.0/16 overlaps"},
    {"same_network", "[peer b]\nside = phones\nnetwork = 192.0.2.0/24\n",
     "9: network: 192.0.2.0/24 is also 192.0.2.0/24 of [peer phones] at midcomd.conf:6"},
    {"wildcard", "[listen b]\naddress = udp:0.0.0.0:5060\n",
     "8: address: '0.0.0.0' is a wildcard address (name one address"},
    {"wildcard6", "[listen b]\naddress = tcp:[::]:5060\n", "'::' is a wildcard address"},
    {"star", "[listen b]\naddress = tcp:*:5060\n", "a wildcard is not an IPv4"},
    {"multicast", "[listen b]\naddress = udp:224.0.1.75:5060\n", "not an address of an interface"},
    {"no_port", "[listen b]\naddress = udp:192.0.2.1\n", "is not TRANSPORT:ADDRESS:PORT"},
    {"port_0", "[listen b]\naddress = udp:192.0.2.1:0\n", "is not TRANSPORT:ADDRESS:PORT"},
    {"bare_ipv6", "[listen b]\naddress = udp:2001:db8::1:5060\n", "is not TRANSPORT:ADDRESS:PORT"},
    {"transport", "[listen b]\naddress = ucp:192.0.2.1:5060\n", "(did you mean 'udp'?)"},
    {"same_address", "[listen b]\naddress = udp:192.0.2.1:5060\n",
     "8: address: 192.0.2.1:5060 is taken by [listen a] at midcomd.conf:4"},
    {"two_addresses", "[listen b]\naddress = udp:192.0.2.1:5070\naddress = udp:192.0.2.1:5071\n",
     "9: address: given twice in [listen b]; first at midcomd.conf:8 (remove one)"},
    {"no_address", "[listen b]\n", "7: address: missing in [listen b]"},
    {"advertise", "[listen b]\naddress = udp:192.0.2.2:5060\nadvertise = other.example.com\n",
     "9: advertise: 'other.example.com' is neither an own name nor"},
    {"section_twice", "[peer phones]\nnetwork = 198.51.100.0/24\n",
     "7: [peer phones]: section given twice; first at midcomd.conf:5"},
    {"no_name", "[peer]\nnetwork = 198.51.100.0/24\n", "7: [peer]: section needs a name"},
    {"name_too_much", "[limits all]\n", "7: [limits all]: section takes no name (write [limits])"},
    {"bad_peer_name", "[peer a b]\nnetwork = 198.51.100.0/24\n", "'a b' is not a name"},
    {"header", "[limits\ncalls = 1\n", "7: section header without ']' ([limits])"},
    {"no_equals", "[limits]\ncalls\n", "8: calls: expected KEY = VALUE or [SECTION]"},
    {"no_value", "[limits]\ncalls =   # none\n", "8: calls: no value in [limits]"},
    {"control", "[limits]\ncalls = 1\x1b[2J\n", "8: octet 0x1b outside a comment"},
    {"not_ascii", "[midcomd]\nuser = m\xc3\xbcller\n", "8: octet 0xc3 outside a comment"},
    {"nobody", "[peer b]\nmedia = 198.51.100.0/24\n", "7: [peer b]: nothing to know this peer by"},
    {"nowhere", "[peer b]\nidentity = b.example\n", "no network: nowhere for its media to be"},
    {"media_word", trunk + "media = sorce\n",
     "9: media: 'sorce' is not a network such as "
     "192.0.2.0/24 or 2001:db8::/32, nor the word source "
     "(did you mean 'source'?)"},
    {"media_both", trunk + "media = source\nmedia = 198.51.100.0/24\n", "exclude each other"},
    {"family", trunk + "network = 2001:db8::/32\nnext-hop = udp:[2001:db8::7]:5060\n",
     "10: next-hop: no listener of this transport and address family (add a [listen] with address "
     "= udp:[IPV6-ADDRESS]:PORT)"},
    {"hop_outside", trunk + "next-hop = udp:203.0.113.1:5060\n",
     "9: next-hop: is outside the networks of [peer core] (add network = 203.0.113.1)"},
    {"hop_own", "[peer b]\nside = phones\nnetwork = 192.0.2.1\nnext-hop = udp:192.0.2.1:5060\n",
     "10: next-hop: is the own [listen a]"},
    {"hop_name", trunk + "next-hop = udp:sip.acme.example:5060\n",
     "'sip.acme.example' is not an IPv4 or IPv6 address literal"},
    {"tls_name",
     tls + "[listen t]\naddress = tls:192.0.2.1:5061\n" + trunk +
         "identity = x.example\nnext-hop = tls:198.51.100.7:5061\n",
     "next-hop: a tls next hop needs tls-name, the name its certificate must have (add tls-name = "
     "x.example)"},
    {"tls_name_alone", trunk + "tls-name = x.example\n", "9: tls-name: is only for a tls next-hop"},
    {"identity", "[tls]\nclient-verify = none\n" + trunk + "identity = x.example\n",
     "11: identity: can't be proven: [tls] has client-verify = none"},
    {"route", trunk + "next-hop = udp:198.51.100.7:5060\n[route *]\npeer = cor\n",
     "11: peer: there is no [peer cor] (did you mean 'core'?)"},
    {"route_no_hop", "[route *]\npeer = phones\n", "8: peer: [peer phones] has no next-hop"},
    {"route_no_peer", "[route *]\n", "7: peer: missing in [route *]"},
    {"route_dot", trunk + "next-hop = udp:198.51.100.7:5060\n[route a.example.]\npeer = core\n",
     "(leave the last dot out)"},
    {"route_twice",
     trunk + "next-hop = udp:198.51.100.7:5060\n[route A.example]\npeer = core\n"
             "[route a.example]\npeer = core\n",
     "12: [route a.example]: same domain as [route A.example] at midcomd.conf:10"},
    {"ports", "[media]\nports = 2000-1000\n",
     "8: ports: '2000-1000' is not a range from low to "
     "high (write 1000-2000)"},
    {"port_range", "[media]\nports = 1-65536\n", "is not a port 1-65535"},
    {"mask", "[firewall]\nmark = 0x100\nmask = 0xff\n", "8: mark: mark has bits outside mask"},
    {"mark", "[firewall]\nmark = 0\n", "8: mark: 0 marks nothing"},
    {"mark_text", "[firewall]\nmark = 0x1ffffffff\n", "is not a 32-bit number"},
    {"bool", "[firewall]\ndelete-conntrack = true\n", "'true' is not one of yes and no"},
    {"limit_order", "[limits]\nheaders = 128k\n", "8: headers: headers is more than message"},
    {"range", "[limits]\nsdp-media = 129\n", "8: sdp-media: '129' is outside 1 to 128"},
    {"call_rules", "[limits]\nrules-per-call = 1025\n", "'1025' is outside 1 to 1024"},
    {"socket", "[midcomd]\ncontrol-socket = run/x\n", "8: control-socket: "},
    {"long_socket", "[midcomd]\ncontrol-socket = /" + std::string(107, 'x') + "\n",
     "8: control-socket: longer than 107 octets"},
    {"negative", "[limits]\ncalls = -1\n", "'-1' is not a number"},
    {"huge", "[limits]\nmessage = 99999999999999999999k\n", "is not a size"},
    {"timer_c", "[timeouts]\ntimer-c = 180s\n", "'180s' is outside 181s to 1h"},
    {"part_second", "[timeouts]\nconnect = 1500ms\n", "'1500ms' is not a whole number of seconds"},
    {"unit", "[timeouts]\nidle = 10sec\n", "is not a duration with a unit"},
    {"timer_order", "[timeouts]\nt1 = 8s\n", "8: t1: t1 is more than t2"},
    {"log_file", "[log]\ndestination = file\n", "8: destination: file needs the key file"},
    {"log_file_alone", "[log]\nfile = /var/log/x\n", "8: file: is only used with destination = "},
    {"log_path", "[log]\ndestination = file\nfile = x.log\n", "'x.log' is not an absolute path"},
    {"level", "[log]\nlevel = warn\n",
     "8: level: 'warn' is not one of debug, info, notice, "
     "warning and error"},
    {"users", "[midcomd]\nmiddlebox-user = midcomd\n", "8: middlebox-user: is the agent's user"},
    {"root", "[midcomd]\nuser = root\n", "8: user: this process must not run as root"},
    {"allow", "[allow x]\nserver = 203.0.113.1\n", "7: port: missing in [allow x]"},
    {"method", trunk + "method = invite\n", "(methods are case-sensitive) (write INVITE)"},
    {"interface", trunk + "interface = a/b\n", "9: interface: 'a/b' is not an interface name"},
    {"host", "[midcomd]\nname = -x.example\n", "8: name: '-x.example' is not a host name"},
    {"tls_missing",
     "[listen t]\naddress = tls:192.0.2.1:5061\n[tls]\ncertificate = cert.pem\n"
     "ca = ca.pem\n",
     "9: key: missing in [tls]: needed by a tls listener (add key = FILE)"},
    {"tls_no_file", "[tls]\ncertificate = none.pem\n", "none.pem: No such file or directory"},
    {"tls_no_pem", "[tls]\nca = midcomd.conf\n", "midcomd.conf: holds no PEM"},
    {"tls_version", "[tls]\nminimum-version = 1.1\n", "'1.1' is not one of 1.2 and 1.3"},
};
INSTANTIATE_TEST_SUITE_P(All, ConfigRefusal, ::testing::ValuesIn(refusals),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(ConfigTest, KeyOpenToOthersIsRefused) {
  ::chmod((folder_ / "key.pem").c_str(), 0640);
  const auto list = errors(base + tls);
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_EQ(list[0], "midcomd.conf:9: key: key.pem can be used by group or others (chmod 600 "
                     "key.pem)");
}

TEST_F(ConfigTest, WhatIsNoNameServer) {
  for (const std::string server : {"ns.example", "0.0.0.0", "192.0.2.1:53", "fe80::1%eth0"}) {
    const auto list = errors(base + "[dns]\nserver = " + server + "\n");
    ASSERT_THAT(list, SizeIs(1)) << server;
    EXPECT_THAT(list[0], HasSubstr("server: '" + server + "' is not an IPv4 or IPv6 address"));
  }
}

TEST_F(ConfigTest, NoListenerNorPeer) {
  const auto list = errors("[midcomd]\nname = gw.example.com\n");
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_THAT(list[0], HasSubstr("[listen]: no listener"));
  EXPECT_THAT(list[1], HasSubstr("[peer]: no peer"));
}

TEST_F(ConfigTest, ServerWithoutClientCertificatesNeedsNoAuthorities) {
  const auto config = load(base + "[listen t]\naddress = tls:192.0.2.1:5061\n[tls]\n"
                                  "certificate = cert.pem\nkey = key.pem\nclient-verify = none\n");
  EXPECT_TRUE(config);
}

TEST_F(ConfigTest, WindowsLineEndsAndByteOrderMark) {
  std::string text = "\xef\xbb\xbf" + base;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
    text.insert(at, "\r");
  EXPECT_TRUE(load(text));
}

} // namespace
} // namespace midcom
