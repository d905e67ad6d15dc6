// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace midcom::torture {

// Rows of a TAB-separated file; lines that are empty or begin with '#' are left out.
[[nodiscard]] std::vector<std::vector<std::string>> read_table(const std::string& path);
[[nodiscard]] std::string read_bytes(const std::string& path);
[[nodiscard]] bool is_file(const std::string& path);

} // namespace midcom::torture
