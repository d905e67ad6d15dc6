// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/certificate.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <array>

#include "tests/unit/sip_e2m/test_keys.h"

namespace midcom::sip::e2m {
namespace {

TEST(Certificate, SaysWhatItHolds) {
  const Certificate& certificate = p256_key().certificate;
  EXPECT_EQ(certificate.subject(), "CN=p256");
  EXPECT_EQ(certificate.uris(), std::vector<std::string>{"sip:p256@example.com"});
  EXPECT_EQ(certificate.dns_names(), std::vector<std::string>{"p256.example.com"});
  EXPECT_EQ(certificate.emails(), std::vector<std::string>{"p256@example.com"});
  EXPECT_EQ(certificate.fingerprint(), sha256(certificate.der()));
  EXPECT_EQ(certificate.not_after() - certificate.not_before(), 86400 + 3600);
  EXPECT_EQ(certificate.key_kind(), KeyKind::p256);
  ASSERT_TRUE(certificate.subject_key_identifier());
  EXPECT_EQ(certificate.subject_key_identifier()->size(), 20U);
}

TEST(Certificate, KnowsItsKey) {
  EXPECT_TRUE(p256_key().certificate.belongs_to(p256_key().key));
  EXPECT_FALSE(p256_key().certificate.belongs_to(p384_key().key));
  const DecryptionKey other = impersonate(p256_key(), KeyKind::p256);
  EXPECT_EQ(other.certificate.issuer_and_serial(), p256_key().certificate.issuer_and_serial());
  EXPECT_FALSE(other.certificate.belongs_to(p256_key().key));
}

TEST(Certificate, TravelsAsDerAndPem) {
  const Certificate& original = p384_key().certificate;
  const auto from_der = Certificate::from_der(original.der());
  ASSERT_TRUE(from_der);
  EXPECT_EQ(from_der->der(), original.der());
  const auto from_pem = Certificate::from_pem(original.pem());
  ASSERT_TRUE(from_pem);
  EXPECT_EQ(from_pem->fingerprint(), original.fingerprint());
}

TEST(Certificate, RefusesOtherOctets) {
  const std::string der = p256_key().certificate.der();
  EXPECT_EQ(Certificate::from_der("").error(), Error::bad_certificate);
  EXPECT_EQ(Certificate::from_der(der + '\0').error(), Error::bad_certificate);
  EXPECT_EQ(Certificate::from_der(der.substr(0, der.size() - 1)).error(), Error::bad_certificate);
  EXPECT_EQ(Certificate::from_pem("no certificate").error(), Error::bad_certificate);
}

TEST(Certificate, ReadsAllOfAText) {
  const std::string two = p256_key().certificate.pem() + p384_key().certificate.pem();
  EXPECT_EQ(Certificate::all_from_pem(two)->size(), 2U);
  EXPECT_EQ(Certificate::all_from_pem(two + p256_key().key.pem())->size(), 2U);
  EXPECT_EQ(Certificate::all_from_pem("").error(), Error::bad_certificate);
  const std::string broken = two + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(Certificate::all_from_pem(broken).error(), Error::bad_certificate);
}

TEST(PrivateKey, TravelsAsPem) {
  const auto key = PrivateKey::from_pem(p256_key().key.pem());
  ASSERT_TRUE(key);
  EXPECT_TRUE(p256_key().certificate.belongs_to(*key));
  EXPECT_EQ(PrivateKey::from_pem("").error(), Error::bad_key);
  EXPECT_EQ(PrivateKey::from_pem(p256_key().certificate.pem()).error(), Error::bad_key);
  EXPECT_EQ(PrivateKey::from_der("\x30").error(), Error::bad_key);
}

TEST(PrivateKey, AgreesOnPointsOfTheCurveAlone) {
  unsigned char* octets = nullptr;
  const PrivateKey peer = PrivateKey::generate(KeyKind::p256).value();
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(peer.get(), &octets);
  const std::string point(reinterpret_cast<char*>(octets), size);
  OPENSSL_free(octets);
  const PrivateKey& ours = p256_key().key;
  const auto shared = ours.agree(point);
  ASSERT_TRUE(shared);
  EXPECT_TRUE(*shared == *peer.agree_with(ours.get()));
  for (std::size_t at = 0; at < size; ++at) {
    std::string off = point;
    off[at] = static_cast<char>(off[at] ^ 2);
    EXPECT_FALSE(ours.agree(off)) << at;
  }
  for (const std::string& other :
       {std::string(), std::string(1, '\0'), point.substr(0, 64), point + '\0',
        '\x04' + std::string(64, '\0'), '\x04' + std::string(64, '\xff')})
    EXPECT_FALSE(ours.agree(other)) << other.size();
}

// A public key of this many bits; it encrypts nothing that anybody could read.
std::optional<KeyKind> kind_of_rsa(std::size_t bits) {
  std::string modulus(bits / 8, '\xff');
  unsigned int exponent = 65537;
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N,
                              reinterpret_cast<unsigned char*>(modulus.data()), modulus.size()),
      OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_construct_end()};
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EXPECT_EQ(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY,
                              const_cast<OSSL_PARAM*>(parameters.data())),
            1);
  const auto kind = kind_of(key);
  EVP_PKEY_free(key);
  EVP_PKEY_CTX_free(context);
  return kind;
}

TEST(PrivateKey, RsaWithinBounds) {
  EXPECT_FALSE(kind_of_rsa(2040));
  EXPECT_EQ(kind_of_rsa(2048), KeyKind::rsa);
  EXPECT_EQ(kind_of_rsa(8192), KeyKind::rsa);
  EXPECT_FALSE(kind_of_rsa(8200));
}

TEST(PrivateKey, WeakOnesAreRefused) {
  EXPECT_EQ(PrivateKey::adopt(EVP_RSA_gen(1024)).error(), Error::weak_key);
  EXPECT_EQ(PrivateKey::adopt(EVP_EC_gen("P-224")).error(), Error::weak_key);
  EXPECT_EQ(PrivateKey::adopt(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")).error(),
            Error::weak_key);
}

} // namespace
} // namespace midcom::sip::e2m
