// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/command_words.h"

#include <algorithm>
#include <getopt.h>

namespace midcom {

using Takes = OptionName::Takes;

std::optional<CommandWords> CommandWords::parse(int count, char** words,
                                                std::span<const OptionName> names) {
  constexpr int first_option = 256; // above every letter
  std::vector<option> options;
  std::string letters;
  for (const OptionName& name : names) {
    const bool has_value = name.takes != Takes::nothing;
    const int id = first_option + static_cast<int>(options.size());
    options.push_back({name.name, has_value ? required_argument : no_argument, nullptr, id});
    if (name.letter == 0) continue;
    letters += name.letter;
    if (has_value) letters += ':';
  }
  options.push_back({nullptr, 0, nullptr, 0});

  CommandWords result;
  optind = 0; // glibc: begin anew
  for (int id = 0;
       (id = ::getopt_long(count, words, letters.c_str(), options.data(), nullptr)) != -1;) {
    const auto name = id >= first_option
                          ? names.begin() + (id - first_option)
                          : std::ranges::find(names, static_cast<char>(id), &OptionName::letter);
    if (id == '?' || name == names.end()) return std::nullopt;
    auto& values = result.values_[name->name];
    if (!values.empty() && name->takes != Takes::values) return std::nullopt;
    values.emplace_back(optarg == nullptr ? "" : optarg);
  }
  for (; optind < count; ++optind) result.operands_.emplace_back(words[optind]);
  return result;
}

std::string CommandWords::value(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second.front();
}

std::vector<std::string> CommandWords::values(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

} // namespace midcom
