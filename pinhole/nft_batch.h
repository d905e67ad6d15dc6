// SPDX-License-Identifier: GPL-3.0-or-later
// Netlink messages for nfnetlink: built in one buffer, sent at once. Attributes go to the message
// added last.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "pinhole/netlink_socket.h"

struct nlmsghdr;
struct nlattr;

namespace midcom::pinhole {

class NftBatch;

// Ends the nested attribute when it goes. Nothing else may be added while an inner one is open.
class Nest {
public:
  ~Nest();
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;

private:
  friend class NftBatch;
  Nest(NftBatch& batch, std::size_t offset) : batch_(batch), offset_(offset) {}
  NftBatch& batch_;
  std::size_t offset_;
};

class NftBatch {
public:
  // transaction: all messages or none, between BATCH_BEGIN and BATCH_END. plain: one by one.
  // rehearsal: a transaction without BATCH_END, which the kernel checks and drops.
  enum class Kind : std::uint8_t { transaction, plain, rehearsal };
  explicit NftBatch(Kind kind = Kind::transaction);

  void add(std::uint16_t type, std::uint16_t flags,
           std::uint8_t family);                                 // type: subsystem << 8 | message
  void put_text(std::uint16_t attribute, std::string_view text); // with its final 0
  void put_u8(std::uint16_t attribute, std::uint8_t value);
  void put_u16(std::uint16_t attribute, std::uint16_t value); // network byte order, as the next two
  void put_u32(std::uint16_t attribute, std::uint32_t value);
  void put_u64(std::uint16_t attribute, std::uint64_t value);
  void put_octets(std::uint16_t attribute, const void* data, std::size_t size);
  [[nodiscard]] Nest nest(std::uint16_t attribute);

  // Sends everything; `each` gets the replies that are neither acks nor errors. 0 or the first
  // error's errno. ENOBUFS: answers were lost and the outcome is unknown.
  [[nodiscard]] int run(NetlinkSocket& socket,
                        const std::function<void(std::string_view)>& each = nullptr);
  [[nodiscard]] std::string_view bytes() const; // so far
  [[nodiscard]] bool is_empty() const { return count_ == 0; }

private:
  friend class Nest;
  [[nodiscard]] nlmsghdr* last() const;
  void start(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t resource);
  // Gives the sequence numbers of the first and the last message.
  std::pair<std::uint32_t, std::uint32_t> number(NetlinkSocket& socket);
  Kind kind_;
  mutable std::vector<char> buffer_;
  std::size_t last_ = 0;  // offset of the last message
  std::size_t count_ = 0; // without begin and end
  bool has_message_ = false;
};

} // namespace midcom::pinhole
