// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/config_keys.h"

#include <boost/make_shared.hpp>

namespace midcom::config {

void Keys::read(const ConfigSection& section, ConfigDraft& draft) const {
  std::map<std::string, boost::any> stores;
  std::map<std::string, const ConfigEntry*> first;
  for (const ConfigEntry& entry : section.entries) {
    const auto row = rows_.find(entry.key);
    if (row == rows_.end()) {
      unknown(section, entry, draft);
      continue;
    }
    const auto [seen, is_first] = first.emplace(entry.key, &entry);
    if (!is_first && !row->second.is_repeatable) {
      draft.error(entry.place, entry.key,
                  "given twice in " + section.title() + "; first at " +
                      place_text(seen->second->place),
                  "remove one");
      continue;
    }
    read_value(entry, stores[entry.key], draft);
  }
  for (const auto& [key, row] : rows_) {
    const boost::any& given = stores[key];
    const auto semantic = options_.find(key, false).semantic();
    boost::any value = given;
    if (value.empty() && !semantic->apply_default(value)) {
      if (row.is_required && !first.contains(key))
        draft.error(section.place, key, "missing in " + section.title());
      continue;
    }
    semantic->notify(value);
  }
}

void Keys::list(const std::string& section, std::vector<ConfigKey>& out) const {
  for (const auto& option : options_.options()) {
    ConfigKey row = rows_.at(option->long_name());
    row.section = section;
    row.description = option->description();
    out.push_back(row);
  }
}

void Keys::add(const char* key, const po::value_semantic* value, const char* fallback,
               const char* description, bool is_repeatable) {
  options_.add(boost::make_shared<po::option_description>(key, value, description));
  rows_[key] = {"", key, fallback, "", is_repeatable, false};
}

void Keys::read_value(const ConfigEntry& entry, boost::any& store, ConfigDraft& draft) const {
  try {
    options_.find(entry.key, false).semantic()->parse(store, {entry.value}, false);
  } catch (const Refused& refused) {
    draft.error(entry.place, entry.key, refused.value.message, refused.value.suggestion);
  }
}

void Keys::unknown(const ConfigSection& section, const ConfigEntry& entry,
                   ConfigDraft& draft) const {
  std::vector<std::string_view> names;
  for (const auto& [key, row] : rows_) names.push_back(key);
  draft.error(entry.place, entry.key, "unknown key in " + section.title(),
              did_you_mean(entry.key, names));
}

std::unexpected<BadValue> outside(std::string_view text, const std::string& low,
                                  const std::string& high) {
  return std::unexpected(
      BadValue{"'" + std::string(text) + "' is outside " + low + " to " + high, ""});
}

} // namespace midcom::config
