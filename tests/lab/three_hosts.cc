// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/lab/three_hosts.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace midcom::lab {

namespace {

void run(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

void write_file(const std::string& path, const char* text) {
  std::ofstream(path) << text;
}

struct Leg {
  char host;
  const char *net4, *net6;
};
constexpr std::array<Leg, 3> legs{{{'a', "192.0.2.", "2001:db8:a::"},
                                   {'b', "198.51.100.", "2001:db8:b::"},
                                   {'c', "203.0.113.", "2001:db8:c::"}}};

sockaddr_storage to_sockaddr(const pinhole::Endpoint& endpoint, socklen_t& size) {
  sockaddr_storage storage{};
  if (endpoint.address.family == pinhole::Family::ipv4) {
    auto* address = reinterpret_cast<sockaddr_in*>(&storage);
    address->sin_family = AF_INET;
    address->sin_port = htons(endpoint.port);
    std::memcpy(&address->sin_addr, endpoint.address.octets.data(), 4);
    size = sizeof *address;
  } else {
    auto* address = reinterpret_cast<sockaddr_in6*>(&storage);
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(endpoint.port);
    std::memcpy(&address->sin6_addr, endpoint.address.octets.data(), 16);
    size = sizeof *address;
  }
  return storage;
}

void set_up_leg(const std::string& prefix, const Leg& leg) {
  const std::string host = prefix + leg.host, gateway = prefix + "g";
  const std::string inside = std::string("to_") + leg.host;
  run("ip link add to_gw netns " + host + " type veth peer name " + inside + " netns " + gateway);
  const auto address = [&](const std::string& space, const std::string& link, const char* last) {
    run("ip -n " + space + " addr add " + leg.net4 + last + "/24 dev " + link);
    run("ip -n " + space + " addr add " + leg.net6 + last + "/64 dev " + link + " nodad");
    run("ip -n " + space + " link set " + link + " up");
  };
  address(host, "to_gw", "2");
  address(gateway, inside, "1");
  run("ip -n " + host + " link set lo up");
  run("ip -n " + host + " route add default via " + leg.net4 + "1");
  run("ip -n " + host + " -6 route add default via " + leg.net6 + "1");
}

void bind_to(int socket, const pinhole::Endpoint& local) {
  socklen_t size = 0;
  const sockaddr_storage address = to_sockaddr(local, size);
  if (bind(socket, reinterpret_cast<const sockaddr*>(&address), size) != 0)
    throw std::runtime_error("bind " + local.to_string());
}

bool comes(int socket, short what, int ms) {
  pollfd waiting{socket, what, 0};
  return poll(&waiting, 1, ms) > 0;
}

int count_all(int socket, int expected) {
  int received = 0;
  std::array<char, 2048> packet{};
  for (;;) {
    while (recv(socket, packet.data(), packet.size(), 0) > 0) ++received;
    // Those that must not come get their chance, those that must come more of it.
    pollfd waiting{socket, POLLIN, 0};
    if (poll(&waiting, 1, received < expected ? 200 : 30) <= 0) return received;
  }
}

} // namespace

ThreeHosts::ThreeHosts() : prefix_("mk" + std::to_string(getpid())) {
  for (const char host : {'a', 'g', 'b', 'c'}) run("ip netns add " + name(host));
  for (const Leg& leg : legs) set_up_leg(prefix_, leg);
  // One address of A is also C's, who pretends.
  run("ip -n " + name('a') + " addr add 192.0.2.3/24 dev to_gw");
  run("ip -n " + name('c') + " addr add 192.0.2.3/32 dev lo");
  const Inside gateway(name('g'));
  write_file("/proc/sys/net/ipv4/ip_forward", "1");
  write_file("/proc/sys/net/ipv6/conf/all/forwarding", "1");
  for (const char* entry : {"all", "to_a", "to_b", "to_c"})
    write_file(std::string("/proc/sys/net/ipv4/conf/") + entry + "/rp_filter", "0");
  // IPv6 needs link-local addresses, which come about a second later.
  run("ip netns exec " + name('a') + " ping -6 -q -c 1 -i 0.1 -w 5 2001:db8:b::2 >/dev/null");
}

ThreeHosts::~ThreeHosts() {
  for (const char host : {'a', 'g', 'b', 'c'})
    (void)!std::system(("ip netns del " + name(host)).c_str());
}

std::string ThreeHosts::name(char host) const {
  return prefix_ + host;
}

void ThreeHosts::nft(const std::string& commands) const {
  run("ip netns exec " + name('g') + " nft '" + commands + "'");
}

Inside::Inside(const std::string& name)
    : home_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
  const FileDescriptor space(open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!home_ || !space || setns(space.get(), CLONE_NEWNET) != 0)
    throw std::runtime_error("no namespace " + name);
}

