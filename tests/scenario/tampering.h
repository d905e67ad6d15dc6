// SPDX-License-Identifier: GPL-3.0-or-later
// Spoils a sealed body (CMS AuthEnvelopedData) as an attacker would.
#pragma once

#include <cstddef>
#include <string>

namespace midcom::scenario {

// The first recipient `count` times.
[[nodiscard]] std::string with_recipients(const std::string& der, std::size_t count);
// The GCM tag cut to `octets`.
[[nodiscard]] std::string with_short_tag(const std::string& der, std::size_t octets);
// An entity inside `depth` multiparts.
[[nodiscard]] std::string nested(std::string entity, std::size_t depth);

} // namespace midcom::scenario
