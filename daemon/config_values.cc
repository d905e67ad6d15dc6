// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config_values.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "sip/uri.h"

namespace midcom {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_alphanumeric(char c) {
  return is_digit(c) || is_letter(c);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

std::unexpected<BadValue> bad(std::string_view text, std::string_view expected,
                              std::string suggestion = {}) {
  return std::unexpected(
      BadValue{quoted(text) + " is not " + std::string(expected), std::move(suggestion)});
}

// Digits only: no sign, no blanks.
std::optional<std::uint64_t> number_of(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// Splits "64k" into 64 and "k".
struct Measure {
  std::uint64_t number = 0;
  std::string_view unit;
};
std::optional<Measure> measure_of(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto digits = static_cast<std::size_t>(end - text.begin());
  const auto number = number_of(text.substr(0, digits));
  if (!number) return {};
  return Measure{*number, text.substr(digits)};
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

std::optional<std::uint64_t> times_unit(const Measure& measure, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (unit.name != measure.unit) continue;
    if (measure.number > std::numeric_limits<std::int64_t>::max() / unit.factor) return {};
    return measure.number * unit.factor;
  }
  return {};
}

constexpr Unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
constexpr Unit size_units[] = {{"", 1}, {"k", 1024}, {"K", 1024}, {"M", 1048576}, {"m", 1048576}};

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto number = number_of(text);
  if (!number || *number > 65535) return {};
  return static_cast<std::uint16_t>(*number);
}

pinhole::Prefix masked(const pinhole::Address& address, std::uint8_t length) {
  pinhole::Prefix prefix{address, length};
  const std::size_t size = address.family == pinhole::Family::ipv4 ? 4 : 16;
  for (std::size_t i = 0; i < size; ++i) {
    const int bits = std::clamp(int{length} - static_cast<int>(i) * 8, 0, 8);
    prefix.address.octets[i] &= static_cast<std::uint8_t>(0xff00 >> bits);
  }
  return prefix;
}

// "HOST:PORT" or "[HOST]:PORT" of literals.
struct HostPort {
  std::string_view host, port;
};
std::optional<HostPort> split_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return {};
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return {};
  }
  return HostPort{host, text.substr(colon + 1)};
}

constexpr std::string_view address_form =
    "TRANSPORT:ADDRESS:PORT, such as tls:192.0.2.1:5061 or udp:[2001:db8::1]:5060";

// Insertions, deletions, changes and swaps of neighbours, without regard to case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool is_same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (is_same ? 0 : 1)});
      const bool is_swap = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

} // namespace

ConfigValue<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::string_view form = "a duration with a unit (ms, s, m, h, d), such as 30s";
  const auto measure = measure_of(text);
  if (!measure) return bad(text, form);
  if (measure->unit.empty()) return bad(text, form, "write " + std::string(text) + "s");
  const auto value = times_unit(*measure, duration_units);
  if (!value) return bad(text, form);
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

ConfigValue<std::uint64_t> parse_count(std::string_view text) {
  const auto number = number_of(text);
  if (!number) return bad(text, "a number");
  return *number;
}

ConfigValue<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view form = "a size in octets, with k or M, such as 64k";
  const auto measure = measure_of(text);
  if (!measure) return bad(text, form);
  const auto value = times_unit(*measure, size_units);
  if (!value) return bad(text, form);
  return *value;
}

ConfigValue<std::uint32_t> parse_mark(std::string_view text) {
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  const auto number = is_hex ? number_of(text.substr(2), 16) : number_of(text);
  if (!number || *number > 0xffffffffU) return bad(text, "a 32-bit number, such as 0x4d000000");
  return static_cast<std::uint32_t>(*number);
}

