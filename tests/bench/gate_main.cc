// SPDX-License-Identifier: GPL-3.0-or-later
// How many first packets a second the gate decides on, what each costs, and how long one that is
// admitted is on its way: the kernel's queue and the middlebox's own code, in namespaces.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "pinhole/packet_queue.h"
#include "tests/bench/gate_rows.h"
#include "tests/bench/gateway_engine.h"
#include "tests/bench/media_load.h"
#include "tests/bench/option_words.h"
#include "tests/bench/processor_clock.h"

namespace {

using namespace midcom::bench;
using midcom::FileDescriptor;
using midcom::lab::Inside;
using midcom::lab::ThreeHosts;
using midcom::pinhole::Mode;
using Clock = std::chrono::steady_clock;
using Outcome = GateRow::Outcome;

constexpr const char* usage =
    R"(bench_gate [--sinks N] [--packets N] [--rounds N]
--sinks N    receive addresses, each with a sender of its own (1000)
--packets N  of each row in each round; an admitted sender sends one (8000)
--rounds N   (5)
Needs root. Exit status 0 when with every packet was done what should be, 2 for a wrong command
line, 70 when not or when it can't be measured, 77 without root or without a queue in the kernel.
)";

struct Options {
  int sinks = 1000;
  std::size_t packets = 8000, rounds = 5;
};

struct QueueState { // as the kernel tells it
  std::uint64_t held = 0, lost = 0, issued = 0;
};

QueueState read_queue(const ThreeHosts& hosts) {
  const Inside gateway(hosts.name('g'));
  std::ifstream file = midcom::pinhole::open_queue_statistics();
  std::uint64_t number = 0, port = 0, mode = 0, range = 0, full = 0, unread = 0;
  QueueState state;
  if (!(file >> number >> port >> state.held >> mode >> range >> full >> unread >> state.issued))
    throw std::runtime_error("the queue is not bound");
  state.lost = full + unread;
  return state;
}

std::unique_ptr<GatewayEngine> engine_with_sinks(const ThreeHosts& hosts, const GateRow& row,
                                                 const std::vector<MediaFlow>& flows) {
  hosts.nft("flush ruleset");
  auto policy = gateway_policy(Mode::appliance);
  policy.sink_rate = 1'000'000; // what is measured is behind the limit
  auto engine = std::make_unique<GatewayEngine>(hosts, policy);
  if (engine->middlebox().packet_fd() < 0) throw Missing("this kernel has no queue for packets");
  engine->ask(sink_groups(row, flows));
  return engine;
}

template <class Number>
Number quantile(std::vector<Number> values, std::size_t percent) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, values.size() * percent / 100)];
}

[[noreturn]] void fail(const GateRow& row, const std::string& what) {
  throw std::runtime_error(std::string(row.name) + ": " + what);
}

// Packets pile up in the queue, then the middlebox decides on all of them: its processor time, that
// of the verdicts in the kernel and of what they let pass included.
class Decisions {
public:
  Decisions(const ThreeHosts& hosts, const GateRow& row, const std::vector<MediaFlow>& flows,
            std::size_t packets)
      : hosts_(hosts), row_(row), packets_(packets), engine_(engine_with_sinks(hosts, row, flows)),
        load_(hosts, flows, row.payload) {}

  // Nanoseconds for a packet.
  double measure() {
    const EarlyDrop arrived(hosts_, 'b', "to_gw");
    const QueueState before = read_queue(hosts_);
    // No more at once than the socket of the queue has room for.
    constexpr std::size_t most_at_once = 2000;
    for (std::size_t sent = 0; sent < packets_;) {
      sent += load_.send(std::min(most_at_once, packets_ - sent), std::chrono::seconds(1));
      decide_on(before.issued + sent);
      sent_ = sent;
    }
    if (row_.outcome == Outcome::parked) wait_for_the_end_of_parking();
    const QueueState after = read_queue(hosts_);
    if (after.lost != before.lost) fail(row_, "packets were lost before the gate");
    if (after.held != 0) fail(row_, std::to_string(after.held) + " packets have no verdict");
    const std::uint64_t expected = row_.outcome == Outcome::admitted ? sent_ : 0;
    if (const auto found = arrived.count_of(expected); found != expected)
      fail(row_, std::to_string(found) + " packets passed, not " + std::to_string(expected));
    return static_cast<double>(spent_.count()) / static_cast<double>(sent_);
  }

private:
  // Until the queue has had `issued` packets and those that don't stay have their verdicts.
  void decide_on(std::uint64_t issued) {
    const auto end = Clock::now() + std::chrono::seconds(5);
    for (QueueState state; Clock::now() < end;) {
      const auto start = thread_time();
      while (engine_->serve(std::chrono::milliseconds(0))) {
      }
      spent_ += thread_time() - start;
      state = read_queue(hosts_);
      const bool may_stay = row_.outcome == Outcome::parked;
      // Packets of admitted flows aren't queued: only their first ones are.
      if (state.issued >= issued && (may_stay || state.held == 0)) return;
    }
    fail(row_, "not all packets came to the gate");
  }

