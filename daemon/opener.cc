// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "daemon/memory_file.h"
#include "sip/e2m/cek_store.h"
#include "sip/e2m/certs_only.h"
#include "sip/e2m/envelope.h"
#include "sip/e2m/signature.h"
#include "sip/e2m/trust.h"
#include "sip/sealed_message.h"
#include "sip/uri.h"

namespace midcom {

namespace e2m = sip::e2m;

namespace {

std::int64_t seconds(std::uint64_t now) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max() / 2; // lifetimes are added to it
  return static_cast<std::int64_t>(std::min<std::uint64_t>(now, most));
}

e2m::PurposePolicy purpose_of(std::vector<std::string> usages) {
  using Kind = e2m::PurposePolicy::Kind;
  if (usages.empty()) return {.kind = Kind::any};
  if (usages.size() == 1 && usages.front() == "1.3.6.1.5.5.7.3.4") return {.kind = Kind::email};
  return {.kind = Kind::required, .oids = std::move(usages)};
}

opener::Finding finding_of(e2m::Distrust distrust) {
  using opener::Finding;
  switch (distrust) {
  case e2m::Distrust::malformed:
  case e2m::Distrust::unsupported:
  case e2m::Distrust::weak:
  case e2m::Distrust::no_signer:
    return Finding::unsupported;
  case e2m::Distrust::bad_signature:
    return Finding::bad_signature;
  case e2m::Distrust::self_signed:
  case e2m::Distrust::untrusted:
  case e2m::Distrust::bad_chain:
    return Finding::untrusted;
  case e2m::Distrust::not_yet_valid:
    return Finding::not_yet_valid;
  case e2m::Distrust::expired:
    return Finding::expired;
  case e2m::Distrust::revoked:
    return Finding::revoked;
  case e2m::Distrust::crl_missing:
  case e2m::Distrust::crl_stale:
  case e2m::Distrust::crl_bad:
    return Finding::revocation_unknown;
  case e2m::Distrust::key_usage:
  case e2m::Distrust::purpose:
    return Finding::purpose;
  case e2m::Distrust::no_identity:
    return Finding::no_identity;
  case e2m::Distrust::failure:
    return Finding::failed;
  }
  return Finding::failed;
}

// How often an answer may use the CEK that was offered: forks and provisional answers each count.
constexpr std::uint32_t offered_decrypts = 32;

// As many as a reply takes: whom it leaves out did not sign.
std::vector<std::string> bounded(const std::vector<std::string>& names) {
  std::vector<std::string> some;
  for (const std::string& name : names)
    if (name.size() <= opener::max_uri && some.size() < opener::max_uris) some.push_back(name);
  return some;
}

std::unexpected<std::string> unusable(const std::string& section, const char* key,
                                      e2m::Error error) {
  return std::unexpected("[" + section + "] " + key + ": " + std::string(to_string(error)));
}

// Of the supervisor's texts; the key's octets are wiped.
struct OwnKey {
  e2m::DecryptionKey key;
  std::vector<e2m::Certificate> chain; // above its certificate
};

std::expected<OwnKey, std::string> read_own_key(const std::string& section,
                                                const std::string& certificate_text,
                                                std::string& key_text) {
  auto key = e2m::PrivateKey::from_pem(key_text);
  wipe(key_text);
  if (!key) return unusable(section, "key", key.error());
  auto chain = e2m::Certificate::all_from_pem(certificate_text);
  if (!chain) return unusable(section, "certificate", chain.error());
  e2m::Certificate certificate = std::move(chain->front());
  chain->erase(chain->begin());
  if (!certificate.belongs_to(*key)) return unusable(section, "key", e2m::Error::bad_key);
  return OwnKey{{std::move(certificate), std::move(*key)}, std::move(*chain)};
}

// Nobody would believe a signature by another one's certificate.
bool names(const e2m::Certificate& certificate, const std::string& address) {
  return std::ranges::any_of(certificate.uris(), [&](const std::string& uri) {
    const auto parsed = sip::Uri::parse(uri);
    return parsed && parsed->address_of_record() == address;
  });
}

std::expected<std::optional<e2m::TrustStore>, std::string> read_trust(OpenerMaterial& material) {
  if (material.authorities.empty()) return std::nullopt;
  e2m::TrustConfig config{.authorities = {std::move(material.authorities)},
                          .purpose = purpose_of(std::move(material.extended_key_usages)),
                          .is_crl_required = material.is_crl_required};
  if (!material.revocation_lists.empty())
    config.revocation_lists.push_back(std::move(material.revocation_lists));
  auto store = e2m::TrustStore::make(config);
  if (!store) return unusable("smime", "ca, crl or eku", store.error());
  return std::move(*store);
}

} // namespace

