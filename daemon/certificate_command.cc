// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/certificate_command.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <expected>
#include <fcntl.h>
#include <getopt.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "daemon/exit_status.h"
#include "daemon/file_descriptor.h"
#include "sip/e2m/make_certificates.h"

namespace midcom {

namespace {

namespace e2m = sip::e2m;

constexpr const char* usage =
    "usage: midcomctl certs DIR --domain DOMAIN --gateway HOST --user NAME ...\n"
    "                       [--revoke NAME ...] [--days N] [--key p256 | p384 | rsa2048]\n";

constexpr std::int64_t seconds_of_day = 86400;
constexpr std::int64_t clock_difference = 3600; // another machine's clock may be behind ours
constexpr int most_days = 3650;
constexpr std::size_t most_users = 100, longest_name = 64, longest_host = 253;
constexpr std::string_view gateway_name = "gw";

struct Wanted {
  std::string directory, domain, gateway;
  std::vector<std::string> users, revoked;
  int days = 365;
  e2m::KeyKind key = e2m::KeyKind::p256;
};

struct NewFile {
  std::string name, what, text;
  mode_t mode = 0644;
};

using Failure = std::unexpected<std::string>;

Failure failure(const std::string& what) {
  return Failure(what + ": " + std::strerror(errno));
}

std::optional<e2m::KeyKind> key_kind(std::string_view word) {
  if (word == "p256") return e2m::KeyKind::p256;
  if (word == "p384") return e2m::KeyKind::p384;
  if (word == "rsa2048") return e2m::KeyKind::rsa;
  return std::nullopt;
}

std::optional<int> days(const std::string& word) {
  int number = 0;
  const char* end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, number);
  if (error != std::errc() || at != end || number < 1 || number > most_days) return std::nullopt;
  return number;
}

bool is_word(std::string_view text, std::string_view also) {
  return !text.empty() && !text.starts_with('.') && !text.starts_with('-') &&
         std::ranges::all_of(text, [also](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || also.contains(c);
         });
}

bool is_host(std::string_view text) {
  return text.size() <= longest_host && is_word(text, "-.");
}

// A user's name is part of a URI and of a file's name, and not a name that is used otherwise.
bool is_user(std::string_view text) {
  return text.size() <= longest_name && is_word(text, "-._+") && text != gateway_name &&
         text != "ca" && text != "crl";
}

bool makes_sense(const Wanted& wanted) {
  auto users = wanted.users;
  std::ranges::sort(users);
  return !wanted.directory.empty() && is_host(wanted.domain) && is_host(wanted.gateway) &&
         !users.empty() && users.size() <= most_users && std::ranges::all_of(users, is_user) &&
         std::ranges::adjacent_find(users) == users.end() &&
         std::ranges::all_of(wanted.revoked, [&](const std::string& name) {
           return name == gateway_name || std::ranges::binary_search(users, name);
         });
}

bool take_option(Wanted& wanted, int letter, const char* value) {
  switch (letter) {
  case 'd':
    wanted.domain = value;
    return true;
  case 'g':
    wanted.gateway = value;
    return true;
  case 'u':
    wanted.users.emplace_back(value);
    return true;
  case 'r':
    wanted.revoked.emplace_back(value);
    return true;
  case 'n':
    if (const auto number = days(value)) return wanted.days = *number, true;
    return false;
  case 'k':
    if (const auto kind = key_kind(value)) return wanted.key = *kind, true;
    return false;
  default:
    return false;
  }
}

std::optional<Wanted> parse_command_line(int count, char** words) {
  static constexpr option options[] = {{"domain", required_argument, nullptr, 'd'},
                                       {"gateway", required_argument, nullptr, 'g'},
                                       {"user", required_argument, nullptr, 'u'},
                                       {"revoke", required_argument, nullptr, 'r'},
                                       {"days", required_argument, nullptr, 'n'},
                                       {"key", required_argument, nullptr, 'k'},
                                       {nullptr, 0, nullptr, 0}};
  Wanted wanted;
  optind = 0; // glibc: begin anew
  for (int letter = 0; (letter = ::getopt_long(count, words, "", options, nullptr)) != -1;)
    if (!take_option(wanted, letter, optarg)) return std::nullopt;
  if (optind + 1 != count) return std::nullopt;
  wanted.directory = words[optind];
  if (!makes_sense(wanted)) return std::nullopt;
  return wanted;
}

void add_pair(std::vector<NewFile>& files, const std::string& name, const std::string& what,
              const e2m::MadeCertificate& made) {
  files.push_back(
      {.name = name + ".pem", .what = "certificate of " + what, .text = made.certificate.pem()});
  files.push_back({.name = name + ".key", .what = "its key", .text = made.key.pem(), .mode = 0600});
}

e2m::Result<std::vector<NewFile>> make_files(const Wanted& wanted, std::int64_t now) {
  const e2m::Validity validity{.from = now - clock_difference,
                               .until = now + wanted.days * seconds_of_day};
  const auto root = e2m::CertificateAuthority::make_root(wanted.domain + " certificate authority",
                                                         validity, wanted.key);
  if (!root) return std::unexpected(root.error());
  std::vector<NewFile> files{
      {.name = "ca.pem", .what = "the authority's certificate", .text = root->certificate().pem()},
      {.name = "ca.key", .what = "its key", .text = root->key().pem(), .mode = 0600}};

  std::vector<std::string> revoked;
  const auto issue = [&](const std::string& name, const e2m::CertificateOrder& order) {
    const auto made = root->issue(order);
    if (!made) return false;
    add_pair(files, name, order.uris.front(), *made);
    if (std::ranges::find(wanted.revoked, name) != wanted.revoked.end())
      revoked.push_back(made->serial);
    return true;
  };
  if (!issue(std::string(gateway_name), e2m::gateway_order(wanted.gateway, validity, wanted.key)))
    return std::unexpected(e2m::Error::library);
  for (const std::string& user : wanted.users)
    if (!issue(user, e2m::user_order(user, wanted.domain, validity, wanted.key)))
      return std::unexpected(e2m::Error::library);

  const auto list = root->revocation_list(revoked, validity);
  if (!list) return std::unexpected(list.error());
  files.push_back({.name = "crl.pem",
                   .what = "revocation list, " + std::to_string(revoked.size()) + " revoked",
                   .text = *list});
  return files;
}

bool write_whole(const FileDescriptor& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return ::fsync(file.get()) == 0;
}

// The whole file, or none.
std::expected<void, std::string> write_file(int directory, const NewFile& file) {
  const FileDescriptor made(::openat(directory, file.name.c_str(),
                                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                     file.mode));
  if (!made) return failure(file.name);
  if (write_whole(made, file.text)) return {};
  auto why = failure(file.name);
  (void)::unlinkat(directory, file.name.c_str(), 0);
  return why;
}

// All or none; what was there before stays.
std::expected<void, std::string> write_files(int directory, const std::vector<NewFile>& files) {
  for (const NewFile& file : files) {
    struct stat status{};
    if (::fstatat(directory, file.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
      return Failure(file.name + ": is there already; nothing is overwritten");
  }
  for (auto file = files.begin(); file != files.end(); ++file) {
    auto written = write_file(directory, *file);
    if (written) continue;
    for (auto made = files.begin(); made != file; ++made)
      (void)::unlinkat(directory, made->name.c_str(), 0);
    return written;
  }
  return {};
}

std::expected<FileDescriptor, std::string> open_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return failure(path);
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failure(path);
  return directory;
}

int fail(const std::string& why) {
  std::fprintf(stderr, "midcomctl certs: %s\n", why.c_str());
  return exit_failure;
}

} // namespace

int run_certificate_command(int count, char** words) {
  const auto wanted = parse_command_line(count, words);
  if (!wanted) {
    std::fputs(usage, stderr);
    return exit_usage;
  }
  const auto files = make_files(*wanted, std::time(nullptr));
  if (!files) return fail(std::string(to_string(files.error())));
  const auto directory = open_directory(wanted->directory);
  if (!directory) return fail(directory.error());
  if (const auto written = write_files(directory->get(), *files); !written)
    return fail(wanted->directory + "/" + written.error());
  for (const NewFile& file : *files)
    std::printf("%s/%s: %s\n", wanted->directory.c_str(), file.name.c_str(), file.what.c_str());
  std::printf("valid for %d days\n", wanted->days);
  return exit_ok;
}

} // namespace midcom
