// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/provisions.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <pwd.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "daemon/listening_sockets.h"
#include "daemon/memory_file.h"
#include "daemon/name_servers.h"
#include "daemon/pem_text.h"
#include "daemon/role_slice.h"
#include "daemon/secret_file.h"
#include "sip/e2m/certs_only.h"

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

// All of them one after the other; no file makes an empty one.
std::expected<FileDescriptor, StartFailure> pem_memory_file(const char* name,
                                                            std::span<const std::string> paths) {
  std::string whole;
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    auto text = read_pem(path);
    if (!text) return std::unexpected(std::move(text.error()));
    whole.reserve(whole.size() + text->size() + 1); // a key is one file: no copy of it is left
    whole += *text;
    whole += '\n';
    wipe(*text);
  }
  if (whole.size() > max_memory_file)
    return failure(exit_config, paths.back() + ": these files are too large together");
  FileDescriptor file = make_memory_file(name, whole);
  wipe(whole);
  return file;
}

std::expected<FileDescriptor, StartFailure> pem_memory_file(const char* name,
                                                            const std::string& path) {
  return pem_memory_file(name, path.empty() ? std::span<const std::string>() : std::span(&path, 1));
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

std::expected<void, StartFailure> gather_openers(const Config& config, Provisions& provisions) {
  if (config.agent.smime.openers == 0) return {};
  const OpenerConfig& from = config.opener;
  OpenerProvisions& opener = provisions.opener;
  auto account = account_of(from.user);
  if (!account) return std::unexpected(std::move(account.error()));
  if (account->uid == provisions.agent.uid || account->uid == provisions.middlebox.uid)
    return failure(exit_config, "opener-user must differ from user and middlebox-user");
  opener.account = *account;
  const struct {
    const char* name;
    std::span<const std::string> paths;
    FileDescriptor& file;
  } parts[] = {{"midcomd smime certificate", {&from.certificate_file, 1}, opener.certificate},
               {"midcomd smime key", {&from.key_file, 1}, opener.key},
               {"midcomd smime ca", from.ca_files, opener.authorities},
               {"midcomd smime crl", from.crl_files, opener.revocation_lists}};
  for (const auto& part : parts) {
    auto file = pem_memory_file(part.name, part.paths);
    if (!file) return std::unexpected(std::move(file.error()));
    part.file = std::move(*file);
  }
  OpenerSlice slice{.log = config.log,
                    .crl_policy = from.crl_policy,
                    .extended_key_usages = from.extended_key_usages,
                    .cek_lifetime = from.cek_lifetime,
                    .users = {}};
  for (const OpenerConfig::User& user : from.users) {
    slice.users.push_back(user.address);
    for (const std::string* path : {&user.certificate_file, &user.key_file}) {
      auto file = pem_memory_file("midcomd user", *path);
      if (!file) return std::unexpected(std::move(file.error()));
      opener.users.push_back(std::move(*file));
    }
  }
  opener.slice = make_memory_file("midcomd opener", encode(slice));
  provisions.openers = static_cast<std::uint8_t>(config.agent.smime.openers);
  return {};
}

// The octets of a certificate file: read here, because the agent decodes nothing but SIP.
std::expected<std::string, StartFailure> certificate_in(const std::string& path) {
  const auto text = read_pem(path);
  if (!text) return std::unexpected(text.error());
  auto octets = certificate_octets(*text);
  if (octets.empty() || octets.size() > max_own_certificate)
    return failure(exit_config, path + ": no certificate to be used");
  return octets;
}

// All of the directory that can be read; names that begin with a dot are left out.
std::expected<std::vector<std::string>, StartFailure> contacts_in(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths, contacts;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    if (it->is_regular_file() && !it->path().filename().native().starts_with('.'))
      paths.push_back(it->path().native());
  if (error) return failure(exit_config, directory + ": " + error.message());
  std::ranges::sort(paths);
  for (const std::string& path : paths) {
    auto certificate = certificate_in(path);
    if (!certificate) return std::unexpected(std::move(certificate.error()));
    contacts.push_back(std::move(*certificate));
  }
  return contacts;
}

// The certificates that the agent hands on.
std::expected<void, StartFailure> gather_certificates(const Config& config, AgentConfig& agent) {
  const OpenerConfig& from = config.opener;
  if (!from.certificate_file.empty() && agent.smime.openers > 0) {
    auto own = certificate_in(from.certificate_file); // what 496 offers
    if (!own) return std::unexpected(std::move(own.error()));
    agent.smime.certificate = std::move(*own);
  }
  for (std::size_t i = 0; i < from.users.size(); ++i) {
    const auto certificate = certificate_in(from.users[i].certificate_file);
    if (!certificate) return std::unexpected(certificate.error());
    agent.endpoint.users[i].offer = sip::e2m::write_certs_only({&*certificate, 1});
  }
  for (std::size_t i = 0; i < from.middle_files.size(); ++i) {
    auto certificate = certificate_in(from.middle_files[i]);
    if (!certificate) return std::unexpected(std::move(certificate.error()));
    agent.endpoint.middles[i].certificate = std::move(*certificate);
  }
  if (from.contact_directory.empty()) return {};
  auto contacts = contacts_in(from.contact_directory);
  if (!contacts) return std::unexpected(std::move(contacts.error()));
  agent.endpoint.contacts = std::move(*contacts);
  return {};
}

// Whom the agent asks for host names in descriptions; nobody when no peer may have any.
std::expected<void, StartFailure> gather_name_servers(AgentConfig& agent) {
  const bool is_needed = std::ranges::any_of(agent.peers, &PeerConfig::resolves_media_names);
  if (!is_needed) agent.dns.servers.clear();
  if (!is_needed || !agent.dns.servers.empty()) return {};
  agent.dns.servers = name_servers_of_host();
  if (!agent.dns.servers.empty()) return {};
  return failure(exit_config, "media-names = resolve, but /etc/resolv.conf has no name server: "
                              "give [dns] a server");
}

pinhole::Policy middlebox_policy(const Config& config) {
  pinhole::Policy policy = config.policy;
  for (const pinhole::Prefix& own : own_addresses()) policy.own_addresses.push_back(own);
  if (const char* masked = std::getenv("MIDCOMD_MASK_FEATURES"))
    policy.masked_features = static_cast<std::uint32_t>(std::strtoul(masked, nullptr, 0));
  return policy;
}

std::expected<void, StartFailure> gather_slices(const Config& config, Provisions& provisions) {
  AgentSlice agent{.config = config.agent,
                   .log = config.log,
                   .client_verify = config.tls.client_verify,
                   .minimum_tls_version = config.tls.minimum_version};
  if (auto done = gather_certificates(config, agent.config); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = gather_name_servers(agent.config); !done)
    return std::unexpected(std::move(done.error()));
  provisions.agent_slice = make_memory_file("midcomd agent", encode(agent));
  const MiddleboxSlice middlebox{.log = config.log,
                                 .policy = pinhole::encode(middlebox_policy(config))};
  provisions.middlebox_slice = make_memory_file("midcomd middlebox", encode(middlebox));
  return {};
}

} // namespace

std::expected<Provisions, StartFailure> gather_provisions(const Config& config) {
  if (::geteuid() != 0) return failure(exit_no_permission, "must be started as root");
  Provisions provisions;
  provisions.has_middlebox = config.agent.role == StationRole::gateway;
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
  if (auto done = gather_openers(config, provisions); !done)
    return std::unexpected(std::move(done.error()));
  auto listeners = open_listening_sockets(config.agent.listeners);
  if (!listeners) return std::unexpected(StartFailure{exit_failure, std::move(listeners.error())});
  provisions.listeners = std::move(*listeners);
  auto control = ControlSocket::bind(config.control_socket, agent->gid);
  if (control)
    provisions.control = std::move(*control);
  else
    provisions.control_failure = std::move(control.error());
  if (auto done = gather_slices(config, provisions); !done)
    return std::unexpected(std::move(done.error()));
  return provisions;
}

} // namespace midcom
