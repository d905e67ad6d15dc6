// SPDX-License-Identifier: GPL-3.0-or-later
// The command line of a benchmark: --NAME VALUE, and --NAME alone for switches; the frame of its
// main().
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <stdexcept>
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

struct Missing : std::runtime_error { // this machine has no such thing
  using std::runtime_error::runtime_error;
};
void need_root(); // or throws Missing

// Prints `usage` for --help. Exit status 2 when `prepare` throws, since the command line is wrong;
// that of the work; 77 when that throws Missing, 70 when anything else.
using Work = std::function<int()>;
[[nodiscard]] int run_main(const char* name, const char* usage, int count, char** words,
                           const std::function<Work()>& prepare);

} // namespace midcom::bench
