// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "daemon/memory_file.h"
#include "sip/e2m/cek_store.h"
#include "sip/e2m/envelope.h"
#include "sip/e2m/trust.h"

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

// As many as a reply takes: whom it leaves out did not sign.
std::vector<std::string> uris_of(const e2m::TrustedContent& content) {
  std::vector<std::string> uris;
  for (const std::string& uri : content.uris())
    if (uri.size() <= opener::max_uri && uris.size() < opener::max_uris) uris.push_back(uri);
  return uris;
}

std::unexpected<std::string> unusable(const char* key, e2m::Error error) {
  return std::unexpected("[smime] " + std::string(key) + ": " + std::string(to_string(error)));
}

} // namespace

struct Opener::Impl {
  Impl(e2m::DecryptionKey key, std::optional<e2m::TrustStore> store, std::int64_t cek_lifetime)
      : keys{std::move(key)}, trust(std::move(store)), ceks({.lifetime = cek_lifetime}) {}

  opener::Reply handle(const opener::Open& request);
  opener::Reply handle(const opener::Verify& request);

  std::vector<e2m::DecryptionKey> keys;
  std::optional<e2m::TrustStore> trust; // empty: nobody
  e2m::CekStore ceks;
};

std::expected<std::unique_ptr<Opener>, std::string> Opener::make(OpenerMaterial material) {
  auto key = e2m::PrivateKey::from_pem(material.key);
  wipe(material.key);
  if (!key) return unusable("key", key.error());
  auto certificate = e2m::Certificate::from_pem(material.certificate);
  if (!certificate) return unusable("certificate", certificate.error());
  if (!certificate->belongs_to(*key)) return unusable("key", e2m::Error::bad_key);
  std::optional<e2m::TrustStore> trust;
  if (!material.authorities.empty()) {
    e2m::TrustConfig config{.authorities = {std::move(material.authorities)},
                            .purpose = purpose_of(std::move(material.extended_key_usages)),
                            .is_crl_required = material.is_crl_required};
    if (!material.revocation_lists.empty())
      config.revocation_lists.push_back(std::move(material.revocation_lists));
    auto store = e2m::TrustStore::make(config);
    if (!store) return unusable("ca, crl or eku", store.error());
    trust.emplace(std::move(*store));
  }
  return std::unique_ptr<Opener>(new Opener(
      std::make_unique<Impl>(e2m::DecryptionKey{std::move(*certificate), std::move(*key)},
                             std::move(trust), material.cek_lifetime)));
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
  auto opened = e2m::open_envelope(request.der, keys, find_kek, request.may_use_private_key);
  if (!opened) return opener::Opened{.id = request.id};
  if (opened->by_kek) ceks.count(reference, request.pair, message, now);
  if (opened->cek_reference)
    (void)ceks.keep(*opened->cek_reference, request.pair, std::move(opened->cek),
                    opened->max_decrypts, now);
  return opener::Opened{.id = request.id,
                        .is_open = true,
                        .content = std::move(opened->content),
                        .by_kek = opened->by_kek};
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
  reply.uris = uris_of(*content);
  reply.identity = content->identity();
  reply.signer = content->signer().fingerprint();
  if (!request.detached) reply.content = std::move(*content).content();
  return reply;
}

std::uint64_t Opener::private_key_operations() const {
  return impl_->keys.front().key.operations();
}

std::size_t Opener::kept_keys() const {
  return impl_->ceks.size();
}

} // namespace midcom
