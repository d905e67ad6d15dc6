// SPDX-License-Identifier: GPL-3.0-or-later
// Verdicts of the gate: 500 calls wait, each with four sinks; one packet is judged again and again.
#include <benchmark/benchmark.h>

#include "pinhole/gate.h"
#include "tests/unit/pinhole/made_packets.h"

namespace {

using namespace midcom::pinhole;

const Endpoint sender = made::at("192.0.2.7", 5004), receiver = made::at("10.0.0.1", 10000);

Promise promise() {
  Promise one;
  one.kinds = kind_stun | kind_dtls | kind_rtp | kind_rtcp;
  one.senders = {sender};
  one.payload_types[0] = 1;
  one.receiver_ufrag = "recv";
  one.sender_ufrag = "send";
  one.receiver_password = made::Stun{}.password;
  return one;
}

Gate waiting_calls() {
  Gate gate{GateLimits{}};
  for (int call = 0; call < 500; ++call) {
    std::vector<Sink> sinks;
    for (int i = 0; i < 4; ++i)
      sinks.push_back({.at = {receiver.address, static_cast<std::uint16_t>(10000 + 4 * call + i)}});
    const GroupId group{static_cast<std::uint8_t>(call >> 8), static_cast<std::uint8_t>(call)};
    gate.set_group(group, sinks, std::vector{promise()});
  }
  return gate;
}

void judge_packet(benchmark::State& state, const std::string& packet, bool is_admitted) {
  Gate gate = waiting_calls();
  const TimePoint now{std::chrono::seconds(1)};
  const auto judged = gate.on_packet({1, packet}, now);
  if (std::holds_alternative<Gate::Admit>(judged.decision) != is_admitted)
    state.SkipWithError("not the verdict that is to be measured");
  for (auto _ : state) benchmark::DoNotOptimize(gate.on_packet({1, packet}, now));
  state.SetItemsProcessed(state.iterations());
}

std::string to_sink(const std::string& payload) {
  return made::udp(sender, receiver, payload);
}

using Proof = made::Stun::Proof;
BENCHMARK_CAPTURE(judge_packet, stun, to_sink(made::stun({})), true);
BENCHMARK_CAPTURE(judge_packet, stun_sha256, to_sink(made::stun({.proof = Proof::sha256})), true);
BENCHMARK_CAPTURE(judge_packet, stun_wrong_password, to_sink(made::stun({.password = "x"})), false);
BENCHMARK_CAPTURE(judge_packet, stun_wrong_ufrag, to_sink(made::stun({.username = "recv:x"})),
                  false);
BENCHMARK_CAPTURE(judge_packet, dtls, to_sink(made::client_hello()), true);
BENCHMARK_CAPTURE(judge_packet, rtp, to_sink(made::rtp(0)), true);
BENCHMARK_CAPTURE(judge_packet, junk, to_sink(std::string(172, 'j')), false);
BENCHMARK_CAPTURE(judge_packet, no_sink,
                  made::udp(sender, made::at("10.0.0.2", 10000), made::rtp(0)), false);

// An answer to 8192 parked packets of 128 flows, all in.
void reconsider_parked(benchmark::State& state) {
  GateLimits limits;
  limits.parked_per_group = limits.parked;
  for (auto _ : state) {
    state.PauseTiming();
    Gate gate{limits};
    Promise awaiting = promise();
    awaiting.awaits_answer = true;
    const std::vector<Sink> sinks{{.at = receiver}};
    gate.set_group({}, sinks, std::vector{awaiting});
    for (std::uint32_t id = 0; id < limits.parked; ++id) {
      const Endpoint from{sender.address, static_cast<std::uint16_t>(5004 + id % 128)};
      const auto judged =
          gate.on_packet({id, made::udp(from, receiver, made::stun({}))}, TimePoint{});
      if (!std::holds_alternative<Gate::Park>(judged.decision)) state.SkipWithError("not parked");
    }
    Promise answered = promise();
    answered.sender_ufrag = "other";
    gate.set_group({}, sinks, std::vector{answered});
    state.ResumeTiming();
    benchmark::DoNotOptimize(gate.reconsider([](const FlowKey&) { return false; }));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(limits.parked));
}
BENCHMARK(reconsider_parked)->Unit(benchmark::kMillisecond)->Iterations(3);

} // namespace
