// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/message_parser.h"

#include <array>
#include <bitset>
#include <cstring>
#include <utility>

#include "sip/cursor.h"

namespace midcom::sip {
namespace {

bool is_control(char c) {
  const auto octet = static_cast<std::uint8_t>(c);
  return (octet < 0x20 && c != '\t') || octet == 0x7f;
}

// One physical line without its CRLF; moves `offset` past it.
Result<std::string_view> take_line(std::string_view bytes, std::size_t& offset) {
  const std::size_t end = bytes.find('\n', offset);
  if (end == std::string_view::npos) return std::unexpected(Error::truncated);
  if (end == offset || bytes[end - 1] != '\r') return std::unexpected(Error::control_character);
  const std::string_view line = bytes.substr(offset, end - 1 - offset);
  for (const char c : line)
    if (is_control(c)) return std::unexpected(Error::control_character);
  offset = end + 1;
  return line;
}

bool is_continuation(std::string_view bytes, std::size_t offset) {
  return offset < bytes.size() && (bytes[offset] == ' ' || bytes[offset] == '\t');
}

Result<HeaderField> read_field(std::string_view line) {
  Cursor cursor(line);
  HeaderField field;
  field.line = line;
  field.name = cursor.take_while(token_chars);
  if (field.name.empty() || !cursor.accept(':')) return std::unexpected(Error::syntax);
  field.value = trim(cursor.rest());
  field.id = header_name(field.name);
  return field;
}

// A field with its continuation lines (RFC 3261 7.3.1).
Result<HeaderField> take_field(std::string_view bytes, std::size_t& offset, std::size_t limit) {
  const std::size_t begin = offset;
  if (const auto line = take_line(bytes, offset); !line) return std::unexpected(line.error());
  while (is_continuation(bytes, offset)) {
    const auto more = take_line(bytes, offset);
    if (!more) return std::unexpected(more.error());
    // Some take such a line for the end of the header block.
    if (trim(*more).empty()) return std::unexpected(Error::syntax);
  }
  if (offset - begin > limit) return std::unexpected(Error::too_long);
  return read_field(bytes.substr(begin, offset - begin));
}

bool is_version(std::string_view text) {
  Cursor cursor(text);
  if (!iequals(text.substr(0, 4), "SIP/")) return false;
  cursor.rewind(4);
  return !cursor.take_while(digit_chars).empty() && cursor.accept('.') &&
         !cursor.take_while(digit_chars).empty() && cursor.at_end();
}

Result<void> check_version(std::string_view text) {
  if (!is_version(text)) return std::unexpected(Error::syntax);
  if (text.substr(4) != "2.0") return std::unexpected(Error::bad_version);
  return {};
}

// response-num of RFC 3262: 1..2^32-1.
bool is_response_number(std::string_view text) {
  const auto number = parse_number(text, UINT32_MAX);
  return number && *number != 0;
}

Result<void> check_rack(std::string_view value) {
  Cursor cursor(value);
  if (!is_response_number(cursor.take_while(digit_chars)) || !space_chars.has(cursor.peek()))
    return std::unexpected(Error::bad_number);
  cursor.skip_space();
  if (!parse_cseq(cursor.rest())) return std::unexpected(Error::bad_number);
  return {};
}

} // namespace

Result<FieldBlock> read_field_block(std::string_view bytes, const MessageLimits& limits) {
  FieldBlock block;
  std::size_t offset = 0;
  std::bitset<256> seen;
  block.fields.reserve(24);
  while (true) {
    if (bytes.substr(offset, 2) == "\r\n") break;
    const auto field = take_field(bytes, offset, limits.line);
    if (!field) return std::unexpected(field.error());
    if (offset > limits.headers) return std::unexpected(Error::too_long);
    if (block.fields.size() == limits.fields) return std::unexpected(Error::too_many);
    const auto id = static_cast<std::size_t>(field->id);
    if (seen[id] && is_single(field->id)) return std::unexpected(Error::duplicate_header);
    seen[id] = true;
    block.fields.push_back(*field);
  }
  block.size = offset + 2;
  if (block.size > limits.headers) return std::unexpected(Error::too_long);
  return block;
}

Result<HeaderBlock> read_header_block(std::string_view bytes, const MessageLimits& limits) {
  std::size_t offset = 0;
  const auto start = take_line(bytes, offset);
  if (!start) return std::unexpected(start.error());
  if (offset > limits.line || offset > limits.headers) return std::unexpected(Error::too_long);
  if (is_continuation(bytes, offset)) return std::unexpected(Error::syntax);
  MessageLimits rest = limits;
  rest.headers -= offset;
  auto block = read_field_block(bytes.substr(offset), rest);
  if (!block) return std::unexpected(block.error());
  return HeaderBlock{*start, std::move(block->fields), offset + block->size};
}

bool is_call_id(std::string_view text) {
  static constexpr CharSet word_chars(token_chars, "()<>:\\\"/[]?{}");
  Cursor cursor(text);
  if (cursor.take_while(word_chars).empty()) return false;
  if (cursor.accept('@') && cursor.take_while(word_chars).empty()) return false;
  return cursor.at_end();
}

Result<CSeq> parse_cseq(std::string_view value) {
  static constexpr std::uint64_t maximum = (1ULL << 31) - 1;
  Cursor cursor(value);
  const auto number = parse_number(cursor.take_while(digit_chars), maximum);
  if (!number || !space_chars.has(cursor.peek())) return std::unexpected(Error::bad_cseq);
  cursor.skip_space();
  const std::string_view method = cursor.take_while(token_chars);
  if (method.empty() || !cursor.at_end()) return std::unexpected(Error::bad_cseq);
  return CSeq{static_cast<std::uint32_t>(*number), method};
}

Result<std::optional<std::size_t>> content_length(std::span<const HeaderField> fields,
                                                  const MessageLimits& limits) {
  for (const HeaderField& field : fields) {
    if (field.id != HeaderName::content_length) continue;
    const auto number = parse_number(field.value, UINT64_MAX);
    if (!number) return std::unexpected(Error::bad_content_length);
    if (*number > limits.body) return std::unexpected(Error::too_long);
    return std::optional<std::size_t>(static_cast<std::size_t>(*number));
  }
  return std::optional<std::size_t>{};
}

MessageParser::MessageParser(std::string bytes, Framing framing, const MessageLimits& limits)
    : message_(new Message), framing_(framing), limits_(limits) {
  message_->bytes_ = std::move(bytes);
}

Result<std::shared_ptr<const Message>> MessageParser::parse() {
  static constexpr std::array<Step, 8> steps{&MessageParser::read_fields,
                                             &MessageParser::read_start_line,
                                             &MessageParser::read_body,
                                             &MessageParser::read_vias,
                                             &MessageParser::read_dialog_identifiers,
                                             &MessageParser::read_cseq,
                                             &MessageParser::read_numbers,
                                             &MessageParser::check_addresses};
  for (const Step step : steps)
    if (const auto done = (this->*step)(); !done) return std::unexpected(done.error());
  return message_;
}

Result<void> MessageParser::read_fields() {
  if (message_->bytes_.size() > limits_.message) return std::unexpected(Error::too_long);
  auto block = read_header_block(message_->bytes_, limits_);
  if (!block) return std::unexpected(block.error());
  message_->start_line_ = block->start_line;
  message_->fields_ = std::move(block->fields);
  header_size_ = block->size;
  return {};
}

Result<void> MessageParser::read_start_line() {
  const std::string_view line = message_->start_line_;
  return iequals(line.substr(0, 4), "SIP/") ? read_status_line(line) : read_request_line(line);
}

// Method SP Request-URI SP SIP-Version, single spaces (RFC 3261 7.1).
Result<void> MessageParser::read_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return std::unexpected(Error::not_sip);
  const std::string_view version = line.substr(last + 1);
  if (version.starts_with("HTTP/")) return std::unexpected(Error::not_sip);
  if (const auto checked = check_version(version); !checked) return checked;
  Cursor method(line.substr(0, first));
  message_->method_ = method.take_while(token_chars);
  if (message_->method_.empty() || !method.at_end()) return std::unexpected(Error::syntax);
  const auto uri = Uri::parse(line.substr(first + 1, last - first - 1));
  if (!uri) return std::unexpected(uri.error());
  // RFC 3261 19.1.1, table 1: no headers in a Request-URI.
  if (!uri->headers.empty()) return std::unexpected(Error::bad_uri);
  message_->request_uri_ = *uri;
  return {};
}

