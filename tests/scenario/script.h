// SPDX-License-Identifier: GPL-3.0-or-later
// A scenario file as steps: one command line and the indented block under it. README.md is the
// language's reference.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace midcom::scenario {

struct Place {
  std::string file;
  int line = 0;
  [[nodiscard]] std::string to_string() const { return file + ":" + std::to_string(line); }
};

struct Step {
  Place place;
  std::string command;            // EXPECT_SEND
  std::string rest;               // the line after it, trimmed
  std::vector<std::string> block; // without the common indentation
};

// The script is wrong, or what it expects did not happen.
struct Failure : std::runtime_error {
  Failure(const Place& place, const std::string& message)
      : std::runtime_error(place.to_string() + ": " + message) {}
};

// Reads `file`; INCLUDE, DEFINE and USE are resolved here. Throws Failure.
[[nodiscard]] std::vector<Step> read_script(const std::string& file);

} // namespace midcom::scenario
