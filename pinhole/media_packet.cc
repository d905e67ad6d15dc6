// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/media_packet.h"

#include <algorithm>

namespace midcom::pinhole {

namespace {

// Goes by what is on the wire; what isn't here is read as 0 and makes is_cut().
class Cursor {
public:
  explicit Cursor(const Payload& payload) : payload_(payload) {}
  std::uint8_t u8() {
    const std::size_t at = at_;
    skip(1);
    if (!is_good_) return 0;
    if (at < payload_.octets.size()) return static_cast<std::uint8_t>(payload_.octets[at]);
    is_cut_ = true;
    return 0;
  }
  std::uint32_t u16() {
    const std::uint32_t high = u8();
    return high << 8 | u8();
  }
  std::uint32_t u24() {
    const std::uint32_t high = u8();
    return high << 16 | u16();
  }
  void skip(std::size_t size) {
    if (size > left())
      is_good_ = false;
    else
      at_ += size;
  }
  [[nodiscard]] std::size_t left() const { return payload_.size - at_; }
  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] bool is_cut() const { return is_cut_; }

private:
  const Payload& payload_;
  std::size_t at_ = 0;
  bool is_good_ = true, is_cut_ = false;
};

constexpr std::uint8_t dtls_handshake = 22;
constexpr std::size_t dtls_handshake_header = 12;

// Messages of the flights that epoch 0 has, and the octets that each has at least.
std::optional<std::size_t> least_handshake_size(std::uint8_t type) {
  switch (type) {
  case 1:
    return 42; // client_hello with one suite
  case 2:
    return 38; // server_hello
  case 3:
    return 3; // hello_verify_request
  case 4:
    return 6; // new_session_ticket
  case 11:
    return 3; // certificate
  case 12:
    return 1; // server_key_exchange
  case 13:
    return 5; // certificate_request
  case 14:
    return 0; // server_hello_done
  case 15:
    return 4; // certificate_verify
  case 16:
    return 1; // client_key_exchange
  case 22:
    return 4; // certificate_status
  default:
    return {};
  }
}

bool starts_with_version(std::uint8_t handshake_type) {
  return handshake_type >= 1 && handshake_type <= 3;
}

bool is_dtls_version(std::uint32_t version) {
  return version == 0xfeff || version == 0xfefd;
}

// The octets of the first packet's fixed part and of what its count field counts.
std::size_t least_rtcp_size(std::uint8_t type, std::uint8_t count) {
  switch (type) {
  case 200:
    return 28U + 24U * count; // SR
  case 201:
    return 8U + 24U * count; // RR
  case 202:
    return 4U + 8U * count; // SDES
  case 203:
    return 4U + 4U * count; // BYE
  case 204:
    return 12; // APP
  case 205:    // RTPFB
  case 206:
    return 12; // PSFB
  case 207:
    return 8; // XR
  default:
    return 4;
  }
}

bool is_version_2(std::uint8_t first) {
  return first >> 6 == 2;
}

bool is_first_rtcp_type(std::uint8_t type) {
  return (type >= 192 && type <= 195) || (type >= 200 && type <= 207);
}

// E flag, index and the shortest tag (RFC 3711 3.4, 5.2).
constexpr std::size_t least_srtcp_trailer = 8;

bool are_rtcp_to_the_end(Cursor cursor) {
  while (cursor.left() > 0) {
    const std::uint8_t first = cursor.u8();
    cursor.u8();
    const std::uint32_t words = cursor.u16();
    if (cursor.is_cut()) return true;
    if (!cursor.is_good() || !is_version_2(first)) return false;
    cursor.skip(std::size_t{4} * words);
    if (!cursor.is_good()) return false;
  }
  return true;
}

// A length of packed encoding (X.691 10.9) below 16384; longer ones come in fragments and are none
// of a datagram.
std::size_t packed_length(Cursor& cursor) {
  const std::uint8_t first = cursor.u8();
  if (first < 0x80) return first;
  if (first >= 0xc0) cursor.skip(cursor.left() + 1);
  const std::size_t high = first & 0x3fU;
  return high << 8 | cursor.u8();
}

void skip_packed(Cursor& cursor, std::size_t count) {
  for (; count > 0 && cursor.is_good() && !cursor.is_cut(); --count)
    cursor.skip(packed_length(cursor));
}

} // namespace

