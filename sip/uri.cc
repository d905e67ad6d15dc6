// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/uri.h"

#include <array>
#include <vector>

#include "sip/cursor.h"
#include "sip/header_name.h"
#include "sip/ip_address.h"
#include "sip/parameters.h"

namespace midcom::sip {
namespace {

constexpr CharSet user_chars(unreserved_chars, "&=+$,;?/");
constexpr CharSet password_chars(unreserved_chars, "&=+$,");
constexpr CharSet parameter_chars(unreserved_chars, "[]/:&+$");
constexpr CharSet header_chars(unreserved_chars, "[]/?:+$");
constexpr CharSet uric_chars(unreserved_chars, ";/?:@&=+$,[]#%");
constexpr CharSet scheme_chars(alnum_chars, "+-.");

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

bool is_escape(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && hex_chars.has(text[1]) && hex_chars.has(text[2]);
}

// *( set / escaped ): the longest such prefix.
std::string_view take_escaped(Cursor& cursor, const CharSet& set) {
  const std::size_t begin = cursor.offset();
  while (true) {
    cursor.take_while(set);
    if (!is_escape(cursor.rest())) return cursor.since(begin);
    cursor.rewind(cursor.offset() + 3);
  }
}

Result<void> read_userinfo(std::string_view text, Uri& uri) {
  Cursor cursor(text);
  uri.user = take_escaped(cursor, user_chars);
  if (uri.user.empty()) return std::unexpected(Error::bad_uri);
  if (cursor.accept(':')) uri.password = take_escaped(cursor, password_chars);
  if (!cursor.at_end()) return std::unexpected(Error::bad_uri);
  return {};
}

bool has_name(const Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs)
    if (iequals(key, name)) return true;
  return false;
}

// *( ";" pname [ "=" pvalue ] ); a name stands once (RFC 3261 19.1.1).
Result<void> read_parameters(Cursor& cursor, Uri& uri) {
  Pairs seen;
  const std::size_t begin = cursor.offset() + 1;
  while (cursor.accept(';')) {
    const std::string_view name = take_escaped(cursor, parameter_chars);
    if (name.empty() || has_name(seen, name) || seen.size() == maximum_parameters)
      return std::unexpected(Error::bad_uri);
    seen.emplace_back(name, std::string_view{});
    if (cursor.accept('=') && take_escaped(cursor, parameter_chars).empty())
      return std::unexpected(Error::bad_uri);
  }
  uri.parameters = cursor.since(begin);
  return {};
}

Result<void> read_headers(Cursor& cursor, Uri& uri) {
  if (!cursor.accept('?')) return {};
  const std::size_t begin = cursor.offset();
  do {
    if (take_escaped(cursor, header_chars).empty() || !cursor.accept('='))
      return std::unexpected(Error::bad_uri);
    take_escaped(cursor, header_chars);
  } while (cursor.accept('&'));
  uri.headers = cursor.since(begin);
  return {};
}

Result<void> read_sip(std::string_view rest, Uri& uri) {
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    if (const auto user = read_userinfo(rest.substr(0, at), uri); !user) return user;
    rest.remove_prefix(at + 1);
  }
  Cursor cursor(rest);
  const auto host = take_host(cursor);
  if (!host) return std::unexpected(host.error());
  uri.host = host->host;
  uri.host_is_ipv6 = host->is_ipv6;
  if (cursor.accept(':')) {
    const auto port = take_port(cursor);
    if (!port) return std::unexpected(port.error());
    uri.port = *port;
  }
  if (const auto read = read_parameters(cursor, uri); !read) return read;
  if (const auto read = read_headers(cursor, uri); !read) return read;
  if (!cursor.at_end()) return std::unexpected(Error::bad_uri);
  return {};
}

int nibble(char c) {
  const char lower = to_lower(c);
  return lower >= 'a' ? lower - 'a' + 10 : lower - '0';
}

