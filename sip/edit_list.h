// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/message.h"

namespace midcom::sip {

// What to change in a message on its way out: (span, replacement) pairs, applied once. Bytes no
// edit names leave as they came. The body can't be edited.
class EditList {
public:
  explicit EditList(const Message& message) : message_(message) {}

  // `span` is a view into message.bytes(). An empty replacement erases.
  void replace(std::string_view span, std::string replacement);
  void insert_before(const char* position, std::string text);
  void erase(std::string_view span) { replace(span, {}); }

  // Composed edits for a proxy.
  // A line goes as a whole with its last value. Call once per header: values, not what is left of
  // them after earlier edits, are counted.
  void erase_first_values(HeaderName list_header, std::size_t count);
  void erase_first_value(HeaderName list_header) { erase_first_values(list_header, 1); }
  void insert_field_before(HeaderName anchor, std::string line); // before the first such field;
                                                                 // else as insert_first_field
  void insert_first_field(std::string line); // right after the start line. `line` ends in CRLF.
  void append_field(std::string line);       // after the last field. `line` ends in CRLF.

  // Edits in the order of their position; inserts at one position keep the order of calls.
  // Overlapping spans: Error::overlap. A span outside the header block: Error::outside.
  [[nodiscard]] Result<std::string> apply() const;

private:
  struct Edit {
    std::size_t offset, length;
    std::string text;
  };
  const Message& message_;
  std::vector<Edit> edits_;
  bool outside_ = false;
};

} // namespace midcom::sip
