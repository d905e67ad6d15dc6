// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/message.h"

#include <utility>

#include "sip/cursor.h"
#include "sip/message_parser.h"

namespace midcom::sip {
namespace {

// Values that are safe to give back: whole lines, no control characters but folds.
bool is_clean(std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    if ((octet < 0x20 && !space_chars.has(c)) || octet == 0x7f) return false;
  }
  return true;
}

// The next CRLF-ended field with its continuations; moves `offset` past it. Empty at the end.
std::string_view take_loose_field(std::string_view bytes, std::size_t& offset) {
  const std::size_t begin = offset;
  if (bytes.substr(offset, 2) == "\r\n") return {};
  do {
    const std::size_t end = bytes.find("\r\n", offset);
    if (end == std::string_view::npos) return {};
    offset = end + 2;
  } while (offset < bytes.size() && (bytes[offset] == ' ' || bytes[offset] == '\t'));
  return bytes.substr(begin, offset - begin);
}

// A CR or LF that is not part of a fold would let one field become two.
bool has_bare_line_end(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\r' && (i + 1 == line.size() || line[i + 1] != '\n')) return true;
    if (line[i] == '\n' && (i == 0 || line[i - 1] != '\r')) return true;
  }
  return false;
}

void salvage_field(std::string_view line, RejectedRequest& request) {
  if (!is_clean(line) || has_bare_line_end(line)) return;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view value = trim(line.substr(colon + 1));
  const HeaderName id = header_name(trim(line.substr(0, colon)));
  if (id == HeaderName::via) request.via_lines += line;
  std::string* target = id == HeaderName::from      ? &request.from
                        : id == HeaderName::to      ? &request.to
                        : id == HeaderName::call_id ? &request.call_id
                        : id == HeaderName::cseq    ? &request.cseq
                                                    : nullptr;
  if (target != nullptr && target->empty()) *target = value;
}

} // namespace

Result<std::shared_ptr<const Message>> Message::parse(std::string bytes, Framing framing,
                                                      const MessageLimits& limits,
                                                      std::string* rejected) {
  MessageParser parser(std::move(bytes), framing, limits);
  auto message = parser.parse();
  if (!message && rejected != nullptr) *rejected = parser.take_bytes();
  return message;
}

const HeaderField* Message::first(HeaderName name) const {
  for (const HeaderField& field : fields_)
    if (field.id == name) return &field;
  return nullptr;
}

const HeaderField* Message::first(std::string_view name) const {
  if (const HeaderName id = header_name(name); id != HeaderName::other) return first(id);
  for (const HeaderField& field : fields_)
    if (iequals(field.name, name)) return &field;
  return nullptr;
}

std::vector<std::string_view> Message::values(HeaderName name) const {
  std::vector<std::string_view> all;
  for (const HeaderField& field : fields_) {
    if (field.id != name || field.value.empty()) continue;
    if (const auto values = split_list(field.value))
      all.insert(all.end(), values->begin(), values->end());
    else
      all.push_back(field.value);
  }
  return all;
}

bool Message::has_token(HeaderName name, std::string_view token) const {
  for (const std::string_view value : values(name))
    if (iequals(value, token)) return true;
  return false;
}

std::string_view Message::content_type() const {
  const HeaderField* field = first(HeaderName::content_type);
  return field == nullptr ? std::string_view{}
                          : trim(field->value.substr(0, field->value.find(';')));
}

std::optional<RejectedRequest> salvage_request(std::string_view bytes) {
  std::size_t offset = bytes.find("\r\n");
  if (offset == std::string_view::npos) return std::nullopt;
  const std::string_view start = bytes.substr(0, offset);
  Cursor cursor(start);
  const std::string_view method = cursor.take_while(token_chars);
  if (method.empty() || !space_chars.has(cursor.peek())) return std::nullopt;
  if (const std::size_t version = start.find(" SIP/"); version == std::string_view::npos)
    return std::nullopt;
  offset += 2;
  RejectedRequest request;
  request.method = method;
  while (true) {
    const std::string_view line = take_loose_field(bytes, offset);
    if (line.empty()) return request;
    salvage_field(line, request);
  }
}

int status_for(Error error) {
  switch (error) {
  case Error::too_long:
  case Error::too_many:
    return 513; // Message Too Large
  case Error::bad_version:
    return 505;
  default:
    return 400;
  }
}

} // namespace midcom::sip
