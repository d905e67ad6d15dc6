// SPDX-License-Identifier: GPL-3.0-or-later
// simulation [--seeds N] [--start S] [--seconds T] [--trace] [--keep-going] [--honest]: random
// calls, each seed a world of its own; stops at the first seed that breaks an invariant and prints
// how it came to it.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "tests/scenario/config_text.h"
#include "tests/scenario/sim_net.h"

namespace midcom::scenario {

namespace {

constexpr const char* configuration = R"([midcomd]
name = gw.example.com
[listen inside]
address = tls:10.1.0.1:5061
[listen outside]
address = tls:198.51.100.1:5061
[listen inside-udp]
address = udp:10.1.0.1:5060
[listen outside-udp]
address = udp:198.51.100.1:5060
[peer phones-a]
kind = phones
network = 10.1.0.0/24
side = inside
[peer phones-b]
kind = phones
network = 203.0.113.0/24
side = outside
[peer core]
kind = trunk
network = 192.0.2.0/28
identity = core.example.com
media = 192.0.2.0/28
next-hop = tls:192.0.2.5:5061
tls-name = core.example.com
registrar = yes
[peer trunk]
kind = trunk
network = 192.0.2.64/26
identity = trunk.example.net
media = 192.0.2.64/26
next-hop = tls:192.0.2.70:5061
tls-name = trunk.example.net
[peer plain]
kind = trunk
network = 192.0.2.128/26
media = 192.0.2.128/26
next-hop = udp:192.0.2.130:5060
[route example.com]
peer = core
[route trunk.example.net]
peer = trunk
[route plain.example.net]
peer = plain
[media]
forbidden-port = 5060-5061
inactivity = 0s
[timeouts]
call = 10m
early = 5m
)";

struct Options {
  std::uint64_t seeds = 1000, start = 1;
  std::optional<long> seconds;
  bool traces = false, keeps_going = false, honest = false;
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--trace")
      options.traces = true;
    else if (word == "--keep-going")
      options.keeps_going = true;
    else if (word == "--honest")
      options.honest = true;
    else if (word == "--seeds" && has_value)
      options.seeds = std::stoull(argv[++i]);
    else if (word == "--start" && has_value)
      options.start = std::stoull(argv[++i]);
    else if (word == "--seconds" && has_value)
      options.seconds = std::stol(argv[++i]);
    else
      throw std::runtime_error(
          "simulation [--seeds N] [--start S] [--seconds T] [--trace] [--keep-going] [--honest]");
  }
  return options;
}

// True when the seed holds.
bool run_seed(const Config& config, std::uint64_t seed, bool traces, bool explains, bool honest,
              Figures& figures) {
  SimNet net(config, seed, traces, honest);
  try {
    net.run();
    figures += net.figures();
    if (traces) std::cout << net.trace();
    return true;
  } catch (const std::exception& error) {
    if (!traces && explains) return run_seed(config, seed, true, true, honest, figures);
    std::cout << net.trace() << "FAIL seed " << seed << " at " << net.elapsed_ms() << ": "
              << error.what() << "\n  again with: simulation --trace --seeds 1 --start " << seed
              << "\n";
    return false;
  }
}

int run(const Options& options) {
  const Config config = config_of(configuration);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  Figures sum;
  std::uint64_t done = 0, failed = 0;
  for (; done < options.seeds; ++done) {
    if (options.seconds && elapsed() >= static_cast<double>(*options.seconds)) break;
    if (run_seed(config, options.start + done, options.traces, !options.keeps_going, options.honest,
                 sum))
      continue;
    if (!options.keeps_going) return 1;
    ++failed;
  }
  std::cout << "simulation: seeds=" << done << " failed=" << failed << " start=" << options.start
            << " calls=" << sum.calls << " messages=" << sum.messages << " steps=" << sum.steps
            << " checks=" << sum.checks << " lost=" << sum.lost << " repeated=" << sum.repeated
            << " reordered=" << sum.reordered << " hang_ups=" << sum.hang_ups
            << " agent_restarts=" << sum.agent_restarts
            << " middlebox_restarts=" << sum.middlebox_restarts << " forgeries=" << sum.forgeries
            << " answers_488=" << sum.answers_488 << " stray_packets=" << sum.stray_packets
            << " seconds=" << elapsed() << "\n";
  return failed == 0 ? 0 : 1;
}

} // namespace

} // namespace midcom::scenario

int main(int argc, char** argv) {
  try {
    return midcom::scenario::run(midcom::scenario::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "simulation: " << error.what() << "\n";
    return 2;
  }
}
