// SPDX-License-Identifier: GPL-3.0-or-later
// Flow tokens (RFC 5626 5.2): the user part of our Path and Record-Route URIs. A token names either
// one flow (a phone's own connection) or a peer (reached by its next hop), and nobody else can make
// one.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "daemon/keyed_hash.h"
#include "daemon/network.h"

namespace midcom {

struct FlowToken {
  enum class Kind : std::uint8_t { flow = 'f', peer = 'p' };
  Kind kind = Kind::flow;
  // The flow's id, or a hash of the peer's name. Flow ids of a process are made unique over
  // restarts by `epoch`: a token of an earlier life is well formed but its flow is gone (430, not
  // 403).
  std::uint64_t value = 0;
  std::uint32_t epoch = 0;
  bool operator==(const FlowToken&) const = default;
};

enum class TokenError : std::uint8_t { absent, tampered };

// 1 + 8 + 4 octets and 10 of HMAC in lower-case hex: fit for a URI's user part.
[[nodiscard]] std::string encode(const KeyedHash& key, const FlowToken& token);
// absent: not in the form of a token at all (empty user part); tampered: anything else that fails.
[[nodiscard]] std::expected<FlowToken, TokenError> decode_token(const KeyedHash& key,
                                                                std::string_view user);

[[nodiscard]] std::uint64_t peer_token_value(std::string_view peer_name);

} // namespace midcom