Inside::~Inside() {
  if (setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

UdpSocket::UdpSocket(const ThreeHosts& hosts, char host, const pinhole::Endpoint& local) {
  const Inside inside(hosts.name(host));
  const bool is_ipv4 = local.address.family == pinhole::Family::ipv4;
  socket_.reset(socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int room = 64 * 1024 * 1024;
  (void)setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  bind_to(socket_.get(), local);
}

void UdpSocket::send(const pinhole::Endpoint& to, int count) const {
  const std::array<char, 100> packet{};
  socklen_t size = 0;
  const sockaddr_storage address = to_sockaddr(to, size);
  for (int i = 0; i < count; ++i)
    (void)sendto(socket_.get(), packet.data(), packet.size(), 0,
                 reinterpret_cast<const sockaddr*>(&address), size);
}

void UdpSocket::send(const pinhole::Endpoint& to, std::string_view payload) const {
  socklen_t size = 0;
  const sockaddr_storage address = to_sockaddr(to, size);
  (void)sendto(socket_.get(), payload.data(), payload.size(), 0,
               reinterpret_cast<const sockaddr*>(&address), size);
}

std::vector<std::string> UdpSocket::receive() const {
  std::vector<std::string> packets;
  std::array<char, 2048> packet{};
  for (;;) {
    const ssize_t size = recv(socket_.get(), packet.data(), packet.size(), 0);
    if (size >= 0)
      packets.emplace_back(packet.data(), static_cast<std::size_t>(size));
    else if (!comes(socket_.get(), POLLIN, 30))
      return packets;
  }
}

int UdpSocket::receive_all(int expected) const {
  return count_all(socket_.get(), expected);
}

TcpSocket::TcpSocket(const ThreeHosts& hosts, char host, const pinhole::Endpoint& local) {
  const Inside inside(hosts.name(host));
  const bool is_ipv4 = local.address.family == pinhole::Family::ipv4;
  socket_.reset(
      socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  (void)setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const linger reset{1, 0}; // closed without a wait for its port
  (void)setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  bind_to(socket_.get(), local);
}

void TcpSocket::listen() const {
  if (::listen(socket_.get(), 4) != 0) throw std::runtime_error("listen");
}

void TcpSocket::connect(const pinhole::Endpoint& to) const {
  socklen_t size = 0;
  const sockaddr_storage address = to_sockaddr(to, size);
  (void)::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size);
}

bool TcpSocket::is_connected() const {
  int error = 0;
  socklen_t size = sizeof error;
  return comes(socket_.get(), POLLOUT, 100) &&
         getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

std::optional<TcpSocket> TcpSocket::accept() const {
  if (!comes(socket_.get(), POLLIN, 100)) return std::nullopt;
  return TcpSocket(FileDescriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK)));
}

void TcpSocket::send(std::string_view text) const {
  (void)::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

std::string TcpSocket::receive() const {
  std::array<char, 2048> text{};
  if (!comes(socket_.get(), POLLIN, 100)) return {};
  const ssize_t size = recv(socket_.get(), text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

IcmpSocket::IcmpSocket(const ThreeHosts& hosts, char host, const pinhole::Address& local) {
  const Inside inside(hosts.name(host));
  const bool is_ipv4 = local.family == pinhole::Family::ipv4;
  socket_.reset(socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                       is_ipv4 ? +IPPROTO_ICMP : +IPPROTO_ICMPV6));
  if (!is_ipv4) { // the neighbour discovery of the link isn't meant
    icmp6_filter filter;
    ICMP6_FILTER_SETPASSALL(&filter);
    for (int type = ND_ROUTER_SOLICIT; type <= ND_NEIGHBOR_ADVERT; ++type)
      ICMP6_FILTER_SETBLOCK(type, &filter);
    (void)setsockopt(socket_.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
  }
  bind_to(socket_.get(), {local, 0});
}

void IcmpSocket::send(const pinhole::Address& to, int type, int code,
                      const pinhole::Endpoint& quoted_from, const pinhole::Endpoint& quoted_to,
                      int quoted_protocol) const {
  std::string packet{static_cast<char>(type), static_cast<char>(code), 0, 0, 0, 0, 5, 0};
  const auto append = [&](const void* data, std::size_t size) {
    packet.append(static_cast<const char*>(data), size);
  };
  if (to.family == pinhole::Family::ipv4) {
    packet.append(
        {0x45, 0, 0, '\x80', 0, 0, 0x40, 0, 0x40, static_cast<char>(quoted_protocol), 0, 0});
    append(quoted_from.address.octets.data(), 4);
    append(quoted_to.address.octets.data(), 4);
  } else {
    packet.append({0x60, 0, 0, 0, 0, '\x80', static_cast<char>(quoted_protocol), 0x40});
    append(quoted_from.address.octets.data(), 16);
    append(quoted_to.address.octets.data(), 16);
  }
  for (const int port : {+quoted_from.port, +quoted_to.port}) {
    packet.push_back(static_cast<char>(port >> 8));
    packet.push_back(static_cast<char>(port));
  }
  packet.append("\0\x6c\0\0", 4); // length and checksum of UDP
  socklen_t size = 0;
  const sockaddr_storage address = to_sockaddr({to, 0}, size);
  (void)sendto(socket_.get(), packet.data(), packet.size(), 0,
               reinterpret_cast<const sockaddr*>(&address), size);
}

int IcmpSocket::receive_all(int expected) const {
  return count_all(socket_.get(), expected);
}

} // namespace midcom::lab
