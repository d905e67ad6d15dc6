// SPDX-License-Identifier: GPL-3.0-or-later
// JSON as the control socket speaks it: a writer that escapes what could steer a terminal, and a
// strict reader for the other end. Numbers are whole and not negative.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace midcom {

// Commas are its own business. Between begin_object and end each value follows its key().
class JsonWriter {
public:
  JsonWriter& begin_object();
  JsonWriter& begin_array();
  JsonWriter& end(); // the innermost object or array
  JsonWriter& key(std::string_view key);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(bool truth);
  template <class Value>
  JsonWriter& member(std::string_view name, const Value& content) {
    return key(name).value(content);
  }
  [[nodiscard]] std::string finish() && { return std::move(text_); }

private:
  void separate();
  std::string text_;
  std::string closers_;
  bool is_first_ = true, is_after_key_ = false;
};

struct JsonValue {
  using Array = std::vector<JsonValue>;
  using Object = std::vector<std::pair<std::string, JsonValue>>;
  std::variant<std::monostate, bool, std::uint64_t, std::string, Array, Object> content;

  // What isn't there is null, and null is "", 0, false, without elements or members.
  [[nodiscard]] const JsonValue& operator[](std::string_view name) const;
  [[nodiscard]] std::string text() const; // of a string, a number or a truth value
  [[nodiscard]] std::uint64_t number() const;
  [[nodiscard]] bool is_true() const;
  [[nodiscard]] const Array& elements() const;
};

// The whole text is one value, nested at most 16 deep; else where it isn't.
[[nodiscard]] std::expected<JsonValue, std::size_t> parse_json(std::string_view text);

} // namespace midcom
