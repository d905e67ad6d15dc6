// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/supervisor_link.h"

#include <utility>

namespace midcom {

SupervisorLink::SupervisorLink(EventLoop& loop, FileDescriptor socket, Callbacks callbacks)
    : loop_(loop), callbacks_(std::move(callbacks)),
      link_(loop, std::move(socket),
            {.on_message =
                 [this](Channel::Message message) { return on_message(std::move(message)); },
             .on_turn_end = {},
             .on_end = [this](ChannelLink::End) { loop_.stop(); }}) {}

ChannelLink::Verdict SupervisorLink::on_message(Channel::Message message) {
  const auto order = decode_control(message.bytes);
  return order && carry_out(*order, message.descriptors) ? ChannelLink::Verdict::go_on
                                                         : ChannelLink::Verdict::end;
}

bool SupervisorLink::carry_out(const Control& order, std::vector<FileDescriptor>& descriptors) {
  if (const auto* ping = std::get_if<control::Ping>(&order)) {
    send(control::Pong{ping->number});
    return true;
  }
  if (const auto* peer = std::get_if<control::Peer>(&order))
    return descriptors.size() == 1 &&
           callbacks_.on_peer(peer->opener, std::move(descriptors.front()));
  if (!std::holds_alternative<control::Stop>(order)) return false;
  if (callbacks_.on_stop) callbacks_.on_stop();
  loop_.stop();
  return true;
}

} // namespace midcom