// RFC 3261 19.1.4: "%HH" equals the character it stands for, unless that one is reserved. Escapes
// that stay are in upper case.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_escape(text.substr(i))) {
      out += text[i];
      continue;
    }
    const char c = static_cast<char>(nibble(text[i + 1]) * 16 + nibble(text[i + 2]));
    if (unreserved_chars.has(c)) {
      out += c;
    } else {
      out += '%';
      for (const std::size_t at : {i + 1, i + 2})
        out += "0123456789ABCDEF"[static_cast<std::size_t>(nibble(text[at]))];
    }
    i += 2;
  }
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) c = to_lower(c);
  return text;
}

Pairs split_pairs(std::string_view text, char separator) {
  Pairs pairs;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    const std::string_view item = text.substr(0, end);
    const std::size_t equals = item.find('=');
    pairs.emplace_back(item.substr(0, equals), equals == std::string_view::npos
                                                   ? std::string_view{}
                                                   : item.substr(equals + 1));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return pairs;
}

bool same_text(std::string_view a, std::string_view b) {
  return iequals(unescape(a), unescape(b));
}

// A parameter in both must match; these must not stand in one only: user, ttl, method, maddr, and
// transport (RFC 3261 19.1.4).
bool parameters_agree(const Uri& a, const Uri& b) {
  static constexpr std::array<std::string_view, 5> both{"user", "ttl", "method", "maddr",
                                                        "transport"};
  for (const std::string_view name : both)
    if (a.parameter(name).has_value() != b.parameter(name).has_value()) return false;
  for (const auto& [name, value] : split_pairs(a.parameters, ';'))
    if (const auto theirs = b.parameter(name); theirs && !same_text(value, *theirs)) return false;
  return true;
}

// "any present header component MUST be present in both": in any order, each matched once.
bool headers_agree(const Uri& a, const Uri& b) {
  const Pairs ours = split_pairs(a.headers, '&');
  Pairs theirs = split_pairs(b.headers, '&');
  if (ours.size() != theirs.size() || ours.size() > maximum_parameters)
    return a.headers == b.headers;
  for (const auto& [name, value] : ours) {
    bool found = false;
    for (std::size_t i = 0; i < theirs.size() && !found; ++i) {
      found = same_text(name, theirs[i].first) && unescape(value) == unescape(theirs[i].second);
      if (found) theirs.erase(theirs.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (!found) return false;
  }
  return true;
}

std::string canonical_host(const Uri& uri) {
  if (const auto address = IpAddress::parse(uri.host)) return address->to_string();
  std::string host = lower(std::string(uri.host));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

} // namespace

Result<Uri> Uri::parse(std::string_view text) {
  Uri uri;
  uri.text = text;
  Cursor cursor(text);
  const std::string_view scheme = cursor.take_while(scheme_chars);
  if (scheme.empty() || !alpha_chars.has(scheme.front()) || !cursor.accept(':'))
    return std::unexpected(Error::bad_uri);
  if (iequals(scheme, "sip") || iequals(scheme, "sips")) {
    uri.scheme = scheme.size() == 3 ? Scheme::sip : Scheme::sips;
    if (const auto read = read_sip(cursor.rest(), uri); !read) return std::unexpected(read.error());
    return uri;
  }
  uri.scheme = iequals(scheme, "tel") ? Scheme::tel : Scheme::other;
  if (cursor.take_while(uric_chars).empty() || !cursor.at_end())
    return std::unexpected(Error::bad_uri);
  return uri;
}

std::optional<std::string_view> Uri::parameter(std::string_view name) const {
  return find_parameter(parameters, name);
}

bool Uri::equivalent(const Uri& other) const {
  if (scheme != other.scheme) return false;
  if (scheme == Scheme::tel || scheme == Scheme::other) return iequals(text, other.text);
  return unescape(user) == unescape(other.user) && unescape(password) == unescape(other.password) &&
         canonical_host(*this) == canonical_host(other) && port == other.port &&
         parameters_agree(*this, other) && headers_agree(*this, other);
}

std::string Uri::address_of_record() const {
  if (scheme == Scheme::tel || scheme == Scheme::other) return std::string(text);
  std::string out = "sip:";
  if (!user.empty()) out += unescape(user) + '@';
  return out + (host_is_ipv6 ? '[' + canonical_host(*this) + ']' : canonical_host(*this));
}

} // namespace midcom::sip
