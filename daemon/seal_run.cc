// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/seal_run.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "sip/edit_list.h"
#include "sip/sdp_keys.h"
#include "sip/sealed_message.h"

namespace midcom {

namespace {

sip::MessagePtr without_date(const sip::MessagePtr& message) {
  sip::EditList edits(*message);
  bool has_date = false;
  for (const auto& field : message->fields())
    if (field.id == sip::HeaderName::date) {
      edits.erase(field.line);
      has_date = true;
    }
  if (!has_date) return message;
  auto bytes = edits.apply();
  return bytes ? parse_own(*std::move(bytes)) : nullptr;
}

// What a content id ends with: the author's domain where that is a name.
std::string id_domain(const sip::Message& message) {
  const auto& uri = (message.is_request() ? message.from() : message.to()).uri;
  const bool is_name = !uri.host.empty() && !uri.host_is_ipv6;
  return is_name ? std::string(uri.host) : std::string("sealed.invalid");
}

} // namespace

sip::MessagePtr parse_own(std::string bytes) {
  constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  auto message = sip::Message::parse(std::move(bytes), sip::Framing::stream,
                                     {none, none, none, none, none, none});
  return message ? *std::move(message) : nullptr;
}

bool is_smime(const sip::Message& message) {
  const std::string_view type = message.content_type();
  constexpr std::string_view types[] = {"application/pkcs7-mime", "application/x-pkcs7-mime",
                                        "multipart/signed"};
  return std::ranges::any_of(types, [&](std::string_view one) { return sip::iequals(type, one); });
}

SealRun::SealRun(const sip::MessagePtr& message, SealTerms terms, const Token& token,
                 std::int64_t now)
    : message_(without_date(message)), terms_(std::move(terms)), now_(now) {
  if (message_)
    prepare(token);
  else
    fail(Reason::seal_failed);
}

void SealRun::fail(Reason reason) {
  if (failure_ == Reason::none) failure_ = reason;
}

void SealRun::prepare(const Token& token) {
  const auto whole = sip::body_entity(*message_);
  if (!whole) return fail(Reason::seal_failed);
  boundary_ = token();
  const std::string shared_id = token() + "@" + id_domain(*message_);
  for (const Middle& middle : terms_.middles) labels_.push_back({middle.name, {shared_id}});
  // Keys are hidden from middles only where the far end alone can be shown something.
  sip::MimeEntity shared = *whole;
  bool has_private = false;
  if (sip::iequals(message_->content_type(), "application/sdp")) {
    auto description = sip::without_key_material(whole->body);
    if (!description) return fail(Reason::sdp_syntax);
    has_private = !terms_.far_certificate.empty() && description->size() != whole->body.size();
    if (has_private) shared.body = *std::move(description);
  }
  auto first = question_for(shared, true, token);
  if (!first) return fail(Reason::seal_failed);
  parts_.push_back({*std::move(first), shared_id, {}});
  if (!has_private) return;
  auto second = question_for(*whole, false, token);
  if (!second) return fail(Reason::seal_failed);
  parts_.push_back({*std::move(second), token() + "@" + id_domain(*message_), {}});
}

std::optional<opener::Seal> SealRun::question_for(const sip::MimeEntity& body, bool is_shared,
                                                  const Token& token) const {
  auto aib = sip::identity_of(*message_, now_, labels_);
  if (!aib) return std::nullopt;
  // RFC 3893 6: who answers need not be whom the request named.
  if (!message_->is_request() && message_->to().uri.address_of_record() != terms_.user)
    aib->from = terms_.user;
  const auto identity = sip::identity_entity(*aib);
  if (!identity) return std::nullopt;
  const std::string both[] = {sip::write_entity(*identity), sip::write_entity(body)};
  const auto content = sip::write_multipart("mixed", both, token());
  if (!content) return std::nullopt;
  opener::Seal seal{.user = terms_.user,
                    .content = sip::write_entity(*content),
                    .now = static_cast<std::uint64_t>(now_)};
  if (terms_.far_certificate.empty() && terms_.kek_reference.empty()) return seal;
  if (!terms_.far_certificate.empty()) seal.recipients.push_back(terms_.far_certificate);
  if (!is_shared) return seal;
  for (const Middle& middle : terms_.middles)
    if (!middle.certificate.empty()) seal.recipients.push_back(middle.certificate);
  seal.is_for_user = true;
  seal.kek_reference = terms_.kek_reference;
  seal.cek_reference = token();
  return seal;
}

std::optional<opener::Seal> SealRun::next() {
  if (is_asked_ || failure_ != Reason::none || done_ == parts_.size()) return std::nullopt;
  is_asked_ = true;
  return parts_[done_].question;
}

void SealRun::take(const opener::Sealed& reply) {
  is_asked_ = false;
  if (!reply.is_done) return fail(Reason::seal_failed);
  if (!reply.is_sealed && terms_.requires_seal) return fail(Reason::no_certificate);
  if (done_ == 0) is_sealed_ = reply.is_sealed;
  parts_[done_++].der = reply.der;
}

void SealRun::take_failure() {
  is_asked_ = false;
  fail(Reason::overload);
}

std::optional<sip::MimeEntity> SealRun::root() const {
  std::vector<sip::MimeEntity> entities;
  for (const Part& part : parts_) {
    const auto type = is_sealed_ ? sip::enveloped_type : sip::signed_data_type;
    entities.push_back(sip::cms_entity(std::string(type), part.der));
    entities.back().content_id = part.content_id;
  }
  if (entities.size() == 1) {
    entities.front().encoding.clear(); // SIP's own default
    return entities.front();
  }
  std::vector<std::string> texts;
  for (const auto& entity : entities) texts.push_back(sip::write_entity(entity));
  auto both = sip::write_multipart("mixed", texts, boundary_);
  if (!both) return std::nullopt;
  if (both->encoding == "binary") both->encoding.clear();
  return *std::move(both);
}

std::expected<sip::MessagePtr, Reason> SealRun::result() const {
  if (failure_ != Reason::none) return std::unexpected(failure_);
  const auto entity = root();
  auto bytes = entity ? sip::with_body(*message_, *entity, labels_, now_)
                      : std::unexpected(sip::Error::syntax);
  auto message = bytes ? parse_own(*std::move(bytes)) : nullptr;
  if (!message) return std::unexpected(Reason::seal_failed);
  return message;
}

} // namespace midcom
