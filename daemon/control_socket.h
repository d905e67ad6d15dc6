// SPDX-License-Identifier: GPL-3.0-or-later
// The supervisor's part of the control socket: its name in the file system.
#pragma once

#include <expected>
#include <string>
#include <sys/types.h>

#include "daemon/file_descriptor.h"

namespace midcom {

// Bound and listening; the name goes with the object, if it is still this socket's.
class ControlSocket {
public:
  ControlSocket() = default; // none
  // 0660, of this user and `group`. A socket of that name on which nobody listens is replaced. The
  // directory of the default path is made when it is missing. The error in words. Takes CAP_SETGID.
  [[nodiscard]] static std::expected<ControlSocket, std::string> bind(const std::string& path,
                                                                      gid_t group);
  ~ControlSocket();
  ControlSocket(ControlSocket&& other) noexcept;
  ControlSocket& operator=(ControlSocket&& other) noexcept;

  explicit operator bool() const { return static_cast<bool>(socket_); }
  [[nodiscard]] int get() const { return socket_.get(); }

private:
  FileDescriptor socket_;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

} // namespace midcom
