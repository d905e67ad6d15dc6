// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/option_words.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace midcom::bench {

Words::Words(int count, char** words, int first, std::initializer_list<std::string_view> switches) {
  for (int i = first; i < count; ++i) {
    const std::string name = words[i];
    if (!name.starts_with("--")) throw std::invalid_argument("unexpected " + name);
    if (std::ranges::find(switches, name) != switches.end()) {
      values_[name] = "yes";
    } else {
      if (i + 1 == count) throw std::invalid_argument(name + " needs a value");
      values_[name] = words[++i];
    }
  }
}

std::string Words::take(const std::string& name, const std::string& otherwise) {
  const auto found = values_.find(name);
  if (found == values_.end()) return otherwise;
  std::string value = found->second;
  values_.erase(found);
  return value;
}

std::string Words::need(const std::string& name) {
  std::string value = take(name);
  if (value.empty()) throw std::invalid_argument(name + " is missing");
  return value;
}

double Words::number(const std::string& name, double otherwise, double most) {
  const std::string text = take(name);
  if (text.empty()) return otherwise;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (*end != '\0' || !(value >= 0 && value <= most))
    throw std::invalid_argument(name + " " + text + ": no number up to " + std::to_string(most));
  return value;
}

std::size_t Words::count(const std::string& name, double otherwise, double most) {
  const double value = number(name, otherwise, most);
  if (value < 1) throw std::invalid_argument(name + " must be at least 1");
  return static_cast<std::size_t>(value);
}

void Words::check_all_taken() const {
  if (!values_.empty()) throw std::invalid_argument("unknown " + values_.begin()->first);
}

void need_root() {
  if (geteuid() != 0) throw Missing("needs root");
}

int run_main(const char* name, const char* usage, int count, char** words,
             const std::function<Work()>& prepare) {
  if (count == 2 && std::string_view(words[1]) == "--help") {
    std::fputs(usage, stdout);
    return 0;
  }
  const auto fail = [&](const std::exception& error, int status) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return status;
  };
  Work work;
  try {
    work = prepare();
  } catch (const std::exception& error) {
    return fail(error, 2);
  }
  try {
    return work();
  } catch (const Missing& error) {
    return fail(error, 77);
  } catch (const std::exception& error) {
    return fail(error, 70);
  }
}

} // namespace midcom::bench
