// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/provisions.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "daemon/listening_sockets.h"
#include "daemon/memory_file.h"
#include "daemon/role_slice.h"
#include "daemon/secret_file.h"

namespace midcom {

namespace {

constexpr off_t max_pem_file = 1 << 20;

std::unexpected<StartFailure> failure(ExitStatus status, std::string reason) {
  return std::unexpected(StartFailure{status, {std::move(reason)}});
}

std::expected<Account, StartFailure> account_of(const std::string& user) {
  errno = 0;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return failure(exit_config, "no such user: " + user);
  if (entry->pw_uid == 0 || entry->pw_gid == 0)
    return failure(exit_config, "a role must not run as root: " + user);
  return Account{entry->pw_uid, entry->pw_gid};
}

std::expected<std::string, StartFailure> read_pem(const std::string& path) {
  std::string text;
  if (path.empty()) return text;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0)
    return failure(exit_config, path + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode) || status.st_size > max_pem_file)
    return failure(exit_config, path + ": not a PEM file");
  text.resize(static_cast<std::size_t>(status.st_size));
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  if (size < 0 || static_cast<std::size_t>(size) != text.size()) {
    wipe(text);
    return failure(exit_config, path + ": can't be read");
  }
  return text;
}

std::expected<FileDescriptor, StartFailure> pem_memory_file(const char* name,
                                                            const std::string& path) {
  auto text = read_pem(path);
  if (!text) return std::unexpected(std::move(text.error()));
  FileDescriptor file = make_memory_file(name, *text);
  wipe(*text);
  return file;
}

std::expected<void, StartFailure> gather_tls(const TlsConfig& tls, Provisions& provisions) {
  const struct {
    const char* name;
    const std::string& path;
    FileDescriptor& file;
  } parts[] = {{"midcomd certificate", tls.certificate_file, provisions.certificate},
               {"midcomd key", tls.key_file, provisions.key},
               {"midcomd ca", tls.ca_file, provisions.trusted_ca}};
  for (const auto& part : parts) {
    auto file = pem_memory_file(part.name, part.path);
    if (!file) return std::unexpected(std::move(file.error()));
    part.file = std::move(*file);
  }
  return {};
}

std::expected<void, StartFailure> gather_state(const std::string& path, Provisions& provisions) {
  const auto state = open_state_directory(path);
  if (!state) return failure(exit_failure, state.error());
  auto empty = open_empty_directory(state->get());
  if (!empty) return failure(exit_failure, path + "/" + empty.error());
  provisions.empty_directory = std::move(*empty);
  const auto secret = load_or_make_secret(state->get());
  if (!secret) return failure(exit_failure, path + "/" + secret.error());
  std::string encoded = encode_secrets(derive_secrets(*secret));
  provisions.secrets = make_memory_file("midcomd secrets", encoded);
  wipe(encoded);
  return {};
}

pinhole::Policy middlebox_policy(const Config& config) {
  pinhole::Policy policy = config.policy;
  for (const pinhole::Prefix& own : own_addresses()) policy.own_addresses.push_back(own);
  if (const char* masked = std::getenv("MIDCOMD_MASK_FEATURES"))
    policy.masked_features = static_cast<std::uint32_t>(std::strtoul(masked, nullptr, 0));
  return policy;
}

void gather_slices(const Config& config, Provisions& provisions) {
  const AgentSlice agent{.config = config.agent,
                         .log = config.log,
                         .client_verify = config.tls.client_verify,
                         .minimum_tls_version = config.tls.minimum_version};
  provisions.agent_slice = make_memory_file("midcomd agent", encode(agent));
  const MiddleboxSlice middlebox{.log = config.log,
                                 .policy = pinhole::encode(middlebox_policy(config))};
  provisions.middlebox_slice = make_memory_file("midcomd middlebox", encode(middlebox));
}

} // namespace

std::expected<Provisions, StartFailure> gather_provisions(const Config& config) {
  if (::geteuid() != 0) return failure(exit_no_permission, "must be started as root");
  Provisions provisions;
  auto agent = account_of(config.user);
  if (!agent) return std::unexpected(std::move(agent.error()));
  auto middlebox = account_of(config.middlebox_user);
  if (!middlebox) return std::unexpected(std::move(middlebox.error()));
  if (agent->uid == middlebox->uid)
    return failure(exit_config, "user and middlebox-user must differ");
  provisions.agent = *agent;
  provisions.middlebox = *middlebox;
  if (auto done = gather_state(config.state_directory, provisions); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = gather_tls(config.tls, provisions); !done)
    return std::unexpected(std::move(done.error()));
  auto listeners = open_listening_sockets(config.agent.listeners);
  if (!listeners) return std::unexpected(StartFailure{exit_failure, std::move(listeners.error())});
  provisions.listeners = std::move(*listeners);
  auto control = ControlSocket::bind(config.control_socket, agent->gid);
  if (control)
    provisions.control = std::move(*control);
  else
    provisions.control_failure = std::move(control.error());
  gather_slices(config, provisions);
  return provisions;
}

} // namespace midcom
