// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/seen_disclosures.h"

#include <algorithm>
#include <array>

#include "sip/e2m/digest.h"

namespace midcom {

namespace {

using sip::HeaderName;

// What an AIB binds, and what says how the body is to be read.
constexpr std::array<HeaderName, 11> telling_fields{HeaderName::from,
                                                    HeaderName::to,
                                                    HeaderName::call_id,
                                                    HeaderName::cseq,
                                                    HeaderName::contact,
                                                    HeaderName::date,
                                                    HeaderName::content_type,
                                                    HeaderName::content_disposition,
                                                    HeaderName::content_id,
                                                    HeaderName::content_encoding,
                                                    HeaderName::content_transfer_encoding};

std::size_t octets_of(const Disclosure& disclosure) {
  std::size_t octets = disclosure.description ? disclosure.description->size() : 0;
  if (disclosure.plain) octets += disclosure.plain->size();
  for (const VerifiedSigner& one : disclosure.verified) octets += one.certificate.size();
  return octets;
}

bool holds(const std::vector<std::string>& types, const std::vector<std::string>& others) {
  return std::ranges::all_of(
      others, [&](const auto& type) { return std::ranges::find(types, type) != types.end(); });
}

// Does what was read by the terms `old` hold by the terms `now` too?
bool covers(const DisclosureTerms& old, const DisclosureTerms& now) {
  return old.is_recipient == now.is_recipient && holds(old.view, now.view) &&
         holds(old.verify, now.verify) && (now.forwards_opaque || !old.forwards_opaque) &&
         (now.accepts_legacy || !old.accepts_legacy) &&
         (old.is_label_believed || !now.is_label_believed) &&
         (old.looks_for_description || !now.looks_for_description) &&
         old.date_window <= now.date_window;
}

bool covers(const DisclosureRun::Expected& old, const DisclosureRun::Expected& now) {
  const bool is_anybody = now.signers.empty() && now.domain.empty();
  return is_anybody || (old.signers == now.signers && old.domain == now.domain);
}

} // namespace

std::string SeenDisclosures::key_of(const sip::Message& message, std::string_view sender) {
  std::string named(message.is_request() ? "request" : "response");
  named.append(1, '\0').append(sender);
  for (const HeaderName name : telling_fields)
    for (const auto& field : message.fields())
      if (field.id == name)
        named.append(1, '\0').append(to_string(name)).append(1, ':').append(field.value);
  const auto body = sip::e2m::sha256(message.body());
  named.append(2, '\0').append(body.begin(), body.end());
  const auto digest = sip::e2m::sha256(named);
  return {digest.begin(), digest.end()};
}

void SeenDisclosures::drop_first() {
  const auto found = seen_.find(order_.front().second);
  octets_ -= octets_of(found->second.disclosure);
  seen_.erase(found);
  order_.pop_front();
}

void SeenDisclosures::forget_old(sip::TimePoint now) {
  while (!order_.empty() && order_.front().first <= now) drop_first();
}

std::optional<Disclosure> SeenDisclosures::find(const std::string& key,
                                                const DisclosureTerms& terms,
                                                const DisclosureRun::Expected& expected,
                                                sip::TimePoint now) {
  forget_old(now);
  const auto found = seen_.find(key);
  if (found == seen_.end()) return std::nullopt;
  const Seen& seen = found->second;
  if (!covers(seen.terms, terms) || !covers(seen.expected, expected)) return std::nullopt;
  return seen.disclosure;
}

void SeenDisclosures::keep(const std::string& key, DisclosureTerms terms,
                           DisclosureRun::Expected expected, Disclosure disclosure,
                           sip::TimePoint now) {
  forget_old(now);
  octets_ += octets_of(disclosure);
  Seen seen{std::move(terms), std::move(expected), std::move(disclosure)};
  if (const auto found = seen_.find(key); found != seen_.end()) {
    octets_ -= octets_of(found->second.disclosure);
    found->second = std::move(seen); // until the first one's end
  } else {
    seen_.emplace(key, std::move(seen));
    order_.emplace_back(now + life_, key);
  }
  while (seen_.size() > most_ || octets_ > most_octets_) drop_first();
}

} // namespace midcom
