// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config_files.h"

#include <sys/stat.h>

namespace midcom {

namespace {

// Why the file can't be used; "" when it can.
std::string file_problem(const std::string& path) {
  std::string text, why;
  if (!read_config_file(path, text, why)) return why;
  if (text.find("-----BEGIN ") == std::string::npos) return "holds no PEM";
  return {};
}

void check_file(ConfigDraft& draft, const ConfigEntry& entry, std::string& path) {
  if (!path.starts_with('/')) {
    const std::size_t slash = entry.place.file.rfind('/');
    if (slash != std::string::npos) path = entry.place.file.substr(0, slash + 1) + path;
  }
  const std::string problem = file_problem(path);
  struct stat status{};
  const bool is_there = ::stat(path.c_str(), &status) == 0;
  if (entry.key == "key" && is_there && (status.st_mode & 077) != 0)
    draft.error(entry.place, entry.key, path + " can be used by group or others",
                "chmod 600 " + path);
  if (!problem.empty()) draft.error(entry.place, entry.key, path + ": " + problem);
}

} // namespace

void check_pem(ConfigDraft& draft, std::string_view section, const std::string& key,
               std::string& path) {
  const ConfigEntry* entry = draft.section(section).find(key);
  if (entry != nullptr) check_file(draft, *entry, path);
}

void check_pem(ConfigDraft& draft, std::string_view section, const std::string& key,
               std::vector<std::string>& paths) {
  std::size_t index = 0;
  for (const ConfigEntry& entry : draft.section(section).entries)
    if (entry.key == key && index < paths.size()) check_file(draft, entry, paths[index++]);
}

} // namespace midcom
