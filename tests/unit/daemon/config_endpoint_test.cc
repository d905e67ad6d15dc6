// SPDX-License-Identifier: GPL-3.0-or-later
// role = endpoint, and the sections that belong to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/role_slice.h"
#include "tests/unit/daemon/config_folder.h"

namespace midcom {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ConfigEndpoint = test::ConfigFolder;

const std::string endpoint = "[midcomd]\nname = laptop.example.com\nrole = endpoint\n"
                             "[listen phone]\naddress = udp:127.0.0.1:5060\n"
                             "[listen out]\naddress = tls:192.0.2.10:5061\n"
                             "[tls]\ncertificate = cert.pem\nkey = key.pem\nca = ca.pem\n"
                             "[smime]\nca = ca.pem\n"
                             "[user alice]\naddress = sip:Alice@EXAMPLE.com\n"
                             "certificate = cert.pem\nkey = key.pem\n"
                             "[peer phone]\nnetwork = 127.0.0.0/8\n"
                             "[peer home]\nkind = trunk\nnext-hop = tls:192.0.2.1:5061\n"
                             "tls-name = gw.example.com\n"
                             "[route *]\npeer = home\n";

std::string without(std::string text, const std::string& part) {
  return text.erase(text.find(part), part.size());
}

class Refusals : public ConfigEndpoint {
protected:
  std::vector<std::string> of(const std::string& text) {
    const auto config = load(text);
    std::vector<std::string> lines;
    if (!config)
      for (const auto& error : config.error()) lines.push_back(error.to_string());
    return lines;
  }
};

TEST_F(ConfigEndpoint, SmallestFile) {
  const auto config = load(endpoint);
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_EQ(config->agent.role, StationRole::endpoint);
  EXPECT_EQ(config->agent.endpoint.seal, SealPolicy::possible);
  EXPECT_THAT(config->agent.endpoint.trusted_middles, ElementsAre("own-domain"));
  EXPECT_EQ(config->agent.endpoint.users.at(0).address, "sip:Alice@example.com");
  EXPECT_EQ(config->opener.users.at(0).key_file, (folder_ / "key.pem").string());
  EXPECT_EQ(config->agent.smime.openers, 2U);
}

TEST_F(ConfigEndpoint, EveryKey) {
  put("contacts/bob.pem", "-----BEGIN CERTIFICATE-----\n");
  const auto config = load(endpoint + "[middle GW.example.com]\ncertificate = cert.pem\n"
                                      "[endpoint]\ncontacts = contacts\nseal = required\n"
                                      "trusted-middles = peer-domain\ntrusted-middles = gw.x\n");
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_EQ(config->agent.endpoint.seal, SealPolicy::required);
  EXPECT_THAT(config->agent.endpoint.trusted_middles, ElementsAre("peer-domain", "gw.x"));
  EXPECT_EQ(config->agent.endpoint.middles.at(0).name, "gw.example.com");
  EXPECT_EQ(config->opener.contact_directory, (folder_ / "contacts").string());
}

TEST_F(ConfigEndpoint, ItsSlicesGoThereAndBack) {
  AgentSlice agent;
  agent.config.role = StationRole::endpoint;
  agent.config.endpoint = {.seal = SealPolicy::required,
                           .trusted_middles = {"own-domain"},
                           .users = {{"sip:a@x", "OFFER"}},
                           .middles = {{"gw.x", "DER"}},
                           .contacts = {"ONE", "TWO"}};
  const auto read = decode_agent_slice(encode(agent));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->config.role, StationRole::endpoint);
  EXPECT_EQ(read->config.endpoint.users.at(0).offer, "OFFER");
  EXPECT_EQ(read->config.endpoint.middles.at(0).certificate, "DER");
  EXPECT_THAT(read->config.endpoint.contacts, ElementsAre("ONE", "TWO"));
  OpenerSlice opener;
  opener.users = {"sip:a@x"};
  EXPECT_EQ(decode_opener_slice(encode(opener))->users, opener.users);
}

TEST_F(Refusals, WhatAnEndpointHasNoUseFor) {
  EXPECT_THAT(of(endpoint + "[firewall]\nmode = mark\n"),
              Contains(HasSubstr("an endpoint opens no firewall")));
  EXPECT_THAT(of(endpoint + "[media]\nports = 1024-65535\n"),
              Contains(HasSubstr("an endpoint opens no firewall")));
  EXPECT_THAT(of(endpoint + "[dns]\nserver = 192.0.2.1\n"),
              Contains(HasSubstr("an endpoint opens no firewall")));
  EXPECT_THAT(of(endpoint + "[allow x]\nserver = 192.0.2.1\nport = 1\n"),
              Contains(HasSubstr("an endpoint opens no firewall")));
  EXPECT_THAT(of(endpoint + "[smime]\ncertificate = cert.pem\n"),
              Contains(HasSubstr("put it into [user NAME]")));
}

TEST_F(Refusals, WhatAnEndpointNeeds) {
  EXPECT_THAT(of(without(endpoint, "[smime]\nca = ca.pem\n")),
              Contains(HasSubstr("can trust nobody")));
  EXPECT_THAT(of(without(endpoint, "[user alice]\naddress = sip:Alice@EXAMPLE.com\n"
                                   "certificate = cert.pem\nkey = key.pem\n")),
              Contains(HasSubstr("has nobody to seal for")));
  EXPECT_THAT(of(without(endpoint, "[peer phone]\nnetwork = 127.0.0.0/8\n")),
              Contains(HasSubstr("a peer of kind phones")));
  EXPECT_THAT(of(without(endpoint, "key = key.pem\n[peer")), Contains(HasSubstr("[user alice]")));
}

TEST_F(Refusals, WhatCannotBe) {
  EXPECT_THAT(of(endpoint + "[user other]\naddress = sip:Alice@example.com\n"
                            "certificate = cert.pem\nkey = key.pem\n"),
              Contains(HasSubstr("is also the address of [user alice]")));
  EXPECT_THAT(of(endpoint + "[user other]\naddress = bob@example.com\n"
                            "certificate = cert.pem\nkey = key.pem\n"),
              Contains(HasSubstr("write sip:bob@example.com")));
  EXPECT_THAT(of(endpoint + "[endpoint]\ncontacts = nowhere\n"), Contains(HasSubstr("nowhere")));
  EXPECT_THAT(of(endpoint + "[middle no_name]\ncertificate = cert.pem\n"),
              Contains(HasSubstr("no_name")));
}

TEST_F(Refusals, AGatewayIsNoEndpoint) {
  const std::string gateway = test::base;
  EXPECT_THAT(of(gateway + "[endpoint]\nseal = required\n"),
              Contains(HasSubstr("is for the role endpoint")));
  EXPECT_THAT(of(gateway + "[user a]\naddress = sip:a@x\ncertificate = cert.pem\nkey = key.pem\n"),
              Contains(HasSubstr("is for the role endpoint")));
}

} // namespace
} // namespace midcom
