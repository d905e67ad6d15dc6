// SPDX-License-Identifier: GPL-3.0-or-later
// Cross-check with OpenSSL's own cms command: what it encrypts we open, what we seal it decrypts.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sip/e2m/envelope.h"
#include "tests/unit/sip_e2m/test_keys.h"

namespace midcom::sip::e2m {
namespace {

constexpr auto content = "Content-Type: text/plain\r\n\r\nhello\r\n";
constexpr auto oaep = " -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";

class OpensslCommand : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "cms-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    if (!run("version")) GTEST_SKIP() << "no openssl command";
    write("content", content);
    for (const DecryptionKey* key : {&rsa_key(), &p256_key(), &p384_key()}) {
      const std::string name = key->certificate.subject().substr(3);
      write(name + ".crt", key->certificate.pem());
      write(name + ".key", key->key.pem());
    }
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] bool run(const std::string& arguments) const {
    const std::string command =
        "cd '" + folder_ + "' && openssl " + arguments + " >output 2>errors </dev/null";
    // What is run is written here; nothing from outside gets into it.
    return std::system(command.c_str()) == 0; // NOLINT(bugprone-command-processor)
  }
  void write(const std::string& name, std::string_view octets) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << octets;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream octets;
    octets << std::ifstream(folder_ + "/" + name, std::ios::binary).rdbuf();
    return octets.str();
  }
  [[nodiscard]] std::string encrypt(const std::string& options) const {
    EXPECT_TRUE(run("cms -encrypt -binary -in content -outform DER -out sealed " + options))
        << options << read("errors");
    return read("sealed");
  }
  void expect_opens(const std::string& der, const DecryptionKey& key) const {
    const auto opened = open_envelope(der, std::span(&key, 1), nullptr, true);
    ASSERT_TRUE(opened) << key.certificate.subject() << " " << to_string(opened.error());
    EXPECT_EQ(opened->content, content);
  }
  void expect_decrypts(const std::string& options) const {
    EXPECT_TRUE(run("cms -decrypt -binary -inform DER -in ours -out plain " + options))
        << options << read("errors");
    EXPECT_EQ(read("plain"), content) << options;
  }

  std::string folder_;
};

TEST_F(OpensslCommand, WhatItEncryptsWeOpen) {
  for (const std::string cipher : {"-aes-128-gcm", "-aes-256-gcm"}) {
    for (const std::string naming : {"", " -keyid"}) {
      const std::string der = encrypt(cipher + naming + " -recip rsa.crt" + oaep +
                                      " -recip p256.crt -keyopt ecdh_kdf_md:sha256" +
                                      " -recip p384.crt -keyopt ecdh_kdf_md:sha384");
      for (const DecryptionKey* key : {&rsa_key(), &p256_key(), &p384_key()})
        expect_opens(der, *key);
    }
  }
  expect_opens(encrypt("-aes-128-gcm -recip p384.crt -keyopt ecdh_kdf_md:sha256"), p384_key());
}

TEST_F(OpensslCommand, WhatItWrapsByAKekWeOpen) {
  const std::string der = encrypt("-aes-128-gcm -secretkey 30313233343536373839616263646566"
                                  " -secretkeyid 726566");
  const auto find = [](std::string_view reference) -> std::optional<Secret> {
    EXPECT_EQ(reference, "ref");
    return Secret::copy_of("0123456789abcdef");
  };
  const auto opened = open_envelope(der, {}, find, false);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->content, content);
}

TEST_F(OpensslCommand, ItsDefaultsAreRefused) {
  const auto refusal = [&](const std::string& options) {
    return scan_cms(encrypt(options), {}).error();
  };
  // PKCS #1 1.5, the KDF with SHA-1, OAEP with SHA-1, and everything without authentication.
  EXPECT_EQ(refusal("-aes-128-gcm -recip rsa.crt"), Error::unsupported_algorithm);
  EXPECT_EQ(refusal("-aes-128-gcm -recip p256.crt"), Error::unsupported_algorithm);
  EXPECT_EQ(refusal("-aes-128-gcm -recip rsa.crt -keyopt rsa_padding_mode:oaep"),
            Error::bad_parameters);
  EXPECT_EQ(refusal("-aes-192-gcm -recip p256.crt -keyopt ecdh_kdf_md:sha256"),
            Error::unsupported_algorithm);
  EXPECT_EQ(refusal("-aes-128-cbc -recip p256.crt"), Error::cbc);
  EXPECT_EQ(refusal("-aes-256-cbc -recip rsa.crt"), Error::cbc);
  EXPECT_EQ(refusal("-des3 -recip rsa.crt"), Error::unsupported_algorithm);
}

