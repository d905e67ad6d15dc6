// SPDX-License-Identifier: GPL-3.0-or-later
// Signed messages of the corpora. Those of RFC 4134 and 6216 are of their time: SHA-1 is refused.
// Their keys, and OpenSSL's, sign anew here.
#include <gtest/gtest.h>
#include <openssl/cms.h>

#include "sip/e2m/openssl_handles.h"
#include "sip/e2m/trust.h"
#include "tests/torture/corpus.h"

namespace midcom::torture {
namespace {

using namespace sip::e2m;

constexpr std::int64_t january_2027 = 1'800'000'000;
const std::string entity = "Content-Type: text/plain\r\n\r\nHello!\r\n";

// The two parts of a multipart/signed message, octet by octet, with nothing but the boundary read.
struct ClearSigned {
  std::string content, signature;
};

ClearSigned split(const std::string& message) {
  const auto boundary_at = message.find("boundary=") + 9;
  const auto boundary_end = message.find_first_of(";\r\n", boundary_at);
  const std::string line = "\r\n--" + message.substr(boundary_at, boundary_end - boundary_at);
  const auto first = message.find(line) + line.size() + 2;
  const auto second = message.find(line, first);
  const auto signature = message.find("\r\n\r\n", second) + 4;
  const auto end = message.find(line, signature);
  return {.content = message.substr(first, second - first),
          .signature = message.substr(signature, end - signature)};
}

std::string word(const std::expected<TrustedContent, Distrust>& verified) {
  return verified ? "trusted" : std::string(to_string(verified.error()));
}

class SignedCorpora : public Corpus {
protected:
  std::string bytes(const std::string& name) const {
    std::string octets = bytes_of_file(name);
    EXPECT_FALSE(octets.empty()) << name;
    return octets;
  }

  // By `root`, whatever the certificate is for, without revocation lists.
  TrustStore trusting(const std::string& root) const {
    return TrustStore::make({.authorities = {bytes(root)},
                             .purpose = {.kind = PurposePolicy::Kind::any},
                             .is_crl_required = false})
        .value();
  }

  std::string signed_with(const std::string& certificate, const std::string& key) const {
    return sign({.content = entity,
                 .signer = Certificate::from_pem(bytes(certificate)).value(),
                 .key = PrivateKey::from_pem(bytes(key)).value()})
        .value();
  }
};

TEST_F(SignedCorpora, ClearSignedInvite) {
  auto store = trusting("made-cms/uac.crt");
  auto parts = split(bytes("made-e2m/invite-clear-signed.sip"));
  ASSERT_TRUE(parts.content.starts_with("Content-Type: application/sdp")) << parts.content;
  const auto verified = store.verify(parts.signature, parts.content, january_2027);
  ASSERT_EQ(word(verified), "trusted");
  EXPECT_EQ(verified->uris(), std::vector<std::string>{"sip:uac.example.com"});
  parts.content[parts.content.find("49172")] = '5';
  EXPECT_EQ(word(store.verify(parts.signature, parts.content, january_2027)), "bad-signature");
}

TEST_F(SignedCorpora, Rfc6216SignsWithSha1) {
  for (const char* name :
       {"smime-msg", "cms-smime-msg", "noeku-smime-msg", "noeku-cms-smime-msg"}) {
    const auto parts = split(bytes(std::string("rfc6216-sip-smime/") + name + ".repaired.sip"));
    ASSERT_FALSE(parts.signature.empty()) << name;
    const auto verified = verify_signature(parts.signature, parts.content);
    ASSERT_FALSE(verified) << name;
    EXPECT_EQ(verified.error(), Error::unsupported_algorithm) << name;
    const auto damaged = split(bytes(std::string("rfc6216-sip-smime/") + name + ".dat"));
    EXPECT_FALSE(verify_signature(damaged.signature, damaged.content)) << name;
  }
}

// Their keys are long enough; what their authority signed by SHA-1 is not believed.
TEST_F(SignedCorpora, Rfc6216Certificates) {
  auto store = trusting("rfc6216-sip-smime/pem-01-CERTIFICATE.pem");
  const std::string der = signed_with("rfc6216-sip-smime/pem-02-CERTIFICATE.pem",
                                      "rfc6216-sip-smime/pem-03-RSA_PRIVATE_KEY.pem");
  EXPECT_TRUE(verify_signature(der, std::nullopt));
  EXPECT_EQ(word(store.verify(der, std::nullopt, january_2027)), "weak");
}

TEST_F(SignedCorpora, OpensslCertificates) {
  auto store = trusting("openssl-cms/smime-certs-smroot.pem");
  for (const char* name : {"smrsa1", "smrsa2", "smec1"}) {
    const std::string file = std::string("openssl-cms/smime-certs-") + name + ".pem";
    const std::string der = signed_with(file, file);
    EXPECT_TRUE(verify_signature(der, std::nullopt)) << name;
    EXPECT_EQ(word(store.verify(der, std::nullopt, january_2027)), "no-identity") << name;
  }
}

// As they are they have indefinite lengths; written anew in DER, their attributes are what is
// wrong.
TEST_F(SignedCorpora, OpensslAttributes) {
  for (const char* name : {"ct_multiple_attr.cms", "bad_signtime_attr.cms"}) {
    const std::string ber = bytes(std::string("openssl-cms/") + name);
    const auto as_is = verify_signature(ber, std::nullopt);
    ASSERT_FALSE(as_is) << name;
    EXPECT_EQ(as_is.error(), Error::malformed) << name;
    const unsigned char* cursor = unsigned_octets(ber);
    const std::unique_ptr<CMS_ContentInfo, Freer<CMS_ContentInfo_free>> cms(
        d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(ber.size())));
    unsigned char* octets = nullptr;
    const int size = cms ? i2d_CMS_ContentInfo(cms.get(), &octets) : 0;
    ASSERT_GT(size, 0) << name;
    const std::string der(reinterpret_cast<char*>(octets), static_cast<std::size_t>(size));
    OPENSSL_free(octets);
    EXPECT_FALSE(verify_signature(der, std::nullopt)) << name;
  }
}

TEST_F(SignedCorpora, NothingElseVerifies) {
  std::size_t files = 0;
  const std::string content = bytes("rfc4134-cms/ExContent.bin");
  for (const auto& row : rows_) {
    const std::string& name = row.at(Column::file);
    if (!name.starts_with("rfc4134-cms/") && !name.starts_with("openssl-cms/")) continue;
    const std::string octets = bytes_of(row);
    EXPECT_FALSE(verify_signature(octets, std::nullopt)) << name;
    EXPECT_FALSE(verify_signature(octets, content)) << name;
    ++files;
  }
  EXPECT_GT(files, 20U);
}

} // namespace
} // namespace midcom::torture
