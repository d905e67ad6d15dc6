// SPDX-License-Identifier: GPL-3.0-or-later
// The kernel as the engine sees it: a set of flows with timeouts, owned by this process alone.
// NftKernel is the real one; tests and the simulation have their own.
#pragma once

#include <chrono>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pinhole/flow.h"
#include "pinhole/policy.h"

namespace midcom::pinhole {

struct Change {
  enum class Kind : std::uint8_t {
    add,     // not there so far
    refresh, // there: new timeout; put back when it is not
    rewrite, // there: new userdata and timeout, without a moment of absence
    remove,  // no packet passes once apply() has returned
  };
  Kind kind = Kind::add;
  FlowKey key;
  std::chrono::milliseconds timeout{0};
  std::string userdata;
  bool keeps_counter = true; // rewrite: false starts counting anew
};

struct StoredFlow {
  FlowKey key;
  std::string userdata;
  FlowCounter counter;
};

enum class KernelError : std::uint8_t { no_permission, unsupported, failed };
[[nodiscard]] std::string_view to_string(KernelError error);
template <class T>
using KernelResult = std::expected<T, KernelError>;

// Which of our tables somebody else has changed or deleted.
struct Damage {
  bool base = false, flows = false;
  explicit operator bool() const { return base || flows; }
};

// What becomes of a packet that the kernel holds.
enum class Verdict : std::uint8_t {
  drop,
  repeat, // it is looked up again: passes when its flow is open by now
  pass,   // as one of an open flow: a connection's first segment, which the flows don't have
};
struct QueuedPacket {
  std::uint32_t id = 0;
  std::string octets; // from the IP header on, at most 1500 of them
};
struct Decided {
  std::uint32_t id = 0;
  Verdict verdict = Verdict::drop;
};

// First packets to sinks, held until each has its verdict. Nothing passes without one.
class Queue {
public:
  virtual ~Queue() = default;
  [[nodiscard]] virtual int fd() const = 0;                   // readable when packets wait
  [[nodiscard]] virtual std::vector<QueuedPacket> take() = 0; // a bounded number of them
  virtual void decide(std::span<const Decided> decided) = 0;  // in this order
  [[nodiscard]] virtual std::uint64_t overrun() = 0;          // dropped since the queue was full
};

class Kernel {
public:
  virtual ~Kernel() = default;
  // Probes, then creates the tables or takes over those of an earlier process with their flows.
  // Gives the features in use (features.h).
  [[nodiscard]] virtual KernelResult<std::uint32_t> start(const Policy& policy) = 0;
  // All or nothing. One counter for each change: of `remove` and of a `rewrite` that doesn't keep
  // its counter the final one; of the others what the flow's counter has lost by the change.
  [[nodiscard]] virtual KernelResult<std::vector<FlowCounter>>
  apply(std::span<const Change> changes) = 0;
  // Present counters; 0 for a flow that isn't there.
  [[nodiscard]] virtual KernelResult<std::vector<FlowCounter>>
  read(std::span<const FlowKey> keys) = 0;
  [[nodiscard]] virtual KernelResult<std::vector<StoredFlow>> dump() = 0;
  // Readable when somebody else may have touched our tables; -1: never.
  [[nodiscard]] virtual int event_fd() const = 0;
  [[nodiscard]] virtual Damage take_damage() = 0;
  // Puts tables, chains and rules back, not the flows.
  [[nodiscard]] virtual KernelResult<void> repair(Damage damage) = 0;
  // Of this kernel, after start(). nullptr: no gate, everything to sinks stays closed.
  [[nodiscard]] virtual Queue* queue() { return nullptr; }
  // For measuring how long a repair took; a fake kernel stands still.
  [[nodiscard]] virtual std::uint64_t stopwatch_us() const { return 0; }
};

} // namespace midcom::pinhole
