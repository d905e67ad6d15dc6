// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "pinhole/endpoint.h"

namespace midcom::scenario {

// "ADDRESS:PORT" or "[ADDRESS]:PORT".
[[nodiscard]] pinhole::Endpoint media_endpoint(const std::string& text);

} // namespace midcom::scenario
