// SPDX-License-Identifier: GPL-3.0-or-later
// The agent's ends of its channels to the openers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "daemon/channel_link.h"
#include "daemon/opener_port.h"

namespace midcom {

class OpenerLinks final : public OpenerPort {
public:
  using EndOpener = std::function<void(std::size_t opener)>;

  // `end_opener` has the supervisor end one that doesn't speak as openers do. Loop and events must
  // outlive it.
  OpenerLinks(EventLoop& loop, std::size_t openers, OpenerEvents& events, EndOpener end_opener);

  void connect(std::size_t opener, FileDescriptor socket); // in place of an older channel
  [[nodiscard]] std::size_t size() const { return links_.size(); }

  void send(std::size_t opener, const opener::Request& request) override;
  void reject(std::size_t opener) override; // its channel ends with the message that is being read

private:
  struct Link {
    std::unique_ptr<ChannelLink> channel;
    bool is_up = false, is_rejected = false;
  };
  void disconnect(std::size_t opener);
  [[nodiscard]] ChannelLink::Verdict on_message(std::size_t opener,
                                                const Channel::Message& message);

  EventLoop& loop_;
  OpenerEvents& events_;
  EndOpener end_opener_;
  std::vector<Link> links_;
};

} // namespace midcom
