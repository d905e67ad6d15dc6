// SPDX-License-Identifier: GPL-3.0-or-later
// midcomd.conf and midcomd.conf(5) name every key with its default, and nothing else.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>
#include <sstream>

#include "daemon/config.h"
#include "daemon/config_schema.h"

namespace midcom {
namespace {

const std::string source = MIDCOM_SOURCE_DIR;

std::string content(const std::string& path) {
  std::ifstream stream(path);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The file with its commented keys and sections taken in: "#calls = 20000" counts.
ConfigText with_defaults(const std::string& path) {
  std::istringstream lines(content(path));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const bool is_key = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    text += (is_key ? line.substr(1) : line) + "\n";
  }
  return read_config_text(text, path);
}

TEST(ConfigDocuments, EveryKeyIsInTheShippedFileWithItsDefault) {
  const ConfigText text = with_defaults(source + "/conf/midcomd.conf");
  EXPECT_TRUE(text.errors.empty());
  for (const ConfigKey& key : known_keys()) {
    bool is_there = false, has_default = key.default_text.empty();
    for (const ConfigSection& section : text.sections) {
      if (section.kind != key.section) continue;
      for (const ConfigEntry& entry : section.entries) {
        is_there |= entry.key == key.key;
        has_default |= entry.key == key.key && entry.value == key.default_text;
      }
    }
    EXPECT_TRUE(is_there) << "[" << key.section << "] " << key.key;
    EXPECT_TRUE(has_default) << key.key << " = " << key.default_text;
  }
}

TEST(ConfigDocuments, TheShippedFileNamesNoOtherKey) {
  std::set<std::pair<std::string, std::string>> known;
  for (const ConfigKey& key : known_keys()) known.emplace(key.section, key.key);
  for (const ConfigSection& section : with_defaults(source + "/conf/midcomd.conf").sections) {
    for (const ConfigEntry& entry : section.entries)
      EXPECT_TRUE(known.contains({section.kind, entry.key})) << section.title() << entry.key;
  }
}

TEST(ConfigDocuments, EveryKeyIsInTheManualWithItsDefault) {
  const std::string manual = content(source + "/conf/midcomd.conf.5");
  for (const ConfigKey& key : known_keys()) {
    const std::size_t section = manual.find("\n.Ss [" + key.section);
    ASSERT_NE(section, std::string::npos) << key.section;
    const std::string part = manual.substr(section, manual.find("\n.S", section + 1) - section);
    const std::size_t item = part.find("\n.It Ic " + key.key + " ");
    ASSERT_NE(item, std::string::npos) << "[" << key.section << "] " << key.key;
    const std::string text = part.substr(item, part.find("\n.It ", item + 1) - item);
    const std::string fallback =
        key.default_text.empty() ? "" : "Default: " + key.default_text + ".";
    EXPECT_NE(text.find(fallback), std::string::npos) << key.key;
    EXPECT_EQ(key.is_repeatable, text.find("Repeatable.") != std::string::npos) << key.key;
    EXPECT_EQ(key.is_required, text.find("Required.") != std::string::npos) << key.key;
  }
}

TEST(ConfigDocuments, EveryKeyHasADescription) {
  EXPECT_GT(known_keys().size(), 60U);
  for (const ConfigKey& key : known_keys()) EXPECT_FALSE(key.description.empty()) << key.key;
}

// The certificates they name aren't there; nothing else may be wrong.
TEST(ConfigDocuments, ShippedFilesAndExamplesAreGood) {
  std::vector<std::string> files = {source + "/conf/midcomd.conf"};
  for (const auto& entry : std::filesystem::directory_iterator(source + "/conf/examples"))
    files.push_back(entry.path().string());
  EXPECT_GE(files.size(), 3U);
  for (const std::string& file : files) {
    const auto config = load_config(file);
    if (config) continue;
    for (const ConfigError& error : config.error())
      EXPECT_TRUE(error.message.starts_with("/etc/midcomd/")) << error.to_string();
  }
}

} // namespace
} // namespace midcom