bool is_dtls_handshake(const Payload& payload) {
  Cursor cursor(payload);
  const bool is_handshake = cursor.u8() == dtls_handshake && is_dtls_version(cursor.u16());
  const std::uint32_t epoch = cursor.u16();
  cursor.skip(6); // sequence number
  const std::uint32_t record = cursor.u16();
  if (cursor.is_cut() && cursor.is_good()) return is_handshake;
  if (!is_handshake || epoch != 0 || record < dtls_handshake_header || record > cursor.left())
    return false;
  const std::uint8_t type = cursor.u8();
  const std::uint32_t length = cursor.u24();
  cursor.u16(); // message sequence number
  const std::uint32_t offset = cursor.u24(), fragment = cursor.u24();
  if (cursor.is_cut()) return true;
  const auto least = least_handshake_size(type);
  if (!cursor.is_good() || !least || length < *least) return false;
  if (fragment > record - dtls_handshake_header || offset + fragment > length) return false;
  if (fragment == 0 && length != 0) return false;
  if (!starts_with_version(type) || offset != 0 || fragment < 2) return true;
  const std::uint32_t version = cursor.u16();
  return cursor.is_cut() || is_dtls_version(version);
}

std::optional<std::uint8_t> read_rtp(const Payload& payload) {
  Cursor cursor(payload);
  const std::uint8_t first = cursor.u8();
  const auto type = static_cast<std::uint8_t>(cursor.u8() & 0x7f);
  const bool has_padding = (first & 0x20) != 0, has_extension = (first & 0x10) != 0;
  cursor.skip(10); // sequence number, timestamp, SSRC
  cursor.skip(std::size_t{4} * (first & 0x0f));
  if (has_extension) {
    cursor.skip(2);
    cursor.skip(std::size_t{4} * cursor.u16());
  }
  if (!cursor.is_good() || !is_version_2(first)) return {};
  if (has_padding && cursor.left() == 0) return {};
  return type;
}

bool is_rtcp(const Payload& payload) {
  Cursor cursor(payload);
  const std::uint8_t first = cursor.u8(), type = cursor.u8();
  const std::size_t size = std::size_t{4} * (cursor.u16() + 1);
  if (!cursor.is_good() || !is_version_2(first) || !is_first_rtcp_type(type)) return false;
  if (size < least_rtcp_size(type, first & 0x1f)) return false;
  cursor.skip(size - 4);
  if (!cursor.is_good()) return false;
  return cursor.left() >= least_srtcp_trailer || are_rtcp_to_the_end(cursor);
}

bool has_rtcp_type(const Payload& payload) {
  Cursor cursor(payload);
  cursor.u8();
  const std::uint8_t type = cursor.u8();
  return type >= 192 && type <= 223;
}

bool is_udptl(const Payload& payload) {
  Cursor cursor(payload);
  cursor.u16(); // sequence number
  const std::size_t primary = packed_length(cursor);
  cursor.skip(primary);
  if (primary == 0 && !cursor.is_cut()) return false;
  const bool is_fec = (cursor.u8() & 0x80) != 0;
  if (is_fec && !cursor.is_cut()) {
    const std::uint8_t integer_size = cursor.u8();
    if (!cursor.is_cut() && integer_size != 1) return false;
    cursor.skip(1); // packets that one entry is made of
  }
  skip_packed(cursor, packed_length(cursor));
  return cursor.is_good() && (cursor.is_cut() || cursor.left() == 0);
}

} // namespace midcom::pinhole
