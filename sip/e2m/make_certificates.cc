// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/make_certificates.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {

namespace {

template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;
using Extension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using Number = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using Names = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using Time = Owned<ASN1_TIME, ASN1_TIME_free>;

constexpr int serial_bits = 127; // RFC 5280 4.1.2.2: positive, at most 20 octets; not to be guessed

bool set_random_serial(X509* certificate) {
  const Owned<BIGNUM, BN_free> number(BN_new());
  return number && BN_rand(number.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(X509* certificate, const Validity& validity) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), validity.from) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), validity.until) != nullptr;
}

bool set_subject(X509* certificate, const std::string& common_name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

// Everything but issuer, extensions and signature.
X509Handle begin_certificate(const std::string& common_name, const Validity& validity,
                             EVP_PKEY* key) {
  X509Handle certificate(X509_new());
  const bool is_made =
      certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
      set_random_serial(certificate.get()) && set_validity(certificate.get(), validity) &&
      set_subject(certificate.get(), common_name) && X509_set_pubkey(certificate.get(), key) == 1;
  return is_made ? std::move(certificate) : nullptr;
}

bool add_value(X509* certificate, int nid, void* value, bool is_critical) {
  return X509_add1_ext_i2d(certificate, nid, value, is_critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1;
}

// Only for values that are written here: the text form has a syntax of its own.
bool add_text(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_name(GENERAL_NAMES* names, int type, const std::string& text) {
  Owned<GENERAL_NAME, GENERAL_NAME_free> name(GENERAL_NAME_new());
  Owned<ASN1_IA5STRING, ASN1_IA5STRING_free> value(ASN1_IA5STRING_new());
  if (!name || !value ||
      ASN1_STRING_set(value.get(), text.data(), static_cast<int>(text.size())) != 1)
    return false;
  GENERAL_NAME_set0_value(name.get(), type, value.release());
  GENERAL_NAME* const given = name.release();
  if (sk_GENERAL_NAME_push(names, given) > 0) return true;
  GENERAL_NAME_free(given);
  return false;
}

bool add_alternative_names(X509* certificate, const CertificateOrder& order) {
  if (order.uris.empty() && order.dns_names.empty()) return true;
  const Names names(GENERAL_NAMES_new());
  if (!names) return false;
  for (const std::string& uri : order.uris)
    if (!add_name(names.get(), GEN_URI, uri)) return false;
  for (const std::string& name : order.dns_names)
    if (!add_name(names.get(), GEN_DNS, name)) return false;
  return add_value(certificate, NID_subject_alt_name, names.get(), false);
}

bool add_purposes(X509* certificate, const std::vector<std::string>& purposes) {
  if (purposes.empty()) return true;
  const Owned<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> usage(EXTENDED_KEY_USAGE_new());
  if (!usage) return false;
  for (const std::string& purpose : purposes) {
    ASN1_OBJECT* object = OBJ_txt2obj(purpose.c_str(), 1);
    if (object == nullptr || sk_ASN1_OBJECT_push(usage.get(), object) <= 0) {
      ASN1_OBJECT_free(object);
      return false;
    }
  }
  return add_value(certificate, NID_ext_key_usage, usage.get(), false);
}

bool add_key_usage(X509* certificate, unsigned usage) {
  if (usage == usage_none) return true;
  const Owned<ASN1_BIT_STRING, ASN1_BIT_STRING_free> bits(ASN1_BIT_STRING_new());
  if (!bits) return false;
  for (int bit = 0; bit < 9; ++bit)
    if ((usage >> static_cast<unsigned>(bit) & 1U) != 0 &&
        ASN1_BIT_STRING_set_bit(bits.get(), bit, 1) != 1)
      return false;
  return add_value(certificate, NID_key_usage, bits.get(), true);
}

bool add_authority_extensions(X509* certificate, X509* issuer, const char* constraints) {
  return add_text(certificate, issuer, NID_basic_constraints, constraints) &&
         add_key_usage(certificate, usage_certificate_sign | usage_crl_sign) &&
         add_text(certificate, issuer, NID_subject_key_identifier, "hash") &&
         add_text(certificate, issuer, NID_authority_key_identifier, "keyid:always");
}

bool add_end_entity_extensions(X509* certificate, X509* issuer, const CertificateOrder& order) {
  return (!order.has_basic_constraints ||
          add_text(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE")) &&
         add_key_usage(certificate, order.key_usage) && add_purposes(certificate, order.purposes) &&
         add_alternative_names(certificate, order) &&
         add_text(certificate, issuer, NID_subject_key_identifier, "hash") &&
         add_text(certificate, issuer, NID_authority_key_identifier, "keyid:always");
}

std::string octets_of(const ASN1_INTEGER* number) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(number)),
          static_cast<std::size_t>(ASN1_STRING_length(number))};
}

bool add_revoked(X509_CRL* list, const std::string& serial, const ASN1_TIME* when) {
  Owned<X509_REVOKED, X509_REVOKED_free> entry(X509_REVOKED_new());
  const Number number(ASN1_INTEGER_new());
  const Owned<BIGNUM, BN_free> value(
      BN_bin2bn(unsigned_octets(serial), static_cast<int>(serial.size()), nullptr));
  if (!entry || !number || !value || BN_to_ASN1_INTEGER(value.get(), number.get()) == nullptr ||
      X509_REVOKED_set_serialNumber(entry.get(), number.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), const_cast<ASN1_TIME*>(when)) != 1)
    return false;
  X509_REVOKED* const given = entry.release();
  if (X509_CRL_add0_revoked(list, given) == 1) return true;
  X509_REVOKED_free(given);
  return false;
}

// RFC 5280 5.2: both extensions are for every list.
bool add_list_extensions(X509_CRL* list, X509* issuer, std::uint32_t number) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, list, 0);
  const Extension identifier(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  const Number value(ASN1_INTEGER_new());
  return identifier && value && X509_CRL_add_ext(list, identifier.get(), -1) == 1 &&
         ASN1_INTEGER_set_uint64(value.get(), number) == 1 &&
         X509_CRL_add1_ext_i2d(list, NID_crl_number, value.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

Result<Certificate> signed_by(X509Handle made, const X509_NAME* issuer, const PrivateKey& key) {
  if (X509_set_issuer_name(made.get(), issuer) != 1 ||
      X509_sign(made.get(), key.get(), EVP_sha256()) == 0)
    return std::unexpected(Error::library);
  return Certificate::adopt(made.release());
}

} // namespace

unsigned usage_for(KeyKind key) {
  return usage_digital_signature |
         (key == KeyKind::rsa ? usage_key_encipherment : usage_key_agreement);
}

CertificateOrder user_order(std::string_view user, std::string_view domain,
                            const Validity& validity, KeyKind key) {
  const std::string address = std::string(user) + "@" + std::string(domain);
  return {.common_name = address,
          .uris = {"sip:" + address},
          .purposes = {purpose_email},
          .key_usage = usage_for(key),
          .validity = validity,
          .key = key};
}

// RFC 5922 7.1: a domain's URI has no user part; the DNS name serves who looks for that.
CertificateOrder gateway_order(std::string_view host, const Validity& validity, KeyKind key) {
  return {.common_name = std::string(host),
          .uris = {"sip:" + std::string(host)},
          .dns_names = {std::string(host)},
          .purposes = {purpose_email, purpose_sip_domain},
          .key_usage = usage_for(key),
          .validity = validity,
          .key = key};
}

Result<CertificateAuthority> CertificateAuthority::make_root(const std::string& common_name,
                                                             const Validity& validity,
                                                             KeyKind kind) {
  const CleanErrorQueue clean;
  auto key = PrivateKey::generate(kind);
  if (!key) return std::unexpected(key.error());
  X509Handle root = begin_certificate(common_name, validity, key->get());
  if (!root || !add_authority_extensions(root.get(), root.get(), "critical,CA:TRUE"))
    return std::unexpected(Error::library);
  const X509_NAME* name = X509_get_subject_name(root.get()); // lives as long as what root holds
  auto certificate = signed_by(std::move(root), name, *key);
  if (!certificate) return std::unexpected(certificate.error());
  return CertificateAuthority(*std::move(certificate), *std::move(key));
}

Result<CertificateAuthority>
CertificateAuthority::make_subordinate(const std::string& common_name,
                                       const Validity& validity) const {
  const CleanErrorQueue clean;
  auto key = PrivateKey::generate(KeyKind::p256);
  if (!key) return std::unexpected(key.error());
  X509Handle made = begin_certificate(common_name, validity, key->get());
  X509* issuer = certificate_.get();
  if (!made || !add_authority_extensions(made.get(), issuer, "critical,CA:TRUE,pathlen:0"))
    return std::unexpected(Error::library);
  auto certificate = signed_by(std::move(made), X509_get_subject_name(issuer), key_);
  if (!certificate) return std::unexpected(certificate.error());
  return CertificateAuthority(*std::move(certificate), *std::move(key));
}

Result<MadeCertificate> CertificateAuthority::issue(const CertificateOrder& order) const {
  const CleanErrorQueue clean;
  auto key = PrivateKey::generate(order.key);
  if (!key) return std::unexpected(key.error());
  X509Handle made = begin_certificate(order.common_name, order.validity, key->get());
  X509* issuer = certificate_.get();
  if (!made || !add_end_entity_extensions(made.get(), issuer, order))
    return std::unexpected(Error::library);
  std::string serial = octets_of(X509_get0_serialNumber(made.get()));
  auto certificate = signed_by(std::move(made), X509_get_subject_name(issuer), key_);
  if (!certificate) return std::unexpected(certificate.error());
  return MadeCertificate{
      .certificate = *std::move(certificate), .key = *std::move(key), .serial = std::move(serial)};
}

Result<std::string> CertificateAuthority::revocation_list(std::span<const std::string> serials,
                                                          const Validity& validity,
                                                          std::uint32_t number) const {
  const CleanErrorQueue clean;
  const Owned<X509_CRL, X509_CRL_free> list(X509_CRL_new());
  const Time from(ASN1_TIME_set(nullptr, validity.from));
  const Time until(ASN1_TIME_set(nullptr, validity.until));
  X509* issuer = certificate_.get();
  if (!list || !from || !until || X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer)) != 1 ||
      X509_CRL_set1_lastUpdate(list.get(), from.get()) != 1 ||
      X509_CRL_set1_nextUpdate(list.get(), until.get()) != 1 ||
      !add_list_extensions(list.get(), issuer, number))
    return std::unexpected(Error::library);
  for (const std::string& serial : serials)
    if (!add_revoked(list.get(), serial, from.get())) return std::unexpected(Error::library);
  const BioHandle text(BIO_new(BIO_s_mem()));
  char* begin = nullptr;
  if (!text || X509_CRL_sort(list.get()) != 1 ||
      X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) == 0 ||
      PEM_write_bio_X509_CRL(text.get(), list.get()) != 1)
    return std::unexpected(Error::library);
  const long size = BIO_get_mem_data(text.get(), &begin);
  return std::string(begin, static_cast<std::size_t>(size));
}

} // namespace midcom::sip::e2m