struct Opener::Impl {
  explicit Impl(std::int64_t cek_lifetime) : ceks({.lifetime = cek_lifetime}) {}

  opener::Reply handle(const opener::Open& request);
  opener::Reply handle(const opener::Verify& request);
  opener::Reply handle(const opener::Seal& request);
  opener::Reply handle(const opener::CheckCertificate& request);
  std::optional<std::string> seal(const opener::Seal& request, const OwnKey& own, bool& is_sealed);
  std::optional<e2m::Kek> kek_for(const opener::Seal& request) const;

  std::map<std::string, OwnKey, std::less<>> keys; // by address of record; "": [smime]'s
  std::optional<e2m::TrustStore> trust;            // empty: nobody
  e2m::CekStore ceks;
};

std::expected<std::unique_ptr<Opener>, std::string> Opener::make(OpenerMaterial material) {
  auto impl = std::make_unique<Impl>(material.cek_lifetime);
  if (!material.key.empty() || material.users.empty()) {
    auto own = read_own_key("smime", material.certificate, material.key);
    if (!own) return std::unexpected(std::move(own.error()));
    impl->keys.emplace("", std::move(*own));
  }
  for (OpenerMaterial::User& user : material.users) {
    auto own = read_own_key("user " + user.address, user.certificate, user.key);
    if (!own) return std::unexpected(std::move(own.error()));
    if (!names(own->key.certificate, user.address))
      return std::unexpected("[user " + user.address + "] certificate: it has another address");
    impl->keys.emplace(user.address, std::move(*own));
  }
  auto trust = read_trust(material);
  if (!trust) return std::unexpected(std::move(trust.error()));
  impl->trust = std::move(*trust);
  return std::unique_ptr<Opener>(new Opener(std::move(impl)));
}

Opener::Opener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Opener::~Opener() = default;

opener::Reply Opener::handle(const opener::Request& request) {
  return std::visit([this](const auto& message) { return impl_->handle(message); }, request);
}

opener::Reply Opener::Impl::handle(const opener::Open& request) {
  const std::int64_t now = seconds(request.now);
  const e2m::Digest message = e2m::sha256(request.der);
  std::string reference; // of the KEK that was tried last: the one that fits, if any does
  const auto find_kek = [&](std::string_view wanted) -> std::optional<e2m::Secret> {
    const e2m::Secret* kek = ceks.find(wanted, request.pair, message, now);
    if (kek == nullptr) return std::nullopt;
    reference = wanted;
    return kek->clone();
  };
  const auto own = keys.find(request.user);
  if (own == keys.end()) return opener::Opened{.id = request.id};
  auto opened =
      e2m::open_envelope(request.der, {&own->second.key, 1}, find_kek, request.may_use_private_key);
  if (!opened) return opener::Opened{.id = request.id};
  if (opened->by_kek) ceks.count(reference, request.pair, message, now);
  if (opened->cek_reference)
    (void)ceks.keep(*opened->cek_reference, request.pair, std::move(opened->cek),
                    opened->max_decrypts, now);
  return opener::Opened{.id = request.id,
                        .is_open = true,
                        .content = std::move(opened->content),
                        .by_kek = opened->by_kek,
                        .cek_reference = opened->cek_reference.value_or("")};
}

opener::Reply Opener::Impl::handle(const opener::Verify& request) {
  opener::Verified reply{.id = request.id, .finding = opener::Finding::untrusted};
  if (!trust) return reply;
  auto content = trust->verify(request.der, request.detached, seconds(request.now));
  if (!content) {
    reply.finding = finding_of(content.error());
    return reply;
  }
  reply.finding = opener::Finding::trusted;
  reply.uris = bounded(content->uris());
  reply.identity = content->identity();
  reply.signer = content->signer().fingerprint();
  const auto recipient =
      trust->check_encryption_certificate(content->signer(), {}, seconds(request.now));
  if (recipient && content->signer().der().size() <= opener::max_certificate)
    reply.certificate = content->signer().der();
  if (!request.detached) reply.content = std::move(*content).content();
  return reply;
}

