// SPDX-License-Identifier: GPL-3.0-or-later
// A kernel in memory: sets with timeouts, tables that can be flushed, failures on demand. It
// answers what invariants are about: may this packet pass now?
#pragma once

#include <map>
#include <memory>

#include "pinhole/features.h"
#include "pinhole/kernel.h"

namespace midcom::pinhole {

// A whole IP packet: UDP with this payload, or the first segment of a TCP connection.
[[nodiscard]] std::string packet_of(const FlowKey& key, std::string_view payload = {});

class FakeKernel final : public Kernel {
public:
  // Timeouts run from the time set_time() told.
  explicit FakeKernel(std::uint32_t features = 15 | gate);
  ~FakeKernel() override;

  KernelResult<std::uint32_t> start(const Policy& policy) override;
  KernelResult<std::vector<FlowCounter>> apply(std::span<const Change> changes) override;
  KernelResult<std::vector<FlowCounter>> read(std::span<const FlowKey> keys) override;
  KernelResult<std::vector<StoredFlow>> dump() override;
  int event_fd() const override { return -1; }
  Damage take_damage() override;
  KernelResult<void> repair(Damage damage) override;
  Queue* queue() override; // nullptr without the Feature `gate`

  // The test's side.
  void set_time(TimePoint now) { now_ = now; } // before each call of the engine
  // A packet arrives: true when it passes (and is counted).
  bool passes(const Endpoint& source, const Endpoint& destination, TimePoint now);
  bool passes(const FlowKey& key, TimePoint now);
  // The same, where a packet to a sink is held until the engine, called next, has judged it
  // (Middlebox::on_packets). Gives the packet a number, for fate() and passed().
  enum class Fate : std::uint8_t { passed, held, dropped };
  std::uint32_t deliver(const FlowKey& key, std::string_view payload);
  [[nodiscard]] Fate fate(std::uint32_t number) const;
  [[nodiscard]] const std::vector<std::uint32_t>& passed() const { return passed_; } // in order
  void set_overrun(std::uint64_t count) { overrun_ = count; }
  void kill_owner(); // the engine's process dies: what is held is dropped
  void flush();      // somebody deletes our tables; take_damage() tells
  void set_failing(bool failing) { fails_ = failing; }   // batches and reading are refused
  void fail_next_apply(bool fails = true);               // one batch is refused, without a change
  void insert(const StoredFlow& flow, TimePoint expiry); // as an earlier process left it
  [[nodiscard]] std::size_t size(TimePoint now) const;   // live flows
  [[nodiscard]] std::vector<FlowKey> flows(TimePoint now) const;
  [[nodiscard]] std::vector<FlowKey> sinks(TimePoint now) const; // their destinations count
  [[nodiscard]] std::size_t batches() const { return batches_; }

private:
  struct Element {
    std::string userdata;
    FlowCounter counter;
    TimePoint expiry;
  };
  struct Held {
    FlowKey key;
    std::string octets;
    bool is_taken = false;
  };
  class FakeQueue;
  [[nodiscard]] FlowCounter apply_one(const Change& change);
  [[nodiscard]] bool is_live(const FlowKey& key, TimePoint now) const;
  void look_up(std::uint32_t number, Held packet);
  void decide(const Decided& decided);
  std::uint32_t features_;
  Policy policy_;
  TimePoint now_{};
  std::map<FlowKey, Element> elements_;
  bool has_base_ = false, has_flows_ = false, fails_ = false, fails_once_ = false;
  Damage damage_;
  std::size_t batches_ = 0;
  std::unique_ptr<FakeQueue> queue_;
  std::uint32_t last_number_ = 0;
  std::map<std::uint32_t, Held> held_;
  std::map<std::uint32_t, Fate> fates_;
  std::vector<std::uint32_t> passed_;
  std::uint64_t overrun_ = 0;
};

} // namespace midcom::pinhole
