// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "sip/e2m/der.h"
#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {
namespace {

constexpr std::size_t most_octets = 65536;
constexpr std::size_t most_depth = 24;

using NamesHandle = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;

std::string_view view_of(const ASN1_STRING* string) {
  if (string == nullptr) return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

bool is_printable(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string encode(X509* certificate) {
  unsigned char* octets = nullptr;
  const int size = i2d_X509(certificate, &octets);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return der;
}

// RFC 5280 4.1: TBSCertificate begins with [0] version, serialNumber, signature, issuer. The octets
// are taken as they stand, because that is how a sender copies them.
Result<std::string> read_issuer_and_serial(std::string_view der) {
  auto certificate = DerReader(der).enter(der_sequence);
  if (!certificate) return std::unexpected(certificate.error());
  auto fields = certificate->enter(der_sequence);
  if (!fields) return std::unexpected(fields.error());
  if (fields->stands_at(der_constructed(0)) && !fields->next())
    return std::unexpected(Error::bad_certificate);
  const auto serial = fields->next();
  const auto algorithm = fields->next();
  const auto issuer = fields->next();
  if (!serial || serial->tag != der_integer || !algorithm || !issuer || issuer->tag != der_sequence)
    return std::unexpected(Error::bad_certificate);
  return write_der(der_sequence, {issuer->whole, serial->whole});
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return 0;
  return ::timegm(&broken_down);
}

} // namespace

struct Certificate::Shared {
  X509Handle x509;
  std::string der;
  std::string issuer_and_serial;
  Digest fingerprint;
};

Result<Certificate> Certificate::adopt(X509* certificate) {
  X509Handle owned(certificate);
  if (!owned) return std::unexpected(Error::bad_certificate);
  std::string der = encode(owned.get());
  if (der.size() > most_octets || !check_well_formed(der, most_depth))
    return std::unexpected(Error::bad_certificate);
  auto name = read_issuer_and_serial(der);
  if (!name) return std::unexpected(Error::bad_certificate);
  const Digest fingerprint = sha256(der);
  return Certificate(std::make_shared<const Shared>(
      Shared{std::move(owned), std::move(der), std::move(*name), fingerprint}));
}

Result<Certificate> Certificate::from_der(std::string_view der) {
  const CleanErrorQueue clean;
  if (der.size() > most_octets || !check_well_formed(der, most_depth))
    return std::unexpected(Error::bad_certificate);
  const unsigned char* cursor = unsigned_octets(der);
  auto certificate = adopt(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  // One certificate has one encoding, or its fingerprint would not be its own.
  if (certificate && certificate->der() != der) return std::unexpected(Error::bad_certificate);
  return certificate;
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  const CleanErrorQueue clean;
  const BioHandle text = read_from(pem);
  if (!text) return std::unexpected(Error::bad_certificate);
  return adopt(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
}

Result<std::vector<Certificate>> Certificate::all_from_pem(std::string_view pem) {
  const CleanErrorQueue clean;
  const BioHandle text = read_from(pem);
  std::vector<Certificate> all;
  while (text) {
    X509* next = PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr);
    if (next == nullptr) break;
    auto certificate = adopt(next);
    if (!certificate) return std::unexpected(certificate.error());
    all.push_back(std::move(*certificate));
  }
  // Anything but having reached the end is a block that should have been a certificate.
  const unsigned long reason = ERR_peek_last_error();
  if (all.empty() || ERR_GET_REASON(reason) != PEM_R_NO_START_LINE)
    return std::unexpected(Error::bad_certificate);
  return all;
}

const std::string& Certificate::der() const {
  return shared_->der;
}

std::string Certificate::pem() const {
  const CleanErrorQueue clean;
  const BioHandle text(BIO_new(BIO_s_mem()));
  char* begin = nullptr;
  if (!text || PEM_write_bio_X509(text.get(), get()) != 1) return {};
  const long size = BIO_get_mem_data(text.get(), &begin);
  return {begin, static_cast<std::size_t>(size)};
}

const Digest& Certificate::fingerprint() const {
  return shared_->fingerprint;
}

std::string Certificate::subject() const {
  const CleanErrorQueue clean;
  const BioHandle text(BIO_new(BIO_s_mem()));
  char* begin = nullptr;
  if (!text || X509_NAME_print_ex(text.get(), X509_get_subject_name(get()), 0, XN_FLAG_RFC2253) < 0)
    return {};
  const long size = BIO_get_mem_data(text.get(), &begin);
  return {begin, static_cast<std::size_t>(size)};
}

std::int64_t Certificate::not_before() const {
  return seconds_of(X509_get0_notBefore(get()));
}

std::int64_t Certificate::not_after() const {
  return seconds_of(X509_get0_notAfter(get()));
}

std::vector<std::string> Certificate::alternative_names(int type) const {
  const CleanErrorQueue clean;
  const NamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int actual = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &actual);
    if (actual != type) continue;
    const std::string_view name = view_of(static_cast<const ASN1_STRING*>(value));
    if (is_printable(name)) found.emplace_back(name);
  }
  return found;
}

std::vector<std::string> Certificate::uris() const {
  return alternative_names(GEN_URI);
}

std::vector<std::string> Certificate::dns_names() const {
  return alternative_names(GEN_DNS);
}

std::vector<std::string> Certificate::emails() const {
  return alternative_names(GEN_EMAIL);
}

const std::string& Certificate::issuer_and_serial() const {
  return shared_->issuer_and_serial;
}

std::optional<std::string_view> Certificate::subject_key_identifier() const {
  const std::string_view identifier = view_of(X509_get0_subject_key_id(get()));
  return identifier.empty() ? std::nullopt : std::optional(identifier);
}

std::optional<KeyKind> Certificate::key_kind() const {
  return kind_of(public_key());
}

bool Certificate::belongs_to(const PrivateKey& key) const {
  const CleanErrorQueue clean;
  return public_key() != nullptr && EVP_PKEY_eq(public_key(), key.get()) == 1;
}

EVP_PKEY* Certificate::public_key() const {
  return X509_get0_pubkey(get());
}

X509* Certificate::get() const {
  return shared_->x509.get();
}

} // namespace midcom::sip::e2m
