// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/middlebox_side.h"

#include <stdexcept>

#include "pinhole/features.h"
#include "pinhole/middlebox.h"
#include "tests/scenario/fake_kernel.h"

namespace midcom::scenario {

namespace {

class EngineSide final : public MiddleboxSide {
public:
  explicit EngineSide(const pinhole::Policy& policy) : policy_(policy) {}

  std::vector<pinhole::Reply> start(sip::TimePoint now) override {
    kernel_.set_time(now);
    engine_ = std::make_unique<pinhole::Middlebox>(policy_, kernel_);
    if (!engine_->start(instant(now))) throw std::runtime_error("the middlebox can't start");
    return engine_->take_replies();
  }

  void stop() override {
    engine_.reset();
    kernel_.kill_owner();
  }

  std::vector<pinhole::Reply> on_new_agent(sip::TimePoint) override {
    engine_->announce();
    return engine_->take_replies();
  }

  std::vector<pinhole::Reply> handle(std::span<const pinhole::Request> requests,
                                     sip::TimePoint now) override {
    kernel_.set_time(now);
    for (const auto& request : requests) engine_->on_request(request);
    engine_->commit(instant(now));
    return engine_->take_replies();
  }

  std::vector<pinhole::Reply> on_timer(sip::TimePoint now) override {
    kernel_.set_time(now);
    engine_->on_timer(instant(now));
    return engine_->take_replies();
  }

  std::optional<sip::TimePoint> next_deadline() const override { return engine_->next_deadline(); }

  bool passes(const Directed& packet, sip::TimePoint now) override {
    return kernel_.passes(pinhole::FlowKey{packet.source, packet.destination, packet.protocol},
                          now);
  }

  std::vector<Directed> passing(sip::TimePoint now) override {
    std::vector<Directed> out;
    for (const auto& key : kernel_.flows(now))
      out.push_back({key.source, key.destination, key.protocol});
    return out;
  }

  std::vector<pinhole::FlowKey> sinks(sip::TimePoint now) override { return kernel_.sinks(now); }

  std::uint32_t deliver(const pinhole::FlowKey& packet, std::string_view payload,
                        sip::TimePoint now) override {
    kernel_.set_time(now);
    const auto number = kernel_.deliver(packet, payload);
    if (engine_) engine_->on_packets(instant(now));
    return number;
  }

  Fate fate(std::uint32_t number) override {
    using Kernels = pinhole::FakeKernel::Fate;
    const auto fate = kernel_.fate(number);
    return fate == Kernels::passed ? Fate::passed
           : fate == Kernels::held ? Fate::held
                                   : Fate::dropped;
  }

  std::vector<pinhole::Reply> take_replies() override {
    return engine_ ? engine_->take_replies() : std::vector<pinhole::Reply>{};
  }

  void lose_gate(bool is_lost) override {
    policy_.masked_features = is_lost ? std::uint32_t{pinhole::gate} : 0;
  }

  void fail_commits(bool failing) override { kernel_.set_failing(failing); }

private:
  // The wall clock of the fakes: seconds of the same time, from somewhere in 2026.
  static pinhole::Instant instant(sip::TimePoint now) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    return {now, 1790000000U + static_cast<std::uint64_t>(seconds)};
  }

  pinhole::Policy policy_;
  pinhole::FakeKernel kernel_;
  std::unique_ptr<pinhole::Middlebox> engine_;
};

} // namespace

std::unique_ptr<MiddleboxSide> make_middlebox_side(const pinhole::Policy& policy) {
  return std::make_unique<EngineSide>(policy);
}

} // namespace midcom::scenario