TEST_F(OpensslCommand, WhatWeSealItDecrypts) {
  const std::array<Certificate, 3> recipients{rsa_key().certificate, p256_key().certificate,
                                              p384_key().certificate};
  for (const AesSize cipher : {AesSize::aes128, AesSize::aes256}) {
    EnvelopeRequest request;
    request.content = content;
    request.recipients = recipients;
    request.kek = Kek{Secret::copy_of("0123456789abcdef"), "ref"};
    request.cipher = cipher;
    write("ours", seal_envelope(request).value().der);
    for (const std::string name : {"rsa", "p256", "p384"})
      expect_decrypts("-recip " + name + ".crt -inkey " + name + ".key");
    expect_decrypts("-secretkey 30313233343536373839616263646566 -secretkeyid 726566");
  }
}

// OpenSSL before 3.0.22 expects the attributes under tags that are not RFC 5083's.
TEST_F(OpensslCommand, WhatOffersItsCekItDecrypts) {
  const std::array<Certificate, 1> recipients{p256_key().certificate};
  EnvelopeRequest request;
  request.content = content;
  request.recipients = recipients;
  request.cek_reference = "offer";
  request.max_decrypts = 3;
  write("ours", seal_envelope(request).value().der);
  const std::string arguments = "cms -decrypt -binary -inform DER -in ours -out plain";
  const bool is_read = run(arguments + " -recip p256.crt -inkey p256.key");
  if (!is_read && read("errors").find("Field=unauthAttrs") != std::string::npos)
    GTEST_SKIP() << "this openssl command can't read unauthenticated attributes";
  EXPECT_TRUE(is_read) << read("errors");
  EXPECT_EQ(read("plain"), content);
}

TEST_F(OpensslCommand, WhatItSignsPassesTheScan) {
  const std::string sign = "cms -sign -binary -in content -outform DER -out signed ";
  for (const std::string options :
       {"-signer p256.crt -inkey p256.key", "-signer p384.crt -inkey p384.key -md sha384",
        "-signer rsa.crt -inkey rsa.key", "-signer rsa.crt -inkey rsa.key -md sha512 -noattr",
        "-signer rsa.crt -inkey rsa.key -keyopt rsa_padding_mode:pss",
        "-signer p256.crt -inkey p256.key -keyid"}) {
    for (const std::string form : {"", "-nodetach "}) {
      ASSERT_TRUE(run(sign + form + options)) << options << read("errors");
      const std::string der = read("signed");
      const auto scan = scan_cms(der, {});
      ASSERT_TRUE(scan) << options << " " << to_string(scan.error());
      EXPECT_EQ(scan->kind, CmsKind::signed_data);
      EXPECT_EQ(scan->signers, 1U);
      EXPECT_EQ(scan->certificates.size(), 1U);
      EXPECT_EQ(scan->is_detached, form.empty());
      EXPECT_EQ(scan->content, form.empty() ? "" : content);
    }
  }
}

TEST_F(OpensslCommand, SignaturesOutsideTheProfileAreRefused) {
  const auto refusal = [&](const std::string& options) {
    EXPECT_TRUE(run("cms -sign -binary -in content -outform DER -out signed " + options))
        << read("errors");
    return scan_cms(read("signed"), {}).error();
  };
  EXPECT_EQ(refusal("-signer rsa.crt -inkey rsa.key -md sha1"), Error::unsupported_algorithm);
  EXPECT_EQ(refusal("-signer rsa.crt -inkey rsa.key -md md5"), Error::unsupported_algorithm);
  EXPECT_EQ(refusal("-signer rsa.crt -inkey rsa.key -signer p256.crt -inkey p256.key"),
            Error::too_many);
  EXPECT_EQ(refusal("-signer rsa.crt -inkey rsa.key -econtent_type 1.2.3.4 -nodetach"),
            Error::unsupported_type);
}

} // namespace
} // namespace midcom::sip::e2m
