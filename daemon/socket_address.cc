// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/socket_address.h"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>

#include "daemon/file_descriptor.h"

namespace midcom {

namespace {

using Family = sip::IpAddress::Family;

} // namespace

SocketAddress::SocketAddress(const sip::Endpoint& endpoint) {
  const auto& octets = endpoint.address.octets;
  if (endpoint.address.family == Family::ipv4) {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(endpoint.port);
    std::memcpy(&ipv4.sin_addr, octets.data(), 4);
    std::memcpy(&storage, &ipv4, size = sizeof(ipv4));
  } else {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(endpoint.port);
    std::memcpy(&ipv6.sin6_addr, octets.data(), 16);
    std::memcpy(&storage, &ipv6, size = sizeof(ipv6));
  }
}

std::optional<sip::Endpoint> SocketAddress::endpoint() const {
  sip::Endpoint endpoint;
  auto& octets = endpoint.address.octets;
  if (storage.ss_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &storage, sizeof(ipv4));
    std::memcpy(octets.data(), &ipv4.sin_addr, 4);
    endpoint.port = ntohs(ipv4.sin_port);
    return endpoint;
  }
  if (storage.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 ipv6{};
  std::memcpy(&ipv6, &storage, sizeof(ipv6));
  endpoint.port = ntohs(ipv6.sin6_port);
  std::memcpy(octets.data(), &ipv6.sin6_addr, 16);
  if (!IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
    endpoint.address.family = Family::ipv6;
    return endpoint;
  }
  std::copy_n(octets.begin() + 12, 4, octets.begin());
  std::fill(octets.begin() + 4, octets.end(), std::uint8_t{0});
  return endpoint;
}

std::optional<sip::Endpoint> local_endpoint(int fd) {
  SocketAddress address;
  if (::getsockname(fd, address.get(), &address.size) != 0) return std::nullopt;
  return address.endpoint();
}

// Connecting a datagram socket sends nothing.
std::optional<sip::IpAddress> source_towards(const sip::Endpoint& remote) {
  const SocketAddress address(remote);
  const FileDescriptor probe(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe || ::connect(probe.get(), address.get(), address.size) != 0) return std::nullopt;
  const auto local = local_endpoint(probe.get());
  if (!local) return std::nullopt;
  return local->address;
}

} // namespace midcom
