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

[[nodiscard]] std::string encode(const AgentSlice& slice);
[[nodiscard]] std::string encode(const MiddleboxSlice& slice);
[[nodiscard]] std::expected<AgentSlice, WireError> decode_agent_slice(std::string_view bytes);
[[nodiscard]] std::expected<MiddleboxSlice, WireError>
decode_middlebox_slice(std::string_view bytes);

} // namespace midcom
