// SPDX-License-Identifier: GPL-3.0-or-later
// One end of a SOCK_SEQPACKET pair: whole records, each with the descriptors that go with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/file_descriptor.h"

namespace midcom {

inline constexpr std::size_t max_channel_message = 131072;
inline constexpr std::size_t max_channel_descriptors = 250; // the kernel's SCM_MAX_FD is 253

class Channel {
public:
  enum class Error : std::uint8_t {
    would_block, // nothing to read, or no room to write: later
    closed,      // the other end is gone
    broken,      // a record too long, empty, or with descriptors beyond the bound; a system error
  };
  struct Message {
    std::string bytes;
    std::vector<FileDescriptor> descriptors; // close-on-exec
  };

  Channel() = default;
  explicit Channel(FileDescriptor socket) : socket_(std::move(socket)) {}
  // A connected pair, non-blocking and close-on-exec. Throws std::system_error.
  [[nodiscard]] static std::pair<FileDescriptor, FileDescriptor> make_pair();
  // Whether `fd` is an end of such a pair.
  [[nodiscard]] static bool is_channel(int fd);

  // `descriptors` stay the caller's; the receiver gets its own. All or nothing.
  [[nodiscard]] std::expected<void, Error> send(std::string_view bytes,
                                                std::span<const int> descriptors = {});
  [[nodiscard]] std::expected<Message, Error> receive();
  // Waits for a message for at most `milliseconds`; would_block: none came.
  [[nodiscard]] std::expected<Message, Error> receive_within(int milliseconds);
  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] FileDescriptor take() && { return std::move(socket_); }
  explicit operator bool() const { return static_cast<bool>(socket_); }

private:
  FileDescriptor socket_;
  std::unique_ptr<char[]> buffer_; // a record is received here; not cleared in between
};

} // namespace midcom
