// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/keyed_hash.h"

#include <algorithm>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/hmac.h>

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

Digest keyed_hash(const SecretKey& key, std::initializer_list<std::string_view> fields) {
  std::string input;
  for (const auto field : fields) append_field(input, field);
  Digest digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data(),
           &size) == nullptr)
    throw std::runtime_error("HMAC-SHA256 is not available");
  return digest;
}

pinhole::GroupId group_id(const SecretKey& key, std::string_view call_id, std::string_view tag,
                          std::string_view other_tag) {
  const auto [low, high] = std::minmax(tag, other_tag);
  return cut<16>(keyed_hash(key, {"group", call_id, low, high}));
}

pinhole::Identity hashed_identity(const SecretKey& key, std::string_view identity) {
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
