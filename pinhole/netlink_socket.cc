// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/netlink_socket.h"

#include <cerrno>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace midcom::pinhole {

namespace {

// A dump comes in chunks of up to 32 kB; a smaller buffer cuts them silently.
constexpr std::size_t receive_size = std::size_t{128} * 1024;
constexpr int kernel_buffer = 8 * 1024 * 1024;

void set_buffer(int fd, int forced, int plain) {
  if (setsockopt(fd, SOL_SOCKET, forced, &kernel_buffer, sizeof kernel_buffer) == 0) return;
  (void)setsockopt(fd, SOL_SOCKET, plain, &kernel_buffer, sizeof kernel_buffer);
}

} // namespace

void NetlinkSocket::Close::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

NetlinkSocket::NetlinkSocket(mnl_socket* socket) : socket_(socket), buffer_(receive_size) {}

KernelResult<NetlinkSocket> NetlinkSocket::open() {
  const auto fail = [] {
    return std::unexpected(errno == EPERM || errno == EACCES ? KernelError::no_permission
                                                             : KernelError::unsupported);
  };
  mnl_socket* raw = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (raw == nullptr) return fail();
  NetlinkSocket socket(raw);
  if (mnl_socket_bind(raw, 0, MNL_SOCKET_AUTOPID) != 0) return fail();
  set_buffer(socket.fd(), SO_RCVBUFFORCE, SO_RCVBUF);
  set_buffer(socket.fd(), SO_SNDBUFFORCE, SO_SNDBUF);
  return socket;
}

bool NetlinkSocket::subscribe(std::uint32_t silent_port) {
  // nlmsg_pid of an event is the port of who caused it; all messages of one datagram have one
  // cause. BPF loads big-endian, the header is in host order.
  sock_filter code[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, 12},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, htonl(silent_port)},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(code)), code};
  if (setsockopt(fd(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) return false;
  int group = NFNLGRP_NFTABLES;
  return mnl_socket_setsockopt(socket_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0;
}

void NetlinkSocket::ignore_overruns() {
  int on = 1;
  (void)mnl_socket_setsockopt(socket_.get(), NETLINK_NO_ENOBUFS, &on, sizeof on);
}

bool NetlinkSocket::send(std::string_view bytes) {
  return mnl_socket_sendto(socket_.get(), bytes.data(), bytes.size()) ==
         static_cast<ssize_t>(bytes.size());
}

NetlinkSocket::Received
NetlinkSocket::receive(const std::function<void(std::string_view message)>& each) {
  ssize_t size = 0;
  do size = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
  while (size < 0 && errno == EINTR);
  if (size < 0) return errno == EAGAIN ? Received::nothing : Received::lost;
  int left = static_cast<int>(size);
  const auto* header = reinterpret_cast<const nlmsghdr*>(buffer_.data());
  while (mnl_nlmsg_ok(header, left)) {
    each({reinterpret_cast<const char*>(header), header->nlmsg_len});
    header = mnl_nlmsg_next(header, &left);
  }
  return Received::messages;
}

int NetlinkSocket::fd() const {
  return mnl_socket_get_fd(socket_.get());
}

std::uint32_t NetlinkSocket::port() const {
  return mnl_socket_get_portid(socket_.get());
}

} // namespace midcom::pinhole
