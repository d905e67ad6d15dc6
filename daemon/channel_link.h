// SPDX-License-Identifier: GPL-3.0-or-later
// A Channel on an event loop: what can't be sent at once waits in a bounded queue, in order.
// Small messages of a turn can be gathered into records: each record costs both ends a system call
// and the reader perhaps a wake-up.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/channel.h"
#include "daemon/event_loop.h"

namespace midcom {

class ChannelLink {
public:
  enum class Verdict : bool { go_on, end }; // end: what came is no message
  enum class End : std::uint8_t {
    closed,    // the other end closed it, or is dead
    violation, // what came was no message
    overflow,  // more than max_queued octets wait: the other end doesn't read
    failed,    // a system error
  };
  struct Callbacks {
    std::function<Verdict(Channel::Message message)> on_message;
    std::function<void()> on_turn_end;   // after the messages of one wake-up; may be empty
    std::function<void(End end)> on_end; // once, from the loop, never from within send()
  };

  // The loop must outlive it. Callbacks must not destroy the link.
  ChannelLink(EventLoop& loop, FileDescriptor socket, Callbacks callbacks);

  // A record of its own, at once. Ignored once ended.
  void send(std::string bytes, std::span<const int> descriptors = {});
  // Leaves in one record with others: at the end of the turn, or once they are full_record octets,
  // so that the other end works on them meanwhile. Before what is sent later.
  void gather(std::string_view message);
  [[nodiscard]] bool is_open() const { return static_cast<bool>(channel_); }
  // Reads what is there without waiting for the loop.
  void read_ready();

  static constexpr std::size_t max_queued = 64 << 20;
  static constexpr int max_messages_per_turn = 256;
  static constexpr std::size_t max_octets_per_turn = 1 << 20;
  static constexpr std::size_t full_record = 1500;

private:
  struct Waiting {
    std::string bytes;
    std::vector<FileDescriptor> descriptors; // own copies
  };
  void on_ready(unsigned ready);
  void send_gathered();
  void flush();
  [[nodiscard]] bool send_now(const Waiting& message); // false: no room, or ended
  void watch();
  void finish(End end);

  Channel channel_;
  Callbacks callbacks_;
  std::string gathered_;
  std::deque<Waiting> queue_;
  std::size_t queued_ = 0; // octets
  End end_ = End::closed;
  IoEvent event_;
  DeferredEvent gathering_;
  DeferredEvent ending_;
};

[[nodiscard]] std::string_view to_string(ChannelLink::End end);

} // namespace midcom
