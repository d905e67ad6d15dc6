// SPDX-License-Identifier: GPL-3.0-or-later
// The command line of a benchmark: --NAME VALUE, and --NAME alone for switches.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace midcom::bench {

// All of it throws std::invalid_argument.
class Words {
public:
  Words(int count, char** words, int first, std::initializer_list<std::string_view> switches);
  [[nodiscard]] std::string take(const std::string& name, const std::string& otherwise = "");
  [[nodiscard]] bool has(const std::string& name) { return !take(name).empty(); } // a switch
  [[nodiscard]] std::string need(const std::string& name);
  [[nodiscard]] double number(const std::string& name, double otherwise, double most);
  [[nodiscard]] std::size_t count(const std::string& name, double otherwise, double most); // >= 1
  void check_all_taken() const;

private:
  std::map<std::string, std::string> values_;
};

} // namespace midcom::bench
