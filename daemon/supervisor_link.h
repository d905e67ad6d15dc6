// SPDX-License-Identifier: GPL-3.0-or-later
// A child's end of its channel to the supervisor. Pings are answered; the loop ends when the
// supervisor says so, is gone, or says what no supervisor of ours says.
#pragma once

#include <cstdint>
#include <functional>

#include "daemon/channel_codec.h"
#include "daemon/channel_link.h"

namespace midcom {

class SupervisorLink {
public:
  struct Callbacks {
    // An end of a new channel to that peer (control::Peer). False: there is no such peer.
    std::function<bool(std::uint8_t peer, FileDescriptor socket)> on_peer;
    std::function<void()> on_stop = {}; // before the loop ends in good order; may be empty
  };

  // The loop must outlive it.
  SupervisorLink(EventLoop& loop, FileDescriptor socket, Callbacks callbacks);
  void send(const Control& message) { link_.send(encode(message)); }
  void read_ready() { link_.read_ready(); }

private:
  ChannelLink::Verdict on_message(Channel::Message message);
  [[nodiscard]] bool carry_out(const Control& order, std::vector<FileDescriptor>& descriptors);

  EventLoop& loop_;
  Callbacks callbacks_;
  ChannelLink link_;
};

} // namespace midcom