ConfigValue<pinhole::PortRange> parse_ports(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = port_of(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : port_of(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last == 0)
    return bad(text, "a port 1-65535 or a range such as 1024-65535");
  if (*first > *last)
    return bad(text, "a range from low to high",
               "write " + std::to_string(*last) + "-" + std::to_string(*first));
  return pinhole::PortRange{*first, *last};
}

ConfigValue<pinhole::Prefix> parse_network(std::string_view text) {
  constexpr std::string_view form = "a network such as 192.0.2.0/24 or 2001:db8::/32";
  if (const auto prefix = pinhole::Prefix::parse(text)) return *prefix;
  const std::size_t slash = text.find('/');
  const auto address = pinhole::Address::parse(text.substr(0, slash));
  if (!address || slash == std::string_view::npos) return bad(text, form);
  const auto length = number_of(text.substr(slash + 1));
  const std::uint64_t longest = address->family == pinhole::Family::ipv4 ? 32 : 128;
  if (!length || *length > longest) return bad(text, form);
  return std::unexpected(
      BadValue{quoted(text) + " has host bits set",
               "write " + masked(*address, static_cast<std::uint8_t>(*length)).to_string()});
}

ConfigValue<sip::Endpoint> parse_name_server(std::string_view text) {
  constexpr std::uint16_t domain_port = 53;
  const auto address = sip::IpAddress::parse(text);
  if (!address || address->is_unspecified()) return bad(text, "an IPv4 or IPv6 address");
  return sip::Endpoint{*address, domain_port};
}

ConfigValue<TransportAddress> parse_transport_address(std::string_view text) {
  static constexpr std::string_view transports[] = {"udp", "tcp", "tls"};
  const std::size_t colon = text.find(':');
  const std::string_view transport = text.substr(0, colon);
  const auto known = std::ranges::find(transports, transport);
  if (colon == std::string_view::npos || known == std::end(transports))
    return bad(text, address_form, did_you_mean(transport, transports));
  TransportAddress result;
  result.transport = static_cast<Transport>(known - std::begin(transports));
  const auto parts = split_host_port(text.substr(colon + 1));
  if (!parts) return bad(text, address_form);
  const auto port = port_of(parts->port);
  if (!port || *port == 0) return bad(text, address_form);
  const auto address = sip::IpAddress::parse(parts->host);
  if (!address) {
    const std::string what = parts->host == "*" ? "a wildcard" : quoted(parts->host);
    return std::unexpected(BadValue{what + " is not an IPv4 or IPv6 address literal",
                                    parts->host == "*" ? "name one address of an interface" : ""});
  }
  if (address->is_unspecified())
    return std::unexpected(
        BadValue{quoted(parts->host) + " is a wildcard address",
                 "name one address of an interface; repeat the section for more"});
  result.address = {*address, *port};
  return result;
}

ConfigValue<std::string> parse_host_name(std::string_view text) {
  constexpr std::string_view form = "a host name such as gw.example.com";
  if (text.ends_with('.')) return bad(text, form, "leave the last dot out");
  if (text.empty() || text.size() > 253) return bad(text, form);
  std::size_t label = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_end = i + 1 == text.size() || text[i + 1] == '.';
    if (text[i] == '.') {
      if (label == 0) return bad(text, form);
      label = 0;
      continue;
    }
    const bool is_inner_dash = text[i] == '-' && label > 0 && !is_end;
    if ((!is_alphanumeric(text[i]) && !is_inner_dash) || ++label > 63) return bad(text, form);
  }
  return lower(text);
}

ConfigValue<std::string> parse_word(std::string_view text) {
  const auto is_fine = [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  };
  if (text.empty() || text.size() > 64 || !std::ranges::all_of(text, is_fine))
    return bad(text, "a name of at most 64 letters, digits, '-', '_' and '.'");
  return std::string(text);
}

ConfigValue<std::string> parse_user(std::string_view text) {
  const auto is_fine = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; };
  if (text.empty() || text.size() > 32 || !std::ranges::all_of(text, is_fine) || text[0] == '-')
    return bad(text, "a user name");
  if (text == "root" || text == "0")
    return std::unexpected(BadValue{"this process must not run as root", "make a user of its own"});
  return std::string(text);
}

ConfigValue<std::string> parse_interface(std::string_view text) {
  const auto is_fine = [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != '"'; };
  if (text.empty() || text.size() > 15 || !std::ranges::all_of(text, is_fine) || text == "." ||
      text == "..")
    return bad(text, "an interface name of at most 15 characters");
  return std::string(text);
}