// What an answer is sealed with so that the asker's middles read it too (RFC 3185).
std::optional<e2m::Kek> Opener::Impl::kek_for(const opener::Seal& request) const {
  if (request.kek_reference.empty()) return std::nullopt;
  const e2m::Secret* kek =
      ceks.find(request.kek_reference, request.pair, e2m::Digest{}, seconds(request.now));
  if (kek == nullptr) return std::nullopt;
  return e2m::Kek{kek->clone(), request.kek_reference};
}

std::optional<std::string> Opener::Impl::seal(const opener::Seal& request, const OwnKey& own,
                                              bool& is_sealed) {
  auto signed_data = e2m::sign({.content = request.content,
                                .signer = own.key.certificate,
                                .key = own.key.key,
                                .chain = own.chain,
                                .time = seconds(request.now)});
  if (!signed_data) return std::nullopt;
  std::vector<e2m::Certificate> recipients;
  for (const std::string& der : request.recipients) {
    auto certificate = e2m::Certificate::from_der(der);
    if (!certificate) return std::nullopt;
    recipients.push_back(std::move(*certificate));
  }
  auto kek = kek_for(request);
  is_sealed = kek || !recipients.empty();
  if (!is_sealed) return std::move(*signed_data);
  if (request.is_for_user) recipients.push_back(own.key.certificate);
  const std::string content = sip::write_entity(
      sip::cms_entity(std::string(sip::signed_data_type), std::move(*signed_data)));
  const bool is_offered = !request.cek_reference.empty(), is_by_kek = kek.has_value();
  auto sealed = e2m::seal_envelope(
      {.content = content,
       .recipients = recipients,
       .kek = std::move(kek),
       .cek_reference = is_offered ? std::optional(request.cek_reference) : std::nullopt,
       .max_decrypts = is_offered ? std::optional(offered_decrypts) : std::nullopt});
  if (!sealed) return std::nullopt;
  const std::int64_t now = seconds(request.now);
  if (is_by_kek) ceks.count(request.kek_reference, request.pair, e2m::sha256(sealed->der), now);
  if (is_offered)
    (void)ceks.keep(request.cek_reference, request.pair, std::move(sealed->cek), offered_decrypts,
                    now);
  return std::move(sealed->der);
}

opener::Reply Opener::Impl::handle(const opener::Seal& request) {
  opener::Sealed reply{.id = request.id};
  const auto own = request.user.empty() ? keys.end() : keys.find(request.user);
  if (own == keys.end()) return reply;
  auto der = seal(request, own->second, reply.is_sealed);
  if (!der || der->size() > opener::max_body) return opener::Sealed{.id = request.id};
  reply.is_done = true;
  reply.der = std::move(*der);
  return reply;
}

opener::Reply Opener::Impl::handle(const opener::CheckCertificate& request) {
  opener::CheckedCertificate reply{.id = request.id, .finding = opener::Finding::unsupported};
  const auto bundle = e2m::read_certs_only(request.der);
  std::vector<e2m::Certificate> certificates;
  for (const std::string& der : bundle ? *bundle : std::vector{request.der})
    if (auto certificate = e2m::Certificate::from_der(der))
      certificates.push_back(std::move(*certificate));
  if (certificates.empty() || certificates.front().der().size() > opener::max_certificate)
    return reply;
  reply.finding = opener::Finding::untrusted;
  if (!trust) return reply;
  const auto recipient = trust->check_encryption_certificate(
      certificates.front(), std::span(certificates).subspan(1), seconds(request.now));
  if (!recipient) {
    reply.finding = finding_of(recipient.error());
    return reply;
  }
  reply.finding = opener::Finding::trusted;
  reply.certificate = recipient->certificate().der();
  reply.uris = bounded(recipient->uris());
  reply.dns_names = bounded(recipient->dns_names());
  return reply;
}

std::uint64_t Opener::private_key_operations() const {
  std::uint64_t sum = 0;
  for (const auto& [address, own] : impl_->keys) sum += own.key.key.operations();
  return sum;
}

std::size_t Opener::kept_keys() const {
  return impl_->ceks.size();
}

} // namespace midcom