Result<void> MessageParser::read_status_line(std::string_view line) {
  const std::string_view version = line.substr(0, line.find(' '));
  if (const auto checked = check_version(version); !checked) return checked;
  const std::string_view rest = line.substr(version.size());
  if (rest.size() < 5 || rest[4] != ' ') return std::unexpected(Error::syntax);
  const auto status = parse_number(rest.substr(1, 3), 699);
  if (!status || *status < 100) return std::unexpected(Error::bad_number);
  message_->status_ = static_cast<int>(*status);
  message_->reason_ = rest.substr(5);
  return {};
}

// RFC 3261 18.3.
Result<void> MessageParser::read_body() {
  const auto length = content_length(message_->fields_, limits_);
  if (!length) return std::unexpected(length.error());
  const std::size_t available = message_->bytes_.size() - header_size_;
  if (available > limits_.body && framing_ == Framing::stream)
    return std::unexpected(Error::too_long);
  std::size_t size = available;
  if (*length) {
    size = **length;
    if (size > available || (size < available && framing_ == Framing::stream))
      return std::unexpected(Error::bad_content_length);
    // Cutting never moves the bytes, so the views taken so far stay good.
    message_->bytes_.resize(header_size_ + size);
  } else if (framing_ == Framing::stream) {
    return std::unexpected(Error::missing_header);
  }
  if (size > limits_.body) return std::unexpected(Error::too_long);
  message_->body_ = std::string_view(message_->bytes_).substr(header_size_);
  return {};
}

