// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of the gate. StreamFramer uses the first two, so that what it cuts and what
// Message::parse reads can't differ.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/message.h"

namespace midcom::sip {

struct FieldBlock {
  std::vector<HeaderField> fields;
  std::size_t size = 0; // up to and with the empty line
};

// Cuts header fields, up to the empty line that ends them: after a start line, at the head of a
// MIME part, in a sipfrag. Rejects control characters, bare CR or LF, a name that is no token or is
// not followed at once by the colon, a line that is nothing but white space, and single-valued
// headers that stand twice. Error::truncated when the empty line is not there. Of the limits
// `headers`, `line` and `fields` count.
[[nodiscard]] Result<FieldBlock> read_field_block(std::string_view bytes,
                                                  const MessageLimits& limits);

struct HeaderBlock {
  std::string_view start_line; // without CRLF
  std::vector<HeaderField> fields;
  std::size_t size = 0; // up to and with the empty line
};

// A start line and its field block.
[[nodiscard]] Result<HeaderBlock> read_header_block(std::string_view bytes,
                                                    const MessageLimits& limits);
// Content-Length: 1*DIGIT, at most `limits.body`. Empty when it is not there.
[[nodiscard]] Result<std::optional<std::size_t>> content_length(std::span<const HeaderField> fields,
                                                                const MessageLimits& limits);

[[nodiscard]] Result<CSeq> parse_cseq(std::string_view value);
// callid = word [ "@" word ] (RFC 3261 25.1).
[[nodiscard]] bool is_call_id(std::string_view text);

class MessageParser {
public:
  MessageParser(std::string bytes, Framing framing, const MessageLimits& limits);
  [[nodiscard]] Result<std::shared_ptr<const Message>> parse();
  [[nodiscard]] std::string take_bytes() { return std::move(message_->bytes_); } // after a failure

private:
  using Step = Result<void> (MessageParser::*)();
  Result<void> read_fields();
  Result<void> read_start_line();
  Result<void> read_request_line(std::string_view line);
  Result<void> read_status_line(std::string_view line);
  Result<void> read_body();
  Result<void> read_vias();
  Result<void> read_dialog_identifiers();
  Result<void> read_cseq();
  Result<void> read_numbers();
  Result<void> check_addresses();

  std::shared_ptr<Message> message_;
  Framing framing_;
  MessageLimits limits_;
  std::size_t header_size_ = 0;
};

} // namespace midcom::sip
