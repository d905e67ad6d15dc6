// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "daemon/config.h"

namespace midcom::scenario {

// Reads `text` as midcomd.conf with the program's own reader; the files that [tls] and [smime]
// name are made for it. Throws std::runtime_error with all errors.
[[nodiscard]] Config config_of(const std::string& text);

} // namespace midcom::scenario
