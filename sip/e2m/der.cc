// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/der.h"

#include <algorithm>

namespace midcom::sip::e2m {
namespace {

constexpr std::size_t most_length_octets = 4;

std::uint8_t octet_at(std::string_view octets, std::size_t index) {
  return static_cast<std::uint8_t>(octets[index]);
}

bool is_constructed(DerTag tag) {
  return (tag & 0x20U) != 0;
}

// Universal and context-specific tags of low number. Of the universal types exactly SEQUENCE and
// SET are constructed: DER knows no strings in pieces.
bool is_allowed_tag(DerTag tag) {
  if ((tag & 0x1fU) == 0x1fU) return false;
  const unsigned tag_class = tag & 0xc0U;
  if (tag_class == 0x80U) return true;
  if (tag_class != 0) return false;
  if (is_constructed(tag)) return tag == der_sequence || tag == der_set;
  return tag != 0 && tag != (der_sequence & 0x1fU) && tag != (der_set & 0x1fU);
}

struct Extent {
  std::size_t header = 0;
  std::size_t content = 0;
};

Result<Extent> read_extent(std::string_view octets) {
  if (octets.size() < 2) return std::unexpected(Error::truncated);
  const std::uint8_t first = octet_at(octets, 1);
  if (first < 0x80U) return Extent{2, first};
  const std::size_t count = first & 0x7fU;
  if (count == 0) return std::unexpected(Error::malformed); // indefinite
  if (count > most_length_octets) return std::unexpected(Error::too_large);
  if (octets.size() < 2 + count) return std::unexpected(Error::truncated);
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i) length = length << 8U | octet_at(octets, 2 + i);
  const std::size_t least = count == 1 ? 0x80U : std::size_t{1} << (8 * (count - 1));
  if (length < least) return std::unexpected(Error::malformed);
  return Extent{2 + count, length};
}

Result<DerElement> read_first(std::string_view octets) {
  const auto extent = read_extent(octets);
  if (!extent) return std::unexpected(extent.error());
  const DerTag tag = octet_at(octets, 0);
  if (!is_allowed_tag(tag)) return std::unexpected(Error::malformed);
  if (extent->content > octets.size() - extent->header) return std::unexpected(Error::truncated);
  return DerElement{tag, octets.substr(extent->header, extent->content),
                    octets.substr(0, extent->header + extent->content)};
}

std::string write_header(DerTag tag, std::size_t length) {
  std::string header(1, static_cast<char>(tag));
  if (length < 0x80U) return header += static_cast<char>(length);
  std::string octets;
  for (std::size_t rest = length; rest > 0; rest >>= 8U)
    octets.insert(octets.begin(), static_cast<char>(rest & 0xffU));
  header += static_cast<char>(0x80U | octets.size());
  return header += octets;
}

} // namespace

bool DerReader::stands_at(DerTag tag) const {
  return !octets_.empty() && octet_at(octets_, 0) == tag;
}

Result<DerElement> DerReader::next() {
  const auto element = read_first(octets_);
  if (element) octets_.remove_prefix(element->whole.size());
  return element;
}

Result<std::string_view> DerReader::take(DerTag tag) {
  if (at_end()) return std::unexpected(Error::truncated);
  if (!stands_at(tag)) return std::unexpected(Error::malformed);
  const auto element = next();
  if (!element) return std::unexpected(element.error());
  return element->content;
}

Result<DerReader> DerReader::enter(DerTag tag) {
  const auto content = take(tag);
  if (!content) return std::unexpected(content.error());
  return DerReader(*content);
}

Result<std::uint32_t> DerReader::take_number(std::uint32_t maximum) {
  const auto content = take(der_integer);
  if (!content) return std::unexpected(content.error());
  if (content->empty() || content->size() > 5 || (octet_at(*content, 0) & 0x80U) != 0)
    return std::unexpected(Error::malformed);
  if (content->size() > 1 && octet_at(*content, 0) == 0 && (octet_at(*content, 1) & 0x80U) == 0)
    return std::unexpected(Error::malformed);
  std::uint64_t value = 0;
  for (const char octet : *content) value = value << 8U | static_cast<std::uint8_t>(octet);
  if (value > maximum) return std::unexpected(Error::malformed);
  return static_cast<std::uint32_t>(value);
}

Result<DerElement> read_single(std::string_view octets) {
  const auto element = read_first(octets);
  if (element && element->whole.size() != octets.size()) return std::unexpected(Error::malformed);
  return element;
}

Result<void> check_well_formed(std::string_view octets, std::size_t depth) {
  const auto outermost = read_single(octets);
  if (!outermost) return std::unexpected(outermost.error());
  if (!is_constructed(outermost->tag)) return {};
  std::vector<DerReader> open{DerReader(outermost->content)};
  while (!open.empty()) {
    if (open.back().at_end()) {
      open.pop_back();
      continue;
    }
    const auto element = open.back().next();
    if (!element) return std::unexpected(element.error());
    if (!is_constructed(element->tag)) continue;
    if (open.size() >= depth) return std::unexpected(Error::too_deep);
    open.emplace_back(element->content);
  }
  return {};
}

std::string write_der(DerTag tag, std::initializer_list<std::string_view> contents) {
  std::size_t length = 0;
  for (const std::string_view content : contents) length += content.size();
  std::string written = write_header(tag, length);
  written.reserve(written.size() + length);
  for (const std::string_view content : contents) written += content;
  return written;
}

std::string write_der_number(std::uint32_t value) {
  std::string octets;
  do {
    octets.insert(octets.begin(), static_cast<char>(value & 0xffU));
    value >>= 8U;
  } while (value > 0);
  if ((octet_at(octets, 0) & 0x80U) != 0) octets.insert(octets.begin(), '\0');
  return write_der(der_integer, {octets});
}

std::string write_der_set(DerTag tag, std::vector<std::string> members) {
  // As octets, not as char; std::string compares by char_traits, which is unsigned.
  std::sort(members.begin(), members.end());
  std::string content;
  for (const std::string& member : members) content += member;
  return write_der(tag, {content});
}

} // namespace midcom::sip::e2m
