// SPDX-License-Identifier: GPL-3.0-or-later
// MIME entities written, as mime.h reads them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sip/error.h"

namespace midcom::sip {

// Header fields by their values, each left out when it is empty.
struct MimeEntity {
  std::string content_type = {};
  std::string content_id = {}; // without "<" and ">"
  std::string disposition = {};
  std::string encoding = {};    // Content-Transfer-Encoding; the body has it applied
  std::string other_lines = {}; // further Content-* field lines, each with its CRLF
  std::string body = {};
};

// The Content-* field lines, each with its CRLF.
[[nodiscard]] std::string write_content_fields(const MimeEntity& entity);
// Field lines, empty line, body: one part of a multipart, or what is signed or sealed.
[[nodiscard]] std::string write_entity(const MimeEntity& entity);

// The multipart of these parts, octet by octet. `subtype` may have parameters: "mixed",
// "signed; protocol=...". Error::bad_boundary when the boundary is none or stands in a part.
[[nodiscard]] Result<MimeEntity> write_multipart(std::string_view subtype,
                                                 std::span<const std::string> parts,
                                                 std::string_view boundary);

} // namespace midcom::sip
