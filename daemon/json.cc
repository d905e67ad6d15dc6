// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/json.h"

#include <charconv>
#include <optional>

#include "daemon/log_format.h"

namespace midcom {

void JsonWriter::separate() {
  if (!is_first_ && !is_after_key_) text_ += ',';
  is_first_ = is_after_key_ = false;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  text_ += '{';
  closers_ += '}';
  is_first_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  text_ += '[';
  closers_ += ']';
  is_first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end() {
  text_ += closers_.back();
  closers_.pop_back();
  is_first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view key) {
  value(key);
  text_ += ':';
  is_after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  text_.append("\"").append(json_escaped(text)).append("\"");
  return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  separate();
  text_ += std::to_string(number);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
  separate();
  text_ += truth ? "true" : "false";
  return *this;
}

namespace {

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t octet) { out += static_cast<char>(octet); };
  const auto tail = [&](unsigned shift) { put(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | (c >> 6));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    tail(6);
  } else {
    put(0xf0 | (c >> 18));
    tail(12);
    tail(6);
  }
  tail(0);
}

class Reader {
public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::expected<JsonValue, std::size_t> whole() {
    JsonValue result;
    if (!value(result, 16)) return std::unexpected(at_);
    skip_blanks();
    if (at_ != text_.size()) return std::unexpected(at_);
    return result;
  }

private:
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool value(JsonValue& out, int depth) {
    skip_blanks();
    switch (peek()) {
    case '{':
      return depth > 0 && object(out.content.emplace<JsonValue::Object>(), depth - 1);
    case '[':
      return depth > 0 && array(out.content.emplace<JsonValue::Array>(), depth - 1);
    case '"':
      return string(out.content.emplace<std::string>());
    case 't':
      out.content = true;
      return take("true");
    case 'f':
      out.content = false;
      return take("false");
    case 'n':
      return take("null");
    default:
      return number(out.content.emplace<std::uint64_t>());
    }
  }

  bool object(JsonValue::Object& out, int depth) {
    ++at_;
    skip_blanks();
    if (take("}")) return true;
    while (true) {
      skip_blanks();
      auto& [name, content] = out.emplace_back();
      if (!string(name)) return false;
      skip_blanks();
      if (!take(":") || !value(content, depth)) return false;
      skip_blanks();
      if (take("}")) return true;
      if (!take(",")) return false;
    }
  }

  bool array(JsonValue::Array& out, int depth) {
    ++at_;
    skip_blanks();
    if (take("]")) return true;
    while (true) {
      if (!value(out.emplace_back(), depth)) return false;
      skip_blanks();
      if (take("]")) return true;
      if (!take(",")) return false;
    }
  }

  bool number(std::uint64_t& out) {
    const char* const first = text_.data() + at_;
    const char* const last = text_.data() + text_.size();
    const auto [end, error] = std::from_chars(first, last, out);
    if (error != std::errc{} || (*first == '0' && end - first > 1)) return false;
    at_ += static_cast<std::size_t>(end - first);
    return true;
  }

  bool string(std::string& out) {
    if (!take("\"")) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return false;
      ++at_;
      if (c == '"') return true;
      if (c != '\\')
        out += c;
      else if (!escape(out))
        return false;
    }
    return false;
  }

  bool escape(std::string& out) {
    static constexpr std::string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    const std::size_t index = letters.find(peek());
    if (at_ < text_.size() && index != std::string_view::npos) {
      out += meant[index];
      ++at_;
      return true;
    }
    auto c = unit();
    if (!c) return false;
    if (*c >= 0xd800 && *c < 0xdc00) {
      const auto low = take("\\") ? unit() : std::nullopt;
      if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
      c = 0x10000 + ((*c - 0xd800) << 10) + (*low - 0xdc00);
    } else if (*c >= 0xdc00 && *c <= 0xdfff) {
      return false;
    }
    append_utf8(out, *c);
    return true;
  }

  std::optional<std::uint32_t> unit() { // "uXXXX"
    if (!take("u") || text_.size() - at_ < 4) return std::nullopt;
    std::uint32_t value = 0;
    const char* const first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, first + 4, value, 16);
    if (error != std::errc{} || end != first + 4) return std::nullopt;
    at_ += 4;
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

const JsonValue null;

} // namespace

const JsonValue& JsonValue::operator[](std::string_view name) const {
  if (const auto* object = std::get_if<Object>(&content)) {
    for (const auto& [key, value] : *object) {
      if (key == name) return value;
    }
  }
  return null;
}

std::string JsonValue::text() const {
  if (const auto* string = std::get_if<std::string>(&content)) return *string;
  if (const auto* number = std::get_if<std::uint64_t>(&content)) return std::to_string(*number);
  if (const auto* truth = std::get_if<bool>(&content)) return *truth ? "yes" : "no";
  return {};
}

std::uint64_t JsonValue::number() const {
  const auto* number = std::get_if<std::uint64_t>(&content);
  return number == nullptr ? 0 : *number;
}

bool JsonValue::is_true() const {
  const auto* truth = std::get_if<bool>(&content);
  return truth != nullptr && *truth;
}

const JsonValue::Array& JsonValue::elements() const {
  static const Array none;
  const auto* array = std::get_if<Array>(&content);
  return array == nullptr ? none : *array;
}

std::expected<JsonValue, std::size_t> parse_json(std::string_view text) {
  return Reader(text).whole();
}

} // namespace midcom
