// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/trust.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "sip/e2m/openssl_handles.h"
#include "sip/uri.h"

namespace midcom::sip::e2m {
namespace {

using Purposes = std::unique_ptr<EXTENDED_KEY_USAGE, Freer<EXTENDED_KEY_USAGE_free>>;

constexpr std::size_t most_uris = 32; // of one certificate

// RFC 5280 4.2.1.3: without the extension a key is for everything. RFC 8550 4.4.2 would take
// nonRepudiation for a signature as well; a SIP request is authenticated, not witnessed.
bool allows_use(const Certificate& certificate, std::uint32_t bit) {
  return (X509_get_key_usage(certificate.get()) & bit) != 0; // all bits when there is none
}

std::uint32_t encryption_use(KeyKind kind) {
  return kind == KeyKind::rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
}

bool is_asked_for(const ASN1_OBJECT* purpose, const PurposePolicy& policy) {
  if (policy.kind == PurposePolicy::Kind::email) {
    const int nid = OBJ_obj2nid(purpose);
    return nid == NID_email_protect || nid == NID_anyExtendedKeyUsage;
  }
  std::array<char, 128> text{};
  const int size = OBJ_obj2txt(text.data(), static_cast<int>(text.size()), purpose, 1);
  if (size <= 0 || size >= static_cast<int>(text.size())) return false;
  return std::ranges::find(policy.oids, std::string_view(text.data())) != policy.oids.end();
}

bool allows_purpose(const Certificate& certificate, const PurposePolicy& policy) {
  if (policy.kind == PurposePolicy::Kind::any) return true;
  if (X509_get_ext_by_NID(certificate.get(), NID_ext_key_usage, -1) < 0)
    return policy.kind == PurposePolicy::Kind::email;
  const Purposes purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate.get(), NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; purposes && i < sk_ASN1_OBJECT_num(purposes.get()); ++i)
    if (is_asked_for(sk_ASN1_OBJECT_value(purposes.get(), i), policy)) return true;
  return false; // also when it is there twice or can't be read
}

bool is_policy(const PurposePolicy& policy) {
  if (policy.kind != PurposePolicy::Kind::required) return true;
  return !policy.oids.empty() && std::ranges::all_of(policy.oids, [](const std::string& oid) {
    const std::unique_ptr<ASN1_OBJECT, Freer<ASN1_OBJECT_free>> object(OBJ_txt2obj(oid.c_str(), 1));
    return object != nullptr;
  });
}

// Others, such as im: and pres: (RFC 3860), name no party of a SIP message.
std::vector<std::string> sip_uris(const Certificate& certificate) {
  std::vector<std::string> found;
  for (std::string& text : certificate.uris()) {
    const auto uri = Uri::parse(text);
    if (uri && (uri->scheme == Uri::Scheme::sip || uri->scheme == Uri::Scheme::sips) &&
        found.size() < most_uris)
      found.push_back(std::move(text));
  }
  return found;
}

} // namespace

Result<TrustStore> TrustStore::make(const TrustConfig& config) {
  const CleanErrorQueue clean;
  if (config.authorities.empty() || !is_policy(config.purpose))
    return std::unexpected(Error::bad_request);
  auto chains =
      ChainChecker::make(config.authorities, config.revocation_lists, config.is_crl_required);
  if (!chains) return std::unexpected(chains.error());
  return TrustStore(*std::move(chains), config.purpose, config.cached_chains);
}

std::expected<void, Distrust> TrustStore::check_chain(const Certificate& certificate,
                                                      std::span<const Certificate> others,
                                                      std::int64_t now) {
  if (cache_.holds(certificate.fingerprint(), now)) return {};
  const auto period = chains_.check(certificate, others, now);
  if (!period) return std::unexpected(period.error());
  cache_.remember(certificate.fingerprint(), period->from, period->until);
  return {};
}

std::expected<TrustedContent, Distrust> TrustStore::verify(std::string_view der,
                                                           std::optional<std::string_view> detached,
                                                           std::int64_t now) {
  auto signed_content = verify_signature(der, detached);
  if (!signed_content) return std::unexpected(distrust_of(signed_content.error()));
  return vouch(*std::move(signed_content), now);
}

std::expected<TrustedContent, Distrust> TrustStore::vouch(SignedContent signed_content,
                                                          std::int64_t now) {
  const CleanErrorQueue clean;
  const Certificate& signer = signed_content.signer_;
  if (const auto checked = check_chain(signer, signed_content.others_, now); !checked)
    return std::unexpected(checked.error());
  const auto& uris = signer_uris(signer);
  if (!uris) return std::unexpected(uris.error());
  return TrustedContent(std::move(signed_content.content_), *uris,
                        std::move(signed_content.signer_), signed_content.identity_);
}

// What the octets of a certificate say doesn't change: read once, while its chain is remembered.
const std::expected<std::vector<std::string>, Distrust>&
TrustStore::signer_uris(const Certificate& signer) {
  if (const auto known = signers_.find(signer.fingerprint()); known != signers_.end())
    return known->second;
  if (signers_.size() > cache_.size()) signers_.clear();
  const auto read = [&]() -> std::expected<std::vector<std::string>, Distrust> {
    if (!allows_use(signer, KU_DIGITAL_SIGNATURE)) return std::unexpected(Distrust::key_usage);
    if (!allows_purpose(signer, purpose_)) return std::unexpected(Distrust::purpose);
    auto uris = sip_uris(signer);
    if (uris.empty()) return std::unexpected(Distrust::no_identity);
    return uris;
  };
  return signers_.emplace(signer.fingerprint(), read()).first->second;
}

std::expected<TrustedRecipient, Distrust>
TrustStore::check_encryption_certificate(const Certificate& certificate,
                                         std::span<const Certificate> others, std::int64_t now) {
  const CleanErrorQueue clean;
  const auto kind = certificate.key_kind();
  if (!kind) return std::unexpected(Distrust::weak);
  if (const auto checked = check_chain(certificate, others, now); !checked)
    return std::unexpected(checked.error());
  if (!allows_use(certificate, encryption_use(*kind))) return std::unexpected(Distrust::key_usage);
  if (!allows_purpose(certificate, purpose_)) return std::unexpected(Distrust::purpose);
  auto uris = sip_uris(certificate);
  auto dns_names = certificate.dns_names();
  if (uris.empty() && dns_names.empty()) return std::unexpected(Distrust::no_identity);
  return TrustedRecipient(certificate, std::move(uris), std::move(dns_names));
}

} // namespace midcom::sip::e2m
