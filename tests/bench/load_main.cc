// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdio>
#include <string>
#include <string_view>

#include <csignal>

#include "tests/bench/load_answerer.h"
#include "tests/bench/load_caller.h"
#include "tests/bench/option_words.h"

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

Files read_files(Words& words) {
  return {words.need("--certificate"), words.need("--key"), words.need("--ca")};
}

std::chrono::milliseconds milliseconds(double count) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(count));
}

Work prepared_call(Words& words) {
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
  const bool is_json = words.has("--json");
  return [options, is_json] {
    Caller caller(options);
    Report report = caller.run();
    std::fputs((is_json ? report.json() : report.lines()).c_str(), stdout);
    return report.completed > 0 && report.failed_calls() == 0 ? 0 : 1;
  };
}

Work prepared_answer(Words& words) {
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
  if (what != "call" && what != "answer") {
    std::fputs(usage, what == "--help" ? stdout : stderr);
    return what == "--help" ? 0 : 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  return run_main("load", usage, count, words, [&] {
    Words options(count, words, 2, {"--json"});
    Work work = what == "call" ? prepared_call(options) : prepared_answer(options);
    options.check_all_taken();
    return work;
  });
}
