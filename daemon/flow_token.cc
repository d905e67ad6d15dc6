// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/flow_token.h"

#include <array>
#include <optional>

#include <openssl/crypto.h>

#include "daemon/keyed_hash.h"

namespace midcom {
namespace {

constexpr std::size_t payload_size = 13;
constexpr std::size_t mac_size = 10;
using Octets = std::array<std::uint8_t, payload_size + mac_size>;

void put(Octets& octets, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    octets[at + i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
}

std::uint64_t get(const Octets& octets, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | octets[at + i];
  return value;
}

void seal(const KeyedHash& key, Octets& octets) {
  const std::string_view payload(reinterpret_cast<const char*>(octets.data()), payload_size);
  const Digest digest = keyed_hash(key, {"flow-token", payload});
  for (std::size_t i = 0; i < mac_size; ++i) octets[payload_size + i] = digest[i];
}

std::optional<Octets> from_hex(std::string_view text) {
  Octets octets{};
  if (text.size() != 2 * octets.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<unsigned>(c - 'a') + 10;
    else
      return std::nullopt;
    octets[i / 2] = static_cast<std::uint8_t>(static_cast<unsigned>(octets[i / 2]) << 4 | digit);
  }
  return octets;
}

} // namespace

std::string encode(const KeyedHash& key, const FlowToken& token) {
  Octets octets{};
  octets[0] = static_cast<std::uint8_t>(token.kind);
  put(octets, 1, token.value, 8);
  put(octets, 9, token.epoch, 4);
  seal(key, octets);
  return to_hex(octets.data(), octets.size());
}

std::expected<FlowToken, TokenError> decode_token(const KeyedHash& key, std::string_view user) {
  if (user.empty()) return std::unexpected(TokenError::absent);
  const auto octets = from_hex(user);
  if (!octets) return std::unexpected(TokenError::tampered);
  Octets expected = *octets;
  seal(key, expected);
  if (CRYPTO_memcmp(expected.data(), octets->data(), expected.size()) != 0)
    return std::unexpected(TokenError::tampered);
  const auto kind = static_cast<FlowToken::Kind>((*octets)[0]);
  if (kind != FlowToken::Kind::flow && kind != FlowToken::Kind::peer)
    return std::unexpected(TokenError::tampered);
  return FlowToken{kind, get(*octets, 1, 8), static_cast<std::uint32_t>(get(*octets, 9, 4))};
}

std::uint64_t peer_token_value(std::string_view peer_name) {
  std::uint64_t hash =
      14695981039346656037U; // FNV-1a: a name, not a secret; the token carries the MAC
  for (const char c : peer_name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
  return hash;
}

} // namespace midcom
