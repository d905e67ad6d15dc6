// SPDX-License-Identifier: GPL-3.0-or-later
// Who opens the connection of media over TCP (RFC 4145 4.1, 4975 5.4, 6135 4.2).
#pragma once

#include <expected>

#include "sip/media_side.h"

namespace midcom::sip {

// The party that connects, or why nobody does: held or unsupported. Without a=setup it is the
// offerer, for every protocol here.
[[nodiscard]] std::expected<Party, StreamState>
connecting_party(std::optional<Setup> offered, std::optional<Setup> answered, Party offerer);

// Whether the offerer may be connected to before its answer is known.
[[nodiscard]] bool may_wait(std::optional<Setup> offered);

} // namespace midcom::sip
