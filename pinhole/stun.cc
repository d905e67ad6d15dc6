// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/stun.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <boost/crc.hpp>
#include <string>

#include "pinhole/octets.h"

namespace midcom::pinhole {

namespace {

constexpr std::size_t header_size = 20, attribute_header_size = 4;
constexpr std::uint32_t magic_cookie = 0x2112a442;
constexpr std::uint32_t fingerprint_flip = 0x5354554e; // RFC 8489 14.7
enum Attribute : std::uint16_t {
  attribute_username = 0x0006,
  attribute_integrity = 0x0008,
  attribute_integrity_sha256 = 0x001c,
  attribute_fingerprint = 0x8028,
};

// RFC 8489 14.5 to 14.7. False: of a length it can't have.
bool take_proof(StunMessage& message, std::uint16_t type, std::string_view value) {
  switch (type) {
  case attribute_integrity:
    if (!message.integrity) message.integrity = value;
    return value.size() == 20;
  case attribute_integrity_sha256:
    if (!message.integrity_sha256) message.integrity_sha256 = value;
    return value.size() >= 16 && value.size() <= 32 && value.size() % 4 == 0;
  case attribute_fingerprint:
    message.fingerprint = value;
    return value.size() == 4;
  default:
    return true;
  }
}

bool read_attributes(StunMessage& message, OctetReader& reader) {
  while (!reader.is_done()) {
    if (message.fingerprint) return false;
    const std::uint16_t type = reader.u16();
    const std::size_t size = reader.u16();
    const std::string_view value = reader.view(size);
    reader.skip((4 - size % 4) % 4);
    if (!reader.is_good() || !take_proof(message, type, value)) return false;
    const bool is_proven_part = !message.integrity && !message.integrity_sha256;
    if (type == attribute_username && is_proven_part && !message.username) message.username = value;
  }
  return true;
}

// The octets in front of the attribute that has this value.
std::string_view before(const StunMessage& message, std::string_view value) {
  const auto end = static_cast<std::size_t>(value.data() - message.octets.data());
  return message.octets.substr(0, end - attribute_header_size);
}

// RFC 8489 14.5: over what precedes the attribute, with a length as if it were the last one.
bool is_right(const StunMessage& message, std::string_view value, const EVP_MD* digest,
              std::string_view password) {
  std::string text(before(message, value));
  const std::size_t size = text.size() + attribute_header_size + value.size() - header_size;
  text[2] = static_cast<char>(size >> 8);
  text[3] = static_cast<char>(size);
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned code_size = 0;
  if (HMAC(digest, password.data(), static_cast<int>(password.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.data(),
           &code_size) == nullptr)
    return false;
  return value.size() <= code_size && CRYPTO_memcmp(code.data(), value.data(), value.size()) == 0;
}

} // namespace

std::optional<StunMessage> read_stun(std::string_view octets) {
  OctetReader reader(octets);
  StunMessage message{.type = reader.u16(), .octets = octets};
  const std::size_t size = reader.u16();
  const std::uint32_t cookie = reader.u32();
  reader.skip(header_size - 8); // transaction id
  if (!reader.is_good() || (message.type & 0xc000) != 0 || cookie != magic_cookie ||
      size % 4 != 0 || octets.size() != header_size + size)
    return std::nullopt;
  if (!read_attributes(message, reader)) return std::nullopt;
  return message;
}

bool has_right_fingerprint(const StunMessage& message) {
  if (!message.fingerprint) return false;
  const std::string_view covered = before(message, *message.fingerprint);
  boost::crc_32_type crc;
  crc.process_bytes(covered.data(), covered.size());
  OctetReader reader(*message.fingerprint);
  return (crc.checksum() ^ fingerprint_flip) == reader.u32();
}

bool has_right_integrity(const StunMessage& message, std::string_view password) {
  const auto& sha1 = message.integrity;
  const auto& sha256 = message.integrity_sha256;
  if (!sha1 && !sha256) return false;
  return (!sha1 || is_right(message, *sha1, EVP_sha1(), password)) &&
         (!sha256 || is_right(message, *sha256, EVP_sha256(), password));
}

void load_stun_digests() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha256()})
    HMAC(digest, "", 0, code.data(), 0, code.data(), nullptr);
}

bool are_equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace midcom::pinhole
