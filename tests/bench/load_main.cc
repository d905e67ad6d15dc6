// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include <csignal>

#include "tests/bench/load_answerer.h"
#include "tests/bench/load_caller.h"

namespace {

using namespace midcom::bench;

constexpr const char* usage =
    R"(load call   --proxy ADDR:PORT --own ADDR --target URI  TLS... [bounds]
load answer --own ADDR:PORT  TLS...
TLS:    --certificate FILE --key FILE --ca FILE
bounds: --rate CALLS/S        0: as fast as --in-flight allows (default 0)
        --in-flight N         64, or 4096 with a rate
        --lines N             TLS connections (4)
        --count N             at most so many calls (1000000)
        --seconds S           start calls for so long (10)
        --timeout S           a call fails after (8)
        --hold MS             from ACK to BYE (0)
        --json
Every call is INVITE with SDP, 180, 200 with SDP, ACK, BYE, 200. Exit status 0 when none failed, 1
when some did, 2 for a wrong command line, 70 when the load can't be made.
)";

class Words {
public:
  Words(int count, char** words) {
    for (int i = 2; i < count; ++i) {
      const std::string name = words[i];
      if (!name.starts_with("--")) throw std::invalid_argument("unexpected " + name);
      if (name == "--json") {
        values_[name] = "yes";
      } else {
        if (i + 1 == count) throw std::invalid_argument(name + " needs a value");
        values_[name] = words[++i];
      }
    }
  }
  [[nodiscard]] std::string take(const std::string& name, const std::string& otherwise = "") {
    const auto found = values_.find(name);
    if (found == values_.end()) return otherwise;
    std::string value = found->second;
    values_.erase(found);
    return value;
  }
  [[nodiscard]] std::string need(const std::string& name) {
    std::string value = take(name);
    if (value.empty()) throw std::invalid_argument(name + " is missing");
    return value;
  }
  // Throws std::invalid_argument when it is none, or outside 0..`most`.
  [[nodiscard]] double number(const std::string& name, double otherwise, double most) {
    const std::string text = take(name);
    if (text.empty()) return otherwise;
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (*end != '\0' || !(value >= 0 && value <= most))
      throw std::invalid_argument(name + " " + text + ": no number up to " + std::to_string(most));
    return value;
  }
  [[nodiscard]] std::size_t count(const std::string& name, double otherwise, double most) {
    const double value = number(name, otherwise, most);
    if (value < 1) throw std::invalid_argument(name + " must be at least 1");
    return static_cast<std::size_t>(value);
  }
  void check_all_taken() const {
    if (!values_.empty()) throw std::invalid_argument("unknown " + values_.begin()->first);
  }

private:
  std::map<std::string, std::string> values_;
};

Files read_files(Words& words) {
  return {words.need("--certificate"), words.need("--key"), words.need("--ca")};
}

std::chrono::milliseconds milliseconds(double count) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(count));
}

std::function<int()> prepared_call(Words& words) {
  CallerOptions options;
  options.proxy = read_endpoint(words.need("--proxy"));
  options.own = words.need("--own");
  options.target = words.need("--target");
  options.files = read_files(words);
  options.rate = words.number("--rate", 0, 100000);
  options.in_flight = words.count("--in-flight", options.rate > 0 ? 4096 : 64, 20000);
  options.lines = words.count("--lines", 4, 1000);
  options.count = words.count("--count", 1000000, 10000000);
  options.duration = milliseconds(1000 * words.number("--seconds", 10, 3600));
  options.timeout = milliseconds(1000 * words.number("--timeout", 8, 300));
  options.hold = milliseconds(words.number("--hold", 0, 3600000));
  const bool is_json = !words.take("--json").empty();
  return [options, is_json] {
    Caller caller(options);
    Report report = caller.run();
    std::fputs((is_json ? report.json() : report.lines()).c_str(), stdout);
    return report.completed > 0 && report.failed_calls() == 0 ? 0 : 1;
  };
}

std::function<int()> prepared_answer(Words& words) {
  AnswererOptions options;
  options.own = read_endpoint(words.need("--own"));
  options.files = read_files(words);
  return [options] {
    Answerer answerer(options);
    std::fputs(answerer.run().c_str(), stdout);
    return 0;
  };
}

} // namespace

int main(int count, char** words) {
  const std::string_view what = count > 1 ? words[1] : "";
  std::function<int()> work;
  try {
    if (what != "call" && what != "answer") {
      std::fputs(usage, what == "--help" ? stdout : stderr);
      return what == "--help" ? 0 : 2;
    }
    Words options(count, words);
    work = what == "call" ? prepared_call(options) : prepared_answer(options);
    options.check_all_taken();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    return 70;
  }
}
