// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/seal_message.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sip/cursor.h"
#include "sip/e2m/cms_text.h"
#include "sip/e2m/envelope.h"
#include "sip/e2m/signature.h"
#include "sip/sdp_keys.h"
#include "sip/sealed_message.h"

namespace midcom::sip::e2m {
namespace {

template <class T>
using Outcome = std::expected<T, SealFault>;

constexpr std::size_t token_octets = 12;

SealFault fault_of(Error error) {
  switch (error) {
  case Error::bad_key:
  case Error::bad_certificate:
  case Error::weak_key:
    return SealFault::key;
  case Error::too_large:
  case Error::too_many:
    return SealFault::too_large;
  default:
    return SealFault::library;
  }
}

bool is_same(const Certificate& one, const Certificate& other) {
  return one.fingerprint() == other.fingerprint();
}

// Boundaries and content ids: what no part holds and no other message has.
Outcome<std::string> random_token() {
  std::array<unsigned char, token_octets> octets{};
  if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1)
    return std::unexpected(SealFault::library);
  std::string token = hexadecimal({reinterpret_cast<const char*>(octets.data()), octets.size()});
  std::ranges::transform(token, token.begin(), to_lower);
  return token;
}

class Sealer {
public:
  explicit Sealer(const SealOrder& order) : order_(order) {}
  Outcome<std::string> seal();

private:
  Outcome<void> check() const;
  Outcome<MimeEntity> shared_body(const MimeEntity& whole) const;
  Outcome<std::string> content_id() const;
  Outcome<void> add_labels(const std::string& id);
  Outcome<MimeEntity> multipart(std::string_view subtype, const std::vector<std::string>& parts);
  Outcome<std::string> bound(const MimeEntity& body);
  Outcome<MimeEntity> signed_entity(const MimeEntity& body);
  Outcome<MimeEntity> sealed_entity(const MimeEntity& content,
                                    const std::vector<Certificate>& recipients, bool is_shared);
  Outcome<MimeEntity> shared_entity(const MimeEntity& body);
  Outcome<MimeEntity> private_entity(const MimeEntity& body);

