// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/cms_text.h"

#include <array>

#include "sip/e2m/cms_identifiers.h"
#include "sip/e2m/der.h"
#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {
namespace {

using Kind = RecipientScan::Kind;
using NamedBy = RecipientScan::NamedBy;
using NameHandle = std::unique_ptr<X509_NAME, Freer<X509_NAME_free>>;

constexpr std::size_t p256_point_octets = 65;

std::string name_text(std::string_view der) {
  const CleanErrorQueue clean;
  const unsigned char* cursor = unsigned_octets(der);
  const NameHandle name(d2i_X509_NAME(nullptr, &cursor, static_cast<long>(der.size())));
  const BioHandle text(BIO_new(BIO_s_mem()));
  if (!name || !text || X509_NAME_print_ex(text.get(), name.get(), 0, XN_FLAG_RFC2253) < 0)
    return "?";
  char* begin = nullptr;
  const long size = BIO_get_mem_data(text.get(), &begin);
  return {begin, static_cast<std::size_t>(size)};
}

std::string issuer_and_serial_text(std::string_view der) {
  auto fields = DerReader(der).enter(der_sequence);
  if (!fields) return "?";
  const auto issuer = fields->next();
  const auto serial = fields->take(der_integer);
  if (!issuer || !serial) return "?";
  return "issuer " + name_text(issuer->whole) + ", serial " + hexadecimal(*serial);
}

std::string_view hash_name(std::string_view identifier) {
  if (identifier == oid::sha256) return "SHA-256";
  if (identifier == oid::sha384) return "SHA-384";
  return identifier == oid::sha512 ? "SHA-512" : "?";
}

std::string_view scheme_name(std::string_view identifier) {
  for (const auto ecdsa : {oid::ecdsa_sha256, oid::ecdsa_sha384, oid::ecdsa_sha512})
    if (identifier == ecdsa) return "ECDSA";
  return identifier == oid::rsa_pss ? "RSA-PSS" : "RSA PKCS #1";
}

// The SignerInfo's algorithms lie behind elements that the scan has looked at.
struct SignerCursor {
  DerReader at;
  bool is_sound = true;

  void enter(DerTag tag) {
    const auto inner = at.enter(tag);
    is_sound = is_sound && inner;
    if (is_sound) at = *inner;
  }
  void skip(std::size_t count) {
    for (; count > 0; --count) is_sound = is_sound && at.next();
  }
  void skip_if(DerTag tag) {
    if (at.stands_at(tag)) skip(1);
  }
  std::string_view take_identifier() {
    auto algorithm = at.enter(der_sequence);
    const auto identifier =
        algorithm ? algorithm->take(der_oid) : std::unexpected(Error::malformed);
    is_sound = is_sound && identifier;
    return identifier.value_or(std::string_view{});
  }
};

} // namespace

bool is_named(const RecipientScan& recipient, const Certificate& certificate) {
  if (recipient.named_by == NamedBy::issuer_and_serial)
    return recipient.identifier == certificate.issuer_and_serial();
  return recipient.named_by == NamedBy::key_identifier &&
         certificate.subject_key_identifier() == recipient.identifier;
}

std::string recipient_name(const RecipientScan& recipient) {
  switch (recipient.named_by) {
  case NamedBy::issuer_and_serial:
    return issuer_and_serial_text(recipient.identifier);
  case NamedBy::key_identifier:
    return "key identifier " + hexadecimal(recipient.identifier);
  case NamedBy::kek_reference:
    break;
  }
  return "KEK " + hexadecimal(recipient.identifier);
}

std::string recipient_method(const RecipientScan& recipient) {
  if (recipient.kind == Kind::key_trans) return "RSA-OAEP, SHA-256";
  std::string wrap = recipient.wrap == AesSize::aes128 ? "AES-128 key wrap" : "AES-256 key wrap";
  if (recipient.kind == Kind::kek) return wrap;
  const bool is_p256 = recipient.originator_point.size() == p256_point_octets;
  return std::string(is_p256 ? "ECDH P-256, " : "ECDH P-384, ") +
         (recipient.kdf == Hash::sha256 ? "SHA-256 KDF, " : "SHA-384 KDF, ") + wrap;
}

std::string_view cipher_name(AesSize cipher) {
  return cipher == AesSize::aes128 ? "AES-128-GCM" : "AES-256-GCM";
}

Result<std::string> signature_method(std::string_view der) {
  SignerCursor cursor{DerReader(der)};
  cursor.enter(der_sequence); // ContentInfo
  cursor.skip(1);
  cursor.enter(der_constructed(0));
  cursor.enter(der_sequence); // SignedData
  cursor.skip(3);             // version, digestAlgorithms, encapContentInfo
  cursor.skip_if(der_constructed(0));
  cursor.skip_if(der_constructed(1));
  cursor.enter(der_set); // signerInfos
  cursor.enter(der_sequence);
  cursor.skip(2); // version, sid
  const std::string_view hash = cursor.take_identifier();
  cursor.skip_if(der_constructed(0));
  const std::string_view scheme = cursor.take_identifier();
  if (!cursor.is_sound) return std::unexpected(Error::malformed);
  return std::string(scheme_name(scheme)) + ", " + std::string(hash_name(hash));
}

std::string hexadecimal(std::string_view octets) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    text += digits[octet >> 4U];
    text += digits[octet & 15U];
  }
  return text;
}

} // namespace midcom::sip::e2m
