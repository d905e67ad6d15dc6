// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener_links.h"

#include <utility>

namespace midcom {

OpenerLinks::OpenerLinks(EventLoop& loop, std::size_t openers, OpenerEvents& events,
                         EndOpener end_opener)
    : loop_(loop), events_(events), end_opener_(std::move(end_opener)), links_(openers) {}

void OpenerLinks::connect(std::size_t opener, FileDescriptor socket) {
  disconnect(opener);
  links_[opener].channel = std::make_unique<ChannelLink>(
      loop_, std::move(socket),
      ChannelLink::Callbacks{.on_message =
                                 [this, opener](const Channel::Message& message) {
                                   return on_message(opener, message);
                                 },
                             .on_turn_end = {},
                             .on_end =
                                 [this, opener](ChannelLink::End end) {
                                   disconnect(opener);
                                   if (end != ChannelLink::End::closed) end_opener_(opener);
                                 }});
  links_[opener].is_up = true;
  links_[opener].is_rejected = false;
  events_.on_opener_up(opener, loop_.now());
}

void OpenerLinks::send(std::size_t opener, const opener::Request& request) {
  if (links_[opener].is_up) links_[opener].channel->send(encode(request));
}

void OpenerLinks::reject(std::size_t opener) {
  links_[opener].is_rejected = true;
}

void OpenerLinks::disconnect(std::size_t opener) {
  if (std::exchange(links_[opener].is_up, false)) events_.on_opener_down(opener, loop_.now());
}

ChannelLink::Verdict OpenerLinks::on_message(std::size_t opener, const Channel::Message& message) {
  const auto reply = opener::decode_reply(message.bytes);
  if (!reply || !message.descriptors.empty()) return ChannelLink::Verdict::end;
  events_.on_opener_reply(opener, *reply, loop_.now());
  return links_[opener].is_rejected ? ChannelLink::Verdict::end : ChannelLink::Verdict::go_on;
}

} // namespace midcom
