// SPDX-License-Identifier: GPL-3.0-or-later
// What inspect() saw, for a terminal and for programs. Key material and credentials are left out,
// and what came with the message is escaped: it can't end a line or steer a terminal.
#pragma once

#include <string>
#include <vector>

#include "sip/e2m/inspection.h"

namespace midcom {

// A tree, one line for each thing that is to be said.
[[nodiscard]] std::string inspection_text(const sip::e2m::Inspection& seen);
// One line of JSON.
[[nodiscard]] std::string inspection_json(const sip::e2m::Inspection& seen);

// The lines of a part that may be shown: of text, of session descriptions, of an identity body.
// Not escaped, but without keys.
[[nodiscard]] std::vector<std::string> shown_lines(const sip::e2m::SeenPart& part);

} // namespace midcom
