// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sdp_keys.h"

#include <algorithm>
#include <array>
#include <optional>

#include "sip/cursor.h"
#include "sip/header_name.h"
#include "sip/sdp.h"

namespace midcom::sip {
namespace {

struct Line {
  std::string_view text; // without its end
  std::string_view end;  // CRLF, LF, CR or nothing
};

// The next line of `rest`, which is not empty.
Line take_line(std::string_view& rest) {
  const std::size_t size = std::min(rest.find_first_of("\r\n"), rest.size());
  std::string_view end = rest.substr(size, 1);
  if (rest.substr(size).starts_with("\r\n")) end = rest.substr(size, 2);
  const Line line{rest.substr(0, size), end};
  rest.remove_prefix(size + end.size());
  return line;
}

bool names_key(std::string_view attribute) {
  return iequals(attribute, "crypto") || iequals(attribute, "key-mgmt");
}

std::string_view name_of(std::string_view attribute) {
  return attribute.substr(0, attribute.find(':'));
}

// How much of an SDP line may be seen; nothing when it carries no key.
std::optional<std::size_t> size_before_key(std::string_view line) {
  if (line.size() < 2 || line[1] != '=') return std::nullopt;
  const char letter = to_lower(line[0]);
  if (letter == 'k') return 2;
  if (letter != 'a') return std::nullopt;
  const std::string_view name = name_of(line.substr(2));
  const std::size_t value = std::min(2 + name.size() + 1, line.size());
  if (names_key(name)) return value;
  if (!iequals(name, "acap")) return std::nullopt;
  const std::size_t space = line.find(' ', value);
  if (space == std::string_view::npos || !names_key(name_of(line.substr(space + 1))))
    return std::nullopt;
  return value;
}

// What holds a key in a text that need not be SDP.
bool looks_like_key(std::string_view line) {
  static constexpr std::array<std::string_view, 4> words{
      "crypto:", "key-mgmt:", "inline:", "private key"};
  std::string lower(line);
  std::ranges::transform(lower, lower.begin(), to_lower);
  return trim(lower).starts_with("k=") ||
         std::ranges::any_of(words, [&](auto word) { return lower.contains(word); });
}

bool has_same_lines(std::string_view one, std::string_view other) {
  while (!one.empty() && !other.empty())
    if (take_line(one).text != take_line(other).text) return false;
  return one.empty() && other.empty();
}

} // namespace

Result<std::string> without_key_material(std::string_view sdp) {
  if (const auto parsed = Sdp::parse(sdp, {}); !parsed) return std::unexpected(parsed.error());
  std::string out;
  out.reserve(sdp.size());
  while (!sdp.empty()) {
    const Line line = take_line(sdp);
    if (!size_before_key(line.text)) out.append(line.text).append(line.end);
  }
  return out;
}

bool is_same_but_keys(std::string_view shared, std::string_view private_sdp) {
  const auto shared_alone = without_key_material(shared);
  const auto private_alone = without_key_material(private_sdp);
  return shared_alone && private_alone && shared_alone->size() == shared.size() &&
         has_same_lines(shared, *private_alone);
}

std::string with_keys_hidden(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Line line = take_line(text);
    if (const auto size = size_before_key(line.text))
      out.append(line.text.substr(0, *size)).append("[key]");
    else
      out.append(looks_like_key(line.text) ? "[key]" : line.text);
    out.append(line.end);
  }
  return out;
}

} // namespace midcom::sip
