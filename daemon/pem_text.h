// SPDX-License-Identifier: GPL-3.0-or-later
// The armour of PEM (RFC 7468) taken off, without a look at what is inside.
#pragma once

#include <string>

namespace midcom {

// The octets of the first certificate in `pem`; empty when there is none.
[[nodiscard]] std::string certificate_octets(const std::string& pem);

} // namespace midcom
