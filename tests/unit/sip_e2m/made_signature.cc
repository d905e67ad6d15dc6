// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/sip_e2m/made_signature.h"

#include <openssl/rsa.h>

#include <stdexcept>

#include "sip/e2m/openssl_handles.h"
#include "sip/e2m/signature.h"

namespace midcom::sip::e2m::test {

namespace {

using Cms = std::unique_ptr<CMS_ContentInfo, Freer<CMS_ContentInfo_free>>;

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

std::string encoded(const Cms& cms) {
  unsigned char* octets = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &octets);
  require(size > 0, "i2d_CMS_ContentInfo");
  std::string der(reinterpret_cast<char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return der;
}

std::string finished(const Cms& cms, std::string_view content) {
  const BioHandle text = read_from(content);
  require(CMS_final(cms.get(), text.get(), nullptr, CMS_BINARY) == 1, "CMS_final");
  return encoded(cms);
}

KeyHandle rsa_key(int bits, int exponent_bits) {
  const KeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nullptr));
  const std::unique_ptr<BIGNUM, Freer<BN_free>> exponent(BN_new());
  require(context && exponent && BN_set_word(exponent.get(), 1) == 1 &&
              BN_set_bit(exponent.get(), exponent_bits - 1) == 1,
          "exponent");
  EVP_PKEY* key = nullptr;
  require(EVP_PKEY_keygen_init(context.get()) == 1 &&
              EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits) == 1 &&
              EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), exponent.get()) == 1 &&
              EVP_PKEY_keygen(context.get(), &key) == 1,
          "key");
  return KeyHandle(key);
}

} // namespace

CertificateAuthority root_named(const std::string& name, const Validity& validity) {
  return CertificateAuthority::make_root(name, validity).value();
}

MadeCertificate issued(const CertificateAuthority& authority, const CertificateOrder& order) {
  return authority.issue(order).value();
}

MadeCertificate alice_of(const CertificateAuthority& authority, KeyKind kind) {
  return issued(authority, user_order("alice", "example.com", valid, kind));
}

const MadeCertificate& Parties::alice(KeyKind kind) const {
  if (kind == KeyKind::rsa) return rsa;
  return kind == KeyKind::p384 ? p384 : p256;
}

const Parties& parties() {
  static const Parties all = [] {
    const auto root = root_named("root");
    return Parties{.root = root,
                   .p256 = alice_of(root),
                   .p384 = alice_of(root, KeyKind::p384),
                   .rsa = alice_of(root, KeyKind::rsa)};
  }();
  return all;
}

std::string made(const OddSignature& odd) {
  const Cms cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, CMS_BINARY | CMS_PARTIAL));
  require(cms != nullptr, "CMS_sign");
  const EVP_MD* digest = odd.digest == nullptr ? EVP_sha256() : odd.digest;
  for (const MadeCertificate* signer : odd.signers)
    require(CMS_add1_signer(cms.get(), signer->certificate.get(), signer->key.get(), digest,
                            CMS_BINARY | CMS_NOSMIMECAP | odd.flags) != nullptr,
            "CMS_add1_signer");
  for (const Certificate& certificate : odd.certificates)
    require(CMS_add1_cert(cms.get(), certificate.get()) == 1, "CMS_add1_cert");
  return odd.signers.empty() ? encoded(cms) : finished(cms, odd.content);
}

std::string signed_by_rsa(int bits, std::string_view content, int exponent_bits) {
  const KeyHandle key = rsa_key(bits, exponent_bits);
  const X509Handle certificate(X509_new());
  require(key && certificate, "key");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 7);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), valid.from);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), valid.until);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("weak"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "X509_sign");
  const Cms cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, CMS_BINARY | CMS_PARTIAL));
  require(cms && CMS_add1_signer(cms.get(), certificate.get(), key.get(), EVP_sha256(),
                                 CMS_BINARY | CMS_NOSMIMECAP) != nullptr,
          "CMS_add1_signer");
  return finished(cms, content);
}

std::string signed_by(const MadeCertificate& who, std::string_view content,
                      std::vector<Certificate> chain, bool is_detached) {
  return sign({.content = content,
               .signer = who.certificate,
               .key = who.key,
               .chain = chain,
               .is_detached = is_detached,
               .time = now})
      .value();
}

} // namespace midcom::sip::e2m::test
