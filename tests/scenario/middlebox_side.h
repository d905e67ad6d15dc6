// SPDX-License-Identifier: GPL-3.0-or-later
// The middlebox process as a World drives it: the real engine of pinhole/ over a kernel in memory.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pinhole/flow.h"
#include "pinhole/policy.h"
#include "pinhole/request.h"
#include "sip/transaction.h"

namespace midcom::scenario {

struct Directed { // packets from source to destination
  pinhole::Endpoint source, destination;
  std::uint8_t protocol = 17;
  auto operator<=>(const Directed&) const = default;
};

class MiddleboxSide {
public:
  virtual ~MiddleboxSide() = default;
  // A new process over the same kernel; its first reply is event::Ready.
  [[nodiscard]] virtual std::vector<pinhole::Reply> start(sip::TimePoint now) = 0;
  virtual void stop() = 0; // SIGKILL: the kernel keeps what it has
  // The agent died and a new one speaks on a new channel.
  [[nodiscard]] virtual std::vector<pinhole::Reply> on_new_agent(sip::TimePoint now) = 0;
  [[nodiscard]] virtual std::vector<pinhole::Reply>
  handle(std::span<const pinhole::Request> requests, sip::TimePoint now) = 0;
  [[nodiscard]] virtual std::vector<pinhole::Reply> on_timer(sip::TimePoint now) = 0;
  [[nodiscard]] virtual std::optional<sip::TimePoint> next_deadline() const = 0;
  // What the kernel would do with a packet, and all it lets pass.
  [[nodiscard]] virtual bool passes(const Directed& packet, sip::TimePoint now) = 0;
  [[nodiscard]] virtual std::vector<Directed> passing(sip::TimePoint now) = 0;
  // The receive addresses whose first packets go to the gate: destination and IP protocol.
  [[nodiscard]] virtual std::vector<pinhole::FlowKey> sinks(sip::TimePoint now) = 0;
  // A packet arrives, and the gate judges it if it comes to that. Its number, for fate().
  enum class Fate : std::uint8_t { passed, held, dropped };
  [[nodiscard]] virtual std::uint32_t deliver(const pinhole::FlowKey& packet,
                                              std::string_view payload, sip::TimePoint now) = 0;
  [[nodiscard]] virtual Fate fate(std::uint32_t number) = 0;
  [[nodiscard]] virtual std::vector<pinhole::Reply> take_replies() = 0; // after deliver()
  virtual void lose_gate(bool is_lost) = 0;    // whether the next process finds no queue
  virtual void fail_commits(bool failing) = 0; // the next batches fail in the kernel
};

[[nodiscard]] std::unique_ptr<MiddleboxSide> make_middlebox_side(const pinhole::Policy& policy);

} // namespace midcom::scenario
