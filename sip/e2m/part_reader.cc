// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/part_reader.h"

#include <algorithm>
#include <utility>

#include "sip/e2m/cms_text.h"
#include "sip/message.h"
#include "sip/transfer_encoding.h"

namespace midcom::sip::e2m {
namespace {

using Outcome = SeenEnvelope::Outcome;

constexpr std::size_t most_octets = 65536, most_parts = 256, most_layers = 8;

bool is_cms(const MimePart& part) {
  return part.is("application", "pkcs7-mime") || part.is("application", "x-pkcs7-mime");
}

bool is_signature(const MimePart& part) {
  return part.is("application", "pkcs7-signature") || part.is("application", "x-pkcs7-signature");
}

bool is_identity(const MimePart& part) {
  return part.is("message", "sipfrag") && part.disposition == "aib";
}

void set_fault(SeenPart& seen, sip::Error error) {
  seen.fault = to_string(error);
  seen.is_outside_profile = error == sip::Error::unsupported;
}

void set_fault(SeenPart& seen, Error error) {
  seen.fault = to_string(error);
  seen.is_outside_profile = error == Error::cbc || error == Error::unsupported_type ||
                            error == Error::unsupported_recipient ||
                            error == Error::unsupported_algorithm;
}

SeenPart unreadable(sip::Error error) {
  SeenPart seen;
  set_fault(seen, error);
  return seen;
}

// The signer must be the author that the identity names (RFC 3893 6, E2M profile).
bool is_author(const SeenSignature& signature, const Aib& aib) {
  const auto author = Uri::parse(aib.from);
  return author && std::ranges::any_of(signature.uris, [&](const std::string& uri) {
           const auto parsed = Uri::parse(uri);
           return parsed && parsed->address_of_record() == author->address_of_record();
         });
}

template <class Path>
bool begins_with(const Path& path, const Path& beginning) {
  return path.size() >= beginning.size() &&
         std::equal(beginning.begin(), beginning.end(), path.begin());
}

// Down to the next signature, which vouches for its own.
void mark_verified(SeenPart& part) {
  part.is_verified = part.content.has_value();
  for (SeenPart& inner : part.parts)
    if (!inner.signature) mark_verified(inner);
}

} // namespace

SeenPart PartReader::read_body() {
  const auto root = parse_mime_body(*message_, {});
  return root ? see(*root, {}) : unreadable(root.error());
}

SeenPart PartReader::read_entity(std::string_view entity) {
  return read(entity, {});
}

SeenPart PartReader::read(std::string_view entity, const Context& context) {
  if (context.layers > most_layers) return unreadable(sip::Error::too_deep);
  const auto root = parse_mime_entity(entity, {});
  return root ? see(*root, context) : unreadable(root.error());
}

SeenPart PartReader::see(const MimePart& part, const Context& context) {
  if (++parts_ > most_parts) return unreadable(sip::Error::too_many);
  SeenPart seen;
  if (!part.type.empty()) seen.type = part.type + '/' + part.subtype;
  seen.content_id = part.content_id;
  seen.disposition = part.disposition;
  seen.handling = part.handling;
  seen.size = part.body.size();
  mark_labels(seen, context);
  if (part.is_multipart())
    see_multipart(part, context, seen);
  else if (is_cms(part))
    see_cms(part, context, seen);
  else if (is_identity(part))
    see_identity(part, context, seen);
  else if (!part.type.empty())
    see_content(part, context, seen);
  return seen;
}

// Several content ids in one label are bodies inside one another, the outermost first.
void PartReader::mark_labels(SeenPart& seen, const Context& context) {
  if (seen.content_id.empty()) return;
  for (SeenLabel& label : labels_) {
    const std::size_t depth = context.path.size();
    if (label.content_ids.size() <= depth || label.content_ids[depth] != seen.content_id) continue;
    seen.middles.push_back(label.host);
    label.has_part = label.has_part || depth == 0;
  }
}

void PartReader::see_multipart(const MimePart& part, const Context& context, SeenPart& seen) {
  if (part.subtype == "signed") return see_multipart_signed(part, context, seen);
  for (const MimePart& inner : part.parts) seen.parts.push_back(see(inner, context));
}

void PartReader::see_multipart_signed(const MimePart& part, const Context& context,
                                      SeenPart& seen) {
  if (part.parts.size() != 2 || !is_signature(part.parts[1]))
    return set_fault(seen, sip::Error::unsupported);
  const MimePart& content = part.parts.front();
  const auto der = decode(part.parts[1], most_octets);
  if (!der) return set_fault(seen, der.error());
  seen.signature = verify(*der, content.entity);
  Signed inside;
  Context deeper = context;
  deeper.inside = &inside;
  if (++deeper.layers > most_layers) return set_fault(seen, sip::Error::too_deep);
  seen.parts.push_back(see(content, deeper));
  finish_signature(inside, seen);
}

void PartReader::see_cms(const MimePart& part, const Context& context, SeenPart& seen) {
  if (const auto type = part.parameter("smime-type")) seen.detail = *type;
  const auto der = decode(part, most_octets);
  if (!der) return set_fault(seen, der.error());
  const auto scan = scan_cms(*der, {});
  if (!scan) return set_fault(seen, scan.error());
  if (scan->kind == CmsKind::auth_enveloped) return see_envelope(*der, *scan, context, seen);
  see_signed_data(*der, *scan, context, seen);
}

SeenEnvelope PartReader::describe(const CmsScan& scan) const {
  SeenEnvelope envelope;
  envelope.cipher = cipher_name(scan.cipher);
  for (const RecipientScan& recipient : scan.recipients) {
    const bool has_key = std::ranges::any_of(
        order_.keys, [&](const auto& key) { return is_named(recipient, key.certificate); });
    envelope.recipients.push_back(
        {recipient_name(recipient), recipient_method(recipient), has_key});
  }
  if (scan.cek_reference) envelope.cek_reference = hexadecimal(*scan.cek_reference);
  envelope.max_decrypts = scan.cek_max_decrypts.value_or(1);
  if (order_.keys.empty()) return envelope;
  const bool is_ours = std::ranges::any_of(envelope.recipients, &SeenRecipient::has_given_key);
  envelope.outcome = is_ours ? Outcome::undecipherable : Outcome::not_ours;
  return envelope;
}

void PartReader::see_envelope(std::string_view der, const CmsScan& scan, const Context& context,
                              SeenPart& seen) {
  seen.envelope = describe(scan);
  Context deeper = context;
  deeper.path.push_back(envelopes_++);
  ++deeper.layers;
  auto opened = seen.envelope->outcome == Outcome::undecipherable
                    ? open_envelope(der, order_.keys, nullptr, true)
                    : std::unexpected(Error::undecipherable);
  if (!opened) {
    if (context.inside != nullptr) context.inside->closed_paths.push_back(deeper.path);
    return;
  }
  seen.envelope->outcome = Outcome::opened;
  seen.parts.push_back(read(opened->content, deeper));
}

void PartReader::see_signed_data(std::string_view der, const CmsScan& scan, const Context& context,
                                 SeenPart& seen) {
  if (scan.signers == 0) {
    for (const std::string_view one : scan.certificates) {
      const auto certificate = Certificate::from_der(one);
      seen.certificates.push_back(certificate ? certificate->subject() : "?");
    }
    return;
  }
  // RFC 8551 3.5.2: what application/pkcs7-mime signs is inside.
  if (scan.is_detached) return set_fault(seen, Error::malformed);
  seen.signature = verify(der, std::nullopt);
  Signed inside;
  Context deeper = context;
  deeper.inside = &inside;
  ++deeper.layers;
  seen.parts.push_back(read(scan.content, deeper));
  finish_signature(inside, seen);
}

void PartReader::see_identity(const MimePart& part, const Context& context, SeenPart& seen) {
  const auto text = decode(part, most_octets);
  auto aib = text ? parse_aib(*text) : std::unexpected(text.error());
  if (!aib) set_fault(seen, aib.error());
  if (context.inside != nullptr) {
    context.inside->has_bad_identity = context.inside->has_bad_identity || !aib;
    context.inside->identity_path = context.path;
    if (aib) context.inside->identities.push_back(*aib);
  }
  if (aib) seen.identity = *std::move(aib);
}

void PartReader::see_content(const MimePart& part, const Context& context, SeenPart& seen) {
  if (context.inside != nullptr) context.inside->content_paths.push_back(context.path);
  auto content = part.has_content_encoding ? std::unexpected(sip::Error::unsupported)
                                           : decode(part, most_octets);
  if (!content) return set_fault(seen, content.error());
  seen.content = *std::move(content);
}

SeenSignature PartReader::verify(std::string_view der,
                                 std::optional<std::string_view> detached) const {
  SeenSignature seen;
  seen.is_detached = detached.has_value();
  const auto scan = scan_cms(der, {});
  if (!scan || scan->kind != CmsKind::signed_data || scan->signers == 0) {
    seen.distrust = scan ? Distrust::malformed : distrust_of(scan.error());
    return seen;
  }
  seen.method = signature_method(der).value_or("?");
  auto signed_content = verify_signature(der, detached);
  if (!signed_content) {
    seen.distrust = distrust_of(signed_content.error());
    return seen;
  }
  seen.subject = signed_content->signer().subject();
  seen.uris = signed_content->signer().uris();
  seen.signer = signed_content->signer().fingerprint();
  if (order_.trust == nullptr) return seen;
  const auto trusted = order_.trust->vouch(*std::move(signed_content), order_.now);
  seen.is_vouched = trusted.has_value();
  if (!trusted) seen.distrust = trusted.error();
  return seen;
}

// Whoever signs what was sealed by others can put an identity beside it, but not inside. What
// stays closed counts when there is nothing else: the signature is about that.
bool PartReader::is_inside_all(const Signed& inside) {
  const auto& paths = inside.content_paths.empty() ? inside.closed_paths : inside.content_paths;
  return std::ranges::all_of(
      paths, [&](const Path& path) { return begins_with(inside.identity_path, path); });
}

void PartReader::bind(const Signed& inside, SeenSignature& signature) const {
  if (message_ == nullptr) return;
  signature.binding = Binding::unclear;
  if (inside.has_bad_identity || inside.identities.size() > 1) return;
  signature.binding = Binding::no_identity;
  if (inside.identities.empty()) return;
  signature.binding = Binding::outside;
  if (!is_inside_all(inside)) return;
  signature.fault = check_aib(inside.identities.front(), *message_);
  signature.binding = Binding::other_message;
  if (signature.fault != AibFault::none) return;
  signature.binding = is_author(signature, inside.identities.front()) ? Binding::this_message
                                                                      : Binding::other_signer;
}

void PartReader::finish_signature(const Signed& inside, SeenPart& seen) const {
  SeenSignature& signature = *seen.signature;
  bind(inside, signature);
  const bool is_good =
      signature.is_vouched && !signature.distrust &&
      (signature.binding == Binding::this_message || signature.binding == Binding::not_asked);
  if (!is_good) return;
  for (SeenPart& inner : seen.parts)
    if (!inner.signature) mark_verified(inner);
}

} // namespace midcom::sip::e2m
