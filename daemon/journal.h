// SPDX-License-Identifier: GPL-3.0-or-later
// The journal's native protocol on a socket of our own. libsystemd opens its socket at the first
// entry, which fails in a role: by then it sees an empty root directory.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "daemon/event_log.h"
#include "daemon/file_descriptor.h"

namespace midcom {

inline constexpr const char* journal_path = "/run/systemd/journal/socket";

// One field as it is sent: NAME=value and a newline, or the form with a length when the value has
// a newline itself.
[[nodiscard]] std::string journal_field(std::string_view name, std::string_view value);

// The whole entry: `line` is its MESSAGE, and every field of the event is a field MIDCOM_NAME.
[[nodiscard]] std::string journal_entry(const Event& event, std::string_view line);

class JournalSocket {
public:
  // The error in words. Connected for good: systemd keeps the other end open while the journal is
  // started again, and after a chroot there is no second try.
  [[nodiscard]] static std::expected<JournalSocket, std::string> open(const std::string& path);

  // False: this entry is lost. Waits at most 100 ms for a journal that is slow, and not at all
  // while the entry before it was lost.
  [[nodiscard]] bool send(std::string_view entry);

private:
  explicit JournalSocket(FileDescriptor socket) : socket_(std::move(socket)) {}

  FileDescriptor socket_;
  bool is_losing_ = false;
};

} // namespace midcom
