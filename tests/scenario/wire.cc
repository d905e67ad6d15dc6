// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/wire.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace midcom::scenario {

namespace {

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

std::string long_name(std::string_view name) {
  static constexpr std::pair<char, std::string_view> compact[] = {
      {'v', "Via"},     {'f', "From"},           {'t', "To"},        {'i', "Call-ID"},
      {'m', "Contact"}, {'l', "Content-Length"}, {'k', "Supported"}, {'c', "Content-Type"}};
  if (name.size() == 1)
    for (const auto& [letter, full] : compact)
      if (lower(name[0]) == letter) return std::string(full);
  return std::string(name);
}

bool names(std::string_view field, std::string_view name) {
  return same_word(long_name(field), long_name(name));
}

} // namespace

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> split_values(std::string_view text) {
  std::vector<std::string> values;
  bool quoted = false;
  int angle = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (i < text.size() && c == '"' && (i == 0 || text[i - 1] != '\\')) quoted = !quoted;
    if (!quoted && c == '<') ++angle;
    if (!quoted && c == '>') --angle;
    if (i == text.size() || (c == ',' && !quoted && angle == 0)) {
      if (auto value = trim(text.substr(start, i - start)); !value.empty()) values.push_back(value);
      start = i + 1;
    }
  }
  return values;
}

std::string uri_of(std::string_view name_addr) {
  const auto open = name_addr.find('<');
  if (open == std::string_view::npos) return trim(name_addr.substr(0, name_addr.find(';')));
  return std::string(name_addr.substr(open + 1, name_addr.find('>', open) - open - 1));
}

std::string parameter_of(std::string_view value, std::string_view name) {
  const auto close = value.find('>');
  std::size_t at = close == std::string_view::npos ? 0 : close;
  while ((at = value.find(';', at)) != std::string_view::npos) {
    const auto end = value.find(';', at + 1);
    const auto part =
        trim(value.substr(at + 1, end == std::string_view::npos ? end : end - at - 1));
    const auto equals = part.find('=');
    if (same_word(trim(std::string_view(part).substr(0, equals)), name))
      return equals == std::string::npos ? std::string() : trim(part.substr(equals + 1));
    ++at;
  }
  return {};
}

Wire Wire::parse(std::string_view bytes) {
  Wire wire;
  const auto end = bytes.find("\r\n\r\n");
  std::string_view head = bytes.substr(0, end);
  if (end != std::string_view::npos) wire.body = std::string(bytes.substr(end + 4));
  bool first = true;
  while (!head.empty()) {
    const auto stop = head.find("\r\n");
    const auto line = head.substr(0, stop);
    head = stop == std::string_view::npos ? std::string_view() : head.substr(stop + 2);
    if (first) {
      wire.start_line = std::string(line);
      first = false;
    } else if (!line.empty() && (line[0] == ' ' || line[0] == '\t') && !wire.headers.empty()) {
      wire.headers.back().second += " " + trim(line);
    } else {
      const auto colon = line.find(':');
      wire.headers.emplace_back(trim(line.substr(0, colon)), colon == std::string_view::npos
                                                                 ? ""
                                                                 : trim(line.substr(colon + 1)));
    }
  }
  return wire;
}

std::string Wire::to_bytes() const {
  std::string out = start_line + "\r\n";
  for (const auto& [name, value] : headers)
    out.append(name).append(value.empty() ? ":" : ": ").append(value).append("\r\n");
  if (!has("Content-Length")) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return out + "\r\n" + body;
}

std::string Wire::method() const {
  if (is_request()) return start_line.substr(0, start_line.find(' '));
  const auto words = words_of(header("CSeq"));
  return words.size() > 1 ? words[1] : std::string();
}

int Wire::status() const {
  return is_request() || start_line.size() < 11 ? 0 : std::atoi(start_line.c_str() + 8);
}

std::string Wire::uri() const {
  const auto words = words_of(start_line);
  return is_request() && words.size() > 1 ? words[1] : std::string();
}

bool Wire::has(std::string_view name) const {
  return std::ranges::any_of(headers, [&](const auto& field) { return names(field.first, name); });
}

std::string Wire::header(std::string_view name) const {
  for (const auto& [field, value] : headers)
    if (names(field, name)) return value;
  return {};
}

std::vector<std::string> Wire::lines(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [field, value] : headers)
    if (names(field, name)) out.push_back(value);
  return out;
}

std::vector<std::string> Wire::values(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& line : lines(name))
    for (auto& value : split_values(line)) out.push_back(std::move(value));
  return out;
}

void Wire::add(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
}

void Wire::add_first(std::string name, std::string value) {
  headers.emplace(headers.begin(), std::move(name), std::move(value));
}

void Wire::set(std::string_view name, std::string value) {
  for (auto& [field, old] : headers)
    if (names(field, name)) {
      old = std::move(value);
      return;
    }
  add(std::string(name), std::move(value));
}

void Wire::remove(std::string_view name) {
  std::erase_if(headers, [&](const auto& field) { return names(field.first, name); });
}

} // namespace midcom::scenario
