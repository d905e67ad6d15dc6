// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/keyed_hash.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace midcom {
namespace {

void append_field(std::string& input, std::string_view field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (int shift = 24; shift >= 0; shift -= 8)
    input.push_back(static_cast<char>((size >> shift) & 0xffU));
  input.append(field);
}

template <std::size_t N>
std::array<std::uint8_t, N> cut(const Digest& digest) {
  static_assert(N <= 32);
  std::array<std::uint8_t, N> out{};
  std::copy_n(digest.begin(), N, out.begin());
  return out;
}

} // namespace

KeyedHash::KeyedHash(const SecretKey& key) : context_(nullptr) {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  if (mac != nullptr) context_ = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac); // the context keeps its own reference
  if (context_ == nullptr || EVP_MAC_init(context_, key.data(), key.size(), parameters) != 1)
    throw std::runtime_error("HMAC-SHA256 is not available");
}

KeyedHash::~KeyedHash() {
  EVP_MAC_CTX_free(context_);
}

Digest KeyedHash::of(std::string_view input) const {
  Digest digest{};
  std::size_t size = 0;
  const bool is_done =
      EVP_MAC_init(context_, nullptr, 0, nullptr) == 1 &&
      EVP_MAC_update(context_, reinterpret_cast<const unsigned char*>(input.data()),
                     input.size()) == 1 &&
      EVP_MAC_final(context_, digest.data(), &size, digest.size()) == 1;
  if (!is_done) std::abort(); // out of memory: the supervisor starts anew
  return digest;
}

Digest keyed_hash(const KeyedHash& key, std::initializer_list<std::string_view> fields) {
  std::string input;
  for (const auto field : fields) append_field(input, field);
  return key.of(input);
}

pinhole::GroupId group_id(const KeyedHash& key, std::string_view call_id, std::string_view tag,
                          std::string_view other_tag) {
  const auto [low, high] = std::minmax(tag, other_tag);
  return cut<16>(keyed_hash(key, {"group", call_id, low, high}));
}

pinhole::Identity hashed_identity(const KeyedHash& key, std::string_view identity) {
  if (identity.empty()) return {};
  return cut<8>(keyed_hash(key, {"identity", identity}));
}

std::string to_hex(const std::uint8_t* octets, std::size_t size) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * size);
  for (std::size_t i = 0; i < size; ++i) {
    text.push_back(digits[octets[i] >> 4]);
    text.push_back(digits[octets[i] & 15]);
  }
  return text;
}

} // namespace midcom
