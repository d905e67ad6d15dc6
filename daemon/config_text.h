// SPDX-License-Identifier: GPL-3.0-or-later
// midcomd.conf as text: sections and lines with their places, no meaning yet. The value of a key is
// everything after '=', trimmed; '#' and ';' start a comment at the start of a line or after white
// space.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.h"

namespace midcom {

using ConfigErrors = std::vector<ConfigError>;

struct ConfigPlace {
  std::string file;
  int line = 0;
};

struct ConfigEntry {
  std::string key, value;
  ConfigPlace place;
};

struct ConfigSection {
  std::string kind, name; // "[peer acme]": "peer", "acme"
  ConfigPlace place;
  std::vector<ConfigEntry> entries;                                      // in order of the text
  [[nodiscard]] const ConfigEntry* find(std::string_view key) const;     // the first; nullptr: none
  [[nodiscard]] const ConfigPlace& place_of(std::string_view key) const; // the section's when none
  [[nodiscard]] std::string title() const;                               // "[peer acme]"
};

struct ConfigText {
  std::vector<ConfigSection> sections;
  ConfigErrors errors;
};

// Never stops at an error. Everything outside comments must be printable ASCII.
[[nodiscard]] ConfigText read_config_text(std::string_view text, const std::string& file);

// Appends a regular file of at most 1 MiB to `text`; false and `why` otherwise.
[[nodiscard]] bool read_config_file(const std::string& file, std::string& text, std::string& why);

[[nodiscard]] std::string place_text(const ConfigPlace& place); // "FILE:LINE"

} // namespace midcom
