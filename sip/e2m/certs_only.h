// SPDX-License-Identifier: GPL-3.0-or-later
// A SignedData without content and signers that carries certificates alone (RFC 8551 3.8): what a
// 493 offers to be encrypted to (RFC 3261 23.2). Nothing in it is vouched for.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/e2m/error.h"

namespace midcom::sip::e2m {

inline constexpr std::size_t most_certs_only = 8;

// `certificates`: the DER of each, the one that matters first.
[[nodiscard]] std::string write_certs_only(std::span<const std::string> certificates);

// The DER of each X.509 certificate, at least one, in the order they stand in; what they say isn't
// read. Errors: malformed, too_many, unsupported_type (another kind of CMS, or one with signers).
[[nodiscard]] Result<std::vector<std::string>> read_certs_only(std::string_view der);

} // namespace midcom::sip::e2m
