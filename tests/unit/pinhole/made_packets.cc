// SPDX-License-Identifier: GPL-3.0-or-later
#include "made_packets.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "pinhole/octets.h"

namespace midcom::pinhole::made {

namespace {

std::string ip(const Endpoint& source, const Endpoint& destination, std::uint8_t protocol,
               std::string_view data) {
  const auto size = static_cast<std::uint16_t>(data.size());
  OctetWriter writer;
  const std::size_t octets = source.address.family == Family::ipv4 ? 4 : 16;
  if (octets == 4)
    writer.u16(0x4500).u16(static_cast<std::uint16_t>(size + 20)).u32(0x00004000).u8(64);
  else
    writer.u32(0x60000000).u16(size);
  if (octets == 4)
    writer.u8(protocol).u16(0);
  else
    writer.u8(protocol).u8(64);
  writer.raw(source.address.octets.data(), octets);
  writer.raw(destination.address.octets.data(), octets);
  return writer.take().append(data);
}

void set_stun_size(std::string& message, std::size_t size) {
  message[2] = static_cast<char>(size >> 8);
  message[3] = static_cast<char>(size);
}

void append_proof(std::string& message, std::uint16_t type, const EVP_MD* digest,
                  std::string_view password) {
  const auto size = static_cast<std::size_t>(EVP_MD_get_size(digest));
  set_stun_size(message, message.size() - 20 + 4 + size);
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  HMAC(digest, password.data(), static_cast<int>(password.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), code.data(),
       nullptr);
  append_stun_attribute(message, type, {reinterpret_cast<const char*>(code.data()), size});
}

// ISO 3309, bit by bit.
std::uint32_t crc_32(std::string_view text) {
  std::uint32_t crc = 0xffffffff;
  for (const char octet : text) {
    crc ^= static_cast<std::uint8_t>(octet);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

} // namespace

std::string from_hex(std::string_view digits) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    octets += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return octets;
}

Endpoint at(std::string_view address, int port) {
  return {*Address::parse(address), static_cast<std::uint16_t>(port)};
}

std::string udp(const Endpoint& source, const Endpoint& destination, std::string_view payload) {
  OctetWriter writer;
  writer.u16(source.port).u16(destination.port);
  writer.u16(static_cast<std::uint16_t>(payload.size() + 8)).u16(0);
  return ip(source, destination, 17, writer.take().append(payload));
}

std::string tcp(const Endpoint& source, const Endpoint& destination, std::uint8_t flags) {
  OctetWriter writer;
  writer.u16(source.port).u16(destination.port).u32(1).u32(0);
  writer.u8(0x50).u8(flags).u16(1000).u32(0);
  return ip(source, destination, 6, writer.take());
}

void append_stun_attribute(std::string& message, std::uint16_t type, std::string_view value) {
  OctetWriter writer;
  writer.u16(type).text(value);
  message += writer.take();
  message.append((4 - value.size() % 4) % 4, '\0');
  set_stun_size(message, message.size() - 20);
}

void append_stun_fingerprint(std::string& message) {
  set_stun_size(message, message.size() - 20 + 8);
  OctetWriter writer;
  writer.u32(crc_32(message) ^ 0x5354554e);
  append_stun_attribute(message, 0x8028, writer.take());
}

std::string stun(const Stun& parts) {
  std::string message = from_hex("000100002112a442b7e7a701bc34d686fa87dfae");
  append_stun_attribute(message, 0x0024, from_hex("6e0001ff"));         // PRIORITY
  append_stun_attribute(message, 0x8029, from_hex("932ff9b151263b36")); // ICE-CONTROLLED
  append_stun_attribute(message, 0x0006, parts.username);
  using enum Stun::Proof;
  if (parts.proof == sha1 || parts.proof == both)
    append_proof(message, 0x0008, EVP_sha1(), parts.password);
  if (parts.proof == sha256 || parts.proof == both)
    append_proof(message, 0x001c, EVP_sha256(), parts.password);
  if (parts.has_fingerprint) append_stun_fingerprint(message);
  return message;
}

std::string client_hello() {
  std::string body = from_hex("fefd") + std::string(32, 'r') +
                     from_hex("0000" // session, cookie
                              "0004c02bc02f"
                              "0100");
  const auto size = static_cast<std::uint8_t>(body.size());
  OctetWriter writer;
  writer.u8(22).u16(0xfeff).u16(0).u16(0).u32(0).u16(static_cast<std::uint16_t>(size + 12));
  writer.u8(1).u16(0).u8(size).u16(0).u16(0).u8(0).u16(0).u8(size);
  return writer.take() + body;
}

std::string rtp(std::uint8_t payload_type, std::size_t size) {
  OctetWriter writer;
  writer.u8(0x80).u8(payload_type).u16(1).u32(160).u32(0x01020304);
  return writer.take() + std::string(size, 'm');
}

std::string rtcp() {
  return from_hex("80c80006") + std::string(24, 's') +
         from_hex("81ca0002010203040101610000").substr(0, 12);
}

std::string udptl() {
  return from_hex("0007"     // sequence number
                  "03c00100" // primary
                  "0002"     // two secondary packets
                  "0140"     //
                  "020102");
}

std::string rfc5769_request() {
  return from_hex("000100582112a442b7e7a701bc34d686fa87dfae"
                  "802200105354554e207465737420636c69656e74"
                  "002400046e0001ff80290008932ff9b151263b36"
                  "000600096576746a3a68367659202020"
                  "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
                  "80280004e57a3bcf");
}

std::string rfc5769_ipv4_response() {
  return from_hex("0101003c2112a442b7e7a701bc34d686fa87dfae"
                  "8022000b7465737420766563746f7220"
                  "002000080001a147e112a643"
                  "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
                  "80280004c07d4c96");
}

std::string rfc5769_ipv6_response() {
  return from_hex("010100482112a442b7e7a701bc34d686fa87dfae"
                  "8022000b7465737420766563746f7220"
                  "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
                  "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
                  "80280004c8fb0b4c");
}

} // namespace midcom::pinhole::made
