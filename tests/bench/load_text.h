// SPDX-License-Identifier: GPL-3.0-or-later
// As much reading of SIP as a load generator needs, and no more: its peer is a proxy under test
// that forwards the generator's own messages.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace midcom::bench {

// Views into the message it was read from.
struct Text {
  int status = 0;          // 0: a request
  std::string_view method; // of the request, or from CSeq
  std::string_view from, to, call_id, cseq, contact, body;
  std::vector<std::string_view> via_lines;          // with CRLF
  std::vector<std::string_view> record_route_lines; // with CRLF
  std::vector<std::string_view> record_routes;      // single values, in order
};

// Nothing when an essential header is missing.
[[nodiscard]] std::optional<Text> read_text(std::string_view message);
// What is between < and >, else the value up to a parameter.
[[nodiscard]] std::string_view uri_of(std::string_view name_addr);

// Cuts a stream by Content-Length.
class TextStream {
public:
  void append(const char* data, std::size_t size) { buffer_.append(data, size); }
  // The next whole message; the view holds until append() or forget().
  [[nodiscard]] std::optional<std::string_view> next();
  // Drops what next() has given out.
  void forget();
  [[nodiscard]] bool is_broken() const { return broken_; }

private:
  std::string buffer_;
  std::size_t start_ = 0;
  bool broken_ = false;
};

} // namespace midcom::bench
