// SPDX-License-Identifier: GPL-3.0-or-later
// Every decision falls at a position of the stream, never at the end of a segment, so that the
// outcomes do not depend on how the bytes arrived. No byte is scanned twice but by the parse of the
// complete header block.
#include "sip/stream_framer.h"

#include <algorithm>
#include <utility>

#include "sip/cursor.h"
#include "sip/message_parser.h"

namespace midcom::sip {
namespace {

constexpr std::size_t compact_above = 4096;

// Ends in " SIP/x.y": a Request-Line of some version of SIP (RFC 3261 7.1).
bool ends_in_version(std::string_view line) {
  const std::size_t space = line.rfind(' ');
  return space != std::string_view::npos && iequals(line.substr(space + 1, 4), "SIP/") &&
         line.find_first_not_of("0123456789.", space + 5) == std::string_view::npos;
}

bool may_stand_in_start_line(char c) {
  const auto octet = static_cast<std::uint8_t>(c);
  return (octet >= 0x20 && octet != 0x7f) || c == '\t';
}

} // namespace

void StreamFramer::append(std::string_view bytes) {
  if (error_) return;
  const bool is_spent = start_ == buffer_.size();
  if (is_spent || (start_ > compact_above && start_ > buffer_.size() / 2)) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    line_ -= start_;
    start_ = 0;
  }
  buffer_.append(bytes);
}

StreamFramer::Outcome StreamFramer::next() {
  if (error_) return Broken{*error_, {}};
  if (frame_size_ == 0) {
    if (auto between = read_line_ends()) return std::move(*between);
    if (auto broken = read_lines()) return std::move(*broken);
  }
  if (frame_size_ == 0 || buffered() < frame_size_) return NeedMore{};
  return take_frame();
}

StreamFramer::Frame StreamFramer::take_frame() {
  const std::size_t size = frame_size_;
  if (start_ == 0 && size == buffer_.size()) {
    Frame whole{std::exchange(buffer_, {})};
    begin_message();
    return whole;
  }
  Frame frame{buffer_.substr(start_, size)};
  start_ += size;
  begin_message();
  return frame;
}

// CRLFs between messages (RFC 5626 3.5.1, RFC 3261 7.5). A CRLF is kept in mind, not in the buffer,
// until it is known whether another one follows.
std::optional<StreamFramer::Outcome> StreamFramer::read_line_ends() {
  if (scanned_ > start_) return std::nullopt;
  while (buffered() > 0 && buffer_[start_] == '\r') {
    if (buffered() == 1) return NeedMore{};
    if (buffer_[start_ + 1] != '\n') return break_off(Error::not_sip);
    start_ += 2;
    begin_message();
    after_line_end_ = !after_line_end_;
    if (!after_line_end_) return KeepAlive{};
  }
  if (buffered() > 0 && std::exchange(after_line_end_, false)) return Pong{};
  return std::nullopt;
}

// Lines up to the empty one, each as soon as it is there.
std::optional<StreamFramer::Broken> StreamFramer::read_lines() {
  if (auto broken = read_first_line()) return broken;
  while (first_line_ == FirstLine::complete && frame_size_ == 0) {
    const std::size_t newline = buffer_.find('\n', scanned_);
    const bool is_complete = newline != std::string::npos;
    const std::size_t end = is_complete ? newline + 1 : buffer_.size();
    if (end - line_ > limits_.line || end - start_ > limits_.headers)
      return break_off(Error::too_long);
    scanned_ = end;
    if (!is_complete) return std::nullopt;
    if (newline == line_ || buffer_[newline - 1] != '\r')
      return break_off(Error::control_character);
    const bool is_empty = newline - line_ == 1;
    line_ = end;
    if (is_empty) return read_header(end - start_);
  }
  return std::nullopt;
}

// One byte after the other: the first wrong one ends it.
std::optional<StreamFramer::Broken> StreamFramer::read_first_line() {
  while (first_line_ != FirstLine::complete && scanned_ < buffer_.size()) {
    if (scanned_ - start_ >= std::min(limits_.line, limits_.headers))
      return break_off(Error::too_long);
    if (!read_first_line_byte(buffer_[scanned_])) return break_off(Error::not_sip);
    ++scanned_;
  }
  if (first_line_ == FirstLine::complete && line_ == start_) line_ = scanned_;
  return std::nullopt;
}

bool StreamFramer::read_first_line_byte(char c) {
  const std::string_view before = std::string_view(buffer_).substr(start_, scanned_ - start_);
  switch (first_line_) {
  case FirstLine::token:
    if (token_chars.has(c)) return true;
    first_line_ = c == ' ' ? FirstLine::space : FirstLine::rest;
    return !before.empty() && (c == ' ' || (c == '/' && iequals(before, "SIP")));
  case FirstLine::space:
    if (c == '/') return false; // the path of an HTTP request
    first_line_ = FirstLine::rest;
    [[fallthrough]];
  case FirstLine::rest:
    if (c == '\r') first_line_ = FirstLine::carriage_return;
    return c == '\r' || may_stand_in_start_line(c);
  case FirstLine::carriage_return:
    first_line_ = FirstLine::complete;
    return c == '\n' && (iequals(before.substr(0, 4), "SIP/") ||
                         ends_in_version(before.substr(0, before.size() - 1)));
  case FirstLine::complete:
    break;
  }
  return false;
}

// The header block is there: how long is the whole message?
std::optional<StreamFramer::Broken> StreamFramer::read_header(std::size_t size) {
  const std::string_view header = std::string_view(buffer_).substr(start_, size);
  const auto block = read_header_block(header, limits_);
  if (!block) return break_off(block.error(), header);
  const auto length = content_length(block->fields, limits_);
  if (!length) return break_off(length.error(), header);
  if (!*length) return break_off(Error::missing_header, header);
  if (size + **length > limits_.message) return break_off(Error::too_long, header);
  frame_size_ = size + **length;
  return std::nullopt;
}

StreamFramer::Broken StreamFramer::break_off(Error error, std::string_view rejected) {
  Broken broken{error, std::string(rejected)};
  error_ = error;
  buffer_.clear();
  start_ = 0;
  begin_message();
  return broken;
}

void StreamFramer::begin_message() {
  scanned_ = line_ = start_;
  first_line_ = FirstLine::token;
  frame_size_ = 0;
}

} // namespace midcom::sip
