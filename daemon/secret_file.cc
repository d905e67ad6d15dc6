// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/secret_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdexcept>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/wire.h"

namespace midcom {

namespace {

constexpr const char* file_name = "secret";

std::unexpected<std::string> system_failure(const std::string& what) {
  return std::unexpected(what + ": " + std::strerror(errno));
}

std::unexpected<std::string> refusal(const std::string& why) {
  return std::unexpected(why);
}

std::expected<SecretKey, std::string> read_secret(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return system_failure("secret");
  if (!S_ISREG(status.st_mode)) return refusal("secret: not a regular file");
  if (status.st_uid != ::geteuid()) return refusal("secret: belongs to another user");
  if ((status.st_mode & 077) != 0)
    return refusal("secret: others may read or write it (want 0600)");
  SecretKey secret{};
  if (status.st_size != static_cast<off_t>(secret.size()))
    return refusal("secret: not 32 octets long; remove it to have a new one made");
  if (::pread(fd, secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size()))
    return system_failure("secret");
  return secret;
}

// Writes a new secret under a name of its own, then links it: a half-written file is never seen
// under the final name, and an existing one is never replaced.
std::expected<void, std::string> make_secret(int directory) {
  SecretKey secret{};
  if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size()))
    return system_failure("getrandom");
  const std::string temporary = std::string(file_name) + ".new." + std::to_string(::getpid());
  (void)::unlinkat(directory, temporary.c_str(), 0);
  FileDescriptor file(::openat(directory, temporary.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return system_failure("secret");
  const bool is_written =
      ::write(file.get(), secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) &&
      ::fchmod(file.get(), 0600) == 0 && ::fsync(file.get()) == 0;
  const bool is_linked =
      is_written &&
      (::linkat(directory, temporary.c_str(), directory, file_name, 0) == 0 || errno == EEXIST);
  const int code = errno;
  (void)::unlinkat(directory, temporary.c_str(), 0);
  (void)::fsync(directory);
  errno = code;
  if (!is_linked) return system_failure("secret");
  return {};
}

SecretKey derive(const SecretKey& secret, std::string_view label) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
      EVP_KDF_fetch(nullptr, "HKDF", nullptr), &EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr, &EVP_KDF_CTX_free);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                        const_cast<std::uint8_t*>(secret.data()), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(label.data()),
                                        label.size()),
      OSSL_PARAM_construct_end()};
  SecretKey key{};
  if (!context || EVP_KDF_derive(context.get(), key.data(), key.size(), parameters) != 1)
    throw std::runtime_error("HKDF-SHA256 is not to be had from OpenSSL");
  return key;
}

template <class Wire>
void fields(Wire& wire, Field<Wire, Secrets>& secrets) {
  octet_array<Wire, 32>(wire, secrets.flow_token);
  octet_array<Wire, 32>(wire, secrets.group);
  octet_array<Wire, 32>(wire, secrets.identity);
  octet_array<Wire, 32>(wire, secrets.tag);
}

bool is_empty_directory(int directory) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
  if (stream == nullptr) {
    if (copy >= 0) ::close(copy);
    return false;
  }
  int entries = 0;
  while (::readdir(stream) != nullptr) ++entries;
  ::closedir(stream);
  return entries == 2; // . and ..
}

} // namespace

std::expected<FileDescriptor, std::string> open_state_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_failure(path);
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status{};
  if (!directory || ::fstat(directory.get(), &status) != 0) return system_failure(path);
  if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0)
    return refusal(path + ": belongs to another user, or others may write to it");
  return directory;
}

std::expected<SecretKey, std::string> load_or_make_secret(int directory) {
  const auto open_secret = [directory] {
    return FileDescriptor(
        ::openat(directory, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  };
  FileDescriptor file = open_secret();
  if (!file && errno == ENOENT) {
    if (auto made = make_secret(directory); !made) return std::unexpected(made.error());
    file = open_secret();
  }
  if (!file) return system_failure("secret");
  return read_secret(file.get());
}

Secrets derive_secrets(const SecretKey& secret) {
  return {.flow_token = derive(secret, "midcomd 1 flow token"),
          .group = derive(secret, "midcomd 1 group"),
          .identity = derive(secret, "midcomd 1 identity"),
          .tag = derive(secret, "midcomd 1 tag")};
}

std::expected<FileDescriptor, std::string> open_empty_directory(int state_directory) {
  if (::mkdirat(state_directory, "empty", 0555) != 0 && errno != EEXIST)
    return system_failure("empty");
  FileDescriptor directory(
      ::openat(state_directory, "empty", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!directory || ::fstat(directory.get(), &status) != 0) return system_failure("empty");
  if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0)
    return refusal("empty: belongs to another user, or others may write to it");
  if (!is_empty_directory(directory.get())) return refusal("empty: this directory must be empty");
  return directory;
}

std::string encode_secrets(const Secrets& secrets) {
  WireWriter writer;
  fields(writer, secrets);
  return std::move(writer).finish();
}

std::expected<Secrets, std::string> decode_secrets(const std::string& bytes) {
  WireReader reader(bytes);
  Secrets secrets;
  fields(reader, secrets);
  if (const auto error = reader.finish())
    return std::unexpected("secrets: " + std::string(to_string(*error)));
  return secrets;
}

} // namespace midcom
