// SPDX-License-Identifier: GPL-3.0-or-later
#include "test_certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace midcom::test {

namespace {

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) throw std::runtime_error("bad extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate unsigned_certificate(const CertificateSpec& spec) {
  static long serial = 1;
  Certificate made;
  made.x509.reset(X509_new());
  made.key.reset(EVP_EC_gen("P-256"));
  X509* x509 = made.x509.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), spec.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(x509), spec.valid_until);
  X509_set_pubkey(x509, made.key.get());
  if (!spec.common_name.empty())
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(spec.common_name.data()),
                               static_cast<int>(spec.common_name.size()), -1, 0);
  return made;
}

template <class Write>
std::string written(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

} // namespace

void Certificate::Free::operator()(x509_st* certificate) const {
  X509_free(certificate);
}
void Certificate::Free::operator()(evp_pkey_st* key_to_free) const {
  EVP_PKEY_free(key_to_free);
}

std::string Certificate::pem() const {
  return written([this](BIO* bio) { PEM_write_bio_X509(bio, x509.get()); });
}

std::string Certificate::key_pem() const {
  return written([this](BIO* bio) {
    PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Authority::Authority(const std::string& name)
    : root_(unsigned_certificate({.common_name = name, .alternatives = {}, .key_usage = {}})) {
  X509_set_issuer_name(root_.x509.get(), X509_get_subject_name(root_.x509.get()));
  add_extension(root_.x509.get(), root_.x509.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(root_.x509.get(), root_.key.get(), EVP_sha256());
}

Certificate Authority::issue(const CertificateSpec& spec) const {
  Certificate made = unsigned_certificate(spec);
  X509_set_issuer_name(made.x509.get(), X509_get_subject_name(root_.x509.get()));
  X509* issuer = root_.x509.get();
  if (!spec.alternatives.empty())
    add_extension(made.x509.get(), issuer, NID_subject_alt_name, spec.alternatives);
  if (!spec.key_usage.empty())
    add_extension(made.x509.get(), issuer, NID_ext_key_usage, spec.key_usage);
  X509_sign(made.x509.get(), root_.key.get(), EVP_sha256());
  return made;
}

} // namespace midcom::test
