// SPDX-License-Identifier: GPL-3.0-or-later
// What DisclosureRun makes of all that could be read: which policy it breaks, whose signature binds
// what, which description is the message's, and what a recipient is given.
#include <algorithm>
#include <utility>

#include "daemon/disclosure_run.h"
#include "sip/sdp_keys.h"
#include "sip/transfer_encoding.h"

namespace midcom {

namespace {

std::string_view domain_of(std::string_view address_of_record) {
  const auto at = address_of_record.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address_of_record.substr(at + 1);
}

} // namespace

std::optional<std::string> DisclosureRun::believed_uri(const Signature& signature) const {
  if (!signature.aib) return std::nullopt;
  const auto from = sip::Uri::parse(signature.aib->from);
  if (!from) return std::nullopt;
  for (const auto& uri : signature.uris) {
    const auto parsed = sip::Uri::parse(uri);
    if (!parsed) continue;
    auto address = parsed->address_of_record();
    const bool is_expected =
        expected_.signers.empty()
            ? expected_.domain.empty() || domain_of(address) == expected_.domain
            : std::ranges::find(expected_.signers, address) != expected_.signers.end();
    // What an answer's signer says of itself must be what its certificate says. A request's AIB has
    // the request's From, which of a forwarded call's callee is whom the caller called.
    if (is_expected && (message_->is_request() || from->address_of_record() == address))
      return address;
  }
  return std::nullopt;
}

// Does the signature bind what lies in the envelopes `around` to this message? An AIB outside of
// one of them, or in another, says nothing of what is in it: anyone can sign a captured ciphertext.
Reason DisclosureRun::judge(const Signature& signature, const Envelopes& around) const {
  if (signature.has_two_aibs) return Reason::aib_mismatch;
  const bool is_bound = signature.around_aib.size() >= around.size() &&
                        std::equal(around.begin(), around.end(), signature.around_aib.begin());
  if (!signature.aib || !is_bound) return Reason::aib_missing;
  switch (sip::check_aib(*signature.aib, *message_)) {
  case sip::AibFault::none:
    break;
  case sip::AibFault::missing_field:
    return Reason::aib_missing;
  default:
    return Reason::aib_mismatch;
  }
  if (!believed_uri(signature)) return Reason::signer_mismatch;
  const auto window = terms_.date_window.count();
  if (signature.aib->date > now_ + window || signature.aib->date < now_ - window)
    return Reason::signature_stale;
  return Reason::none;
}

void DisclosureRun::judge_view() {
  if (terms_.is_recipient && signature_fault_ != Reason::none) return note(signature_fault_);
  is_opaque_ = is_opaque_ || !spare_.empty();
  const bool is_closed = is_undecipherable_ || is_opaque_;
  for (const auto& type : terms_.view)
    if (is_closed && !has_seen(type)) {
      if (signature_fault_ != Reason::none) note(signature_fault_);
      return note(Reason::body_undecipherable, type);
    }
  if (is_undecipherable_ || (is_opaque_ && !terms_.forwards_opaque))
    note(Reason::body_undecipherable);
  // An attached signature that doesn't verify hides what it signs.
  if (signature_fault_ != Reason::none && leaves_.empty() && wants_signatures())
    note(signature_fault_);
  if (is_label_unmet() && signature_fault_ == Reason::none) note(Reason::label_mismatch);
}

VerifiedSigner DisclosureRun::take_signer(const Signature& signature) {
  VerifiedSigner signer{*believed_uri(signature), signature.digest, signature.aib->date,
                        signature.certificate};
  const bool is_known = std::ranges::any_of(
      result_.verified, [&](const auto& one) { return one.digest == signer.digest; });
  if (!is_known) result_.verified.push_back(signer);
  return signer;
}

void DisclosureRun::judge_signatures() {
  for (Leaf& leaf : leaves_) {
    const bool is_wanted = std::ranges::find(terms_.verify, leaf.type) != terms_.verify.end();
    if (leaf.context.signature == unsigned_body) {
      if (!is_wanted && !is_labelled_) continue;
      if (signature_fault_ != Reason::none) return note(signature_fault_);
      const bool is_legacy = leaf.context.envelopes.empty() && terms_.accepts_legacy;
      if (is_wanted && !is_legacy) return note(Reason::signature_required, leaf.type);
      continue;
    }
    const Signature& signature = signatures_[leaf.context.signature];
    const Reason fault = judge(signature, leaf.context.envelopes);
    if (fault == Reason::none)
      leaf.signer = take_signer(signature);
    else if (is_wanted || is_labelled_ || terms_.is_recipient)
      return note(fault);
  }
}

// Two descriptions that differ would be read by two readers in two ways; of two that don't the one
// that is not signed says how far both are to be believed.
void DisclosureRun::choose_description() {
  for (const Leaf& leaf : leaves_) {
    if (!leaf.is_description) continue;
    if (!result_.description) {
      result_.description = leaf.text;
      result_.is_sealed = !leaf.context.envelopes.empty();
      result_.signer = leaf.signer;
      continue;
    }
    if (*result_.description != leaf.text) return note(Reason::body_ambiguous);
    if (leaf.signer) continue;
    result_.signer.reset();
    result_.is_sealed = result_.is_sealed && !leaf.context.envelopes.empty();
  }
  if (result_.description) return;
  for (const Leaf& leaf : leaves_) {
    if (leaf.signer) result_.signer = leaf.signer;
    result_.is_sealed = result_.is_sealed || !leaf.context.envelopes.empty();
  }
}

bool DisclosureRun::are_signed_alike(const Content& one, const Content& other) const {
  const std::size_t a = one.context.signature, b = other.context.signature;
  if (a == unsigned_body || b == unsigned_body) return a == b;
  return believed_uri(signatures_[a]) == believed_uri(signatures_[b]);
}

// A recipient takes a content whole, with what of it can't be read here.
void DisclosureRun::judge_contents() {
  for (const Content& content : contents_) {
    if (content.context.signature == unsigned_body) continue;
    const Signature& signature = signatures_[content.context.signature];
    const Reason fault = judge(signature, content.context.envelopes);
    if (fault != Reason::none) return note(fault);
    static_cast<void>(take_signer(signature));
  }
}

// Of a shared and a private description the one with the keys, if that is all they differ in
// (E2M.md 1): middles have judged the shared one. Of copies of anything else the first.
void DisclosureRun::choose_content() {
  const Content* chosen = nullptr;
  std::string text;
  for (const Content& content : contents_) {
    auto own = sip::decode(*content.part, decoded_limit);
    if (!own) return note(Reason::body_syntax);
    if (chosen == nullptr) {
      chosen = &content;
      text = *std::move(own);
      continue;
    }
    if (!are_signed_alike(*chosen, content)) return note(Reason::private_differs);
    if (text == *own) continue;
    const bool are_descriptions =
        chosen->part->is("application", "sdp") && content.part->is("application", "sdp");
    const bool is_private = are_descriptions && sip::is_same_but_keys(text, *own);
    if (!is_private && !(are_descriptions && sip::is_same_but_keys(*own, text)))
      return note(Reason::private_differs);
    if (!is_private) continue;
    chosen = &content;
    text = *std::move(own);
  }
  if (chosen == nullptr) return;
  result_.plain = std::string(chosen->part->entity);
  for (const Leaf& leaf : leaves_) {
    if (leaf.context.signature != chosen->context.signature) continue;
    if (!result_.signer) result_.signer = leaf.signer;
    if (leaf.is_description) result_.description = leaf.text;
  }
  result_.is_sealed = !chosen->context.envelopes.empty();
}

Disclosure DisclosureRun::result() {
  if (result_.finding == Reason::none) judge_view();
  if (result_.finding == Reason::none) judge_signatures();
  if (result_.finding == Reason::none && terms_.is_recipient) judge_contents();
  if (result_.finding == Reason::none) {
    if (terms_.is_recipient)
      choose_content();
    else
      choose_description();
  }
  if (result_.finding != Reason::none) {
    result_.description.reset();
    result_.plain.reset();
    result_.signer.reset();
    result_.verified.clear();
  }
  return std::move(result_);
}

} // namespace midcom
