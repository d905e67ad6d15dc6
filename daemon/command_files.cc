// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/command_files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>
#include <utility>

#include "daemon/file_descriptor.h"

namespace midcom {
namespace {

namespace e2m = sip::e2m;
using Failure = std::unexpected<std::string>;

constexpr std::size_t most_octets = 1U << 20;

Failure failure(const std::string& path, std::string_view why) {
  return Failure(path + ": " + std::string(why));
}

Failure failure(const std::string& path) {
  return failure(path, std::strerror(errno));
}

FromFile<std::string> read_all(int file, const std::string& path) {
  std::string text, part(65536, '\0');
  while (true) {
    const ssize_t size = ::read(file, part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failure(path);
    if (size == 0) break;
    text.append(part, 0, static_cast<std::size_t>(size));
    if (text.size() > most_octets) return failure(path, "too large");
  }
  OPENSSL_cleanse(part.data(), part.size()); // it may have been a key
  return text;
}

FromFile<void> write_all(int file, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(file, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return failure(path);
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

FromFile<std::vector<std::string>> read_each(std::span<const std::string> paths) {
  std::vector<std::string> texts;
  for (const std::string& path : paths) {
    auto text = read_input(path);
    if (!text) return Failure(text.error());
    texts.push_back(*std::move(text));
  }
  return texts;
}

} // namespace

FromFile<std::string> read_input(const std::string& path) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input");
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failure(path);
  return read_all(file.get(), path);
}

FromFile<void> write_output(const std::string& path, std::string_view text, mode_t mode) {
  if (path.empty() || path == "-") return write_all(STDOUT_FILENO, "standard output", text);
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file) return failure(path);
  return write_all(file.get(), path, text);
}

FromFile<std::vector<e2m::Certificate>> read_certificates(const std::string& path) {
  const auto text = read_input(path);
  if (!text) return Failure(text.error());
  auto certificates = e2m::Certificate::all_from_pem(*text);
  if (!certificates) return failure(path, "no certificate in PEM");
  return *std::move(certificates);
}

FromFile<std::vector<e2m::Certificate>> read_each_certificate(std::span<const std::string> paths) {
  std::vector<e2m::Certificate> first;
  for (const std::string& path : paths) {
    const auto certificates = read_certificates(path);
    if (!certificates) return certificates;
    first.push_back(certificates->front());
  }
  return first;
}

FromFile<e2m::PrivateKey> read_private_key(const std::string& path) {
  auto text = read_input(path);
  if (!text) return Failure(text.error());
  auto key = e2m::PrivateKey::from_pem(*text);
  OPENSSL_cleanse(text->data(), text->size());
  if (!key) return failure(path, "no private key that is taken here, unencrypted and in PEM");
  return *std::move(key);
}

FromFile<std::vector<e2m::DecryptionKey>>
read_decryption_keys(std::span<const std::string> keys, std::span<const std::string> certificates) {
  std::vector<e2m::DecryptionKey> pairs;
  if (keys.size() != certificates.size()) return Failure("one --certificate goes with each --key");
  const auto owners = read_each_certificate(certificates);
  if (!owners) return Failure(owners.error());
  for (std::size_t index = 0; index < keys.size(); ++index) {
    auto key = read_private_key(keys[index]);
    if (!key) return Failure(key.error());
    if (!(*owners)[index].belongs_to(*key))
      return failure(keys[index], "not the key of " + certificates[index]);
    pairs.push_back({(*owners)[index], *std::move(key)});
  }
  return pairs;
}

FromFile<e2m::TrustStore> read_trust(std::span<const std::string> authorities,
                                     std::span<const std::string> lists) {
  auto authority_texts = read_each(authorities);
  if (!authority_texts) return Failure(authority_texts.error());
  auto list_texts = read_each(lists);
  if (!list_texts) return Failure(list_texts.error());
  auto trust = e2m::TrustStore::make({.authorities = *std::move(authority_texts),
                                      .revocation_lists = *std::move(list_texts),
                                      .is_crl_required = !lists.empty()});
  if (!trust) return Failure("--ca, --crl: " + std::string(to_string(trust.error())));
  return *std::move(trust);
}

} // namespace midcom
