// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/error.h"

#include <array>
#include <cstddef>

namespace midcom::sip {

std::string_view to_string(Error error) {
  static constexpr std::array<std::string_view, 24> words{
      "syntax",         "truncated",        "too-long",          "too-many",
      "missing-header", "duplicate-header", "bad-version",       "bad-content-length",
      "bad-cseq",       "bad-number",       "control-character", "bad-uri",
      "bad-host",       "bad-address",      "bad-port",          "unsupported",
      "overlap",        "outside",          "mismatch",          "not-sip",
      "too-deep",       "bad-boundary",     "bad-encoding",      "bad-date"};
  const auto index = static_cast<std::size_t>(error);
  return index < words.size() ? words[index] : std::string_view("unknown");
}

} // namespace midcom::sip
