// SPDX-License-Identifier: GPL-3.0-or-later
// A message's body taken apart, with an opener that answers from the input as well: two octets of
// terms, then the message and the openers' answers, separated by lines of "====". An answer's first
// octet is what the opener found, the rest what was inside.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "daemon/disclosure_run.h"

namespace {

using namespace midcom;

std::vector<std::string> pieces_of(std::string_view text) {
  constexpr std::string_view separator = "\n====\n";
  std::vector<std::string> pieces;
  for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
    pieces.emplace_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  pieces.emplace_back(text);
  return pieces;
}

DisclosureTerms terms_of(std::uint8_t flags) {
  DisclosureTerms terms;
  if ((flags & 1U) != 0) terms.view = {"application/sdp"};
  if ((flags & 2U) != 0) terms.verify = {"application/sdp", "text/plain"};
  terms.forwards_opaque = (flags & 4U) == 0;
  terms.accepts_legacy = (flags & 8U) == 0;
  terms.is_label_believed = (flags & 16U) == 0;
  terms.has_identity = (flags & 32U) == 0;
  terms.looks_for_description = (flags & 64U) != 0;
  terms.is_recipient = (flags & 128U) != 0;
  return terms;
}

opener::Reply reply_to(const DisclosureRun::Asked& request, const std::string& answer) {
  const auto first = answer.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(answer[0]);
  const std::string content = answer.empty() ? std::string() : answer.substr(1);
  if (std::holds_alternative<opener::Open>(request))
    return opener::Opened{.id = 0, .is_open = first % 2 == 1, .content = content};
  opener::Verified verified;
  verified.finding = first % 2 == 1
                         ? opener::Finding::trusted
                         : static_cast<opener::Finding>(
                               first / 2 % (static_cast<int>(opener::Finding::failed) + 1));
  verified.content = content;
  verified.uris = {"sip:alice@example.com"};
  return verified;
}

void check_question(const DisclosureRun::Asked& request, const DisclosureTerms& terms) {
  const auto* open = std::get_if<opener::Open>(&request);
  if (open == nullptr && !terms.has_identity) std::abort();
  if (open != nullptr && open->may_use_private_key &&
      !(terms.has_identity && (terms.is_label_believed || terms.is_recipient)))
    std::abort();
}

void check_disclosure(const Disclosure& read, const DisclosureTerms& terms) {
  if (read.finding != Reason::none) {
    if (read.description || read.signer || read.plain || !read.verified.empty()) std::abort();
    return;
  }
  // What is believed of a description that must be signed, is.
  const bool must_be_signed = !terms.verify.empty() && (read.is_sealed || !terms.accepts_legacy);
  if (read.description && must_be_signed && !read.signer) std::abort();
  if (read.signer && read.signer->uri != "sip:alice@example.com") std::abort();
  if (read.signer && read.verified.empty()) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const DisclosureTerms terms = terms_of(data[0]);
  const auto pieces = pieces_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  const auto message = sip::Message::parse(pieces[0], sip::Framing::datagram, {});
  if (!message) return 0;
  const std::vector<std::string> names{"gw.example.com"};
  DisclosureRun run(*message, terms, names, {{"sip:alice@example.com"}, {}}, 1'800'000'000);
  std::size_t asked = 0;
  while (const auto question = run.next()) {
    if (++asked > DisclosureRun::max_questions) std::abort();
    check_question(*question, terms);
    if (asked < pieces.size())
      run.take(reply_to(*question, pieces[asked]));
    else
      run.take_failure();
  }
  check_disclosure(run.result(), terms);
  return 0;
}
