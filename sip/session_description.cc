// SPDX-License-Identifier: GPL-3.0-or-later
// Which part of a body is the session description. A firewall must take the one the user agents
// take: where they could differ there is no answer.
#include <ranges>

#include "sip/mime.h"

namespace midcom::sip {
namespace {

using Found = Result<const MimePart*>; // nullptr: none

Found search(const MimePart& part);

bool is_session_description(const MimePart& part) {
  return part.is("application", "sdp") &&
         (part.disposition.empty() || part.disposition == "session");
}

Found search_all(const MimePart& multipart) {
  const MimePart* one = nullptr;
  for (const MimePart& part : multipart.parts) {
    const Found found = search(part);
    if (!found) return found;
    if (*found == nullptr) continue;
    if (one != nullptr) return std::unexpected(Error::mismatch);
    one = *found;
  }
  return one;
}

// RFC 5621 6.1: the last part that is understood.
Found search_alternative(const MimePart& multipart) {
  for (const MimePart& part : multipart.parts | std::views::reverse) {
    const Found found = search(part);
    if (!found || *found != nullptr) return found;
  }
  return nullptr;
}

// RFC 2387 3.2. Who doesn't know multipart/related takes it for multipart/mixed (RFC 5621 7.3):
// then the whole must lead to the same part.
Found search_related(const MimePart& multipart) {
  const MimePart* root = multipart.parts.empty() ? nullptr : &multipart.parts.front();
  if (const auto start = multipart.parameter("start")) {
    const MimePart* named = find_by_content_id(multipart, *start);
    root = nullptr;
    for (const MimePart& part : multipart.parts)
      if (&part == named) root = named;
    if (root == nullptr) return std::unexpected(Error::mismatch);
  }
  if (root == nullptr) return nullptr;
  const Found found = search(*root);
  if (!found || *found == nullptr) return found;
  return search_all(multipart);
}

Found search(const MimePart& part) {
  if (!part.is_multipart()) return is_session_description(part) ? &part : nullptr;
  // The disposition of a multipart/mixed says nothing of its parts (RFC 5621 8.2).
  const bool is_mixed = part.subtype == "mixed";
  if (!is_mixed && part.disposition == "early-session") return nullptr; // RFC 3959
  if (part.subtype == "alternative") return search_alternative(part);
  if (part.subtype == "related") return search_related(part);
  if (part.subtype == "signed") return part.parts.empty() ? nullptr : search(part.parts.front());
  return search_all(part);
}

} // namespace

Result<const MimePart*> find_session_description(const MimePart& root) {
  const Found found = search(root);
  if (found && *found != nullptr && (*found)->has_content_encoding)
    return std::unexpected(Error::unsupported);
  return found;
}

} // namespace midcom::sip
