// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/mime.h"

#include <algorithm>

#include "sip/content_fields.h"
#include "sip/cursor.h"
#include "sip/message_parser.h"

namespace midcom::sip {
namespace {

constexpr std::size_t longest_boundary = 70; // RFC 2046 5.1.1

bool is_boundary(std::string_view text) {
  static constexpr CharSet boundary_chars(alnum_chars, "'()+_,-./:=? ");
  return !text.empty() && text.size() <= longest_boundary && text.back() != ' ' &&
         std::ranges::all_of(text, [](char c) { return boundary_chars.has(c); });
}

struct Delimiter {
  std::size_t end = 0; // behind its line
  bool is_close = false;
};

// Is what stands at `at`, "--" and the boundary, a delimiter line?
std::optional<Delimiter> delimiter_at(std::string_view body, std::size_t at, std::size_t size) {
  if (at != 0 && (at < 2 || body.substr(at - 2, 2) != "\r\n")) return std::nullopt;
  std::string_view rest = body.substr(at + size);
  Delimiter delimiter;
  if (rest.starts_with("--")) {
    delimiter.is_close = true;
    rest.remove_prefix(2);
    if (rest.empty()) return delimiter;
  }
  if (!rest.starts_with("\r\n")) return std::nullopt;
  delimiter.end = body.size() - rest.size() + 2;
  return delimiter;
}

// The entities between the delimiter lines, `most` of them or Error::too_many. The CRLF before a
// delimiter line belongs to it.
Result<std::vector<std::string_view>> split_body(std::string_view body, std::string_view boundary,
                                                 std::size_t most) {
  const std::string dashed = "--" + std::string(boundary);
  std::vector<std::string_view> entities;
  std::optional<std::size_t> begin;
  bool is_closed = false;
  for (std::size_t at = body.find(dashed); at != std::string_view::npos;
       at = body.find(dashed, at + dashed.size())) {
    const auto delimiter = delimiter_at(body, at, dashed.size());
    if (!delimiter || is_closed) return std::unexpected(Error::bad_boundary);
    if (begin) {
      if (at < *begin + 2) return std::unexpected(Error::bad_boundary);
      if (entities.size() == most) return std::unexpected(Error::too_many);
      entities.push_back(body.substr(*begin, at - 2 - *begin));
    } else if (delimiter->is_close) {
      return std::unexpected(Error::bad_boundary); // a multipart has a part
    }
    is_closed = delimiter->is_close;
    begin = delimiter->end;
  }
  if (!is_closed) return std::unexpected(Error::truncated);
  return entities;
}

class MimeReader {
public:
  explicit MimeReader(const MimeLimits& limits) : limits_(limits) {}
  // `outer` is the multipart the entity lies in; nullptr for a root.
  Result<MimePart> read_entity(std::string_view entity, const MimePart* outer);
  // `part` has its fields and its body.
  Result<void> read_parts(MimePart& part);

private:
  Result<std::string_view> read_fields(std::string_view entity, MimePart& part) const;
  Result<void> open_boundary(std::string_view boundary);
  [[nodiscard]] bool counts_own_handling(const MimePart& outer) const;

