// SPDX-License-Identifier: GPL-3.0-or-later
// Starting a role: fork, then exec of this same program with `--role NAME`, so that it has an
// address space of its own, and nothing open but the standard three and its channel on fd 3.
#pragma once

#include <cstdint>
#include <string_view>
#include <sys/types.h>

#include "daemon/file_descriptor.h"

namespace midcom {

enum class Role : std::uint8_t { agent, middlebox, opener };
[[nodiscard]] std::string_view to_string(Role role);

inline constexpr int channel_fd = 3;

// The child's pid; `channel` becomes its fd 3. Throws std::system_error when fork fails; a failing
// exec ends the child with 71 (EX_OSERR).
[[nodiscard]] pid_t start_child(Role role, const FileDescriptor& channel);

// How long to wait before a role that has died is started again, the `deaths`th time in a row that
// it did not live for `steady_life`: three times at once, then 1, 2, 4 ... 30 s.
inline constexpr int steady_life_seconds = 30;
[[nodiscard]] int restart_delay_ms(int deaths);

} // namespace midcom
