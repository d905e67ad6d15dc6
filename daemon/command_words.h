// SPDX-License-Identifier: GPL-3.0-or-later
// The words of a sub-program of midcomctl: operands, and options by their long names.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace midcom {

struct OptionName {
  const char* name;
  enum class Takes { nothing, one_value, values } takes = Takes::one_value; // values: given again
  char letter = 0;                                                          // a short form
};

class CommandWords {
public:
  // words[0] is the command's own name. nullopt for an unknown option, one without its value, and
  // one given twice that may be given once.
  [[nodiscard]] static std::optional<CommandWords> parse(int count, char** words,
                                                         std::span<const OptionName> names);

  [[nodiscard]] const std::vector<std::string>& operands() const { return operands_; }
  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] std::string value(const std::string& name) const; // "" when it isn't there
  [[nodiscard]] std::vector<std::string> values(const std::string& name) const; // as they came

private:
  std::vector<std::string> operands_;
  std::map<std::string, std::vector<std::string>> values_;
};

} // namespace midcom
