// SPDX-License-Identifier: GPL-3.0-or-later
// The real firewall service over the real middlebox engine and a kernel in memory, as the proxy
// drives it: what a message asks for is acknowledged before the next one comes.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/firewall.h"
#include "tests/firewall/needs.h"
#include "tests/scenario/middlebox_side.h"

namespace midcom::firewall_test {

// Reading a configuration takes longer than a call.
[[nodiscard]] const Config& config_of(const Terms& terms);

class Gateway final : private MiddleboxPort, private EventLog {
public:
  explicit Gateway(const Terms& terms);
  ~Gateway() override;

  // Somebody of that party's network, over TLS; `number` tells several apart.
  [[nodiscard]] FlowEntry flow_of(Party party, int number) const;

  // A request; its transaction lasts until finish().
  [[nodiscard]] Verdict request(const sip::Message& request, const std::string& sdp,
                                const FlowEntry& from, Pass& pass);
  Verdict ack(const sip::Message& request, const std::string& sdp, const FlowEntry& from);
  void response(const Pass& pass, const sip::Message& request, const sip::Message& response,
                const std::string& sdp, const FlowEntry& from);
  void own_answer(const Pass& pass, const sip::Message& request, int status, Reason reason);
  void finish(const Pass& pass);

  [[nodiscard]] sip::TimePoint now() const { return now_; }
  void pass_time(sip::Duration time);
  // A packet comes. Did it pass, at once?
  bool deliver(const pinhole::FlowKey& key, const std::string& payload);

  // What the kernel lets pass, and where it waits.
  [[nodiscard]] std::set<pinhole::FlowKey> flows();
  [[nodiscard]] std::set<pinhole::FlowKey> sinks();
  // What the middlebox was asked to wait for, by all groups it has.
  [[nodiscard]] std::set<Needs::Wait> waits();
  [[nodiscard]] std::size_t calls() const { return firewall_.calls(); }
  // Messages of what went wrong on the way: refused requests, for instance.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  // Something was left out for want of room.
  [[nodiscard]] bool lacks_room() const { return lacks_room_; }

private:
  void send(const pinhole::Request& request) override { requests_.push_back(request); }
  void write(const Event& event) override;
  void resume(const CallPtr& call);
  void take(std::vector<pinhole::Reply> replies);
  void settle();
  void settle(const CallPtr& call);

  const Config& config_;
  PeerDirectory peers_;
  KeyedSecrets secrets_;
  std::unique_ptr<scenario::MiddleboxSide> middlebox_;
  sip::TimePoint now_{std::chrono::seconds(1000)};
  Firewall firewall_;
  std::vector<pinhole::Request> requests_;
  std::map<std::uint64_t, pinhole::request::SetGroup> asked_; // by transaction
  std::map<pinhole::GroupId, pinhole::request::SetGroup> groups_;
  std::string trouble_;
  bool lacks_room_ = false;
};

} // namespace midcom::firewall_test
