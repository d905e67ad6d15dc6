// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/script.h"

#include <filesystem>
#include <fstream>

#include "tests/scenario/wire.h"

namespace midcom::scenario {

namespace {

using Definitions = std::map<std::string, std::vector<Step>>;

bool is_indented(const std::string& line) {
  return line[0] == ' ' || line[0] == '\t';
}

std::size_t indentation(const std::string& line) {
  return line.find_first_not_of(" \t");
}

// Splits lines into steps; blank lines stay inside a block when more of it follows.
std::vector<Step> split(const std::vector<std::pair<int, std::string>>& lines,
                        const std::string& file) {
  std::vector<Step> steps;
  int blanks = 0;
  std::size_t indent = 0;
  for (const auto& [number, line] : lines) {
    if (trim(line).empty()) {
      ++blanks;
      continue;
    }
    if (!is_indented(line)) {
      blanks = 0;
      if (line[0] == '#') continue;
      const auto space = line.find_first_of(" \t");
      steps.push_back({{file, number},
                       line.substr(0, space),
                       space == std::string::npos ? "" : trim(line.substr(space)),
                       {}});
      continue;
    }
    if (steps.empty()) throw Failure({file, number}, "a block without a command");
    auto& block = steps.back().block;
    if (block.empty())
      indent = indentation(line);
    else
      block.insert(block.end(), static_cast<std::size_t>(blanks), "");
    blanks = 0;
    if (indentation(line) < indent) throw Failure({file, number}, "indented less than its block");
    block.push_back(line.substr(indent));
  }
  return steps;
}

void substitute(std::string& text, const std::string& key, const std::string& value) {
  const std::string pattern = "${" + key + "}";
  for (std::size_t at = 0; (at = text.find(pattern, at)) != std::string::npos; at += value.size())
    text.replace(at, pattern.size(), value);
}

std::vector<Step> resolve(std::vector<Step> steps, Definitions& definitions);

std::vector<Step> load(const std::string& file, const Place& from, Definitions& definitions) {
  std::ifstream in(file);
  if (!in) throw Failure(from, "can't read " + file);
  std::vector<std::pair<int, std::string>> lines;
  int number = 0;
  for (std::string line; std::getline(in, line);) lines.emplace_back(++number, line);
  return resolve(split(lines, std::filesystem::path(file).filename().string()), definitions);
}

void define(const Step& step, Definitions& definitions) {
  std::vector<std::pair<int, std::string>> lines;
  int number = step.place.line;
  for (const auto& line : step.block) lines.emplace_back(++number, line);
  definitions[step.rest] = split(lines, step.place.file);
}

std::vector<Step> use(const Step& step, Definitions& definitions) {
  const auto words = words_of(step.rest);
  const auto found = words.empty() ? definitions.end() : definitions.find(words[0]);
  if (found == definitions.end()) throw Failure(step.place, "nothing defined as " + step.rest);
  auto steps = found->second;
  for (auto& inner : steps) {
    inner.place.file = step.place.to_string() + ">" + inner.place.file;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto equals = words[i].find('=');
      if (equals == std::string::npos) throw Failure(step.place, "not KEY=VALUE: " + words[i]);
      const auto key = words[i].substr(0, equals), value = words[i].substr(equals + 1);
      substitute(inner.rest, key, value);
      for (auto& line : inner.block) substitute(line, key, value);
    }
  }
  return resolve(std::move(steps), definitions);
}

std::vector<Step> resolve(std::vector<Step> steps, Definitions& definitions) {
  std::vector<Step> out;
  const auto append = [&out](std::vector<Step> more) {
    for (auto& step : more) out.push_back(std::move(step));
  };
  static const std::string directory = SCENARIO_DIRECTORY;
  for (auto& step : steps) {
    if (step.command == "INCLUDE")
      append(load(directory + "/" + step.rest, step.place, definitions));
    else if (step.command == "DEFINE")
      define(step, definitions);
    else if (step.command == "USE")
      append(use(step, definitions));
    else
      out.push_back(std::move(step));
  }
  return out;
}

} // namespace

std::vector<Step> read_script(const std::string& file) {
  Definitions definitions;
  return load(file, {file, 0}, definitions);
}

} // namespace midcom::scenario
