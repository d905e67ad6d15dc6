// SPDX-License-Identifier: GPL-3.0-or-later
// Netlink messages for nfnetlink: built in one buffer, sent at once.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "pinhole/netlink_socket.h"

struct nlmsghdr;

namespace midcom::pinhole {

class NftBatch {
public:
  // transaction: all messages or none, between BATCH_BEGIN and BATCH_END. plain: one by one.
  // rehearsal: a transaction without BATCH_END, which the kernel checks and drops.
  enum class Kind : std::uint8_t { transaction, plain, rehearsal };
  explicit NftBatch(Kind kind = Kind::transaction);

  // A new message whose attributes go behind the header returned, up to 8 kB; it is valid until the
  // next one. type: subsystem << 8 | message.
  nlmsghdr* add(std::uint16_t type, std::uint16_t flags, std::uint8_t family);

  // Sends everything; `each` gets the replies that are neither acks nor errors. 0 or the first
  // error's errno. ENOBUFS: answers were lost and the outcome is unknown.
  [[nodiscard]] int run(NetlinkSocket& socket,
                        const std::function<void(std::string_view)>& each = nullptr);
  [[nodiscard]] std::string_view bytes() const; // so far
  [[nodiscard]] bool is_empty() const { return count_ == 0; }

private:
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
