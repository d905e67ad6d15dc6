// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/peer_directory.h"

#include <gtest/gtest.h>

#include "daemon/flow_token.h"
#include "gateway_config.h"

namespace midcom {
namespace {

using test::address;

class PeerDirectoryTest : public testing::Test {
protected:
  bool is_own(std::string_view text) const {
    const auto uri = sip::Uri::parse(text);
    EXPECT_TRUE(uri) << text;
    return uri && peers_.is_own(*uri);
  }
  std::optional<PeerDirectory::Hop> hop(std::string_view text) const {
    const auto uri = sip::Uri::parse(text);
    EXPECT_TRUE(uri) << text;
    return uri ? peers_.hop_for(*uri) : std::nullopt;
  }
  AgentConfig config_ = test::gateway_config();
  PeerDirectory peers_{config_};
};

TEST_F(PeerDirectoryTest, TheLongestNetworkWins) {
  PeerConfig guest;
  guest.name = "guest";
  guest.networks = {*pinhole::Prefix::parse("10.1.0.64/28")};
  config_.peers.push_back(guest);
  FlowInfo flow;
  flow.remote = {address("10.1.0.70"), 5000};
  EXPECT_EQ(PeerDirectory(config_).peer_of(flow), 4U);
  flow.remote.address = address("10.1.0.80");
  EXPECT_EQ(PeerDirectory(config_).peer_of(flow), 0U);
}

TEST_F(PeerDirectoryTest, AMappedAddressIsNotItsIpv4) {
  FlowInfo flow;
  flow.remote = {address("::ffff:10.1.0.70"), 5000};
  EXPECT_EQ(peers_.peer_of(flow), no_peer);
}

TEST_F(PeerDirectoryTest, OwnNames) {
  EXPECT_TRUE(is_own("sip:gw.example.com"));
  EXPECT_TRUE(is_own("sip:token@GW.Example.COM:5061;transport=tls;lr"));
  EXPECT_TRUE(is_own("sip:10.1.0.1:5061"));
  EXPECT_TRUE(is_own("sip:198.51.100.1:5060"));
  EXPECT_TRUE(is_own("sips:[2001:db8:1::1]:5061"));
  EXPECT_TRUE(is_own("sips:[2001:db8:1:0::1]"));
}

TEST_F(PeerDirectoryTest, NotOwnNames) {
  EXPECT_FALSE(is_own("sip:gw.example.com:6000"));
  EXPECT_FALSE(is_own("sip:10.1.0.1:5060")); // nobody listens there
  EXPECT_FALSE(is_own("sip:gw.example.com.evil.example"));
  EXPECT_FALSE(is_own("sip:gw.example.com@evil.example"));
  EXPECT_FALSE(is_own("sip:10.1.0.2:5061"));
  EXPECT_FALSE(is_own("sip:[::ffff:10.1.0.1]:5061"));
}

TEST_F(PeerDirectoryTest, RoutesByDomain) {
  EXPECT_EQ(peers_.route("Example.COM"), 2U);
  EXPECT_EQ(peers_.route("sub.example.com"), no_peer);
  EXPECT_EQ(peers_.route("nowhere.example"), no_peer);
  config_.routes.insert(config_.routes.begin(), {"*", "plain"});
  EXPECT_EQ(peers_.route("nowhere.example"), 3U);
  EXPECT_EQ(peers_.route("example.com"), 2U); // the default is last wherever it stands
  config_.routes = {{"example.com", "gone"}};
  EXPECT_EQ(peers_.route("example.com"), no_peer);
}

TEST_F(PeerDirectoryTest, HopsAreConfiguredPeersOnly) {
  ASSERT_TRUE(hop("sip:core.example.com"));
  EXPECT_EQ(hop("sip:CORE.example.com;lr")->peer, 2U);
  EXPECT_EQ(hop("sip:core.example.com")->target, *config_.peers[2].next_hop);
  EXPECT_FALSE(hop("sip:evil.example"));
  EXPECT_FALSE(hop("sip:203.0.113.9")); // phones have no next hop
  EXPECT_FALSE(hop("sip:8.8.8.8"));
}

TEST_F(PeerDirectoryTest, AnAddressInATrunkKeepsItsName) {
  const auto next = hop("sip:x@192.0.2.5");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->target.transport, Transport::tls);
  EXPECT_EQ(next->target.address.port, 5061);
  const auto other = hop("sips:x@192.0.2.9:5071");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->target.transport, Transport::tls);
  EXPECT_EQ(other->target.address, (sip::Endpoint{address("192.0.2.9"), 5071}));
  EXPECT_EQ(other->target.tls_name, "core.example.com");
  EXPECT_EQ(hop("sip:x@192.0.2.9")->target.transport, Transport::tls); // never out of TLS
  EXPECT_FALSE(hop("sip:x@192.0.2.9;transport=udp"));
}

TEST_F(PeerDirectoryTest, Sides) {
  EXPECT_EQ(peers_.side_of(address("10.1.0.10")), "inside");
  EXPECT_EQ(peers_.side_of(address("2001:db8:1::9")), "inside");
  EXPECT_EQ(peers_.side_of(address("192.0.2.14")), "core");
  EXPECT_EQ(peers_.side_of(address("192.0.2.16")), "");
  EXPECT_EQ(peers_.side_of(address("::ffff:10.1.0.10")), "");
}

TEST_F(PeerDirectoryTest, TokensNamePeers) {
  EXPECT_EQ(peers_.by_token_value(peer_token_value("core")), 2U);
  EXPECT_EQ(peers_.by_token_value(0), no_peer);
}

TEST_F(PeerDirectoryTest, TheListenerThatFacesATarget) {
  EXPECT_EQ(peers_.listener_for(Transport::tls, address("10.1.0.77")), 0U);
  EXPECT_EQ(peers_.listener_for(Transport::tls, address("198.51.100.9")), 1U);
  EXPECT_EQ(peers_.listener_for(Transport::udp, address("10.1.0.77")), 2U);
  EXPECT_EQ(peers_.listener_for(Transport::tls, address("2001:db8:1::9")), 3U);
  EXPECT_LT(peers_.listener_for(Transport::tcp, address("::9")), config_.listeners.size());
}

} // namespace
} // namespace midcom
