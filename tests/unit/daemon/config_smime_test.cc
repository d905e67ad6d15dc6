// SPDX-License-Identifier: GPL-3.0-or-later
// [smime], and the keys of [peer] that belong to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "daemon/config_values.h"
#include "tests/unit/daemon/config_folder.h"

namespace midcom {
namespace {

using std::chrono::seconds;
using test::base;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Policy = DisclosurePolicy;
using ConfigSmime = test::ConfigFolder;

const std::string smime = "[smime]\ncertificate = cert.pem\nkey = key.pem\n"; // 7-9 after base

TEST_F(ConfigSmime, NothingChangesWithoutTheSection) {
  const auto config = load(base);
  ASSERT_TRUE(config) << config.error().front().to_string();
  EXPECT_EQ(config->agent.smime.openers, 0U);
  EXPECT_THAT(config->opener.certificate_file, IsEmpty());
  const Policy& policy = config->agent.peers.at(0).disclosure;
  EXPECT_THAT(policy.view, IsEmpty());
  EXPECT_THAT(policy.verify, IsEmpty());
  EXPECT_EQ(policy.opaque, Policy::Opaque::forward);
  EXPECT_EQ(policy.legacy, Policy::Legacy::allow);
  EXPECT_EQ(policy.on_bad_answer, Policy::BadAnswer::block_media);
  EXPECT_EQ(policy.answerer, Policy::Answerer::to_uri);
}

TEST_F(ConfigSmime, SmallestSectionHasTheDocumentedDefaults) {
  const auto config = load(base + smime);
  ASSERT_TRUE(config) << config.error().front().to_string();
  const SmimeConfig agent, &read = config->agent.smime;
  EXPECT_EQ(read.openers, 2U);
  EXPECT_EQ(read.date_window, agent.date_window);
  EXPECT_EQ(read.replay_entries, agent.replay_entries);
  const OpenerConfig opener;
  EXPECT_EQ(config->opener.certificate_file, (folder_ / "cert.pem").string());
  EXPECT_EQ(config->opener.key_file, (folder_ / "key.pem").string());
  EXPECT_EQ(config->opener.crl_policy, opener.crl_policy);
  EXPECT_EQ(config->opener.cek_lifetime, opener.cek_lifetime);
  EXPECT_EQ(config->opener.user, opener.user);
  EXPECT_THAT(config->opener.extended_key_usages, ElementsAre("1.3.6.1.5.5.7.3.4"));
}

TEST_F(ConfigSmime, ReadsEveryKey) {
  put("more/crl.pem", "-----BEGIN X509 CRL-----\n");
  const auto config =
      load(base +
           "view = Application/SDP\nview = text/plain\nverify = application/sdp\n"
           "opaque = refuse\nlegacy = refuse\non-bad-answer = terminate\n"
           "answerer = any-trusted\n" +
           smime +
           "ca = ca.pem\nca = cert.pem\ncrl = more/crl.pem\ncrl-policy = require\neku = email\n"
           "eku = 1.3.6.1.5.5.7.3.20\nopeners = 16\nopener-user = sealed\ndate-window = 5m\n"
           "replay-entries = 5000\ncek-lifetime = 10m\n[timeouts]\nopener = 700ms\n");
  ASSERT_TRUE(config) << config.error().front().to_string();
  const Policy& policy = config->agent.peers.at(0).disclosure;
  EXPECT_THAT(policy.view, ElementsAre("application/sdp", "text/plain"));
  EXPECT_THAT(policy.verify, ElementsAre("application/sdp"));
  EXPECT_EQ(policy.opaque, Policy::Opaque::refuse);
  EXPECT_EQ(policy.legacy, Policy::Legacy::refuse);
  EXPECT_EQ(policy.on_bad_answer, Policy::BadAnswer::terminate);
  EXPECT_EQ(policy.answerer, Policy::Answerer::any_trusted);
  const OpenerConfig& opener = config->opener;
  EXPECT_THAT(opener.ca_files,
              ElementsAre((folder_ / "ca.pem").string(), (folder_ / "cert.pem").string()));
  EXPECT_THAT(opener.crl_files, ElementsAre((folder_ / "more/crl.pem").string()));
  EXPECT_EQ(opener.crl_policy, OpenerConfig::CrlPolicy::required);
  EXPECT_THAT(opener.extended_key_usages, ElementsAre("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.20"));
  EXPECT_EQ(opener.cek_lifetime, seconds(600));
  EXPECT_EQ(opener.user, "sealed");
  EXPECT_EQ(config->agent.smime.openers, 16U);
  EXPECT_EQ(config->agent.smime.date_window, seconds(300));
  EXPECT_EQ(config->agent.smime.replay_entries, 5000U);
  EXPECT_EQ(config->agent.timeouts.opener, std::chrono::milliseconds(700));
}

TEST_F(ConfigSmime, AnyExtendedKeyUsageIsNone) {
  const auto config = load(base + smime + "eku = any\n");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->opener.extended_key_usages, IsEmpty());
}

struct Refusal {
  const char* name;
  std::string text; // after base
  std::string error;
};
class SmimeRefusal : public ConfigSmime, public ::testing::WithParamInterface<Refusal> {};

TEST_P(SmimeRefusal, NamesLineKeyAndRemedy) {
  const auto list = errors(base + GetParam().text);
  ASSERT_THAT(list, SizeIs(1)) << ::testing::PrintToString(list);
  EXPECT_EQ(list[0], "midcomd.conf:" + GetParam().error);
}

const Refusal refusals[] = {
    {"no_key", "[smime]\ncertificate = cert.pem\n", "7: key: missing in [smime] (add key = FILE)"},
    {"no_certificate", "[smime]\nkey = key.pem\n",
     "7: certificate: missing in [smime] (add certificate = FILE)"},
    {"no_file", smime + "ca = ca.pem\nca = none.pem\n",
     "11: ca: none.pem: No such file or directory"},
    {"no_pem", smime + "crl = midcomd.conf\n", "10: crl: midcomd.conf: holds no PEM"},
    {"no_crl", smime + "crl-policy = require\n",
     "10: crl-policy: require needs the key crl (add crl = FILE)"},
    {"crl_policy", smime + "crl-policy = required\n",
     "10: crl-policy: 'required' is not one of use-if-present and require (did you mean "
     "'require'?)"},
    {"too_many", smime + "openers = 17\n", "10: openers: '17' is outside 1 to 16"},
    {"none", smime + "openers = 0\n", "10: openers: '0' is outside 1 to 16"},
    {"agents_user", smime + "opener-user = midcomd\n",
     "10: opener-user: is the agent's user: the two must be apart (make a user of its own)"},
    {"middleboxs_user", smime + "opener-user = midcomd-middlebox\n",
     "10: opener-user: is the middlebox's user: the two must be apart (make a user of its own)"},
    {"root", smime + "opener-user = root\n",
     "10: opener-user: this process must not run as root (make a user of its own)"},
    {"any_and_more", smime + "eku = email\neku = any\n",
     "10: eku: any and others exclude each other (remove eku = any)"},
    {"eku", smime + "eku = emial\n",
     "10: eku: 'emial' is not any, email or an object identifier such as 1.3.6.1.5.5.7.3.4 (did "
     "you mean 'email'?)"},
    {"window", smime + "date-window = 59s\n", "10: date-window: '59s' is outside 1m to 1d"},
    {"typo", smime + "opneers = 2\n",
     "10: opneers: unknown key in [smime] (did you mean "
     "'openers'?)"},
    {"named", "[smime x]\n", "7: [smime x]: section takes no name (write [smime])"},
    {"view_alone", "view = application/sdp\n",
     "7: view: needs the section [smime] (add [smime] with certificate and key)"},
    {"verify_alone", "verify = application/sdp\n",
     "7: verify: needs the section [smime] (add [smime] with certificate and key)"},
    {"legacy_alone", "legacy = refuse\n",
     "7: legacy: needs the section [smime] (add [smime] with certificate and key)"},
    {"verify_without_ca", "verify = application/sdp\n" + smime,
     "7: verify: nobody's signature can be trusted (add ca = FILE to [smime])"},
    {"no_type", "view = sdp\n" + smime,
     "7: view: 'sdp' is not a content type such as application/sdp (write application/sdp)"},
    {"type_typo", "view = aplication/spd;x\n" + smime,
     "7: view: 'aplication/spd;x' is not a content type such as application/sdp"},
    {"wildcard", "view = application/*\n" + smime,
     "7: view: 'application/*' is not a content type such as application/sdp (did you mean "
     "'application/sdp'?)"},
    {"two_slashes", "view = a/b/c\n" + smime,
     "7: view: 'a/b/c' is not a content type such as application/sdp"},
    {"answerer", "answerer = to\n",
     "7: answerer: 'to' is not one of to-uri, peer-domain and "
     "any-trusted"},
};
INSTANTIATE_TEST_SUITE_P(All, SmimeRefusal, ::testing::ValuesIn(refusals),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(ConfigSmime, KeyOpenToOthersIsRefused) {
  ::chmod((folder_ / "key.pem").c_str(), 0640);
  EXPECT_THAT(errors(base + smime),
              ElementsAre("midcomd.conf:9: key: key.pem can be used by group or others (chmod 600 "
                          "key.pem)"));
}

TEST(ConfigValues, ContentTypes) {
  for (const char* good : {"application/sdp", "x/y", "application/vnd.x+xml", "multipart/mixed"})
    EXPECT_TRUE(parse_content_type(good)) << good;
  for (const char* bad : {"", "/", "a/", "/b", "a b/c", "a/b;c=d", "a/(b)", "*/*", "a\\b"})
    EXPECT_FALSE(parse_content_type(bad)) << bad;
  EXPECT_EQ(parse_content_type("Text/PLAIN").value(), "text/plain");
}

TEST(ConfigValues, KeyUsages) {
  for (const char* good : {"any", "email", "1.3.6", "2.999.1", "0.39.4294967295"})
    EXPECT_TRUE(parse_key_usage(good)) << good;
  for (const char* bad : {"", ".", "1", "1.3", "3.1.1", "1.40.1", "1.3.", "1..3", "1.03.6", "1.3.x",
                          "1.3.4294967296", "-1.3.6"})
    EXPECT_FALSE(parse_key_usage(bad)) << bad;
}

} // namespace
} // namespace midcom
