// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/error.h"

#include <array>
#include <cstddef>

namespace midcom::sip::e2m {

std::string_view to_string(Error error) {
  static constexpr std::array<std::string_view, 19> words{"malformed",
                                                          "truncated",
                                                          "too-large",
                                                          "too-many",
                                                          "too-deep",
                                                          "unsupported-type",
                                                          "unsupported-version",
                                                          "unsupported-recipient",
                                                          "unsupported-algorithm",
                                                          "bad-parameters",
                                                          "cbc",
                                                          "undecipherable",
                                                          "bad-certificate",
                                                          "bad-key",
                                                          "weak-key",
                                                          "no-signer",
                                                          "bad-signature",
                                                          "bad-request",
                                                          "library"};
  const auto index = static_cast<std::size_t>(error);
  return index < words.size() ? words[index] : std::string_view("unknown");
}

} // namespace midcom::sip::e2m
