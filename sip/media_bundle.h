// SPDX-License-Identifier: GPL-3.0-or-later
// Which m= lines share one path (RFC 8843).
#pragma once

#include <cstddef>
#include <vector>

#include "sip/sdp.h"

namespace midcom::sip {

// For each m= line of the offer the index of the one whose path it uses: mostly its own.
[[nodiscard]] std::vector<std::size_t> bundle_carriers(const Sdp& offer, const Sdp& answer);

// For each m= line of an offer without an answer those that it may carry, itself among them; none
// when the port is 0.
[[nodiscard]] std::vector<std::vector<std::size_t>> bundles_offered(const Sdp& offer);

} // namespace midcom::sip
