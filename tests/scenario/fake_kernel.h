// SPDX-License-Identifier: GPL-3.0-or-later
// A kernel in memory: sets with timeouts, tables that can be flushed, failures on demand. It
// answers what invariants are about: may this packet pass now?
#pragma once

#include <map>

#include "pinhole/kernel.h"

namespace midcom::pinhole {

class FakeKernel final : public Kernel {
public:
  // Timeouts run from the time set_time() told.
  explicit FakeKernel(std::uint32_t features = 15) : features_(features) {}

  KernelResult<std::uint32_t> start(const Policy& policy) override;
  KernelResult<std::vector<FlowCounter>> apply(std::span<const Change> changes) override;
  KernelResult<std::vector<FlowCounter>> read(std::span<const FlowKey> keys) override;
  KernelResult<std::vector<StoredFlow>> dump() override;
  int event_fd() const override { return -1; }
  Damage take_damage() override;
  KernelResult<void> repair(Damage damage) override;

  // The test's side.
  void set_time(TimePoint now) { now_ = now; } // before each call of the engine
  // A packet arrives: true when it passes (and is counted).
  bool passes(const Endpoint& source, const Endpoint& destination, TimePoint now);
  void flush(); // somebody deletes our tables; take_damage() tells
  void set_failing(bool failing) { fails_ = failing; }   // batches and reading are refused
  void fail_next_apply();                                // one batch is refused, without a change
  void insert(const StoredFlow& flow, TimePoint expiry); // as an earlier process left it
  [[nodiscard]] std::size_t size(TimePoint now) const;   // live flows
  [[nodiscard]] std::vector<FlowKey> flows(TimePoint now) const;
  [[nodiscard]] std::size_t batches() const { return batches_; }

private:
  struct Element {
    std::string userdata;
    FlowCounter counter;
    TimePoint expiry;
  };
  [[nodiscard]] FlowCounter apply_one(const Change& change);
  std::uint32_t features_;
  Policy policy_;
  TimePoint now_{};
  std::map<FlowKey, Element> elements_;
  bool has_base_ = false, has_flows_ = false, fails_ = false, fails_once_ = false;
  Damage damage_;
  std::size_t batches_ = 0;
};

} // namespace midcom::pinhole
