// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config_schema.h"

#include "daemon/config_sections.h"

namespace midcom {

namespace {

using config::Keys;
using config::named_keys;
using config::unnamed_keys;

struct Kind {
  std::string_view name;
  bool is_named;
};
constexpr Kind kinds[] = {
    {"midcomd", false},  {"listen", true},    {"tls", false},      {"smime", false},
    {"peer", true},      {"route", true},     {"media", false},    {"dns", false},
    {"allow", true},     {"limits", false},   {"timeouts", false}, {"log", false},
    {"firewall", false}, {"endpoint", false}, {"user", true},      {"middle", true}};

template <class D>
void read_named(const ConfigSection& section, std::vector<D>& drafts, ConfigDraft& all) {
  for (const D& other : drafts) {
    if (other.text.name != section.name) continue;
    all.error(section.place, section.title(),
              "section given twice; first at " + place_text(other.text.place),
              "put its keys into one section");
    return;
  }
  D draft;
  draft.text = section;
  Keys keys;
  named_keys(keys, draft);
  keys.read(section, all);
  drafts.push_back(std::move(draft));
}

void read_named(const ConfigSection& section, ConfigDraft& draft) {
  if (section.kind == "listen") read_named(section, draft.listeners, draft);
  if (section.kind == "peer") read_named(section, draft.peers, draft);
  if (section.kind == "route") read_named(section, draft.routes, draft);
  if (section.kind == "allow") read_named(section, draft.allows, draft);
  if (section.kind == "user") read_named(section, draft.users, draft);
  if (section.kind == "middle") read_named(section, draft.middles, draft);
}

// Whether the header of a section is one we know, named or not as it must be.
bool check_header(const ConfigSection& section, ConfigDraft& draft) {
  std::vector<std::string_view> names;
  for (const Kind& kind : kinds) {
    names.push_back(kind.name);
    if (kind.name != section.kind) continue;
    if (kind.is_named && section.name.empty()) {
      draft.error(section.place, section.title(), "section needs a name",
                  "write [" + section.kind +
                      (section.kind == "route" ? " example.com] or [route *]" : " NAME]"));
      return false;
    }
    if (!kind.is_named && !section.name.empty()) {
      draft.error(section.place, section.title(), "section takes no name",
                  "write [" + section.kind + "]");
      return false;
    }
    return true;
  }
  draft.error(section.place, section.title(), "unknown section", did_you_mean(section.kind, names));
  return false;
}

void merge(ConfigSection section, std::vector<ConfigSection>& sections) {
  for (ConfigSection& other : sections) {
    if (other.kind != section.kind) continue;
    for (ConfigEntry& entry : section.entries) other.entries.push_back(std::move(entry));
    return;
  }
  sections.push_back(std::move(section));
}

} // namespace

void ConfigDraft::error(const ConfigPlace& place, std::string key, std::string message,
                        std::string suggestion) {
  errors.push_back(
      {place.file, place.line, std::move(key), std::move(message), std::move(suggestion)});
}

const ConfigSection& ConfigDraft::section(std::string_view kind) const {
  static const ConfigSection none;
  for (const ConfigSection& candidate : sections) {
    if (candidate.kind == kind) return candidate;
  }
  return none;
}

ConfigDraft read_sections(std::vector<ConfigSection> sections, const std::string& main_file) {
  ConfigDraft draft;
  for (ConfigSection& section : sections) {
    if (!check_header(section, draft)) continue;
    if (section.name.empty())
      merge(std::move(section), draft.sections);
    else
      read_named(section, draft);
  }
  for (const Kind& kind : kinds) {
    if (kind.is_named) continue;
    ConfigSection missing{std::string(kind.name), "", {main_file, 0}, {}};
    merge(std::move(missing), draft.sections); // for its defaults
    Keys keys;
    unnamed_keys(keys, kind.name, draft.config);
    keys.read(draft.section(kind.name), draft);
  }
  return draft;
}

std::vector<ConfigKey> known_keys() {
  std::vector<ConfigKey> result;
  Config config;
  ListenDraft listen;
  PeerDraft peer;
  RouteDraft route;
  AllowDraft allow;
  UserDraft user;
  MiddleDraft middle;
  for (const Kind& kind : kinds) {
    Keys keys;
    unnamed_keys(keys, kind.name, config);
    if (kind.name == "listen") named_keys(keys, listen);
    if (kind.name == "peer") named_keys(keys, peer);
    if (kind.name == "route") named_keys(keys, route);
    if (kind.name == "allow") named_keys(keys, allow);
    if (kind.name == "user") named_keys(keys, user);
    if (kind.name == "middle") named_keys(keys, middle);
    keys.list(std::string(kind.name), result);
  }
  return result;
}

} // namespace midcom
