// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/distrust.h"

#include <array>
#include <cstddef>

namespace midcom::sip::e2m {

std::string_view to_string(Distrust distrust) {
  static constexpr std::array<std::string_view, 18> words{
      "malformed", "unsupported", "weak",          "no-signer", "bad-signature", "self-signed",
      "untrusted", "bad-chain",   "not-yet-valid", "expired",   "revoked",       "crl-missing",
      "crl-stale", "crl-bad",     "key-usage",     "purpose",   "no-identity",   "failure"};
  const auto index = static_cast<std::size_t>(distrust);
  return index < words.size() ? words[index] : std::string_view("failure");
}

Distrust distrust_of(Error error) {
  switch (error) {
  case Error::malformed:
  case Error::truncated:
  case Error::bad_certificate:
    return Distrust::malformed;
  case Error::weak_key:
    return Distrust::weak;
  case Error::no_signer:
    return Distrust::no_signer;
  case Error::bad_signature:
    return Distrust::bad_signature;
  case Error::library:
    return Distrust::failure;
  default:
    return Distrust::unsupported;
  }
}

} // namespace midcom::sip::e2m
