// SPDX-License-Identifier: GPL-3.0-or-later
// One NETLINK_NETFILTER socket. The kernel answers within send(), so nothing here ever waits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "pinhole/kernel.h"

struct mnl_socket;

namespace midcom::pinhole {

class NetlinkSocket {
public:
  [[nodiscard]] static KernelResult<NetlinkSocket> open();

  // Subscribes to nftables events, those caused by `silent_port` left out by a socket filter.
  [[nodiscard]] bool subscribe(std::uint32_t silent_port);
  // What doesn't fit the receive buffer is lost without a word, instead of failing every receive().
  void ignore_overruns();
  [[nodiscard]] bool send(std::string_view bytes);
  enum class Received : std::uint8_t { messages, nothing, lost }; // lost: overrun or truncated
  // One datagram; calls `each` for every whole message in it (header included).
  [[nodiscard]] Received receive(const std::function<void(std::string_view message)>& each);

  [[nodiscard]] int fd() const;
  [[nodiscard]] std::uint32_t port() const;
  [[nodiscard]] std::uint32_t next_sequence() { return ++sequence_; }

private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  explicit NetlinkSocket(mnl_socket* socket);
  std::unique_ptr<mnl_socket, Close> socket_;
  std::vector<char> buffer_;
  std::uint32_t sequence_ = 0;
};

} // namespace midcom::pinhole
