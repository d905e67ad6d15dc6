// SPDX-License-Identifier: GPL-3.0-or-later
// The Content-* fields of a SIP message or of a MIME part.
#pragma once

#include <cstdint>
#include <span>

#include "sip/error.h"
#include "sip/message.h"
#include "sip/mime.h"

namespace midcom::sip {

// In a part every Content-* field stands once (those of the message were judged by its gate) and
// under its long name: compact names are SIP's, and MIME readers don't know them.
enum class FieldsOf : std::uint8_t { message, part };

// Fills in all but entity, body and parts; leaves type and subtype alone when there is no
// Content-Type. `handling` is the field's own.
[[nodiscard]] Result<void> read_content_fields(std::span<const HeaderField> fields, FieldsOf of,
                                               MimePart& part);

} // namespace midcom::sip
