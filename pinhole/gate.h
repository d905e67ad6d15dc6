// SPDX-License-Identifier: GPL-3.0-or-later
// The gate's judgement: first packets to sinks, held to what was promised. No kernel, no clock: the
// middlebox hands packets in and carries out what is decided. Nothing here opens anything.
// Several groups may wait at one address (branches of a fork): Admit is better than Park, Park than
// Drop; among equals the smaller group id, then the sink named first.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pinhole/first_packet.h"
#include "pinhole/flow.h"
#include "pinhole/parking.h"
#include "pinhole/promise.h"
#include "pinhole/request.h"

namespace midcom::pinhole {

struct GateLimits {
  std::size_t parked_per_flow = 64; // 1.28 s of 20 ms packets
  std::size_t parked_per_group = 256;
  std::size_t parked = 8192;
  std::chrono::milliseconds parked_life{1500};
  std::size_t admitted_per_sink = 16; // pairs of a candidate, connections; other senders: one
};

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
    std::uint8_t promise; // of the group, by index: of the sink that it came by
  };
  struct Pass {}; // its flow is open by now
  using Decision = std::variant<Drop, Park, Admit, Pass>;
  struct Judged {
    std::uint32_t id;
    FlowKey key;
    Decision decision;
  };

  // Has libcrypto read its configuration: before the sandbox closes.
  explicit Gate(const GateLimits& limits);

  // The group has exactly these sinks; none: it is forgotten. What was admitted through a sink
  // counts on as long as its address and promise stay the same. A sink whose promise isn't there is
  // none. `rules`: those of the group; of one that is new here they show what a gate before this
  // one has learnt.
  void set_group(const GroupId& group, std::span<const Sink> sinks,
                 std::span<const Promise> promises, std::span<const Rule> rules = {});
  // `key` is there also of a packet that is dropped, as far as it could be read. A sender that was
  // admitted already is admitted again and counts once; where packets of its flow still wait, the
  // packet waits behind them if there is room.
  [[nodiscard]] Judged on_packet(const Packet& packet, TimePoint now);
  // After groups or flows have changed: what becomes of parked packets, in the order they came.
  // Those that go on waiting aren't among them. Of a flow the first may be an Admit, the next of
  // it then wait: they pass when it is open, so call it again when it is. Connections never pass
  // so: each segment is judged.
  using IsOpen = std::function<bool(const FlowKey&)>;
  [[nodiscard]] std::vector<Judged> reconsider(const IsOpen& is_open);
  [[nodiscard]] std::vector<Judged> take_due(TimePoint now); // whose time is over
  [[nodiscard]] std::optional<TimePoint> next_due() const;
  [[nodiscard]] std::size_t parked() const;
  // The middlebox could not admit after all (policy, table full): it doesn't count.
  void take_back(const Admit& admitted);

private:
  struct Place {
    Sink sink;
    std::map<Endpoint, Kind> admitted{}; // senders, and what proved them
    std::set<Endpoint> learnt_before{};  // by an earlier gate; as long as there is a rule for them
  };
  struct Group {
    std::vector<Promise> promises;
    std::vector<Place> places;
  };
  struct Receiver {
    std::uint8_t protocol;
    Endpoint at;
    auto operator<=>(const Receiver&) const = default;
  };
  // What the sinks at one address say together: the first that admits, else those that would park,
  // else the reason that tells most.
  struct Opinion {
    Place* place = nullptr;
    GroupId group{};
    Kind kind{};
    std::vector<GroupId> parks{};
    GateReason reason = GateReason::no_sink;
  };

  [[nodiscard]] Opinion opinion_on(const Datagram& datagram);
  void weigh(Opinion& opinion, const GroupId& id, std::size_t index, const Datagram& datagram);
  [[nodiscard]] bool may_admit(const Place& place, const Endpoint& sender, Kind kind) const;
  [[nodiscard]] static Admit admit(const Opinion& opinion, const FlowKey& key);
  [[nodiscard]] bool park(std::uint32_t id, const Datagram& datagram,
                          std::span<const GroupId> groups, TimePoint now);
  [[nodiscard]] Decision first_decision(std::uint32_t id, const Datagram& datagram, TimePoint now);
  [[nodiscard]] std::optional<Decision> next_decision(Parking::Ticket ticket);
  [[nodiscard]] bool goes_on_waiting(Parking::Ticket ticket, const Opinion& opinion);
  void take_out(const GroupId& id, const Group& group);
  void put_in(const GroupId& id, const Group& group);
  void note_change(const Receiver& receiver);

  GateLimits limits_;
  std::map<GroupId, Group> groups_;
  std::map<Receiver, std::set<std::pair<GroupId, std::size_t>>> receivers_; // places by index
  Parking parking_;
  std::set<Receiver> changed_; // where parked packets must be judged once more
};

} // namespace midcom::pinhole
