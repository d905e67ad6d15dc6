// SPDX-License-Identifier: GPL-3.0-or-later
// MIME bodies (RFC 2045, 2046, 1847) as SIP carries them (RFC 5621).
// Glossary: an *entity* is a header block, the empty line and a body; a *part* is an entity inside
// a multipart, or the *root* that holds all the others; a *delimiter line* is "--" and the boundary
// alone on a line, the last one with "--" after it.
//
// What another reader could cut in another way is refused. Beside what the grammar forbids:
// - the boundary with its two hyphens stands nowhere but in delimiter lines, neither as the
//   beginning of a longer line nor in mid-line nor after a bare LF;
// - white space after a boundary (RFC 2046 5.1.1 lets nobody write it);
// - boundaries of which one begins with the other, when one multipart lies in the other;
// - a part without its empty line; compact names of Content-* fields in a part; a Content-Length
//   in a part that isn't the part's; RFC 2231 forms of the parameters acted on.
// Preamble and epilogue are skipped, as they must be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/error.h"

namespace midcom::sip {

class Message;

struct MimeLimits {
  std::size_t octets = 65536;      // the body or entity as a whole
  std::size_t depth = 8;           // multiparts inside one another
  std::size_t parts = 32;          // in all, the root not counted
  std::size_t header_block = 8192; // of one entity
  std::size_t fields = 32;         // of one entity
};

enum class Handling : std::uint8_t { required, optional };
enum class TransferEncoding : std::uint8_t {
  identity /* 7bit, 8bit, binary */,
  base64,
  quoted_printable
};

struct MimeParameter {
  std::string name;  // lower case
  std::string value; // unquoted
};

// All views lie in the bytes given to the parse function.
struct MimePart {
  // Header block, empty line and body exactly as received, without the CRLF that belongs to the
  // next boundary: what a multipart/signed signature covers (RFC 1847 2.1). Empty for the root of a
  // SIP message.
  std::string_view entity;
  std::string_view body;                 // the transfer encoding still applied
  std::string type, subtype;             // lower case; both empty for a SIP message without a body
  std::vector<MimeParameter> parameters; // of Content-Type
  std::string_view content_id;           // without "<" and ">"
  std::string disposition;               // lower case; empty when absent
  // As it counts: the root's and its parts' own; deeper down, and inside multipart/alternative and
  // multipart/signed, that of the multipart (RFC 5621 8.2, 8.3). Absent or unknown is required.
  Handling handling = Handling::required;
  TransferEncoding encoding = TransferEncoding::identity;
  bool has_content_encoding = false; // Content-Encoding (gzip, ...) stands there: not undone here
  std::vector<MimePart> parts;       // of multipart/*

  [[nodiscard]] bool is(std::string_view full_type, std::string_view full_subtype) const;
  [[nodiscard]] bool is_multipart() const { return type == "multipart"; }
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

// The body of a SIP message; its header fields are the message's. The message must outlive the
// result. Error::missing_header for a body without Content-Type.
[[nodiscard]] Result<MimePart> parse_mime_body(const Message& message, const MimeLimits& limits);
// A body with a header block of its own, as it comes out of an envelope.
[[nodiscard]] Result<MimePart> parse_mime_entity(std::string_view entity, const MimeLimits& limits);

} // namespace midcom::sip
