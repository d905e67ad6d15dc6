// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/mime_writer.h"

#include <algorithm>

#include "sip/cursor.h"

namespace midcom::sip {
namespace {

constexpr std::size_t most_boundary_octets = 70; // RFC 2046 5.1.1

void append_field(std::string& lines, std::string_view name, std::string_view value) {
  if (!value.empty()) lines.append(name).append(": ").append(value).append("\r\n");
}

bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= most_boundary_octets &&
         std::ranges::all_of(text, [](char c) { return alnum_chars.has(c); });
}

} // namespace

std::string write_content_fields(const MimeEntity& entity) {
  std::string lines;
  append_field(lines, "Content-Type", entity.content_type);
  if (!entity.content_id.empty()) append_field(lines, "Content-ID", "<" + entity.content_id + ">");
  append_field(lines, "Content-Disposition", entity.disposition);
  append_field(lines, "Content-Transfer-Encoding", entity.encoding);
  return lines + entity.other_lines;
}

std::string write_entity(const MimeEntity& entity) {
  return write_content_fields(entity) + "\r\n" + entity.body;
}

Result<MimeEntity> write_multipart(std::string_view subtype, std::span<const std::string> parts,
                                   std::string_view boundary) {
  if (!is_boundary(boundary) || parts.empty()) return std::unexpected(Error::bad_boundary);
  const std::string dashed = "--" + std::string(boundary);
  MimeEntity multipart;
  multipart.content_type.append("multipart/").append(subtype).append("; boundary=");
  multipart.content_type.append(boundary);
  for (const std::string& part : parts) {
    if (part.contains(dashed)) return std::unexpected(Error::bad_boundary);
    multipart.body.append(dashed).append("\r\n").append(part).append("\r\n");
  }
  multipart.body.append(dashed).append("--\r\n");
  return multipart;
}

} // namespace midcom::sip
