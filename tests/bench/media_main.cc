// SPDX-License-Identifier: GPL-3.0-or-later
// What the gateway's forwarding of a media packet costs under midcomd's tables, against plain
// forwarding and against conntrack, all in one run.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/gateway_engine.h"
#include "tests/bench/media_load.h"
#include "tests/bench/option_words.h"
#include "tests/bench/processor_clock.h"

namespace {

using namespace midcom::bench;
using midcom::lab::ThreeHosts;
using midcom::pinhole::Mode;

constexpr const char* usage =
    R"(bench_media [--flows N] [--others N] [--octets N] [--packets N] [--rounds N]
--flows N    UDP flows that carry packets (1000)
--others N   elements of other flows in the sets, where a row says so (10000)
--octets N   of UDP payload (172: 20 ms of G.711 with its RTP header)
--packets N  of each row in each round (200000)
--rounds N   (7)
--wall       time that passes, not processor time: for an idle machine whose kernel accounts for
             interrupts apart
Needs root. Exit status 0 when every packet came through and nothing else did, 1 when not, 2 for a
wrong command line, 70 when it can't be measured, 77 without root.
)";

struct Options {
  int flows = 1000, others = 10000;
  std::size_t octets = 172, rounds = 7;
  std::uint64_t packets = 200000;
  ProcessorClock::Kind clock = ProcessorClock::Kind::spent;
};

enum class Ruleset : std::uint8_t { stopped, none, conntrack, appliance, mark };

struct Row {
  const char* name;
  Ruleset ruleset;
  bool has_others = false, has_static_allow = false;
};

// The first three are what the others are compared with.
constexpr Row rows[] = {
    {"sending alone (dropped as it arrives at the gateway)", Ruleset::stopped},
    {"plain forwarding, no nftables", Ruleset::none},
    {"ct state established,related accept", Ruleset::conntrack},
    {"midcomd appliance", Ruleset::appliance},
    {"midcomd appliance, other elements", Ruleset::appliance, true},
    {"midcomd appliance with a static-allow (conntrack runs)", Ruleset::appliance, false, true},
    {"midcomd mark, operator's rule accepts the mark", Ruleset::mark},
    {"midcomd mark, other elements", Ruleset::mark, true},
};
constexpr std::size_t sending_row = 0, plain_row = 1, conntrack_row = 2;

// A flow becomes established by a packet of each direction.
void establish(const ThreeHosts& hosts, MediaLoad& load, const std::vector<MediaFlow>& flows) {
  (void)load.send(flows.size(), std::chrono::seconds(1));
  for (const MediaFlow& flow : flows) midcom::lab::UdpSocket(hosts, 'b', flow.to).send(flow.from);
}

// The gateway as a row describes it, for as long as it lives.
class Arrangement {
public:
  Arrangement(const ThreeHosts& hosts, const Row& row, const Options& options,
              const std::vector<MediaFlow>& flows)
      : hosts_(hosts) {
    if (row.ruleset == Ruleset::stopped) stop_.emplace(hosts, 'g', "to_a");
    if (row.ruleset == Ruleset::conntrack)
      hosts.nft("table inet operator { chain c { type filter hook forward priority 0; policy drop; "
                "ct state established,related accept; udp dport 20000-65535 accept; }\n}");
    if (row.ruleset != Ruleset::appliance && row.ruleset != Ruleset::mark) return;
    auto policy = gateway_policy(row.ruleset == Ruleset::mark ? Mode::mark : Mode::appliance);
    if (row.has_static_allow)
      policy.static_allows = {
          {"stun", *midcom::pinhole::Prefix::parse("203.0.113.2/32"), 17, {3478, 3479}}};
    engine_ = std::make_unique<GatewayEngine>(hosts, policy);
    engine_->open(flows);
    if (row.has_others) engine_->open(media_flows(options.flows, options.others / 2));
    if (row.ruleset == Ruleset::mark)
      hosts.nft("table inet operator { chain c { type filter hook forward priority 0; policy drop; "
                "meta mark & 0xff000000 == 0x4d000000 accept; }\n}");
  }
  ~Arrangement() {
    engine_.reset(); // our tables are ours no longer: whoever comes may flush them
    stop_.reset();
    hosts_.nft("flush ruleset");
  }
  Arrangement(const Arrangement&) = delete;
  Arrangement& operator=(const Arrangement&) = delete;
  [[nodiscard]] bool is_closed() const { return engine_ != nullptr; } // to what isn't a flow

private:
  const ThreeHosts& hosts_;
  std::optional<EarlyDrop> stop_;
  std::unique_ptr<GatewayEngine> engine_;
};

