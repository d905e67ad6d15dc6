// SPDX-License-Identifier: GPL-3.0-or-later
// A small gateway for unit tests of the agent's parts: phones inside and outside, two trunks.
#pragma once

#include <string>
#include <string_view>

#include "daemon/agent_config.h"
#include "sip/message.h"

namespace midcom::test {

[[nodiscard]] sip::IpAddress address(std::string_view text);
[[nodiscard]] AgentConfig gateway_config();
// A request with usual headers; `extra` are whole field lines. Null when it doesn't parse.
[[nodiscard]] sip::MessagePtr request(std::string_view method, std::string_view uri,
                                      std::string_view extra = {}, std::string_view via = {});

} // namespace midcom::test
