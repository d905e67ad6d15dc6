// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/torture/table.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace midcom::torture {

std::vector<std::vector<std::string>> read_table(const std::string& path) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string>& row = rows.emplace_back();
    std::size_t begin = 0;
    for (std::size_t tab = 0; tab != std::string::npos; begin = tab + 1) {
      tab = line.find('\t', begin);
      row.push_back(line.substr(begin, tab == std::string::npos ? tab : tab - begin));
    }
  }
  return rows;
}

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_file(const std::string& path) {
  return std::filesystem::is_regular_file(path);
}

} // namespace midcom::torture
