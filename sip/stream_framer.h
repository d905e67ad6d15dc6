// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sip/error.h"
#include "sip/message.h"

namespace midcom::sip {

// Cuts a byte stream into messages by Content-Length alone (RFC 3261 18.3), whatever its
// segmentation. Grows only with bytes received. After an Error the stream can't be trusted: close
// it.
class StreamFramer {
public:
  explicit StreamFramer(MessageLimits limits) : limits_(limits) {}

  struct NeedMore {};
  struct KeepAlive {}; // CRLF CRLF between messages: answer one CRLF (RFC 5626 3.5.1)
  struct Pong {};      // a single CRLF between messages; told when the byte after it is there
  struct Frame {
    std::string bytes;
  };
  // `rejected` holds the header block when it was complete, so that an answer can be made.
  struct Broken {
    Error error;
    std::string rejected;
  };
  using Outcome = std::variant<NeedMore, KeepAlive, Pong, Frame, Broken>;

  void append(std::string_view bytes);
  // Call until NeedMore or Broken. The first bytes of each message must begin like SIP: a token and
  // a space, then a URI scheme or "SIP/2.0" by the end of the first line; anything else is
  // Broken{not_sip} as soon as it is certain (an HTTP request line is certain at its end, a TLS
  // record or a NUL at its first byte).
  [[nodiscard]] Outcome next();
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - start_; }

private:
  // What the next byte of the first line must be.
  enum class FirstLine : std::uint8_t { token, space, rest, carriage_return, complete };

  [[nodiscard]] std::optional<Outcome> read_line_ends();
  [[nodiscard]] std::optional<Broken> read_lines();
  [[nodiscard]] std::optional<Broken> read_first_line();
  [[nodiscard]] bool read_first_line_byte(char c);
  [[nodiscard]] std::optional<Broken> read_header(std::size_t size);
  [[nodiscard]] Frame take_frame();
  [[nodiscard]] Broken break_off(Error error, std::string_view rejected = {});
  void begin_message();

  MessageLimits limits_;
  std::string buffer_;
  std::size_t start_ = 0;      // first byte not yet given out
  std::size_t scanned_ = 0;    // bytes before it have been looked at
  std::size_t line_ = 0;       // where the line now read begins
  std::size_t frame_size_ = 0; // of the message at start_, 0 until its header block is there
  FirstLine first_line_ = FirstLine::token;
  bool after_line_end_ = false; // a CRLF between messages was taken, its like may follow
  std::optional<Error> error_;
};

} // namespace midcom::sip
