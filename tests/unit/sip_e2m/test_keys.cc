// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/sip_e2m/test_keys.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {
namespace {

using Serial = std::array<unsigned char, 8>;

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr || X509_add_ext(certificate, extension, -1) != 1) std::abort();
  X509_EXTENSION_free(extension);
}

Certificate sign_own(const PrivateKey& key, const std::string& name, const Serial& serial) {
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  BIGNUM* number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_set_pubkey(certificate, key.get());
  add_extension(certificate, NID_subject_key_identifier, "hash");
  add_extension(certificate, NID_subject_alt_name,
                "URI:sip:" + name + "@example.com,DNS:" + name + ".example.com,email:" + name +
                    "@example.com");
  if (X509_sign(certificate, key.get(), EVP_sha256()) <= 0) std::abort();
  return Certificate::adopt(certificate).value();
}

// A fixed first octet keeps the number positive and of one length.
Serial random_serial() {
  Serial serial{};
  RAND_bytes(serial.data(), static_cast<int>(serial.size()));
  serial[0] = 0x42;
  return serial;
}

} // namespace

DecryptionKey make_test_key(KeyKind kind, const std::string& name) {
  const PrivateKey key = PrivateKey::generate(kind).value();
  return {sign_own(key, name, random_serial()), key};
}

DecryptionKey impersonate(const DecryptionKey& key, KeyKind kind) {
  const ASN1_INTEGER* number = X509_get0_serialNumber(key.certificate.get());
  Serial serial{};
  for (std::size_t i = 0; i < serial.size(); ++i) serial[i] = number->data[i];
  const PrivateKey other = PrivateKey::generate(kind).value();
  return {sign_own(other, key.certificate.subject().substr(3), serial), other};
}

const DecryptionKey& rsa_key() {
  static const DecryptionKey key = make_test_key(KeyKind::rsa, "rsa");
  return key;
}

const DecryptionKey& p256_key() {
  static const DecryptionKey key = make_test_key(KeyKind::p256, "p256");
  return key;
}

const DecryptionKey& p384_key() {
  static const DecryptionKey key = make_test_key(KeyKind::p384, "p384");
  return key;
}

} // namespace midcom::sip::e2m
