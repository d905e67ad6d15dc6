// SPDX-License-Identifier: GPL-3.0-or-later
// What the middlebox and the openers have in common: the channel to the supervisor, and the one to
// the living agent that it brings. An agent that sends what is no request is reported: the
// supervisor ends it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/event_log.h"
#include "daemon/supervisor_link.h"

namespace midcom {

class AgentLink {
public:
  struct Callbacks {
    std::function<bool(std::string_view record)> on_record; // false: it holds no request
    std::function<void()> on_turn_end = {}; // after the records of one wake-up; may be empty
    std::function<void()> on_connect = {};  // there is a new agent; may be empty
  };

  // Loop and log must outlive it.
  AgentLink(EventLoop& loop, EventLog& log, FileDescriptor supervisor, Callbacks callbacks);
  void run(); // says that the role is up, then runs the loop
  // As those of the channel; ignored where there is no agent.
  void send(std::string record);
  void gather(std::string_view message);

private:
  void connect(FileDescriptor socket);
  ChannelLink::Verdict on_record(const Channel::Message& message);
  void on_end(ChannelLink::End end);

  EventLoop& loop_;
  EventLog& log_;
  Callbacks callbacks_;
  std::unique_ptr<ChannelLink> agent_;
  SupervisorLink supervisor_;
};

} // namespace midcom
