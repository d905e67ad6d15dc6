// SPDX-License-Identifier: GPL-3.0-or-later
// Keyed hashes (HMAC-SHA256, cut) over length-prefixed fields: no two different lists of fields
// give the same input.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/secrets.h"
#include "pinhole/request.h"

struct evp_mac_ctx_st;

namespace midcom {

using Digest = std::array<std::uint8_t, 32>;

// A key made ready for many hashes: setting one up costs four times the hash of a short input.
// Not for use from several threads.
class KeyedHash {
public:
  KeyedHash(const SecretKey& key); // implicit: a key stands for its hash
  ~KeyedHash();
  KeyedHash(KeyedHash&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;
  [[nodiscard]] Digest of(std::string_view input) const;

private:
  evp_mac_ctx_st* context_;
};

struct KeyedSecrets {
  explicit KeyedSecrets(const Secrets& secrets)
      : flow_token(secrets.flow_token), group(secrets.group), identity(secrets.identity),
        tag(secrets.tag) {}
  KeyedHash flow_token, group, identity, tag;
};

[[nodiscard]] Digest keyed_hash(const KeyedHash& key,
                                std::initializer_list<std::string_view> fields);

// The group of one dialog: order of the tags doesn't matter, so that either side's request finds
// it.
[[nodiscard]] pinhole::GroupId group_id(const KeyedHash& key, std::string_view call_id,
                                        std::string_view tag, std::string_view other_tag);
// All 0 for an empty identity.
[[nodiscard]] pinhole::Identity hashed_identity(const KeyedHash& key, std::string_view identity);

[[nodiscard]] std::string to_hex(const std::uint8_t* octets, std::size_t size);

} // namespace midcom
