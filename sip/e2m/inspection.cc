// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/inspection.h"

#include <algorithm>
#include <utility>

#include "sip/e2m/cms_text.h"
#include "sip/e2m/part_reader.h"
#include "sip/inspect_body.h"
#include "sip/message.h"
#include "sip/sdp_keys.h"

namespace midcom::sip::e2m {
namespace {

constexpr std::size_t most_octets = 65536;

bool is_message(std::string_view octets) {
  const std::string_view line = octets.substr(0, octets.find_first_of("\r\n"));
  return line.starts_with("SIP/2.0 ") || line.ends_with(" SIP/2.0");
}

std::vector<SeenLabel> labels_of(const Message& message) {
  std::vector<SeenLabel> labels;
  for (const HeaderField& field : message.fields()) {
    if (field.id != HeaderName::proxy_inspect_body) continue;
    auto label = parse_inspect_body(field.value);
    SeenLabel seen;
    seen.is_readable = label.has_value();
    if (label) {
      seen.host = std::move(label->host);
      seen.content_ids = std::move(label->content_ids);
    }
    labels.push_back(std::move(seen));
  }
  return labels;
}

// --- what follows from all the parts together ---

struct Description {
  const SeenPart* part;
  const SeenSignature* signature; // the innermost one around it
};

void collect_descriptions(const SeenPart& part, const SeenSignature* signature,
                          std::vector<Description>& found) {
  if (part.signature) signature = &*part.signature;
  if (part.type == "application/sdp" && part.content) found.push_back({&part, signature});
  for (const SeenPart& inner : part.parts) collect_descriptions(inner, signature, found);
}

Pairing pairing_of(const SeenPart& root) {
  if (root.type != "multipart/mixed" || root.parts.size() != 2) return Pairing::none;
  std::vector<Description> found;
  collect_descriptions(root, nullptr, found);
  if (found.size() != 2) return Pairing::none;
  if (!is_same_but_keys(*found[0].part->content, *found[1].part->content))
    return Pairing::different;
  const bool is_signed = found[0].signature != nullptr && found[1].signature != nullptr;
  return is_signed && found[0].signature->signer == found[1].signature->signer
             ? Pairing::same
             : Pairing::other_signer;
}

struct Tally {
  bool has_fault = false;   // against a rule
  bool has_refusal = false; // something that was to verify or to open doesn't
  std::size_t opened = 0, vouched = 0;
};

bool is_binding_good(Binding binding) {
  return binding == Binding::this_message || binding == Binding::not_asked;
}

void count(const SeenPart& part, Tally& tally) {
  if (!part.fault.empty()) (part.is_outside_profile ? tally.has_refusal : tally.has_fault) = true;
  if (part.envelope) {
    const auto outcome = part.envelope->outcome;
    if (outcome == SeenEnvelope::Outcome::opened) ++tally.opened;
    tally.has_refusal = tally.has_refusal || outcome == SeenEnvelope::Outcome::undecipherable;
  }
  if (part.signature) {
    if (part.signature->is_vouched) ++tally.vouched;
    tally.has_refusal =
        tally.has_refusal || part.signature->distrust || !is_binding_good(part.signature->binding);
  }
  for (const SeenPart& inner : part.parts) count(inner, tally);
}

Verdict verdict_of(const Inspection& seen, const InspectionOrder& order) {
  Tally tally;
  count(seen.root, tally);
  if (tally.has_fault) return Verdict::malformed;
  const bool is_closed = !order.keys.empty() && tally.opened == 0;
  const bool is_nobodys = order.trust != nullptr && tally.vouched == 0;
  const bool is_pair_wrong =
      seen.pairing == Pairing::different || seen.pairing == Pairing::other_signer;
  return tally.has_refusal || is_closed || is_nobodys || is_pair_wrong ? Verdict::refused
                                                                       : Verdict::good;
}

Inspection unreadable(sip::Error error) {
  Inspection seen;
  seen.root.fault = to_string(error);
  seen.verdict = Verdict::malformed;
  return seen;
}

} // namespace

Inspection inspect(std::string_view octets, const InspectionOrder& order) {
  if (octets.size() > most_octets) return unreadable(sip::Error::too_long);
  Inspection seen;
  MessagePtr message;
  if (is_message(octets)) {
    auto parsed = Message::parse(std::string(octets), Framing::datagram, {});
    if (!parsed) return unreadable(parsed.error());
    message = *std::move(parsed);
    seen.start_line = message->start_line();
    seen.labels = labels_of(*message);
  }
  PartReader reader(order, message.get(), seen.labels);
  seen.root = message ? reader.read_body() : reader.read_entity(octets);
  seen.pairing = pairing_of(seen.root);
  seen.verdict = verdict_of(seen, order);
  return seen;
}

const SeenPart* innermost(const SeenPart& part) {
  if (part.content) return &part;
  const SeenPart* last = nullptr;
  for (const SeenPart& inner : part.parts)
    if (const SeenPart* found = innermost(inner)) last = found;
  return last;
}

std::string_view to_string(SeenEnvelope::Outcome outcome) {
  switch (outcome) {
  case SeenEnvelope::Outcome::not_tried:
    return "not-tried";
  case SeenEnvelope::Outcome::not_ours:
    return "not-for-these-keys";
  case SeenEnvelope::Outcome::undecipherable:
    return "undecipherable";
  case SeenEnvelope::Outcome::opened:
    return "opened";
  }
  return "unknown";
}

std::string_view to_string(Binding binding) {
  switch (binding) {
  case Binding::not_asked:
    return "not-asked";
  case Binding::this_message:
    return "this-message";
  case Binding::no_identity:
    return "no-identity";
  case Binding::unclear:
    return "unclear-identity";
  case Binding::outside:
    return "identity-outside-envelope";
  case Binding::other_message:
    return "other-message";
  case Binding::other_signer:
    return "other-signer";
  }
  return "unknown";
}

std::string_view to_string(Pairing pairing) {
  switch (pairing) {
  case Pairing::none:
    return "none";
  case Pairing::same:
    return "same-but-keys";
  case Pairing::different:
    return "different";
  case Pairing::other_signer:
    return "other-signer";
  }
  return "unknown";
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
  case Verdict::good:
    return "good";
  case Verdict::refused:
    return "refused";
  case Verdict::malformed:
    return "malformed";
  }
  return "unknown";
}

} // namespace midcom::sip::e2m
