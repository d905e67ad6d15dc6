// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/parking.h"

#include <algorithm>

namespace midcom::pinhole {

namespace {

constexpr std::size_t kept_of_stun = 1500, kept_of_others = 256;

std::string_view needed(std::string_view payload) {
  const bool may_be_stun = !payload.empty() && static_cast<std::uint8_t>(payload.front()) <= 3;
  return payload.substr(0, may_be_stun ? kept_of_stun : kept_of_others);
}

void release(std::map<GroupId, std::size_t>& accounts, const GroupId& group) {
  const auto account = accounts.find(group);
  if (--account->second == 0) accounts.erase(account);
}

std::size_t count_of(const std::map<GroupId, std::size_t>& accounts, const GroupId& group) {
  const auto account = accounts.find(group);
  return account == accounts.end() ? 0 : account->second;
}

} // namespace

Datagram Parking::Entry::datagram() const {
  return {key, {kept, payload_size}, opens_connection};
}

bool Parking::has_room(const FlowKey& key, const GroupId& group) const {
  const auto flow = flows_.find(key);
  return entries_.size() < limits_.in_total && count_of(groups_, group) < limits_.per_group &&
         (flow == flows_.end() ? 0 : flow->second.size()) < limits_.per_flow;
}

void Parking::add(std::uint32_t id, const Datagram& datagram, const GroupId& group, TimePoint now) {
  last_due_ = std::max(last_due_, now + limits_.life);
  const Ticket ticket = ++last_;
  entries_.emplace(ticket, Entry{.id = id,
                                 .key = datagram.key,
                                 .group = group,
                                 .due = last_due_,
                                 .kept = std::string(needed(datagram.payload.octets)),
                                 .payload_size = datagram.payload.size,
                                 .opens_connection = datagram.opens_connection});
  flows_[datagram.key].insert(ticket);
  ++groups_[group];
}

void Parking::remove(Ticket ticket) {
  const auto entry = entries_.find(ticket);
  const auto flow = flows_.find(entry->second.key);
  flow->second.erase(ticket);
  if (flow->second.empty()) flows_.erase(flow);
  release(groups_, entry->second.group);
  entries_.erase(entry);
}

bool Parking::move_to(Ticket ticket, const GroupId& group) {
  if (count_of(groups_, group) >= limits_.per_group) return false;
  GroupId& account = entries_.at(ticket).group;
  release(groups_, account);
  account = group;
  ++groups_[group];
  return true;
}

std::vector<FlowKey> Parking::flows() const {
  std::vector<FlowKey> keys;
  keys.reserve(flows_.size());
  for (const auto& [key, tickets] : flows_) keys.push_back(key);
  return keys;
}

std::vector<Parking::Ticket> Parking::tickets_of(const FlowKey& key) const {
  const auto flow = flows_.find(key);
  if (flow == flows_.end()) return {};
  return {flow->second.begin(), flow->second.end()};
}

std::optional<Parking::Ticket> Parking::first() const {
  if (entries_.empty()) return {};
  return entries_.begin()->first;
}

} // namespace midcom::pinhole
