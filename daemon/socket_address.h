// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <sys/socket.h>

#include "sip/ip_address.h"

namespace midcom {

// An endpoint as the socket calls want it. IPv4-mapped IPv6 addresses become IPv4.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  SocketAddress() = default;
  explicit SocketAddress(const sip::Endpoint& endpoint);
  [[nodiscard]] std::optional<sip::Endpoint> endpoint() const;
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

[[nodiscard]] std::optional<sip::Endpoint> local_endpoint(int fd);

// The address the kernel would send from towards `remote`; nothing when there is no route.
[[nodiscard]] std::optional<sip::IpAddress> source_towards(const sip::Endpoint& remote);

} // namespace midcom
