// SPDX-License-Identifier: GPL-3.0-or-later
// What we sign the openssl command verifies, and the other way round.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sip/e2m/trust.h"
#include "tests/unit/sip_e2m/made_signature.h"

namespace midcom::sip::e2m {
namespace {

using namespace test;

const std::string entity = "Content-Type: text/plain\r\n\r\nHello!\r\n\n.\r\n";

class OpensslSignature : public testing::Test {
protected:
  void SetUp() override {
    if (std::system("openssl version >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "there is no openssl command";
    std::string pattern = (std::filesystem::temp_directory_path() / "signature-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    write("ca.pem", root_.certificate().pem() + root_.revocation_list({}, valid).value());
    write("content", entity);
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  void write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/" + name, std::ios::binary).rdbuf();
    return text.str();
  }
  void write_pair(const MadeCertificate& who) const {
    write("who.pem", who.certificate.pem());
    write("who.key", who.key.pem());
  }
  // True when `openssl cms WORDS` succeeds, run in the folder.
  bool cms(const std::string& words) const {
    const std::string command =
        "cd '" + folder_ + "' && openssl cms " + words + " >>output 2>&1 </dev/null";
    return std::system(command.c_str()) == 0;
  }
  TrustStore store() const {
    return TrustStore::make({.authorities = {root_.certificate().pem()},
                             .revocation_lists = {root_.revocation_list({}, valid).value()}})
        .value();
  }

  static constexpr const char* check = " -binary -CAfile ca.pem -crl_check "
                                       "-x509_strict -purpose any -attime 1800000000 ";
  std::string folder_;
  const CertificateAuthority& root_ = parties().root;
};

TEST_F(OpensslSignature, VerifiesOurs) {
  for (const KeyKind kind : {KeyKind::p256, KeyKind::p384, KeyKind::rsa}) {
    const MadeCertificate& who = parties().alice(kind);
    write("attached", signed_by(who, entity));
    EXPECT_TRUE(cms(std::string("-verify -inform DER -in attached -out back") + check))
        << read("output");
    EXPECT_EQ(read("back"), entity);
    write("detached", signed_by(who, entity, {}, true));
    EXPECT_TRUE(
        cms(std::string("-verify -inform DER -in detached -content content -out back") + check))
        << read("output");
    write("content-altered", entity + "x");
    EXPECT_FALSE(
        cms(std::string("-verify -inform DER -in detached -content content-altered -out back") +
            check));
  }
}

TEST_F(OpensslSignature, VerifiesOursThroughAnIntermediate) {
  const auto between = root_.make_subordinate("between", valid).value();
  write("attached", signed_by(alice_of(between), entity, {between.certificate()}));
  EXPECT_TRUE(cms("-verify -inform DER -in attached -out back -binary -CAfile ca.pem -x509_strict "
                  "-purpose any -attime 1800000000"))
      << read("output");
}

TEST_F(OpensslSignature, OursVerifiesIts) {
  auto trust = store();
  for (const char* options : {"", "-keyid", "-md sha512", "-keyopt rsa_padding_mode:pss"})
    for (const KeyKind kind : {KeyKind::p256, KeyKind::p384, KeyKind::rsa}) {
      const bool is_for_rsa = std::string_view(options).contains("rsa");
      if (is_for_rsa && kind != KeyKind::rsa) continue;
      write_pair(parties().alice(kind));
      const std::string words =
          std::string("-sign -binary -in content -outform DER -signer who.pem "
                      "-inkey who.key ") +
          options;
      ASSERT_TRUE(cms(words + " -nodetach -out attached")) << read("output");
      const auto verified = trust.verify(read("attached"), std::nullopt, now);
      ASSERT_TRUE(verified) << words << ": " << to_string(verified.error());
      EXPECT_EQ(verified->content(), entity);
      if (*options != 0) continue;
      ASSERT_TRUE(cms(words + " -out detached")) << read("output");
      EXPECT_TRUE(trust.verify(read("detached"), entity, now)) << words;
    }
}

TEST_F(OpensslSignature, WhatIsOutsideTheProfile) {
  auto trust = store();
  write_pair(parties().p256);
  const std::string words = "-sign -binary -in content -outform DER -signer who.pem -inkey who.key "
                            "-nodetach -out signed ";
  const auto word = [&](const std::string& options) -> std::string {
    if (!cms(words + options)) return "not made: " + read("output");
    const auto verified = trust.verify(read("signed"), std::nullopt, now);
    return verified ? "trusted" : std::string(to_string(verified.error()));
  };
  EXPECT_EQ(word("-md sha1"), "unsupported");
  EXPECT_EQ(word("-nocerts"), "no-signer");
  EXPECT_EQ(word("-noattr"), "malformed");
  EXPECT_EQ(word("-stream -indef"), "malformed"); // indefinite lengths
  EXPECT_EQ(word("-econtent_type 1.2.3.4"), "unsupported");
  EXPECT_EQ(word(""), "trusted");
}

} // namespace
} // namespace midcom::sip::e2m
