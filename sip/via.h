// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sip/error.h"

namespace midcom::sip {

// One Via value (RFC 3261 20.42). Views into the text given to parse().
struct Via {
  std::string_view text;      // the whole value, trimmed
  std::string_view transport; // "TLS", "TCP", "UDP", ... as it came
  std::string_view host;      // sent-by host without brackets
  bool host_is_ipv6 = false;
  std::optional<std::uint16_t> port;
  std::string_view parameters; // without the first ';'

  [[nodiscard]] static Result<Via> parse(std::string_view value);
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
  [[nodiscard]] std::string_view branch() const; // "" when there is none
};

// The magic cookie of RFC 3261 8.1.1.7.
inline constexpr std::string_view branch_cookie = "z9hG4bK";

} // namespace midcom::sip
