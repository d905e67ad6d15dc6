// SPDX-License-Identifier: GPL-3.0-or-later
// The sockets of the [listen] sections, opened once by the supervisor: they outlive every agent, so
// that connections arriving while it is started again wait in the backlog.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/file_descriptor.h"

namespace midcom {

// A listener may be asked for by a configuration, but its descriptors go in one message.
inline constexpr std::size_t max_listeners = 200;

// One bound (and for tcp and tls listening) socket per listener, in order; or every listener that
// could not be opened, in words.
[[nodiscard]] std::expected<std::vector<FileDescriptor>, std::vector<std::string>>
open_listening_sockets(const std::vector<ListenerConfig>& listeners);

// Every address of every interface of this host: never media.
[[nodiscard]] std::vector<pinhole::Prefix> own_addresses();

} // namespace midcom
