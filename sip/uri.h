// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip/error.h"

namespace midcom::sip {

// A SIP, SIPS or other URI (RFC 3261 19.1, 25.1). Views into the text given to parse().
struct Uri {
  enum class Scheme : std::uint8_t { sip, sips, tel, other };

  Scheme scheme = Scheme::sip;
  std::string_view text; // the whole URI as it came
  std::string_view user; // escaped as it came; empty when there is none
  std::string_view password;
  std::string_view host;     // without brackets for IPv6
  bool host_is_ipv6 = false; // was in brackets
  std::optional<std::uint16_t> port;
  std::string_view parameters; // without the first ';', e.g. "lr;transport=tls"
  std::string_view headers;    // without '?'

  // sip and sips are parsed whole; tel and other schemes only split off the scheme (host empty).
  [[nodiscard]] static Result<Uri> parse(std::string_view text);

  // Parameter by name (case-insensitive). "" when it stands without a value.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
  [[nodiscard]] bool is_secure() const { return scheme == Scheme::sips; }
  // RFC 3261 19.1.4 comparison for sip/sips; text comparison for others.
  [[nodiscard]] bool equivalent(const Uri& other) const;
  // "sip:user@host" in canonical form (unescaped where allowed, host in lower case, no port,
  // parameters or headers; sips is written as sip): an address of record for keys and identities.
  [[nodiscard]] std::string address_of_record() const;
};

// Value of `name` in a ";a=b;c" list (case-insensitive, quoted values unquoted as they stand).
[[nodiscard]] std::optional<std::string_view> find_parameter(std::string_view parameters,
                                                             std::string_view name);

} // namespace midcom::sip