  const SealOrder& order_;
  std::vector<InspectBody> labels_;
  std::int64_t date_ = 0;
};

Outcome<void> Sealer::check() const {
  if (order_.recipients.empty() && (!order_.middles.empty() || order_.has_private_part))
    return std::unexpected(SealFault::nobody_to_read);
  const auto& reference = order_.cek_reference;
  if (reference && (reference->empty() || reference->size() > most_reference_octets))
    return std::unexpected(SealFault::bad_reference);
  return {};
}

// The description without its keys when they go into a private part, else the body as it is.
Outcome<MimeEntity> Sealer::shared_body(const MimeEntity& whole) const {
  if (!order_.has_private_part) return whole;
  MimeEntity shared = whole;
  auto description = without_key_material(whole.body);
  if (!description || !iequals(order_.message.content_type(), "application/sdp"))
    return std::unexpected(SealFault::not_description);
  if (description->size() == whole.body.size()) return std::unexpected(SealFault::no_keys);
  shared.body = *std::move(description);
  return shared;
}

Outcome<std::string> Sealer::content_id() const {
  const auto token = random_token();
  if (!token) return token;
  const NameAddr& author =
      order_.message.is_request() ? order_.message.from() : order_.message.to();
  const Uri& uri = author.uri;
  const bool is_name = !uri.host.empty() && !uri.host_is_ipv6;
  return *token + '@' + (is_name ? std::string(uri.host) : std::string("sealed.invalid"));
}

Outcome<void> Sealer::add_labels(const std::string& id) {
  for (const Certificate& middle : order_.middles) {
    const auto names = middle.dns_names();
    if (names.empty() || !canonical_middle_name(names.front()))
      return std::unexpected(SealFault::nameless_middle);
    labels_.push_back({canonical_middle_name(names.front()).value_or(""), {id}});
  }
  return {};
}

Outcome<MimeEntity> Sealer::multipart(std::string_view subtype,
                                      const std::vector<std::string>& parts) {
  const auto boundary = random_token();
  if (!boundary) return std::unexpected(boundary.error());
  auto made = write_multipart(subtype, parts, *boundary);
  if (!made) return std::unexpected(SealFault::library);
  return *std::move(made);
}

// What is signed: the body beside the identity that binds it to the message.
Outcome<std::string> Sealer::bound(const MimeEntity& body) {
  if (!order_.has_identity) return write_entity(body);
  const auto aib = identity_of(order_.message, date_, labels_);
  const auto identity = aib ? identity_entity(*aib) : std::unexpected(aib.error());
  if (!identity) return std::unexpected(SealFault::headers);
  const auto both = multipart("mixed", {write_entity(*identity), write_entity(body)});
  if (!both) return std::unexpected(both.error());
  return write_entity(*both);
}

Outcome<MimeEntity> Sealer::signed_entity(const MimeEntity& body) {
  const auto content = bound(body);
  if (!content) return std::unexpected(content.error());
  auto der = sign({.content = *content,
                   .signer = order_.signer,
                   .key = order_.key,
                   .chain = order_.chain,
                   .is_detached = order_.is_detached,
                   .time = order_.now});
  if (!der) return std::unexpected(fault_of(der.error()));
  if (!order_.is_detached) return cms_entity(std::string(signed_data_type), *std::move(der));
  MimeEntity signature = cms_entity("application/pkcs7-signature", *std::move(der));
  signature.disposition = "attachment; handling=required; filename=smime.p7s";
  const std::string_view micalg = order_.key.kind() == KeyKind::p384 ? "sha-384" : "sha-256";
  return multipart("signed; protocol=\"application/pkcs7-signature\"; micalg=" +
                       std::string(micalg),
                   {*content, write_entity(signature)});
}

Outcome<MimeEntity> Sealer::sealed_entity(const MimeEntity& content,
                                          const std::vector<Certificate>& recipients,
                                          bool is_shared) {
  const std::string entity = write_entity(content);
  const bool is_offered = is_shared && order_.cek_reference;
  auto sealed =
      seal_envelope({.content = entity,
                     .recipients = recipients,
                     .kek = std::nullopt,
                     .cipher = order_.cipher,
                     .cek_reference = is_offered ? order_.cek_reference : std::nullopt,
                     .max_decrypts = is_offered ? std::optional(offered_decrypts) : std::nullopt});
  if (!sealed) return std::unexpected(fault_of(sealed.error()));
  return cms_entity(std::string(enveloped_type), std::move(sealed->der));
}

Outcome<MimeEntity> Sealer::shared_entity(const MimeEntity& body) {
  const auto id = content_id();
  if (!id) return std::unexpected(id.error());
  if (const auto added = add_labels(*id); !added) return std::unexpected(added.error());
  auto entity = signed_entity(body);
  if (entity && !order_.recipients.empty()) {
    std::vector<Certificate> recipients(order_.recipients.begin(), order_.recipients.end());
    recipients.push_back(order_.signer);
    recipients.insert(recipients.end(), order_.middles.begin(), order_.middles.end());
    std::vector<Certificate> each;
    for (const Certificate& one : recipients)
      if (std::ranges::none_of(each, [&](const auto& had) { return is_same(had, one); }))
        each.push_back(one);
    entity = sealed_entity(*entity, each, true);
  }
  if (entity) entity->content_id = *id;
  return entity;
}

// The far user agents alone.
Outcome<MimeEntity> Sealer::private_entity(const MimeEntity& body) {
  const auto id = content_id();
  if (!id) return std::unexpected(id.error());
  auto entity = signed_entity(body);
  if (!entity) return entity;
  entity = sealed_entity(*entity, {order_.recipients.begin(), order_.recipients.end()}, false);
  if (entity) entity->content_id = *id;
  return entity;
}

Outcome<std::string> Sealer::seal() {
  if (const auto checked = check(); !checked) return std::unexpected(checked.error());
  const auto whole = body_entity(order_.message);
  if (!whole)
    return std::unexpected(whole.error() == sip::Error::unsupported ? SealFault::encoded_body
                                                                    : SealFault::no_body);
  const auto date = date_of(order_.message, order_.now);
  if (!date) return std::unexpected(SealFault::headers);
  date_ = *date;
  const auto shared = shared_body(*whole);
  if (!shared) return std::unexpected(shared.error());
  auto root = shared_entity(*shared);
  if (root && order_.has_private_part) {
    const auto own = private_entity(*whole);
    if (!own) return std::unexpected(own.error());
    root = multipart("mixed", {write_entity(*root), write_entity(*own)});
  }
  if (!root) return std::unexpected(root.error());
  if (root->encoding == "binary") root->encoding.clear(); // SIP's own default
  auto bytes = with_body(order_.message, *root, labels_, date_);
  if (!bytes) return std::unexpected(SealFault::headers);
  if (!Message::parse(*bytes, Framing::stream, {})) return std::unexpected(SealFault::too_large);
  return *std::move(bytes);
}

} // namespace

std::string_view to_string(SealFault fault) {
  static constexpr std::array<std::string_view, 11> words{
      "no-body",           "encoded-body", "nobody-to-read", "nameless-middle",
      "not-a-description", "no-keys",      "headers",        "key",
      "bad-reference",     "too-large",    "library"};
  const auto index = static_cast<std::size_t>(fault);
  return index < words.size() ? words[index] : std::string_view("unknown");
}

std::expected<std::string, SealFault> seal_message(const SealOrder& order) {
  return Sealer(order).seal();
}

} // namespace midcom::sip::e2m
