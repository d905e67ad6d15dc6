// SPDX-License-Identifier: GPL-3.0-or-later
// midcomd.conf: read, typed, checked; all errors at once.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/agent_config.h"

namespace midcom {

struct LogConfig {
  enum class Format : std::uint8_t { logfmt, json };
  enum class Destination : std::uint8_t { automatic, journald, standard_error, syslog, file };
  Format format = Format::logfmt;
  Destination destination =
      Destination::automatic; // journald when there is its socket, else stderr
  std::string file;
  Level level = Level::info;
};

struct TlsConfig {
  enum class Verify : std::uint8_t { none, optional, required };
  std::string certificate_file, key_file, ca_file; // PEM
  Verify client_verify = Verify::optional;
  std::uint16_t minimum_version = 0x0303; // TLS 1.2
};

// [smime] as the openers need it.
struct OpenerConfig {
  enum class CrlPolicy : std::uint8_t { use_if_present, required };
  struct User { // of the role `endpoint`, in the order of EndpointConfig::users
    std::string address, certificate_file, key_file;
  };
  std::string certificate_file, key_file;       // PEM; empty: no [smime], or role `endpoint`
  std::vector<std::string> ca_files, crl_files; // PEM
  CrlPolicy crl_policy = CrlPolicy::use_if_present;
  std::vector<std::string> extended_key_usages; // dotted; a signer has one of them. Empty: any
  std::chrono::seconds cek_lifetime{3600};
  std::string user = "midcomd-opener";
  std::vector<User> users;
  std::vector<std::string> middle_files; // PEM, in the order of EndpointConfig::middles
  std::string contact_directory;         // of PEM files; empty: none
};

struct Config {
  AgentConfig agent;
  pinhole::Policy policy;
  LogConfig log;
  TlsConfig tls;
  OpenerConfig opener;
  std::string user = "midcomd";
  std::string middlebox_user = "midcomd-middlebox";
  std::string state_directory = "/var/lib/midcomd";
  std::string control_socket = "/run/midcomd/control.sock";
};

struct ConfigError {
  std::string file;
  int line = 0; // 0: the whole file
  std::string key;
  std::string message;
  std::string suggestion;                      // "" when there is none
  [[nodiscard]] std::string to_string() const; // "FILE:LINE: KEY: MESSAGE (SUGGESTION)"
};

// Reads `file` and, beside it, conf.d/*.conf in lexical order. Checks everything that can be
// checked without opening sockets, key files' readability and permissions included.
[[nodiscard]] std::expected<Config, std::vector<ConfigError>> load_config(const std::string& file);

} // namespace midcom
