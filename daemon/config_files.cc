// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config_files.h"

#include <filesystem>
#include <sys/stat.h>
#include <system_error>

namespace midcom {

namespace {

// Why the file can't be used; "" when it can.
std::string file_problem(const std::string& path) {
  std::string text, why;
  if (!read_config_file(path, text, why)) return why;
  if (text.find("-----BEGIN ") == std::string::npos) return "holds no PEM";
  return {};
}

void make_whole(const ConfigEntry& entry, std::string& path) {
  if (path.starts_with('/')) return;
  const std::size_t slash = entry.place.file.rfind('/');
  if (slash != std::string::npos) path = entry.place.file.substr(0, slash + 1) + path;
}

void check_file(ConfigDraft& draft, const ConfigEntry& entry, std::string& path) {
  make_whole(entry, path);
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
  check_pem(draft, draft.section(section), key, path);
}

void check_pem(ConfigDraft& draft, const ConfigSection& section, const std::string& key,
               std::string& path) {
  const ConfigEntry* entry = section.find(key);
  if (entry != nullptr) check_file(draft, *entry, path);
}

void check_directory(ConfigDraft& draft, const ConfigSection& section, const std::string& key,
                     std::string& path) {
  const ConfigEntry* entry = section.find(key);
  if (entry == nullptr) return;
  make_whole(*entry, path);
  std::error_code error;
  const std::filesystem::directory_iterator first(path, error);
  if (error) draft.error(entry->place, key, path + ": " + error.message());
}

void check_pem(ConfigDraft& draft, std::string_view section, const std::string& key,
               std::vector<std::string>& paths) {
  std::size_t index = 0;
  for (const ConfigEntry& entry : draft.section(section).entries)
    if (entry.key == key && index < paths.size()) check_file(draft, entry, paths[index++]);
}

} // namespace midcom
