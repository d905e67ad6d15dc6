// SPDX-License-Identifier: GPL-3.0-or-later
// Packets that wait in the queue for an answer, in the order they came, within bounds: what each
// flow, each group and all together may have there. Of a packet is kept what judging it once more
// needs: of STUN all, of what proves nothing the first 256 octets. So 8192 of them are 16 MB when
// all are STUN of the greatest size, and 5 MB of media.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pinhole/first_packet.h"
#include "pinhole/request.h"

namespace midcom::pinhole {

class Parking {
public:
  struct Limits {
    std::size_t per_flow, per_group, in_total;
    std::chrono::milliseconds life;
  };
  using Ticket = std::uint64_t; // rises with arrival
  struct Entry {
    std::uint32_t id = 0;
    FlowKey key;
    GroupId group{}; // on whose account
    TimePoint due;
    std::string kept;
    std::size_t payload_size = 0;
    bool opens_connection = false;
    [[nodiscard]] Datagram datagram() const; // views of this entry
  };

  explicit Parking(const Limits& limits) : limits_(limits) {}
  [[nodiscard]] bool has_room(const FlowKey& key, const GroupId& group) const;
  void add(std::uint32_t id, const Datagram& datagram, const GroupId& group, TimePoint now);
  [[nodiscard]] const Entry& at(Ticket ticket) const { return entries_.at(ticket); }
  void remove(Ticket ticket);
  // False, and nothing is changed: that group has no room.
  [[nodiscard]] bool move_to(Ticket ticket, const GroupId& group);

  [[nodiscard]] std::vector<FlowKey> flows() const;
  [[nodiscard]] std::vector<Ticket> tickets_of(const FlowKey& key) const; // in order of arrival
  [[nodiscard]] bool has(const FlowKey& key) const { return flows_.contains(key); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::optional<Ticket> first() const; // it is also the first to be due

private:
  Limits limits_;
  Ticket last_ = 0;
  TimePoint last_due_{}; // time that goes back must not change the order
  std::map<Ticket, Entry> entries_;
  std::map<FlowKey, std::set<Ticket>> flows_;
  std::map<GroupId, std::size_t> groups_;
};

} // namespace midcom::pinhole
