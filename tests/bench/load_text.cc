// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/load_text.h"

#include <algorithm>
#include <charconv>

namespace midcom::bench {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_name(std::string_view text, std::string_view name) {
  return std::ranges::equal(text, name, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

void split_values(std::string_view list, std::vector<std::string_view>& out) {
  bool in_angle = false, in_quotes = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"')
      in_quotes = !in_quotes;
    else if (list[i] == '<' && !in_quotes)
      in_angle = true;
    else if (list[i] == '>' && !in_quotes)
      in_angle = false;
    else if (list[i] == ',' && !in_angle && !in_quotes) {
      out.push_back(trimmed(list.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  out.push_back(trimmed(list.substr(begin)));
}

bool read_start_line(std::string_view line, Text& text) {
  if (!line.starts_with("SIP/2.0 ")) {
    text.method = line.substr(0, line.find(' '));
    return line.ends_with(" SIP/2.0");
  }
  const std::string_view code = line.substr(8, 3);
  return std::from_chars(code.data(), code.data() + code.size(), text.status).ec == std::errc{};
}

void read_field(std::string_view name, std::string_view value, std::string_view line, Text& text) {
  if (is_name(name, "Via") || is_name(name, "v")) {
    text.via_lines.push_back(line);
  } else if (is_name(name, "Record-Route")) {
    text.record_route_lines.push_back(line);
    split_values(value, text.record_routes);
  } else if (is_name(name, "From") || is_name(name, "f")) {
    text.from = value;
  } else if (is_name(name, "To") || is_name(name, "t")) {
    text.to = value;
  } else if (is_name(name, "Call-ID") || is_name(name, "i")) {
    text.call_id = value;
  } else if (is_name(name, "CSeq")) {
    text.cseq = value;
  } else if (is_name(name, "Contact") || is_name(name, "m")) {
    text.contact = value;
  }
}

// The value of Content-Length within a header block; -1 when it isn't there.
long content_length(std::string_view headers) {
  std::size_t at = headers.find("\r\n");
  while (at != std::string_view::npos && at + 2 < headers.size()) {
    const std::size_t begin = at + 2;
    at = headers.find("\r\n", begin);
    const std::string_view line = headers.substr(begin, at - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, colon));
    if (!is_name(name, "Content-Length") && !is_name(name, "l")) continue;
    const std::string_view value = trimmed(line.substr(colon + 1));
    long size = -1;
    if (std::from_chars(value.data(), value.data() + value.size(), size).ec != std::errc{})
      return -1;
    return size;
  }
  return -1;
}

} // namespace

std::optional<Text> read_text(std::string_view message) {
  Text text;
  const std::size_t end = message.find("\r\n\r\n");
  const std::size_t first = message.find("\r\n");
  if (end == std::string_view::npos || !read_start_line(message.substr(0, first), text))
    return std::nullopt;
  text.body = message.substr(end + 4);
  for (std::size_t at = first + 2; at < end + 2;) {
    const std::size_t line_end = message.find("\r\n", at);
    const std::string_view line = message.substr(at, line_end - at);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    read_field(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)),
               message.substr(at, line_end + 2 - at), text);
    at = line_end + 2;
  }
  if (text.via_lines.empty() || text.from.empty() || text.to.empty() || text.call_id.empty())
    return std::nullopt;
  if (text.status != 0)
    text.method = text.cseq.substr(std::min(text.cseq.size(), text.cseq.find(' ') + 1));
  return text;
}

std::string_view uri_of(std::string_view name_addr) {
  const std::size_t open = name_addr.find('<');
  if (open == std::string_view::npos) return name_addr.substr(0, name_addr.find(';'));
  return name_addr.substr(open + 1, name_addr.find('>', open) - open - 1);
}

std::optional<std::string_view> TextStream::next() {
  std::string_view rest = std::string_view(buffer_).substr(start_);
  while (rest.starts_with("\r\n")) {
    rest.remove_prefix(2);
    start_ += 2;
  }
  const std::size_t end = rest.find("\r\n\r\n");
  if (end == std::string_view::npos || broken_) return std::nullopt;
  const long body = content_length(rest.substr(0, end + 2));
  if (body < 0 || body > 1000000) {
    broken_ = true;
    return std::nullopt;
  }
  const std::size_t size = end + 4 + static_cast<std::size_t>(body);
  if (rest.size() < size) return std::nullopt;
  start_ += size;
  return rest.substr(0, size);
}

void TextStream::forget() {
  if (start_ == buffer_.size())
    buffer_.clear();
  else
    buffer_.erase(0, start_);
  start_ = 0;
}

} // namespace midcom::bench
