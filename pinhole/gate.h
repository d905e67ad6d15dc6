// SPDX-License-Identifier: GPL-3.0-or-later
// The gate's judgement: first packets to sinks, held to what was promised. No kernel, no clock: the
// middlebox hands packets in and carries out what is decided. Nothing here opens anything.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "pinhole/flow.h"
#include "pinhole/promise.h"
#include "pinhole/request.h"

namespace midcom::pinhole {

struct GateLimits {
  std::size_t parked_per_flow = 64; // 1.28 s of 20 ms packets
  std::size_t parked_per_group = 256;
  std::size_t parked = 8192;
  std::chrono::milliseconds parked_life{1500};
  std::size_t admitted_per_sink = 16; // pairs of one candidate; of what isn't STUN: one
};

// Why a packet went no further. The words are in to_string() and are the ones of the log.
enum class GateReason : std::uint8_t {
  no_sink,         // nobody waits there (any more)
  malformed,       // no IP, UDP or TCP that can be read
  unknown_kind,    // none of what was promised
  wrong_source,    // from an address or port that was not signalled
  wrong_ufrag,     // STUN for somebody else
  wrong_integrity, // MESSAGE-INTEGRITY or FINGERPRINT
  wrong_payload,   // RTP of a type nobody has agreed on
  too_many_parked,
  too_many_admitted,
  not_answered, // parked until its time was over, or the answer left it out
};
[[nodiscard]] std::string_view to_string(GateReason reason);

class Gate {
public:
  struct Packet {
    std::uint32_t id = 0;    // the queue's
    std::string_view octets; // from the IP header on; at least the first 1500 octets of it
  };
  struct Drop {
    GateReason reason;
  };
  struct Park {}; // the packet's id is kept; take_due() or reconsider() says what becomes of it
  struct Admit {
    GroupId group;
    Rule rule; // both directions; end a as the sink says
    Kind kind;
  };
  struct Pass {}; // its flow is open by now
  using Decision = std::variant<Drop, Park, Admit, Pass>;
  struct Judged {
    std::uint32_t id;
    FlowKey key;
    Decision decision;
  };

  explicit Gate(const GateLimits& limits) : limits_(limits) {}

  // The group has exactly these sinks; none: it is forgotten. What was admitted through a sink
  // counts on as long as its address and promise stay the same.
  void set_group(const GroupId& group, std::span<const Sink> sinks,
                 std::span<const Promise> promises);
  // `key` is there also of a packet that is dropped, as far as it could be read.
  [[nodiscard]] Judged on_packet(const Packet& packet, TimePoint now);
  // After groups or flows have changed: what becomes of parked packets, in the order they came.
  // Those that go on waiting aren't among them. Of a flow the first may be an Admit, the next of
  // it then wait: they pass when it is open.
  using IsOpen = std::function<bool(const FlowKey&)>;
  [[nodiscard]] std::vector<Judged> reconsider(const IsOpen& is_open);
  [[nodiscard]] std::vector<Judged> take_due(TimePoint now); // whose time is over
  [[nodiscard]] std::optional<TimePoint> next_due() const;
  [[nodiscard]] std::size_t parked() const;
  // The middlebox could not admit after all (policy, table full): it doesn't count.
  void take_back(const Admit& admitted);

private:
  GateLimits limits_;
};

} // namespace midcom::pinhole