template <class Number>
Number median(std::vector<Number> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class Bench {
public:
  explicit Bench(const Options& options)
      : options_(options), clock_(options.clock), flows_(media_flows(0, options.flows)),
        received_(hosts_, 'b', "to_gw"), load_(hosts_, flows_, std::string(options.octets, '\0')),
        strange_(hosts_, media_flows(options.flows + options.others, 1),
                 std::string(options.octets, '\0')) {}

  // Rows take turns; each round begins with another one.
  bool run() {
    for (std::size_t round = 0; round < options_.rounds; ++round)
      for (std::size_t i = 0; i < std::size(rows); ++i) {
        const std::size_t row = (i + round) % std::size(rows);
        nanoseconds_[row].push_back(measure(rows[row]));
      }
    return is_valid_;
  }

  void print() const {
    std::printf("%d flows, %zu octets of payload, %d other elements; medians of %zu rounds\n",
                options_.flows, options_.octets, options_.others, options_.rounds);
    std::printf("%-55s %9s %15s %11s %9s %7s\n", "", "ns/packet", "min..max", "forwarding",
                "to plain", "to ct");
    for (std::size_t i = 0; i < std::size(rows); ++i) {
      const auto [least, most] = std::ranges::minmax(nanoseconds_[i]);
      std::printf("%-55s %9.0f %6.0f ..%6.0f", rows[i].name, median(nanoseconds_[i]), least, most);
      if (i != sending_row)
        std::printf(" %11.0f %9.2f %7.2f", median(forwarding(i)), ratio(i, plain_row),
                    ratio(i, conntrack_row));
      std::printf("\n");
    }
  }

private:
  // Nanoseconds for a packet. The median of slices: what else runs here disturbs some of them.
  double measure(const Row& row) {
    const Arrangement arrangement(hosts_, row, options_, flows_);
    if (row.ruleset == Ruleset::conntrack) establish(hosts_, load_, flows_);
    const std::uint64_t before = received_.count();
    std::uint64_t sent = load_.send(2 * flows_.size(), std::chrono::seconds(1));
    constexpr std::uint64_t slices = 25;
    std::vector<double> found;
    for (std::uint64_t i = 0; i < slices; ++i) {
      const auto start = clock_.now();
      const auto packets = load_.send(options_.packets / slices, std::chrono::milliseconds(500));
      const auto taken = clock_.now() - start;
      sent += packets;
      found.push_back(static_cast<double>(taken.count()) / static_cast<double>(packets));
    }
    const bool passes = row.ruleset != Ruleset::stopped;
    check(row, "of its flows", passes ? sent : 0,
          received_.count_of(before + sent * passes) - before);
    if (arrangement.is_closed()) {
      const std::uint64_t closed = received_.count();
      (void)strange_.send(100, std::chrono::seconds(1));
      check(row, "of another flow", 0, received_.count_of(closed) - closed);
    }
    return median(found);
  }

  void check(const Row& row, const char* what, std::uint64_t expected, std::uint64_t arrived) {
    if (arrived == expected) return;
    is_valid_ = false;
    std::printf("INVALID: %s: %llu packets %s arrived, not %llu\n", row.name,
                static_cast<unsigned long long>(arrived), what,
                static_cast<unsigned long long>(expected));
  }

  // Without what sending alone took in the same round.
  [[nodiscard]] std::vector<double> forwarding(std::size_t row) const {
    std::vector<double> found;
    for (std::size_t i = 0; i < options_.rounds; ++i)
      found.push_back(nanoseconds_[row][i] - nanoseconds_[sending_row][i]);
    return found;
  }
  [[nodiscard]] double ratio(std::size_t row, std::size_t to) const {
    const auto these = forwarding(row), those = forwarding(to);
    std::vector<double> found;
    for (std::size_t i = 0; i < options_.rounds; ++i) found.push_back(these[i] / those[i]);
    return median(found);
  }

  Options options_;
  ProcessorClock clock_;
  ThreeHosts hosts_;
  std::vector<MediaFlow> flows_;
  EarlyDrop received_;
  MediaLoad load_, strange_;
  std::vector<double> nanoseconds_[std::size(rows)];
  bool is_valid_ = true;
};

Options read_options(int count, char** words) {
  Words given(count, words, 1, {"--wall"});
  Options options;
  options.flows = static_cast<int>(given.count("--flows", options.flows, 10000));
  options.others = static_cast<int>(given.count("--others", options.others, 20000));
  options.octets = given.count("--octets", static_cast<double>(options.octets), 1400);
  options.packets = given.count("--packets", static_cast<double>(options.packets), 1e7);
  options.rounds = given.count("--rounds", static_cast<double>(options.rounds), 100);
  if (given.has("--wall")) options.clock = ProcessorClock::Kind::wall;
  given.check_all_taken();
  return options;
}

} // namespace

int main(int count, char** words) {
  return run_main("bench_media", usage, count, words, [&]() -> Work {
    return [options = read_options(count, words)] {
      need_root();
      Bench bench(options);
      const bool is_valid = bench.run();
      bench.print();
      return is_valid ? 0 : 1;
    };
  });
}