  MimeLimits limits_;
  std::size_t count_ = 0;
  std::vector<std::string> boundaries_; // of the multiparts that hold what is read
};

// Returns the body behind the header block.
Result<std::string_view> MimeReader::read_fields(std::string_view entity, MimePart& part) const {
  MessageLimits limits;
  limits.headers = limits.line = limits_.header_block;
  limits.fields = limits_.fields;
  const auto block = read_field_block(entity.substr(0, limits_.header_block), limits);
  if (!block) {
    const bool is_cut = block.error() == Error::truncated && entity.size() > limits_.header_block;
    return std::unexpected(is_cut ? Error::too_long : block.error());
  }
  const std::string_view body = entity.substr(block->size);
  limits.body = body.size();
  const auto length = content_length(block->fields, limits);
  if (!length || length->value_or(body.size()) != body.size())
    return std::unexpected(Error::bad_content_length);
  const auto read = read_content_fields(block->fields, FieldsOf::part, part);
  if (!read) return std::unexpected(read.error());
  return body;
}

// RFC 5621 8.2, 8.3.
bool MimeReader::counts_own_handling(const MimePart& outer) const {
  return boundaries_.size() == 1 && outer.subtype != "alternative" && outer.subtype != "signed";
}

Result<MimePart> MimeReader::read_entity(std::string_view entity, const MimePart* outer) {
  const bool is_digested = outer != nullptr && outer->subtype == "digest"; // RFC 2046 5.1.5
  MimePart part;
  part.entity = entity;
  part.type = is_digested ? "message" : "text";
  part.subtype = is_digested ? "rfc822" : "plain";
  const auto body = read_fields(entity, part);
  if (!body) return std::unexpected(body.error());
  part.body = *body;
  if (outer != nullptr && !counts_own_handling(*outer)) part.handling = outer->handling;
  if (const auto read = read_parts(part); !read) return std::unexpected(read.error());
  return part;
}

Result<void> MimeReader::open_boundary(std::string_view boundary) {
  if (!is_boundary(boundary)) return std::unexpected(Error::bad_boundary);
  for (const std::string& outer : boundaries_)
    if (outer.starts_with(boundary) || boundary.starts_with(outer))
      return std::unexpected(Error::bad_boundary);
  if (boundaries_.size() == limits_.depth) return std::unexpected(Error::too_deep);
  boundaries_.emplace_back(boundary);
  return {};
}

Result<void> MimeReader::read_parts(MimePart& part) {
  if (!part.is_multipart()) return {};
  // RFC 2045 6.4: only what is no multipart may be encoded.
  if (part.encoding != TransferEncoding::identity) return std::unexpected(Error::bad_encoding);
  if (part.has_content_encoding) return std::unexpected(Error::unsupported);
  const std::string_view boundary = part.parameter("boundary").value_or(std::string_view{});
  if (const auto opened = open_boundary(boundary); !opened) return opened;
  const auto entities = split_body(part.body, boundary, limits_.parts - count_);
  if (!entities) return std::unexpected(entities.error());
  if (part.subtype == "signed" && entities->size() != 2) // RFC 1847 2.1
    return std::unexpected(Error::mismatch);
  count_ += entities->size();
  for (const std::string_view entity : *entities) {
    auto inner = read_entity(entity, &part);
    if (!inner) return std::unexpected(inner.error());
    part.parts.push_back(std::move(*inner));
  }
  boundaries_.pop_back();
  return {};
}

} // namespace

bool MimePart::is(std::string_view full_type, std::string_view full_subtype) const {
  return type == full_type && subtype == full_subtype;
}

std::optional<std::string_view> MimePart::parameter(std::string_view name) const {
  for (const MimeParameter& parameter : parameters)
    if (iequals(parameter.name, name)) return parameter.value;
  return std::nullopt;
}

Result<MimePart> parse_mime_body(const Message& message, const MimeLimits& limits) {
  if (message.body().size() > limits.octets) return std::unexpected(Error::too_long);
  MimePart root;
  root.body = message.body();
  const auto read = read_content_fields(message.fields(), FieldsOf::message, root);
  if (!read) return std::unexpected(read.error());
  if (root.type.empty() && !root.body.empty()) return std::unexpected(Error::missing_header);
  MimeReader reader(limits);
  if (const auto done = reader.read_parts(root); !done) return std::unexpected(done.error());
  return root;
}

Result<MimePart> parse_mime_entity(std::string_view entity, const MimeLimits& limits) {
  if (entity.size() > limits.octets) return std::unexpected(Error::too_long);
  return MimeReader(limits).read_entity(entity, nullptr);
}

} // namespace midcom::sip
