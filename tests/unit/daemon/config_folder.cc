// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/daemon/config_folder.h"

#include <cstdlib>
#include <fstream>
#include <sys/stat.h>

namespace midcom::test {

namespace fs = std::filesystem;

void ConfigFolder::SetUp() {
  std::string name = (fs::temp_directory_path() / "midcom-config-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
  for (const char* file : {"cert.pem", "key.pem", "ca.pem"})
    put(file, "-----BEGIN SOMETHING-----\n");
  ::chmod((folder_ / "key.pem").c_str(), 0600);
}

void ConfigFolder::TearDown() {
  fs::remove_all(folder_);
}

fs::path ConfigFolder::put(const std::string& name, const std::string& text) {
  fs::create_directories((folder_ / name).parent_path());
  std::ofstream(folder_ / name) << text;
  return folder_ / name;
}

std::expected<Config, std::vector<ConfigError>> ConfigFolder::load(const std::string& text) {
  return load_config(put("midcomd.conf", text));
}

std::vector<std::string> ConfigFolder::errors(const std::string& text) {
  const auto result = load(text);
  std::vector<std::string> list;
  if (result) return list;
  for (const ConfigError& error : result.error()) {
    std::string line = error.to_string();
    for (std::size_t at; (at = line.find(folder_.string() + "/")) != std::string::npos;)
      line.erase(at, folder_.string().size() + 1);
    list.push_back(line);
  }
  return list;
}

} // namespace midcom::test
