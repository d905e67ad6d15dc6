// SPDX-License-Identifier: GPL-3.0-or-later
// Answers of the control socket as tables for a terminal. What came from the network is escaped
// once more: nothing in it can steer the terminal.
#pragma once

#include <string>

#include "daemon/control.h"
#include "daemon/json.h"

namespace midcom {

[[nodiscard]] std::string control_table(ControlRequest::Kind kind, const JsonValue& answer);

} // namespace midcom
