// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/listening_sockets.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ifaddrs.h>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <utility>

namespace midcom {

namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const sip::Endpoint& endpoint) {
  SocketAddress result;
  if (endpoint.address.family == sip::IpAddress::Family::ipv4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, endpoint.address.octets.data(), 4);
    std::memcpy(&result.storage, &address, sizeof address);
    result.size = sizeof address;
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    std::memcpy(&address.sin6_addr, endpoint.address.octets.data(), 16);
    std::memcpy(&result.storage, &address, sizeof address);
    result.size = sizeof address;
  }
  return result;
}

bool set_option(int fd, int level, int option) {
  const int on = 1;
  return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

std::expected<FileDescriptor, int> open_listening_socket(const ListenerConfig& listener) {
  const bool is_datagram = listener.transport == Transport::udp;
  const bool is_ipv6 = listener.address.address.family == sip::IpAddress::Family::ipv6;
  FileDescriptor socket(
      ::socket(is_ipv6 ? AF_INET6 : AF_INET,
               (is_datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return std::unexpected(errno);
  // A datagram socket with SO_REUSEADDR would share its port with a second daemon unnoticed.
  if (!is_datagram && !set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR))
    return std::unexpected(errno);
  if (is_ipv6 && !set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY))
    return std::unexpected(errno);
  const SocketAddress address = socket_address(listener.address);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0)
    return std::unexpected(errno);
  if (!is_datagram && ::listen(socket.get(), SOMAXCONN) != 0) return std::unexpected(errno);
  return socket;
}

std::optional<pinhole::Prefix> prefix_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  pinhole::Prefix prefix;
  if (address->sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, address, sizeof ipv4);
    std::memcpy(prefix.address.octets.data(), &ipv4.sin_addr, 4);
    prefix.length = 32;
    return prefix;
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 ipv6{};
  std::memcpy(&ipv6, address, sizeof ipv6);
  prefix.address.family = pinhole::Family::ipv6;
  std::memcpy(prefix.address.octets.data(), &ipv6.sin6_addr, 16);
  prefix.length = 128;
  return prefix;
}

} // namespace

std::expected<std::vector<FileDescriptor>, std::vector<std::string>>
open_listening_sockets(const std::vector<ListenerConfig>& listeners) {
  std::vector<FileDescriptor> sockets;
  std::vector<std::string> errors;
  if (listeners.size() > max_listeners) errors.emplace_back("more than 200 listeners");
  for (const ListenerConfig& listener : listeners) {
    auto socket = open_listening_socket(listener);
    if (socket) {
      sockets.push_back(std::move(*socket));
    } else {
      errors.push_back("listener " + listener.name + " (" +
                       std::string(to_string(listener.transport)) + ":" +
                       listener.address.to_string() + "): " + std::strerror(socket.error()));
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return sockets;
}

std::vector<pinhole::Prefix> own_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
  std::vector<pinhole::Prefix> addresses;
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next)
    if (const auto prefix = prefix_of(each->ifa_addr)) addresses.push_back(*prefix);
  std::ranges::sort(addresses);
  const auto repeated = std::ranges::unique(addresses);
  addresses.erase(repeated.begin(), repeated.end());
  return addresses;
}

} // namespace midcom
