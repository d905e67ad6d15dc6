// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/disclosure_run.h"

#include <algorithm>
#include <utility>

#include "sip/inspect_body.h"
#include "sip/transfer_encoding.h"

namespace midcom {

namespace {

// RFC 3261 13.2.1; `early-session` (RFC 3959) is another one.
bool is_of_session(const sip::MimePart& part) {
  return part.disposition.empty() || part.disposition == "session";
}

std::string type_of(const sip::MimePart& part) {
  return part.type + "/" + part.subtype;
}

bool is_cms(const sip::MimePart& part) {
  return part.is("application", "pkcs7-mime") || part.is("application", "x-pkcs7-mime");
}

bool is_cms_signature(const sip::MimePart& part) {
  return part.is("application", "pkcs7-signature") || part.is("application", "x-pkcs7-signature");
}

bool is_aib(const sip::MimePart& part) {
  return part.is("message", "sipfrag") && part.disposition == "aib";
}

bool is_understood(const sip::MimePart& part) {
  return part.is_multipart() || is_cms(part) || part.is("application", "sdp");
}

Reason reason_of(opener::Finding finding) {
  using opener::Finding;
  switch (finding) {
  case Finding::trusted:
    return Reason::none;
  case Finding::bad_signature:
  case Finding::unsupported:
    return Reason::signature_invalid;
  case Finding::expired:
  case Finding::not_yet_valid:
    return Reason::signer_expired;
  case Finding::revoked:
    return Reason::signer_revoked;
  case Finding::failed:
    return Reason::overload;
  case Finding::untrusted:
  case Finding::revocation_unknown:
  case Finding::purpose:
  case Finding::no_identity:
    break;
  }
  return Reason::signer_untrusted;
}

} // namespace

DisclosureRun::DisclosureRun(sip::MessagePtr message, DisclosureTerms terms,
                             std::span<const std::string> names, Expected expected,
                             std::int64_t now)
    : message_(std::move(message)), terms_(std::move(terms)), expected_(std::move(expected)),
      now_(now) {
  if (message_->body().empty()) return;
  if (terms_.is_label_believed && !terms_.is_recipient) {
    auto labels = sip::labels_for(*message_, names);
    if (!labels) {
      note(Reason::label_mismatch);
      return;
    }
    for (auto& label : *labels) {
      std::vector<bool> is_met(label.inspect.content_ids.size());
      labels_.push_back({std::move(label.inspect.content_ids), std::move(is_met)});
    }
  }
  is_labelled_ = !labels_.empty();
  read_body();
}

// The first finding stands: it is what the sender can mend first.
void DisclosureRun::note(Reason finding, std::string_view lacking) {
  if (result_.finding != Reason::none) return;
  result_.finding = finding;
  result_.lacking = lacking;
}

void DisclosureRun::read_body() {
  // An encoded body is nobody's to read here.
  if (message_->first(sip::HeaderName::content_encoding) != nullptr) {
    is_opaque_ = true;
    return;
  }
  auto tree = sip::parse_mime_body(*message_, {});
  if (!tree) {
    // Who asks nothing of bodies passes it on; it holds nothing that can be read.
    if (is_labelled_ || !terms_.is_indifferent()) note(Reason::body_syntax);
    return;
  }
  trees_.push_back(*std::move(tree));
  Context whole;
  for (std::size_t label = 0; label < labels_.size(); ++label) whole.cursors.push_back({label, 0});
  walk(trees_.back(), std::move(whole));
}

void DisclosureRun::read_entity(std::string bytes, Context context) {
  texts_.push_back(std::move(bytes));
  auto tree = sip::parse_mime_entity(texts_.back(), {});
  if (!tree) return note(Reason::body_syntax);
  trees_.push_back(*std::move(tree));
  walk(trees_.back(), std::move(context));
}

// A label that named what is around goes on with its next id; it must point at one part.
void DisclosureRun::follow_labels(const sip::MimePart& part, Context& context) {
  context.is_labelled = false;
  if (part.content_id.empty()) return;
  for (Cursor& cursor : context.cursors) {
    Label& label = labels_[cursor.label];
    if (cursor.next == label.content_ids.size() ||
        label.content_ids[cursor.next] != part.content_id)
      continue;
    if (label.is_met[cursor.next]) note(Reason::label_mismatch);
    label.is_met[cursor.next++] = context.is_labelled = true;
  }
}

void DisclosureRun::walk(const sip::MimePart& part, Context context) {
  if (context.is_content && !is_cms(part) && !part.is("multipart", "signed"))
    return walk_content(part, context);
  follow_labels(part, context);
  if (part.is_multipart()) {
    if (part.subtype == "signed") return walk_signed(part, context);
    if (part.subtype == "alternative") return walk_alternatives(part, context);
    if (part.subtype == "related") return walk_related(part, context);
    // RFC 1847: of another kind than ours.
    if (part.subtype == "encrypted") is_opaque_ = true;
    for (const auto& child : part.parts) walk(child, context);
    return;
  }
  if (is_cms(part)) return walk_cms(part, context);
  if (is_aib(part)) return take_aib(part, context);
  take_leaf(part, context);
}

// The identity body is no part of what was signed for somebody to read.
void DisclosureRun::walk_content(const sip::MimePart& part, const Context& context) {
  const bool has_aib = part.is("multipart", "mixed") && std::ranges::any_of(part.parts, is_aib);
  Context inside = context;
  inside.is_content = false;
  if (!has_aib) {
    contents_.push_back({&part, context});
    return walk(part, std::move(inside));
  }
  for (const auto& child : part.parts) {
    inside.is_content = !is_aib(child);
    walk(child, inside);
  }
}

// RFC 2046 5.1.4: the last one that is understood. Whoever understands less takes another, which
// the policy is asked of no less.
void DisclosureRun::walk_alternatives(const sip::MimePart& part, const Context& context) {
  const auto last = std::find_if(part.parts.rbegin(), part.parts.rend(), is_understood);
  for (const auto& child : part.parts) {
    Context inside = context;
    inside.is_aside = context.is_aside || (last != part.parts.rend() && &child != &*last);
    walk(child, std::move(inside));
  }
}

// RFC 2387: what goes with the root part is no session description of its own.
void DisclosureRun::walk_related(const sip::MimePart& part, const Context& context) {
  auto start = part.parameter("start").value_or(std::string_view());
  if (start.size() > 2 && start.front() == '<') start = start.substr(1, start.size() - 2);
  Context aside = context;
  aside.is_aside = true;
  const auto is_root = [&](const sip::MimePart& child) {
    return start.empty() ? &child == &part.parts.front() : child.content_id == start;
  };
  for (const auto& child : part.parts) walk(child, is_root(child) ? context : aside);
}

void DisclosureRun::walk_signed(const sip::MimePart& part, const Context& context) {
  const bool is_whole = part.parts.size() == 2 && is_cms_signature(part.parts[1]);
  if (!is_whole || !wants_signatures()) {
    if (!is_whole && wants_signatures()) signature_fault_ = Reason::signature_invalid;
    if (!part.parts.empty()) walk(part.parts.front(), context);
    return;
  }
  auto der = sip::decode(part.parts[1], decoded_limit);
  if (!der || !terms_.has_identity) {
    signature_fault_ = der ? Reason::identity_unproved : Reason::signature_invalid;
    return walk(part.parts.front(), context);
  }
  ask({Question::Kind::verify_detached, *std::move(der), part.parts.front().entity,
       &part.parts.front(), false, false, context});
}

void DisclosureRun::walk_cms(const sip::MimePart& part, const Context& context) {
  const auto smime_type = part.parameter("smime-type").value_or(std::string_view());
  if (!sip::iequals(smime_type, "signed-data")) return walk_envelope(part, context);
  auto der = sip::decode(part, decoded_limit);
  if (!der) return note(Reason::body_syntax);
  // Its content can be seen only together with a signature that verifies.
  if (!wants_signatures() && !looks_inside()) {
    is_opaque_ = true;
    return;
  }
  if (!terms_.has_identity) {
    is_opaque_ = true;
    signature_fault_ = Reason::identity_unproved;
    return;
  }
  ask({Question::Kind::verify_attached, *std::move(der), {}, nullptr, false, false, context});
}

bool DisclosureRun::is_label_unmet() const {
  return std::ranges::any_of(labels_, [](const Label& label) {
    return std::ranges::find(label.is_met, false) != label.is_met.end();
  });
}

void DisclosureRun::walk_envelope(const sip::MimePart& part, const Context& context) {
  // Without a label only a key that came with an earlier message may be tried (RFC 3185), and only
  // when what must be seen isn't anywhere else: no private body has such a recipient for us.
  // What `smime-type` says of the content is only said.
  if (!context.is_labelled && !looks_inside()) {
    is_opaque_ = true;
    return;
  }
  auto der = sip::decode(part, decoded_limit);
  if (!der) return note(Reason::body_syntax);
  Context inside = context;
  inside.envelopes.push_back(++envelopes_met_);
  inside.is_content = terms_.is_recipient;
  // Only a label that names the envelope names something in it.
  if (!context.is_labelled) inside.cursors.clear();
  std::erase_if(inside.cursors, [&](const Cursor& cursor) {
    return cursor.next == 0 ||
           labels_[cursor.label].content_ids[cursor.next - 1] != part.content_id;
  });
  const bool is_ours = context.is_labelled || terms_.is_recipient;
  ask({Question::Kind::open,
       *std::move(der),
       {},
       nullptr,
       is_ours && terms_.has_identity,
       is_ours,
       std::move(inside),
       terms_.is_recipient && part.handling == sip::Handling::optional});
}

// RFC 3893: counts for the signature around it.
void DisclosureRun::take_aib(const sip::MimePart& part, const Context& context) {
  if (context.signature == unsigned_body) return;
  Signature& signature = signatures_[context.signature];
  const auto text = sip::decode(part, decoded_limit);
  auto aib = text ? sip::parse_aib(*text) : std::unexpected(text.error());
  if (signature.aib || !aib) {
    signature.has_two_aibs = true;
    return;
  }
  signature.aib = *std::move(aib);
  signature.around_aib = context.envelopes;
}

void DisclosureRun::take_leaf(const sip::MimePart& part, const Context& context) {
  if (part.has_content_encoding) {
    is_opaque_ = true;
    return;
  }
  std::string type = type_of(part);
  const bool is_description = type == sdp_type && !context.is_aside && is_of_session(part);
  auto text = sip::decode(part, decoded_limit);
  if (!text) return note(Reason::body_syntax);
  leaves_.push_back({std::move(type), *std::move(text), context, is_description, std::nullopt});
}

void DisclosureRun::ask(Question question) {
  if (asked_count_ + questions_.size() + spare_.size() >= max_questions)
    return note(Reason::body_syntax);
  const bool is_spare = question.kind == Question::Kind::open && !question.is_labelled;
  (is_spare ? spare_ : questions_).push_back(std::move(question));
}

bool DisclosureRun::has_seen(std::string_view type) const {
  return std::ranges::any_of(leaves_, [&](const Leaf& leaf) {
    return leaf.type == type && (type == sdp_type ? leaf.is_description : !leaf.context.is_aside);
  });
}

std::optional<DisclosureRun::Asked> DisclosureRun::next() {
  if (asked_ || result_.finding != Reason::none) return std::nullopt;
  const bool lacks =
      !std::ranges::all_of(terms_.view, [&](const auto& t) { return has_seen(t); }) ||
      (terms_.looks_for_description && !has_seen(sdp_type));
  auto& queue = questions_.empty() && lacks ? spare_ : questions_;
  if (queue.empty()) return std::nullopt;
  asked_ = std::move(queue.front());
  queue.pop_front();
  ++asked_count_;
  if (asked_->kind == Question::Kind::open)
    return opener::Open{.id = 0,
                        .pair = {},
                        .der = asked_->der,
                        .may_use_private_key = asked_->may_use_private_key,
                        .now = static_cast<std::uint64_t>(now_)};
  opener::Verify verify{.id = 0,
                        .der = asked_->der,
                        .detached = std::nullopt,
                        .now = static_cast<std::uint64_t>(now_)};
  if (asked_->kind == Question::Kind::verify_detached)
    verify.detached = std::string(asked_->content);
  return verify;
}

void DisclosureRun::take(const opener::Reply& reply) {
  if (!asked_) return;
  const Question question = std::move(*asked_);
  asked_.reset();
  if (question.kind == Question::Kind::open) {
    if (const auto* opened = std::get_if<opener::Opened>(&reply)) take_opened(question, *opened);
  } else if (const auto* verified = std::get_if<opener::Verified>(&reply)) {
    take_verified(question, *verified);
  }
}

void DisclosureRun::take_failure() {
  if (!asked_) return;
  const Question question = std::move(*asked_);
  asked_.reset();
  if (question.kind != Question::Kind::open) return note(Reason::overload);
  if (!question.is_optional) (question.is_labelled ? is_undecipherable_ : is_opaque_) = true;
}

void DisclosureRun::take_opened(const Question& question, const opener::Opened& reply) {
  if (reply.is_open) {
    if (result_.cek_reference.empty()) result_.cek_reference = reply.cek_reference;
    return read_entity(reply.content, question.context);
  }
  if (question.is_optional) return;
  (question.is_labelled ? is_undecipherable_ : is_opaque_) = true;
}

void DisclosureRun::take_verified(const Question& question, const opener::Verified& reply) {
  Context inside = question.context;
  if (reply.finding == opener::Finding::trusted) {
    signatures_.push_back({reply.uris, reply.identity, std::nullopt, {}, false, reply.certificate});
    inside.signature = signatures_.size() - 1;
  } else {
    signature_fault_ = reason_of(reply.finding);
  }
  inside.is_content = terms_.is_recipient;
  if (question.kind == Question::Kind::verify_detached) return walk(*question.part, inside);
  if (reply.finding == opener::Finding::trusted) read_entity(reply.content, inside);
}

} // namespace midcom
