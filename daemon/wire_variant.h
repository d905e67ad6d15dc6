// SPDX-License-Identifier: GPL-3.0-or-later
// A message as one of several alternatives: a kind octet, then the alternative's fields. The kind
// is the family's base plus the alternative's index; the families' ranges are apart, so that a
// reply sent where a request is awaited is an unknown kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/wire.h"

namespace midcom {

enum class KindBase : std::uint8_t {
  middlebox_request = 0x10,
  opener_request = 0x20,
  opener_reply = 0x30,
  middlebox_reply = 0x40,
  control = 0x80,
};

// `each(wire, alternative)` describes the fields of every alternative.
template <class Variant, class Each>
std::string encode_variant(const Variant& message, KindBase base, Each each) {
  WireWriter writer;
  writer.number(static_cast<std::uint8_t>(static_cast<std::size_t>(base) + message.index()));
  std::visit([&](const auto& alternative) { each(writer, alternative); }, message);
  return std::move(writer).finish();
}

template <class Variant, class Each, std::size_t index = 0>
std::expected<Variant, WireError> decode_alternative(WireReader& reader, std::size_t wanted,
                                                     Each each) {
  if constexpr (index == std::variant_size_v<Variant>) {
    return std::unexpected(WireError::unknown_kind);
  } else {
    if (index != wanted) return decode_alternative<Variant, Each, index + 1>(reader, wanted, each);
    std::variant_alternative_t<index, Variant> message{};
    each(reader, message);
    if (const auto error = reader.error()) return std::unexpected(*error);
    return Variant(std::in_place_index<index>, std::move(message));
  }
}

template <class Variant, class Each>
std::expected<Variant, WireError> decode_next(WireReader& reader, KindBase base, Each each) {
  std::uint8_t kind = 0;
  reader.number(kind);
  if (reader.has_failed()) return std::unexpected(WireError::truncated);
  // A kind below the base wraps to an index that no variant has.
  const std::size_t index = std::size_t{kind} - static_cast<std::size_t>(base);
  return decode_alternative<Variant>(reader, index, each);
}

template <class Variant, class Each>
std::expected<Variant, WireError> decode_variant(std::string_view bytes, KindBase base, Each each) {
  WireReader reader(bytes);
  auto message = decode_next<Variant>(reader, base, each);
  if (const auto error = reader.finish(); message && error) return std::unexpected(*error);
  return message;
}

// Messages one behind the other.
template <class Variant, class Each>
std::expected<std::vector<Variant>, WireError> decode_variants(std::string_view bytes,
                                                               KindBase base, Each each) {
  WireReader reader(bytes);
  std::vector<Variant> messages;
  while (!reader.is_at_end()) {
    auto message = decode_next<Variant>(reader, base, each);
    if (!message) return std::unexpected(message.error());
    messages.push_back(std::move(*message));
  }
  return messages;
}

} // namespace midcom
