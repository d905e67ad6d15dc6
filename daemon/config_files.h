// SPDX-License-Identifier: GPL-3.0-or-later
// Files that a section of midcomd.conf names: paths relative to the file that names them, there,
// readable, PEM, and for `key` nobody's but the owner's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config_schema.h"

namespace midcom {

// `path` is what the key was given; it becomes whole. Nothing is checked when the key isn't there.
void check_pem(ConfigDraft& draft, std::string_view section, const std::string& key,
               std::string& path);
// Of a named section.
void check_pem(ConfigDraft& draft, const ConfigSection& section, const std::string& key,
               std::string& path);
// A directory that can be listed.
void check_directory(ConfigDraft& draft, const ConfigSection& section, const std::string& key,
                     std::string& path);
// Of a repeatable key, one path for each time it is given.
void check_pem(ConfigDraft& draft, std::string_view section, const std::string& key,
               std::vector<std::string>& paths);

} // namespace midcom
