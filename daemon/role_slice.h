// SPDX-License-Identifier: GPL-3.0-or-later
// The slice of the configuration a role receives, encoded explicitly into a memory file: a role
// reads no file and never sees what it needn't know.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "daemon/config.h"
#include "daemon/wire.h"

namespace midcom {

struct AgentSlice {
  AgentConfig config;
  LogConfig log;
  TlsConfig::Verify client_verify = TlsConfig::Verify::optional;
  std::uint16_t minimum_tls_version = 0x0303;
};

struct MiddleboxSlice {
  LogConfig log;
  std::string policy; // pinhole::encode(Policy)
};

struct OpenerSlice {
  LogConfig log;
  OpenerConfig::CrlPolicy crl_policy = OpenerConfig::CrlPolicy::use_if_present;
  std::vector<std::string> extended_key_usages;
  std::chrono::seconds cek_lifetime{3600};
  std::vector<std::string> users; // addresses of record, in the order of their descriptors
};

[[nodiscard]] std::string encode(const AgentSlice& slice);
[[nodiscard]] std::string encode(const MiddleboxSlice& slice);
[[nodiscard]] std::string encode(const OpenerSlice& slice);
[[nodiscard]] std::expected<AgentSlice, WireError> decode_agent_slice(std::string_view bytes);
[[nodiscard]] std::expected<MiddleboxSlice, WireError>
decode_middlebox_slice(std::string_view bytes);
[[nodiscard]] std::expected<OpenerSlice, WireError> decode_opener_slice(std::string_view bytes);

} // namespace midcom
