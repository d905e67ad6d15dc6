// SPDX-License-Identifier: GPL-3.0-or-later
// Requests and replies go through the real channel encoding and back.
#pragma once

#include "pinhole/request.h"

namespace midcom::scenario {

[[nodiscard]] pinhole::Request through_channel(const pinhole::Request& request);
[[nodiscard]] pinhole::Reply through_channel(const pinhole::Reply& reply);

} // namespace midcom::scenario
