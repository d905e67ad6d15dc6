// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/memory_file.h"

#include <cerrno>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace midcom {

namespace {

constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

FileDescriptor make_memory_file(const char* name, std::string_view contents) {
  FileDescriptor file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) fail("memfd_create");
  std::size_t written = 0;
  while (written < contents.size()) {
    const ssize_t part = ::write(file.get(), contents.data() + written, contents.size() - written);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) fail("write to a memory file");
    written += static_cast<std::size_t>(part);
  }
  if (::fcntl(file.get(), F_ADD_SEALS, all_seals) != 0) fail("seal a memory file");
  return file;
}

std::string read_memory_file(int fd) {
  if ((::fcntl(fd, F_GET_SEALS) & all_seals) != all_seals)
    throw std::runtime_error("a memory file is not sealed");
  struct stat status{};
  if (::fstat(fd, &status) != 0) fail("fstat of a memory file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_memory_file) throw std::runtime_error("a memory file is too large");
  std::string contents(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t part = ::pread(fd, contents.data() + done, size - done, static_cast<off_t>(done));
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) fail("read of a memory file");
    done += static_cast<std::size_t>(part);
  }
  return contents;
}

void wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

} // namespace midcom