Result<void> MessageParser::read_vias() {
  for (const HeaderField& field : message_->fields_) {
    if (field.id != HeaderName::via) continue;
    const auto values = split_list(field.value);
    if (!values) return std::unexpected(values.error());
    for (const std::string_view value : *values) {
      if (message_->vias_.size() == limits_.values) return std::unexpected(Error::too_many);
      const auto via = Via::parse(value);
      if (!via) return std::unexpected(via.error());
      message_->vias_.push_back(*via);
    }
  }
  if (message_->vias_.empty()) return std::unexpected(Error::missing_header);
  return {};
}

Result<void> MessageParser::read_dialog_identifiers() {
  const HeaderField* from = message_->first(HeaderName::from);
  const HeaderField* to = message_->first(HeaderName::to);
  const HeaderField* call_id = message_->first(HeaderName::call_id);
  if (from == nullptr || to == nullptr || call_id == nullptr)
    return std::unexpected(Error::missing_header);
  const auto from_address = NameAddr::parse(from->value);
  if (!from_address) return std::unexpected(from_address.error());
  const auto to_address = NameAddr::parse(to->value);
  if (!to_address) return std::unexpected(to_address.error());
  if (from_address->is_star || to_address->is_star) return std::unexpected(Error::syntax);
  if (!is_call_id(call_id->value)) return std::unexpected(Error::syntax);
  message_->from_ = *from_address;
  message_->to_ = *to_address;
  message_->call_id_ = call_id->value;
  return {};
}

Result<void> MessageParser::read_cseq() {
  const HeaderField* field = message_->first(HeaderName::cseq);
  if (field == nullptr) return std::unexpected(Error::missing_header);
  const auto cseq = parse_cseq(field->value);
  if (!cseq) return std::unexpected(cseq.error());
  if (message_->is_request() && cseq->method != message_->method_)
    return std::unexpected(Error::bad_cseq);
  message_->cseq_ = *cseq;
  return {};
}

Result<void> MessageParser::read_numbers() {
  if (const HeaderField* field = message_->first(HeaderName::max_forwards)) {
    const auto number = parse_number(field->value, 255);
    if (!number) return std::unexpected(number.error());
    message_->max_forwards_ = static_cast<std::uint32_t>(*number);
  }
  if (const HeaderField* field = message_->first(HeaderName::rseq))
    if (!is_response_number(field->value)) return std::unexpected(Error::bad_number);
  if (const HeaderField* field = message_->first(HeaderName::rack)) return check_rack(field->value);
  return {};
}

// What the proxy routes by must be readable: Route, Record-Route, Path and Contact.
Result<void> MessageParser::check_addresses() {
  std::size_t routed = message_->vias_.size(), contacts = 0, paths = 0;
  for (const HeaderField& field : message_->fields_) {
    const bool is_contact = field.id == HeaderName::contact;
    const bool is_path = field.id == HeaderName::path;
    const bool is_route = field.id == HeaderName::route || field.id == HeaderName::record_route;
    if (!is_contact && !is_path && !is_route) continue;
    std::size_t& count = is_contact ? contacts : is_path ? paths : routed;
    const auto values = split_list(field.value);
    if (!values) return std::unexpected(values.error());
    count += values->size();
    if (count > limits_.values) return std::unexpected(Error::too_many);
    for (const std::string_view value : *values) {
      const auto address = NameAddr::parse(value);
      if (!address) return std::unexpected(address.error());
      if (is_contact) continue;
      // Only name-addr, always with brackets.
      if (address->is_star || value.find('<') == std::string_view::npos)
        return std::unexpected(Error::syntax);
    }
  }
  return {};
}

} // namespace midcom::sip
