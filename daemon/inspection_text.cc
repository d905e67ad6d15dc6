// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/inspection_text.h"

#include <array>
#include <string_view>

#include "daemon/log_format.h"
#include "sip/cursor.h"
#include "sip/header_name.h"
#include "sip/sdp_keys.h"
#include "sip/sip_date.h"

namespace midcom {
namespace {

namespace e2m = sip::e2m;
using Outcome = e2m::SeenEnvelope::Outcome;

constexpr std::size_t most_shown_lines = 200;

class Tree {
public:
  void line(std::size_t depth, const std::string& text) {
    text_.append(2 * depth, ' ').append(text).append("\n");
  }
  [[nodiscard]] std::string finish() && { return std::move(text_); }

private:
  std::string text_;
};

// Quotes end nothing here, and labels are full of them.
std::string shown(std::string_view line) {
  std::string text;
  while (true) {
    const std::size_t quote = line.find('"');
    text += escaped(line.substr(0, quote));
    if (quote == std::string_view::npos) return text;
    text += '"';
    line.remove_prefix(quote + 1);
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + escaped(word);
  return text;
}

std::string heading(const e2m::SeenPart& part) {
  std::string text = part.type.empty() ? "no readable body" : escaped(part.type);
  if (!part.detail.empty()) text += " (" + escaped(part.detail) + ")";
  text += ", " + std::to_string(part.size) + " octets";
  if (!part.disposition.empty()) text += ", " + escaped(part.disposition);
  text += part.handling == sip::Handling::optional ? ", optional" : ", required";
  if (!part.content_id.empty()) text += ", id " + escaped(part.content_id);
  return text;
}

std::string outcome_text(Outcome outcome) {
  switch (outcome) {
  case Outcome::not_tried:
    return "closed: no key was given";
  case Outcome::not_ours:
    return "closed: not for the keys given";
  case Outcome::undecipherable:
    return "closed: undecipherable with the key it names";
  case Outcome::opened:
    break;
  }
  return "opened";
}

void add_envelope(Tree& tree, std::size_t depth, const e2m::SeenEnvelope& envelope) {
  tree.line(depth, "sealed: " + std::string(envelope.cipher));
  for (const e2m::SeenRecipient& recipient : envelope.recipients)
    tree.line(depth, "for: " + escaped(recipient.name) + " (" + recipient.method + ")" +
                         (recipient.has_given_key ? " = a given key" : ""));
  if (envelope.cek_reference)
    tree.line(depth, "answers may use its key: reference " + *envelope.cek_reference + ", " +
                         std::to_string(envelope.max_decrypts) + " times");
  tree.line(depth, outcome_text(envelope.outcome));
}

std::string binding_text(const e2m::SeenSignature& signature) {
  switch (signature.binding) {
  case e2m::Binding::not_asked:
    return "not asked, there is no message";
  case e2m::Binding::this_message:
    return "this message";
  case e2m::Binding::no_identity:
    return "nothing, there is no identity body";
  case e2m::Binding::unclear:
    return "nothing, the identity body can't be read or isn't the only one";
  case e2m::Binding::outside:
    return "nothing, the identity body lies outside of the envelope";
  case e2m::Binding::other_message:
    return "another message, by its " + std::string(to_string(signature.fault));
  case e2m::Binding::other_signer:
    break;
  }
  return "this message, but the signer isn't its author";
}

void add_signature(Tree& tree, std::size_t depth, const e2m::SeenSignature& signature) {
  if (!signature.subject.empty())
    tree.line(depth,
              "signed by: " + joined(signature.uris) + " (" + escaped(signature.subject) + ")");
  std::string standing = "verifies, no authority was asked";
  if (signature.is_vouched) standing = "verifies, trusted";
  if (signature.distrust) standing = "not believed: " + std::string(to_string(*signature.distrust));
  const std::string method = signature.method.empty() ? "unreadable" : signature.method;
  tree.line(depth,
            "signature: " + method + (signature.is_detached ? ", detached: " : ": ") + standing);
  tree.line(depth, "binds: " + binding_text(signature));
}

void add_part(Tree& tree, std::size_t depth, const e2m::SeenPart& part) {
  tree.line(depth, heading(part));
  ++depth;
  if (!part.middles.empty()) tree.line(depth, "label: " + joined(part.middles));
  if (!part.fault.empty()) tree.line(depth, "unreadable: " + part.fault);
  if (part.envelope) add_envelope(tree, depth, *part.envelope);
  if (part.signature) add_signature(tree, depth, *part.signature);
  if (!part.certificates.empty()) tree.line(depth, "certificates: " + joined(part.certificates));
  for (const std::string& line : shown_lines(part)) tree.line(depth, "| " + shown(line));
  for (const e2m::SeenPart& inner : part.parts) add_part(tree, depth, inner);
}

void add_label(Tree& tree, const e2m::SeenLabel& label) {
  if (!label.is_readable) return tree.line(0, "label: unreadable");
  tree.line(0, "label: " + escaped(label.host) + " is to look into " + joined(label.content_ids) +
                   (label.has_part ? "" : ", which is not here"));
}

std::string verdict_text(e2m::Verdict verdict) {
  switch (verdict) {
  case e2m::Verdict::good:
    return "verdict: good, all that was asked for verifies and opens";
  case e2m::Verdict::refused:
    return "verdict: refused, not trusted or not for the keys given";
  case e2m::Verdict::malformed:
    break;
  }
  return "verdict: malformed";
}

std::string pairing_text(e2m::Pairing pairing) {
  switch (pairing) {
  case e2m::Pairing::same:
    return "the private description is the shared one and its keys";
  case e2m::Pairing::different:
    return "the private description is NOT the shared one and its keys";
  case e2m::Pairing::other_signer:
    return "nobody vouches for both descriptions";
  case e2m::Pairing::none:
    break;
  }
  return {};
}

// RFC 4189 2.2.3.2: an identity body may carry credentials for a middle.
bool is_credential(std::string_view name) {
  return sip::iequals(name, "Proxy-Authorization") || sip::iequals(name, "Authorization");
}

std::vector<std::string> identity_lines(const sip::Aib& aib) {
  std::vector<std::string> lines{"From: " + aib.from};
  if (aib.to) lines.push_back("To: " + *aib.to);
  lines.push_back("Call-ID: " + aib.call_id);
  if (aib.cseq)
    lines.push_back("CSeq: " + std::to_string(aib.cseq->number) + " " + aib.cseq->method);
  lines.push_back("Date: " + sip::write_sip_date(aib.date).value_or("?"));
  if (aib.contact) lines.push_back("Contact: " + *aib.contact);
  for (const sip::AibField& field : aib.others)
    lines.push_back(field.name + ": " +
                    (is_credential(field.name) ? "[credentials]" : field.value));
  for (std::string& line : lines) line = sip::with_keys_hidden(line);
  return lines;
}

bool is_shown(std::string_view type) {
  return type.starts_with("text/") || type == "application/sdp" || type == "application/pidf+xml";
}

} // namespace

std::vector<std::string> shown_lines(const e2m::SeenPart& part) {
  if (part.identity) return identity_lines(*part.identity);
  std::vector<std::string> lines;
  if (!part.content || !is_shown(part.type)) return lines;
  const std::string text = sip::with_keys_hidden(*part.content);
  std::string_view rest = text;
  while (!rest.empty()) {
    if (lines.size() == most_shown_lines) {
      lines.emplace_back("...");
      break;
    }
    lines.emplace_back(sip::next_line(rest));
  }
  return lines;
}

std::string inspection_text(const e2m::Inspection& seen) {
  Tree tree;
  if (!seen.start_line.empty()) tree.line(0, escaped(seen.start_line));
  for (const e2m::SeenLabel& label : seen.labels) add_label(tree, label);
  add_part(tree, 0, seen.root);
  if (seen.pairing != e2m::Pairing::none) tree.line(0, pairing_text(seen.pairing));
  tree.line(0, verdict_text(seen.verdict));
  return std::move(tree).finish();
}

} // namespace midcom