ConfigValue<std::string> parse_method(std::string_view text) {
  constexpr std::string_view others = "-.!%*_+`'~";
  const auto is_fine = [&](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  };
  if (text.empty() || text.size() > 32 || !std::ranges::all_of(text, is_fine))
    return bad(text, "one SIP method; repeat the key for more");
  std::string upper(text);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (upper != text)
    return bad(text, "a method in capitals (methods are case-sensitive)", "write " + upper);
  return upper;
}

ConfigValue<std::string> parse_content_type(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~"; // RFC 2045 5.1, without what RFC 6838 bars
  constexpr std::string_view form = "a content type such as application/sdp";
  constexpr std::string_view usual[] = {"application/sdp", "application/pidf+xml", "text/plain",
                                        "message/cpim"};
  const std::size_t slash = text.find('/');
  const auto is_fine = [&](char c) { return is_alphanumeric(c) || others.contains(c); };
  const auto is_word = [&](std::string_view word) {
    return !word.empty() && word.size() <= 127 && word != "*" && std::ranges::all_of(word, is_fine);
  };
  if (slash != std::string_view::npos && is_word(text.substr(0, slash)) &&
      is_word(text.substr(slash + 1)))
    return lower(text);
  for (const std::string_view type : usual)
    if (type.ends_with("/" + lower(text))) return bad(text, form, "write " + std::string(type));
  return bad(text, form, did_you_mean(text, usual));
}

ConfigValue<std::string> parse_address_of_record(std::string_view text) {
  const auto uri = sip::Uri::parse(text);
  const bool is_sip =
      uri && (uri->scheme == sip::Uri::Scheme::sip || uri->scheme == sip::Uri::Scheme::sips);
  if (is_sip && !uri->user.empty() && !uri->host.empty()) return uri->address_of_record();
  const bool lacks_scheme = text.find('@') != std::string_view::npos && text.find(':') == text.npos;
  return bad(text, "an address such as sip:alice@example.com",
             lacks_scheme ? "write sip:" + std::string(text) : "");
}

ConfigValue<std::string> parse_key_usage(std::string_view text) {
  constexpr std::string_view words[] = {"any", "email"};
  constexpr std::string_view form = "any, email or an object identifier such as 1.3.6.1.5.5.7.3.4";
  if (text == "any") return std::string(text);
  if (text == "email") return std::string("1.3.6.1.5.5.7.3.4");
  std::size_t arcs = 0;
  std::uint64_t first = 0;
  for (std::size_t at = 0; at <= text.size(); ++arcs) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    const std::string_view arc = text.substr(at, end - at);
    const auto number = number_of(arc);
    const bool is_padded = arc.size() > 1 && arc.front() == '0';
    if (!number || is_padded || *number > 0xffffffff || text.size() > 128)
      return bad(text, form, did_you_mean(text, words));
    if (arcs == 0) first = *number;
    if (first > 2 || (arcs == 1 && first < 2 && *number > 39)) return bad(text, form);
    at = end + 1;
  }
  if (arcs < 3) return bad(text, form);
  return std::string(text);
}

ConfigValue<std::string> parse_absolute_path(std::string_view text) {
  if (!text.starts_with('/')) return bad(text, "an absolute path");
  return std::string(text);
}

ConfigValue<std::size_t> parse_choice(std::string_view text,
                                      std::span<const std::string_view> words) {
  const auto found = std::ranges::find(words, text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string expected = "one of ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) expected += i + 1 == words.size() ? " and " : ", ";
    expected += words[i];
  }
  return bad(text, expected, did_you_mean(text, words));
}

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t smallest = std::max<std::size_t>(1, std::min<std::size_t>(word.size() / 3, 3)) + 1;
  if (word.size() > 64) return best;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < smallest) {
      smallest = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view best = nearest_word(word, candidates);
  return best.empty() ? "" : "did you mean " + quoted(best) + "?";
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  for (const Unit& unit : duration_units) {
    if (count != 0 && count % unit.factor == 0)
      return std::to_string(count / unit.factor) + std::string(unit.name);
  }
  return "0s";
}

std::string ports_text(const pinhole::PortRange& ports) {
  const std::string first = std::to_string(ports.first);
  return ports.first == ports.last ? first : first + "-" + std::to_string(ports.last);
}

} // namespace midcom
