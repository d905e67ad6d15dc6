// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/control_socket.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace midcom {

namespace {

constexpr const char* default_directory = "/run/midcomd";
constexpr int backlog = 16;

std::string failure(const std::string& path, int error) {
  return path + ": " + std::strerror(error);
}

FileDescriptor stream_socket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// bind() says what is wrong when this fails. Its mode is for the agent's group, whatever the umask.
void make_default_directory() {
  if (::mkdir(default_directory, 0755) == 0) (void)::chmod(default_directory, 0755);
}

// Empty: nothing is there any more.
std::string remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0)
    return errno == ENOENT ? std::string() : failure(path, errno);
  if (!S_ISSOCK(status.st_mode)) return path + ": is there and no socket";
  const FileDescriptor probe = stream_socket();
  const bool is_stale =
      probe &&
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  if (!is_stale) return path + ": another process listens there";
  return ::unlink(path.c_str()) == 0 ? std::string() : failure(path, errno);
}

// The name is made with its group and mode, so that there is no moment in which others may connect,
// and so that it takes no CAP_CHOWN.
int bind_as(int socket, const sockaddr_un& address, gid_t group) {
  const gid_t own = ::getegid();
  if (group != own && ::setegid(group) != 0) return errno;
  const mode_t mask = ::umask(0117);
  const bool is_bound =
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  int error = is_bound ? 0 : errno;
  ::umask(mask);
  if (group != own && ::setegid(own) != 0) error = errno;
  return error;
}

} // namespace

std::expected<ControlSocket, std::string> ControlSocket::bind(const std::string& path,
                                                              gid_t group) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::unexpected(failure(path, ENAMETOOLONG));
  path.copy(address.sun_path, path.size());
  if (path.starts_with(std::string(default_directory) + "/")) make_default_directory();
  if (std::string error = remove_stale(path, address); !error.empty())
    return std::unexpected(std::move(error));
  ControlSocket result;
  FileDescriptor socket = stream_socket();
  if (!socket) return std::unexpected(failure(path, errno));
  if (const int error = bind_as(socket.get(), address, group); error != 0)
    return std::unexpected(failure(path, error));
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || ::listen(socket.get(), backlog) != 0)
    return std::unexpected(failure(path, errno));
  result.socket_ = std::move(socket);
  result.path_ = path;
  result.device_ = status.st_dev;
  result.inode_ = status.st_ino;
  return result;
}

ControlSocket::~ControlSocket() {
  struct stat status{};
  if (path_.empty() || ::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

ControlSocket::ControlSocket(ControlSocket&& other) noexcept
    : socket_(std::move(other.socket_)), path_(std::exchange(other.path_, {})),
      device_(other.device_), inode_(other.inode_) {}

ControlSocket& ControlSocket::operator=(ControlSocket&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

} // namespace midcom
