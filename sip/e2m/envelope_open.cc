// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <utility>

#include "sip/e2m/der.h"
#include "sip/e2m/envelope.h"
#include "sip/e2m/envelope_cipher.h"

namespace midcom::sip::e2m {
namespace {

using Kind = RecipientScan::Kind;
using NamedBy = RecipientScan::NamedBy;

constexpr std::size_t p256_point_octets = 65;

// What is worked on when no recipient is ours: no number, no point, no wrapped key of anybody's.
RecipientScan nobody() {
  RecipientScan recipient;
  recipient.encrypted_key = "000000000000000000000000";
  return recipient;
}

bool is_named(const RecipientScan& recipient, const Certificate& certificate) {
  if (recipient.named_by == NamedBy::issuer_and_serial)
    return recipient.identifier == certificate.issuer_and_serial();
  return recipient.named_by == NamedBy::key_identifier &&
         certificate.subject_key_identifier() == recipient.identifier;
}

bool fits_key(const RecipientScan& recipient, KeyKind key) {
  if (key == KeyKind::rsa) return recipient.kind == Kind::key_trans;
  return recipient.kind == Kind::key_agree &&
         (recipient.originator_point.size() == p256_point_octets) == (key == KeyKind::p256);
}

struct Attempt {
  const DecryptionKey* key = nullptr;
  RecipientScan recipient;
};

Attempt choose_attempt(const CmsScan& scan, std::span<const DecryptionKey> keys) {
  for (const DecryptionKey& key : keys)
    for (const RecipientScan& recipient : scan.recipients)
      if (fits_key(recipient, key.key.kind()) && is_named(recipient, key.certificate))
        return {&key, recipient};
  return {&keys.front(), nobody()};
}

Result<Secret> recover_agreed(const PrivateKey& key, const RecipientScan& recipient) {
  auto shared = key.agree(recipient.originator_point);
  const Secret stand_in(key_octets(AesSize::aes256)); // what comes of it is thrown away
  const bool is_agreed = shared.has_value();
  const auto kek = derive_wrap_key(is_agreed ? *shared : stand_in, recipient.kdf, recipient.wrap,
                                   recipient.user_keying_material);
  if (!kek) return std::unexpected(kek.error());
  auto cek = unwrap_key(*kek, recipient.encrypted_key);
  if (!is_agreed) return std::unexpected(Error::undecipherable);
  return cek;
}

Result<Secret> recover_cek(const Attempt& attempt) {
  const PrivateKey& key = attempt.key->key;
  return key.kind() == KeyKind::rsa ? key.decrypt_oaep(attempt.recipient.encrypted_key)
                                    : recover_agreed(key, attempt.recipient);
}

// RFC 5083 2.2: the attributes are authenticated as a SET OF, whatever tag they travel under.
std::string associated_data(const CmsScan& scan) {
  std::string data(scan.authenticated_attributes);
  if (!data.empty()) data.front() = static_cast<char>(der_set);
  return data;
}

// With the CEK, or with a stand-in when there is none or one of another size: what comes of that is
// thrown away, whatever it is.
Result<Opened> open_content(const CmsScan& scan, Result<Secret> recovered) {
  Secret stand_in(key_octets(scan.cipher));
  const bool has_cek = recovered && recovered->size() == stand_in.size();
  Secret cek = std::move(has_cek ? *recovered : stand_in);
  auto content =
      decrypt_gcm(cek, scan.nonce, associated_data(scan), scan.encrypted_content, scan.mac);
  if (!content || !has_cek) return std::unexpected(Error::undecipherable);
  Opened opened;
  opened.content = std::move(*content);
  opened.cek = std::move(cek);
  if (scan.cek_reference) opened.cek_reference = std::string(*scan.cek_reference);
  opened.max_decrypts = scan.cek_max_decrypts.value_or(1);
  return opened;
}

Result<Opened> open_by_kek(const CmsScan& scan, const KekLookup& find_kek) {
  for (const RecipientScan& recipient : scan.recipients) {
    if (recipient.kind != Kind::kek || !find_kek) continue;
    const auto kek = find_kek(recipient.identifier);
    if (!kek || kek->size() != key_octets(recipient.wrap)) continue;
    auto opened = open_content(scan, unwrap_key(*kek, recipient.encrypted_key));
    if (!opened) continue;
    opened->by_kek = true;
    return opened;
  }
  return std::unexpected(Error::undecipherable);
}

} // namespace

Result<Opened> open_envelope(std::string_view der, std::span<const DecryptionKey> keys,
                             const KekLookup& find_kek, bool may_use_private_key,
                             const CmsLimits& limits) {
  const auto scan = scan_cms(der, limits);
  if (!scan) return std::unexpected(scan.error());
  if (scan->kind != CmsKind::auth_enveloped) return std::unexpected(Error::unsupported_type);
  auto opened = open_by_kek(*scan, find_kek);
  if (opened || !may_use_private_key || keys.empty()) return opened;
  return open_content(*scan, recover_cek(choose_attempt(*scan, keys)));
}

Secret kek_from_cek(const Secret& cek) {
  Secret kek(cek.size());
  std::reverse_copy(cek.octets().begin(), cek.octets().end(), kek.octets().begin());
  return kek;
}

} // namespace midcom::sip::e2m