  void wait_for_the_end_of_parking() {
    const auto end = Clock::now() + std::chrono::seconds(4);
    while (read_queue(hosts_).held > 0 && Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const auto start = thread_time();
      engine_->middlebox().on_timer(now());
      spent_ += thread_time() - start;
    }
  }

  const ThreeHosts& hosts_;
  const GateRow& row_;
  std::size_t packets_;
  std::unique_ptr<GatewayEngine> engine_;
  MediaLoad load_;
  std::uint64_t sent_ = 0;
  std::chrono::nanoseconds spent_{};
};

// One sender after the other, each packet twice: through the gate, then as one of an open flow.
struct Latencies {
  std::vector<double> first, next; // microseconds
};

// From sendto at A to its arrival in a socket of B.
double way_of(const FileDescriptor& from, const FileDescriptor& to, const MediaFlow& flow,
              const GateRow& row) {
  const sockaddr_in receiver = to_sockaddr(flow.to);
  const auto start = Clock::now();
  (void)sendto(from.get(), row.payload.data(), row.payload.size(), 0,
               reinterpret_cast<const sockaddr*>(&receiver), sizeof receiver);
  pollfd waiting{to.get(), POLLIN, 0};
  std::array<char, 2048> packet{};
  if (poll(&waiting, 1, 1000) != 1 || recv(to.get(), packet.data(), packet.size(), 0) < 0)
    fail(row, "a packet that should be admitted did not arrive");
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

Latencies measure_latency(const ThreeHosts& hosts, const GateRow& row,
                          const std::vector<MediaFlow>& flows) {
  const auto engine = engine_with_sinks(hosts, row, flows);
  std::atomic<bool> stop = false;
  std::thread middlebox([&] { // waits in poll(2) as its process does
    while (!stop) (void)engine->serve(std::chrono::milliseconds(20));
  });
  Latencies found;
  std::optional<std::string> error;
  try {
    for (const MediaFlow& flow : flows) {
      const FileDescriptor from = bound_socket(hosts, 'a', flow.from);
      const FileDescriptor to = bound_socket(hosts, 'b', flow.to);
      found.first.push_back(way_of(from, to, flow, row));
      found.next.push_back(way_of(from, to, flow, row));
    }
  } catch (const std::exception& failed) {
    error = failed.what();
  }
  stop = true;
  middlebox.join();
  if (error) throw std::runtime_error(*error);
  return found;
}

void run(const Options& options) {
  const ThreeHosts hosts;
  const auto flows = media_flows(0, options.sinks);
  const auto rows = gate_rows();
  std::vector<std::vector<double>> alone(rows.size()), whole(rows.size());
  for (std::size_t round = 0; round < options.rounds; ++round)
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t packets =
          rows[i].outcome == Outcome::admitted ? flows.size() : options.packets;
      alone[i].push_back(judged_alone(rows[i], flows, packets));
      whole[i].push_back(Decisions(hosts, rows[i], flows, packets).measure());
    }
  std::printf("%d sinks, %zu packets of each kind (admitted: one of each sender); medians of %zu "
              "rounds\n%-42s %11s %12s %11s\n",
              options.sinks, options.packets, options.rounds, "", "judged, us", "in all, us",
              "verdicts/s");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double us = quantile(whole[i], 50) / 1000;
    std::printf("%-42s %11.2f %12.2f %11.0f\n", rows[i].name, quantile(alone[i], 50) / 1000, us,
                1e6 / us);
  }
  const Latencies found = measure_latency(hosts, rows.back(), flows);
  std::printf("first packet of an admitted flow, sent to received: p50 %.0f us, p99 %.0f us; the "
              "next one: p50 %.0f us, p99 %.0f us\n",
              quantile(found.first, 50), quantile(found.first, 99), quantile(found.next, 50),
              quantile(found.next, 99));
  hosts.nft("flush ruleset");
}

Options read_options(int count, char** words) {
  Words given(count, words, 1, {});
  Options options;
  options.sinks = static_cast<int>(given.count("--sinks", options.sinks, 10000));
  options.packets = given.count("--packets", static_cast<double>(options.packets), 8000);
  options.rounds = given.count("--rounds", static_cast<double>(options.rounds), 100);
  given.check_all_taken();
  return options;
}

} // namespace

int main(int count, char** words) {
  return run_main("bench_gate", usage, count, words, [&]() -> Work {
    return [options = read_options(count, words)] {
      need_root();
      run(options);
      return 0;
    };
  });
}
