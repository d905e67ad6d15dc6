// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/header_name.h"

#include <array>

#include "sip/cursor.h"

namespace midcom::sip {
namespace {

struct Entry {
  HeaderName name;
  std::string_view text;
  char compact; // '\0': none
  bool single;
};

using enum HeaderName;
constexpr std::array<Entry, 43> entries{{
    {accept, "Accept", '\0', false},
    {allow, "Allow", '\0', false},
    {authorization, "Authorization", '\0', false},
    {call_id, "Call-ID", 'i', true},
    {contact, "Contact", 'm', false},
    {content_disposition, "Content-Disposition", '\0', true},
    {content_encoding, "Content-Encoding", 'e', false},
    {content_id, "Content-ID", '\0', true},
    {content_length, "Content-Length", 'l', true},
    {content_transfer_encoding, "Content-Transfer-Encoding", '\0', true},
    {content_type, "Content-Type", 'c', true},
    {cseq, "CSeq", '\0', true},
    {date, "Date", '\0', true},
    {expires, "Expires", '\0', true},
    {from, "From", 'f', true},
    {max_forwards, "Max-Forwards", '\0', true},
    {min_se, "Min-SE", '\0', true},
    {path, "Path", '\0', false},
    {proxy_authenticate, "Proxy-Authenticate", '\0', false},
    {proxy_authorization, "Proxy-Authorization", '\0', false},
    {proxy_inspect_body, "Proxy-Inspect-Body", '\0', false},
    // The name of the draft's earlier versions.
    {proxy_inspect_body, "Proxy-Required-Body", '\0', false},
    {proxy_require, "Proxy-Require", '\0', false},
    {rack, "RAck", '\0', true},
    {reason, "Reason", '\0', false},
    {record_route, "Record-Route", '\0', false},
    {refer_to, "Refer-To", 'r', true},
    {referred_by, "Referred-By", 'b', true},
    {replaces, "Replaces", '\0', true},
    {require, "Require", '\0', false},
    {retry_after, "Retry-After", '\0', true},
    {route, "Route", '\0', false},
    {rseq, "RSeq", '\0', true},
    {server, "Server", '\0', true},
    {service_route, "Service-Route", '\0', false},
    {session_expires, "Session-Expires", 'x', true},
    {supported, "Supported", 'k', false},
    {to, "To", 't', true},
    {unsupported, "Unsupported", '\0', false},
    {user_agent, "User-Agent", '\0', true},
    {via, "Via", 'v', false},
    {warning, "Warning", '\0', false},
    {www_authenticate, "WWW-Authenticate", '\0', false},
}};

const Entry* entry_of(HeaderName name) {
  for (const Entry& entry : entries)
    if (entry.name == name) return &entry;
  return nullptr;
}

} // namespace

HeaderName header_name(std::string_view text) {
  if (text.size() == 1) {
    const char letter = to_lower(text.front());
    for (const Entry& entry : entries)
      if (entry.compact == letter) return entry.name;
    return other;
  }
  for (const Entry& entry : entries)
    if (iequals(entry.text, text)) return entry.name;
  return other;
}

std::string_view to_string(HeaderName name) {
  const Entry* entry = entry_of(name);
  return entry != nullptr ? entry->text : std::string_view{};
}

bool is_single(HeaderName name) {
  const Entry* entry = entry_of(name);
  return entry != nullptr && entry->single;
}

bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}

} // namespace midcom::sip
