// SPDX-License-Identifier: GPL-3.0-or-later
// One UDP socket. Its flows are address pairs that were heard from or sent to; the least recently
// used goes when there are too many.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/event_loop.h"
#include "daemon/file_descriptor.h"
#include "daemon/network.h"
#include "daemon/reasons.h"

namespace midcom {

class UdpOwner {
public:
  virtual ~UdpOwner() = default;
  [[nodiscard]] virtual FlowId next_flow_id() = 0;
  virtual void on_udp_open(FlowInfo flow) = 0; // may close it
  virtual void on_udp_message(FlowId flow, std::string bytes) = 0;
  virtual void on_udp_too_large(const sip::Endpoint& remote) = 0;
  virtual void on_udp_dirty() = 0;                            // wants flush()
  virtual void on_udp_closed(FlowId flow, Reason reason) = 0; // not yet told to the agent
};

class UdpPort {
public:
  UdpPort(EventLoop& loop, const AgentConfig& config, UdpOwner& owner, FileDescriptor fd,
          std::size_t listener, sip::Endpoint local);
  UdpPort(const UdpPort&) = delete;
  UdpPort& operator=(const UdpPort&) = delete;

  [[nodiscard]] FlowId connect(const sip::Endpoint& remote); // flush() opens it
  bool send(FlowId flow, sip::Bytes bytes);                  // false: no such flow here
  bool close(FlowId flow);
  void flush(); // tells of flows opened, then sends what is queued
  void stop_opening() { is_opening_ = false; }
  [[nodiscard]] std::size_t listener() const { return listener_; }

private:
  struct Flow {
    FlowInfo info;
    sip::TimePoint used;
  };
  using Flows = std::list<Flow>; // least recently used first

  void on_readable();
  void on_datagram(const sip::Endpoint& remote, std::string_view bytes);
  Flows::iterator open(const sip::Endpoint& remote, bool is_inbound);
  void touch(Flows::iterator flow);
  void remove(Flows::iterator flow, Reason reason);
  void expire();
  void queue(const sip::Endpoint& remote, sip::Bytes bytes);

  EventLoop& loop_;
  const AgentConfig& config_;
  UdpOwner& owner_;
  FileDescriptor fd_;
  std::size_t listener_;
  sip::Endpoint local_;
  bool is_opening_ = true;
  Flows flows_;
  std::unordered_map<FlowId, Flows::iterator> by_id_;
  std::map<sip::Endpoint, Flows::iterator> by_remote_; // the newest flow of each address pair
  std::vector<FlowId> to_open_;
  std::vector<std::pair<sip::Endpoint, sip::Bytes>> outgoing_;
  std::vector<char> input_;
  IoEvent io_;
  TimerEvent idle_;
};

} // namespace midcom
