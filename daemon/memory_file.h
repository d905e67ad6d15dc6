// SPDX-License-Identifier: GPL-3.0-or-later
// Sealed anonymous memory files: how the supervisor hands a role its slice of the configuration,
// its secrets and its keys, none of which goes over a channel or touches a disk.
#pragma once

#include <string>
#include <string_view>

#include "daemon/file_descriptor.h"

namespace midcom {

inline constexpr std::size_t max_memory_file = 4 << 20;

// Nobody, its maker included, can change it afterwards. Throws std::system_error.
[[nodiscard]] FileDescriptor make_memory_file(const char* name, std::string_view contents);
// The whole contents, read without moving the shared offset. Throws when it can't be read, is too
// large, or isn't sealed.
[[nodiscard]] std::string read_memory_file(int fd);
void wipe(std::string& text); // overwrites and empties

} // namespace midcom
