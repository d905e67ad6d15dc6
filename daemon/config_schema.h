// SPDX-License-Identifier: GPL-3.0-or-later
// What midcomd.conf may hold: sections and their keys, each with its type, default and range
// (config_sections.cc). Checks across keys are in config_check.h.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config.h"
#include "daemon/config_text.h"
#include "daemon/config_values.h"

namespace midcom {

// Sections as they are read; the final Config is made of them when all checks have passed. Every
// section keeps its text for the places of its keys.
struct ListenDraft {
  ConfigSection text;
  std::optional<TransportAddress> address; // empty: missing or refused
  std::string advertise;
};

struct PeerDraft {
  ConfigSection text;
  PeerConfig peer; // without next_hop and media
  std::vector<std::string> media;
  std::optional<TransportAddress> next_hop;
  std::string tls_name;
  std::optional<bool> tcp_media; // empty: as its kind has it
};

struct RouteDraft {
  ConfigSection text;
  RouteConfig route;
};

struct AllowDraft {
  ConfigSection text;
  pinhole::StaticAllow allow;
};

struct UserDraft {
  ConfigSection text;
  OpenerConfig::User user;
};

struct MiddleDraft {
  ConfigSection text;
  std::string certificate_file;
};

struct ConfigDraft {
  Config config;                       // the unnamed sections are read into it
  std::vector<ConfigSection> sections; // unnamed ones, merged over all files
  std::vector<ListenDraft> listeners;
  std::vector<PeerDraft> peers;
  std::vector<RouteDraft> routes;
  std::vector<AllowDraft> allows;
  std::vector<UserDraft> users;
  std::vector<MiddleDraft> middles;
  ConfigErrors errors;

  void error(const ConfigPlace& place, std::string key, std::string message,
             std::string suggestion = {});
  [[nodiscard]] const ConfigSection& section(std::string_view kind) const; // empty when not there
};

// Types every value; what can't be typed is an error of the draft.
[[nodiscard]] ConfigDraft read_sections(std::vector<ConfigSection> sections,
                                        const std::string& main_file);

struct ConfigKey {
  std::string section, key, default_text, description;
  bool is_repeatable = false, is_required = false;
};
// Every key the reader knows, by section in the order of the documentation.
[[nodiscard]] std::vector<ConfigKey> known_keys();

} // namespace midcom
