// SPDX-License-Identifier: GPL-3.0-or-later
// SIP text as the tests read and write it: deliberately simple and apart from sip/, so that a
// mistake of the library can't hide itself.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace midcom::scenario {

struct Wire {
  std::string start_line;
  std::vector<std::pair<std::string, std::string>> headers; // in order, as written
  std::string body;

  [[nodiscard]] static Wire parse(std::string_view bytes);
  // CRLF lines; Content-Length is added (last) unless it is there.
  [[nodiscard]] std::string to_bytes() const;

  [[nodiscard]] bool is_request() const { return !start_line.starts_with("SIP/2.0 "); }
  [[nodiscard]] std::string method() const; // of a request; of a response its CSeq's
  [[nodiscard]] int status() const;         // 0 for a request
  [[nodiscard]] std::string uri() const;    // Request-URI
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::string header(std::string_view name) const; // first line, "" when not there
  [[nodiscard]] std::vector<std::string> lines(std::string_view name) const;
  // Comma-separated values over all lines.
  [[nodiscard]] std::vector<std::string> values(std::string_view name) const;
  void add(std::string name, std::string value);
  void add_first(std::string name, std::string value);
  void set(std::string_view name, std::string value); // replaces the first or adds
  void remove(std::string_view name);                 // all
};

[[nodiscard]] bool same_word(std::string_view a, std::string_view b); // ASCII case-insensitive
[[nodiscard]] std::string trim(std::string_view text);
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);
[[nodiscard]] std::vector<std::string> split_values(std::string_view text);
// What stands in <...>, or the value up to the first ';'.
[[nodiscard]] std::string uri_of(std::string_view name_addr);
// Header parameter after the name-addr: "" when there is none.
[[nodiscard]] std::string parameter_of(std::string_view value, std::string_view name);

} // namespace midcom::scenario
