// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/journal.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>

#include <spdlog/fmt/fmt.h>

#include "daemon/log_format.h"

namespace midcom {

namespace {

constexpr timeval longest_wait{.tv_sec = 0, .tv_usec = 100000};
constexpr int send_buffer = 1 << 20; // an entry is one datagram

// The same 128 bits for the same event name in every version, so that
// `journalctl MESSAGE_ID=` finds it: FNV-1a of the name from two starting points, marked as a
// random UUID (RFC 4122) because journalctl --catalog expects that form.
std::string message_id(std::string_view name) {
  std::array<std::uint64_t, 2> halves = {0xcbf29ce484222325U, 0x6d6964636f6d6421U};
  for (std::uint64_t& half : halves) {
    for (const char c : name) half = (half ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  halves[0] = (halves[0] & ~std::uint64_t{0xf000}) | 0x4000;
  halves[1] = (halves[1] & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);
  return fmt::format("{:016x}{:016x}", halves[0], halves[1]);
}

std::string own_field(std::string_view key, std::string_view value) {
  std::string name = "MIDCOM_";
  for (const char c : key) {
    const bool is_lower = c >= 'a' && c <= 'z';
    const bool is_kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += is_lower ? static_cast<char>(c - 'a' + 'A') : is_kept ? c : '_';
  }
  if (name.size() > 64) name.resize(64); // journald drops longer names
  return journal_field(name, escaped(value));
}

} // namespace

std::string journal_field(std::string_view name, std::string_view value) {
  std::string field(name);
  if (value.find('\n') == std::string_view::npos) return field.append("=").append(value) + "\n";
  field += '\n';
  for (unsigned shift = 0; shift < 64; shift += 8) // little-endian, whatever the host is
    field += static_cast<char>(static_cast<std::uint8_t>(std::uint64_t{value.size()} >> shift));
  return field.append(value) + "\n";
}

std::string journal_entry(const Event& event, std::string_view line) {
  std::string entry = journal_field("MESSAGE", line);
  entry += journal_field("PRIORITY", std::to_string(syslog_priority(event.level())));
  entry += journal_field("SYSLOG_IDENTIFIER", "midcomd");
  entry += journal_field("MESSAGE_ID", message_id(event.name()));
  entry += own_field("event", event.name());
  for (const auto& [key, value] : event.fields()) entry += own_field(key, value);
  return entry;
}

std::expected<JournalSocket, std::string> JournalSocket::open(const std::string& path) {
  const auto failure = [&](const char* why) {
    return std::unexpected("no journal at " + path + ": " + why);
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure("the path is too long");
  path.copy(address.sun_path, path.size());
  FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failure(std::strerror(errno));
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &longest_wait, sizeof longest_wait);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  return JournalSocket(std::move(socket));
}

bool JournalSocket::send(std::string_view entry) {
  const int flags = MSG_NOSIGNAL | (is_losing_ ? MSG_DONTWAIT : 0);
  ssize_t sent = 0;
  do sent = ::send(socket_.get(), entry.data(), entry.size(), flags);
  while (sent < 0 && errno == EINTR);
  is_losing_ = sent < 0;
  return !is_losing_;
}

} // namespace midcom
