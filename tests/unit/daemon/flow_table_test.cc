// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/flow_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/keyed_hash.h"
#include "gateway_config.h"

namespace midcom {
namespace {

using test::address;
using testing::ElementsAre;
using testing::IsEmpty;

class CountingNetwork final : public Network {
public:
  void send(FlowId, sip::Bytes) override {}
  FlowId connect(const Target&) override { return ++last_; }
  void close(FlowId) override {}

private:
  FlowId last_ = 100;
};

class FlowTableTest : public testing::Test {
protected:
  FlowInfo inbound(FlowId id, std::string_view source, Transport transport = Transport::tls) {
    FlowInfo info;
    info.id = id;
    info.transport = transport;
    info.remote = {address(source), 40000};
    return info;
  }
  AgentConfig config_ = test::gateway_config();
  PeerDirectory peers_{config_};
  CountingNetwork network_;
  FlowTable flows_{peers_, network_};
  Target core_{Transport::tls, {address("192.0.2.5"), 5061}, "core.example.com"};
};

TEST_F(FlowTableTest, AnInboundFlowBelongsToItsPeer) {
  flows_.opened(inbound(1, "10.1.0.10"));
  ASSERT_NE(flows_.find(1), nullptr);
  EXPECT_EQ(flows_.find(1)->peer, 0U);
  flows_.opened(inbound(2, "198.18.0.1"));
  EXPECT_EQ(flows_.find(2)->peer, no_peer);
  EXPECT_EQ(flows_.find(3), nullptr);
}

TEST_F(FlowTableTest, ATrunkWithoutItsCertificateIsNobody) {
  FlowInfo info = inbound(1, "192.0.2.5");
  flows_.opened(info);
  EXPECT_EQ(flows_.find(1)->peer, no_peer);
  info.id = 2;
  info.identities = {"CORE.example.com"};
  flows_.opened(info);
  EXPECT_EQ(flows_.find(2)->peer, 2U);
}

TEST_F(FlowTableTest, OneConnectionForOneTargetAndName) {
  const FlowId first = flows_.to_target(core_, 2);
  EXPECT_EQ(flows_.to_target(core_, 2), first);
  Target other = core_;
  other.tls_name = "evil.example.com";
  EXPECT_NE(flows_.to_target(other, 2), first); // RFC 5923: reuse under the same name alone
  EXPECT_EQ(flows_.size(), 2U);
}

TEST_F(FlowTableTest, AnOutboundFlowKeepsThePeerItWasOpenedFor) {
  const FlowId id = flows_.to_target(core_, 2);
  FlowInfo info = inbound(id, "192.0.2.5");
  info.is_inbound = false;
  flows_.opened(info);
  EXPECT_EQ(flows_.find(id)->peer, 2U);
  EXPECT_TRUE(flows_.find(id)->is_open);
}

TEST_F(FlowTableTest, AClosedFlowIsOpenedAnew) {
  const FlowId first = flows_.to_target(core_, 2);
  ASSERT_TRUE(flows_.closed(first));
  EXPECT_FALSE(flows_.closed(first));
  EXPECT_NE(flows_.to_target(core_, 2), first);
}

TEST_F(FlowTableTest, AnAliasNeverReplacesALiveFlowAndDiesWithItsOwn) {
  flows_.opened(inbound(1, "192.0.2.5"));
  flows_.alias(1, core_);
  EXPECT_EQ(flows_.to_target(core_, 2), 1U);
  flows_.opened(inbound(2, "192.0.2.5"));
  flows_.alias(2, core_);
  EXPECT_EQ(flows_.to_target(core_, 2), 1U);
  static_cast<void>(flows_.closed(1));
  EXPECT_GT(flows_.to_target(core_, 2), 100U);
}

TEST_F(FlowTableTest, ReferencesSurviveGrowth) {
  flows_.opened(inbound(1, "10.1.0.10"));
  const FlowEntry* entry = flows_.find(1);
  for (FlowId id = 2; id < 2000; ++id) flows_.opened(inbound(id, "10.1.0.11"));
  EXPECT_EQ(flows_.find(1), entry);
}

TEST_F(FlowTableTest, UdpProvesNoNetwork) {
  flows_.opened(inbound(1, "10.1.0.10", Transport::udp));
  flows_.opened(inbound(2, "10.1.0.10", Transport::tcp));
  EXPECT_EQ(flows_.find(1)->network_identity(peers_), "");
  EXPECT_EQ(flows_.find(2)->network_identity(peers_), "net:inside/10.1.0.10");
}

TEST_F(FlowTableTest, ParticipantsAreHashedFromWhatTheFlowProved) {
  const SecretKey key{5};
  FlowEntry entry;
  entry.info = inbound(1, "10.1.0.10");
  entry.peer = 0;
  EXPECT_THAT(entry.strong_identities(), IsEmpty());
  EXPECT_EQ(participant_of(entry, peers_, key, "sip:alice@example.com").strong,
            pinhole::Identity{});
  entry.registered = {"sip:zoe@example.com", "sip:alice@example.com"};
  EXPECT_THAT(entry.strong_identities(),
              ElementsAre("aor:sip:zoe@example.com", "aor:sip:alice@example.com"));
  // What somebody calls himself picks among proved names and adds none.
  EXPECT_EQ(participant_of(entry, peers_, key, "sip:alice@example.com").strong,
            hashed_identity(key, "aor:sip:alice@example.com"));
  EXPECT_EQ(participant_of(entry, peers_, key, "sip:boss@example.com").strong,
            hashed_identity(key, "aor:sip:zoe@example.com"));
}

} // namespace
} // namespace midcom
