// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/channel.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>

namespace midcom {

namespace {

Channel::Error error_of(int code) {
  if (code == EAGAIN || code == EWOULDBLOCK) return Channel::Error::would_block;
  if (code == EPIPE || code == ECONNRESET || code == ENOTCONN) return Channel::Error::closed;
  return Channel::Error::broken;
}

// Takes every descriptor out of the control data, whatever becomes of the record.
std::vector<FileDescriptor> take_descriptors(msghdr& header) {
  std::vector<FileDescriptor> taken;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t index = 0; index < count; ++index) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + index * sizeof(int), sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

} // namespace

std::pair<FileDescriptor, FileDescriptor> Channel::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "socketpair");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

bool Channel::is_channel(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET)
    return false;
  int domain = 0;
  size = sizeof domain;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

std::expected<void, Channel::Error> Channel::send(std::string_view bytes,
                                                  std::span<const int> descriptors) {
  if (bytes.empty() || bytes.size() > max_channel_message ||
      descriptors.size() > max_channel_descriptors)
    return std::unexpected(Error::broken);
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(max_channel_descriptors * sizeof(int))]{};
  if (!descriptors.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return std::unexpected(error_of(errno));
  return {};
}

std::expected<Channel::Message, Channel::Error> Channel::receive() {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(max_channel_message);
  Message message;
  iovec part{buffer_.get(), max_channel_message};
  alignas(cmsghdr) char control[CMSG_SPACE(max_channel_descriptors * sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got = 0;
  do got = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return std::unexpected(error_of(errno));
  message.descriptors = take_descriptors(header);
  if (got == 0) return std::unexpected(message.descriptors.empty() ? Error::closed : Error::broken);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return std::unexpected(Error::broken);
  message.bytes.assign(buffer_.get(), static_cast<std::size_t>(got));
  return message;
}

std::expected<Channel::Message, Channel::Error> Channel::receive_within(int milliseconds) {
  pollfd waiting{socket_.get(), POLLIN, 0};
  int ready = 0;
  do ready = ::poll(&waiting, 1, milliseconds);
  while (ready < 0 && errno == EINTR);
  if (ready == 0) return std::unexpected(Error::would_block);
  if (ready < 0) return std::unexpected(Error::broken);
  return receive();
}

} // namespace midcom
