// SPDX-License-Identifier: GPL-3.0-or-later
// What DisclosureRun makes of all that could be read: which policy it breaks, whose signature binds
// what, which description is the message's.
#include <algorithm>
#include <utility>

#include "daemon/disclosure_run.h"

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

void DisclosureRun::take_signer(Leaf& leaf, VerifiedSigner signer) {
  const bool is_known = std::ranges::any_of(
      result_.verified, [&](const auto& one) { return one.digest == signer.digest; });
  if (!is_known) result_.verified.push_back(signer);
  leaf.signer = std::move(signer);
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
      take_signer(leaf, {*believed_uri(signature), signature.digest, signature.aib->date});
    else if (is_wanted || is_labelled_)
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

Disclosure DisclosureRun::result() {
  if (result_.finding == Reason::none) judge_view();
  if (result_.finding == Reason::none) judge_signatures();
  if (result_.finding == Reason::none) choose_description();
  if (result_.finding != Reason::none) {
    result_.description.reset();
    result_.signer.reset();
    result_.verified.clear();
  }
  return std::move(result_);
}

} // namespace midcom
