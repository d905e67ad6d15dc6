// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/log_format.h"

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <syslog.h>

namespace midcom {

namespace {

constexpr std::size_t value_limit = 2048;

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0; // octets; 0: not UTF-8
};

std::uint32_t continuation(std::string_view text, std::size_t index) {
  if (index >= text.size()) return 0x80000000U;
  const auto octet = static_cast<unsigned char>(text[index]);
  return (octet & 0xc0) == 0x80 ? octet & 0x3fU : 0x80000000U;
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint code_point(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return {};
  std::uint32_t value = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint32_t part = continuation(text, i);
    if (part > 0x3f) return {};
    value = (value << 6) | part;
  }
  const bool is_overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  if (is_overlong || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, size};
}

// Controls (C0, DEL, C1), line separators, and what reorders or hides text on a screen.
bool is_unsafe(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         c == 0x61c || (c >= 0xfff9 && c <= 0xfffb) || c >= 0xe0000;
}

void append_hex(std::string& out, std::uint32_t value, int digits) {
  static constexpr char hex[] = "0123456789abcdef";
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += hex[(value >> shift) & 15];
}

void append_unicode(std::string& out, std::uint32_t value) {
  if (value >= 0x10000) {
    const std::uint32_t rest = value - 0x10000;
    append_unicode(out, 0xd800 + (rest >> 10));
    value = 0xdc00 + (rest & 0x3ff);
  }
  out += "\\u";
  append_hex(out, value, 4);
}

enum class Style : std::uint8_t { logfmt, json };

void append_invalid(std::string& out, unsigned char octet, Style style) {
  if (style == Style::json) {
    append_unicode(out, 0xfffd);
    return;
  }
  out += "\\x";
  append_hex(out, octet, 2);
}

void append_escaped(std::string& out, std::string_view value, Style style) {
  std::string_view rest = value;
  while (!rest.empty()) {
    if (value.size() - rest.size() >= value_limit) {
      out += "...(" + std::to_string(rest.size()) + " more)";
      return;
    }
    const CodePoint point = code_point(rest);
    const char c = rest[0];
    if (point.size == 0) {
      append_invalid(out, static_cast<unsigned char>(c), style);
      rest.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_unsafe(point.value)) {
      append_unicode(out, point.value);
    } else {
      out += rest.substr(0, point.size);
    }
    rest.remove_prefix(point.size);
  }
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=') return true;
  }
  return false;
}

void append_json_pair(std::string& out, std::string_view key, std::string_view value) {
  out += ",\"";
  append_escaped(out, key, Style::json);
  out += "\":\"";
  append_escaped(out, value, Style::json);
  out += '"';
}

} // namespace

std::string_view to_string(Level level) {
  static constexpr std::string_view words[] = {"debug", "info", "notice", "warn", "error"};
  return words[static_cast<std::size_t>(level)];
}

int syslog_priority(Level level) {
  static constexpr int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR};
  return priorities[static_cast<std::size_t>(level)];
}

std::string time_text(LogTime time) {
  using namespace std::chrono;
  const auto count = duration_cast<microseconds>(time.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(count / 1000000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[24];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string result(text, size);
  const std::string fraction = std::to_string(count % 1000000);
  return result + "." + std::string(6 - fraction.size(), '0') + fraction + "Z";
}

std::string escaped(std::string_view value) {
  std::string result;
  append_escaped(result, value, Style::logfmt);
  return result;
}

std::string json_escaped(std::string_view value) {
  std::string result;
  append_escaped(result, value, Style::json);
  return result;
}

std::string to_logfmt(const Event& event, LogTime time) {
  std::string line = "ts=" + time_text(time);
  line.append(" lvl=").append(to_string(event.level()));
  line.append(" ev=").append(event.name()).append(" v=1");
  for (const auto& [key, value] : event.fields()) {
    line.append(" ").append(key).append("=");
    if (needs_quotes(value))
      line.append("\"").append(escaped(value)).append("\"");
    else
      append_escaped(line, value, Style::logfmt);
  }
  return line;
}

std::string to_json(const Event& event, LogTime time) {
  std::string line = "{\"ts\":\"" + time_text(time) + "\"";
  append_json_pair(line, "lvl", to_string(event.level()));
  append_json_pair(line, "ev", event.name());
  line += ",\"v\":1";
  for (const auto& [key, value] : event.fields()) append_json_pair(line, key, value);
  return line + "}";
}

} // namespace midcom
