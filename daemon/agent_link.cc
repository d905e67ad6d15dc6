// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/agent_link.h"

#include <utility>

namespace midcom {

AgentLink::AgentLink(EventLoop& loop, EventLog& log, FileDescriptor supervisor, Callbacks callbacks)
    : loop_(loop), log_(log), callbacks_(std::move(callbacks)),
      supervisor_(loop, std::move(supervisor),
                  {.on_peer = [this](std::uint8_t peer, FileDescriptor socket) {
                    if (peer == 0) connect(std::move(socket));
                    return peer == 0;
                  }}) {}

void AgentLink::run() {
  supervisor_.send(control::Up{});
  loop_.run();
}

void AgentLink::send(std::string record) {
  if (agent_) agent_->send(std::move(record));
}

void AgentLink::gather(std::string_view message) {
  if (agent_) agent_->gather(message);
}

void AgentLink::connect(FileDescriptor socket) {
  agent_ = std::make_unique<ChannelLink>(
      loop_, std::move(socket),
      ChannelLink::Callbacks{
          .on_message = [this](const Channel::Message& message) { return on_record(message); },
          .on_turn_end = callbacks_.on_turn_end,
          .on_end = [this](ChannelLink::End end) { on_end(end); }});
  if (callbacks_.on_connect) callbacks_.on_connect();
}

ChannelLink::Verdict AgentLink::on_record(const Channel::Message& message) {
  return message.descriptors.empty() && callbacks_.on_record(message.bytes)
             ? ChannelLink::Verdict::go_on
             : ChannelLink::Verdict::end;
}

// An agent whose channel ended otherwise than by its death said what no agent of ours says.
void AgentLink::on_end(ChannelLink::End end) {
  if (end == ChannelLink::End::closed) return;
  log_.write(Event(Level::error, "channel.violation").add("detail", to_string(end)));
  supervisor_.send(control::Violation{});
}

} // namespace midcom
