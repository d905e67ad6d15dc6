// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/channel_link.h"

#include <fcntl.h>
#include <utility>

namespace midcom {

ChannelLink::ChannelLink(EventLoop& loop, FileDescriptor socket, Callbacks callbacks)
    : channel_(std::move(socket)), callbacks_(std::move(callbacks)),
      event_(loop, channel_.fd(), [this](unsigned ready) { on_ready(ready); }),
      gathering_(loop, [this] { send_gathered(); }),
      ending_(loop, [this] { callbacks_.on_end(end_); }) {
  watch();
}

void ChannelLink::gather(std::string_view message) {
  if (gathered_.size() + message.size() > max_channel_message) send_gathered();
  if (!is_open()) return;
  gathered_ += message;
  if (gathered_.size() >= full_record) return send_gathered();
  gathering_.schedule();
}

void ChannelLink::send_gathered() {
  if (!gathered_.empty()) send(std::exchange(gathered_, {}));
}

void ChannelLink::send(std::string bytes, std::span<const int> descriptors) {
  send_gathered();
  if (!is_open()) return;
  if (queue_.empty()) {
    const auto sent = channel_.send(bytes, descriptors);
    if (sent) return;
    if (sent.error() == Channel::Error::closed) return finish(End::closed);
    if (sent.error() == Channel::Error::broken) return finish(End::failed);
  }
  queued_ += bytes.size();
  if (queued_ > max_queued) return finish(End::overflow);
  Waiting waiting{std::move(bytes), {}};
  for (const int fd : descriptors) {
    waiting.descriptors.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!waiting.descriptors.back()) return finish(End::failed);
  }
  queue_.push_back(std::move(waiting));
  watch();
}

void ChannelLink::read_ready() {
  std::size_t octets = 0;
  for (int count = 0; is_open() && count < max_messages_per_turn && octets < max_octets_per_turn;
       ++count) {
    auto message = channel_.receive();
    if (!message) {
      if (message.error() == Channel::Error::closed) finish(End::closed);
      if (message.error() == Channel::Error::broken) finish(End::violation);
      break;
    }
    octets += message->bytes.size();
    if (callbacks_.on_message(std::move(*message)) == Verdict::end) finish(End::violation);
  }
  if (callbacks_.on_turn_end) callbacks_.on_turn_end();
}

void ChannelLink::on_ready(unsigned ready) {
  if ((ready & IoEvent::writable) != 0) flush();
  if (is_open() && (ready & IoEvent::readable) != 0) read_ready();
}

void ChannelLink::flush() {
  while (!queue_.empty() && send_now(queue_.front())) {
    queued_ -= queue_.front().bytes.size();
    queue_.pop_front();
  }
  if (is_open()) watch();
}

bool ChannelLink::send_now(const Waiting& message) {
  std::vector<int> descriptors;
  for (const FileDescriptor& descriptor : message.descriptors)
    descriptors.push_back(descriptor.get());
  const auto sent = channel_.send(message.bytes, descriptors);
  if (sent) return true;
  if (sent.error() != Channel::Error::would_block)
    finish(sent.error() == Channel::Error::closed ? End::closed : End::failed);
  return false;
}

void ChannelLink::watch() {
  event_.watch(queue_.empty() ? unsigned{IoEvent::readable}
                              : unsigned{IoEvent::readable} | unsigned{IoEvent::writable});
}

void ChannelLink::finish(End end) {
  if (!is_open()) return;
  end_ = end;
  event_.watch(IoEvent::none);
  queue_.clear();
  gathered_.clear();
  channel_ = Channel();
  ending_.schedule();
}

std::string_view to_string(ChannelLink::End end) {
  switch (end) {
  case ChannelLink::End::closed:
    return "closed";
  case ChannelLink::End::violation:
    return "violation";
  case ChannelLink::End::overflow:
    return "overflow";
  case ChannelLink::End::failed:
    return "failed";
  }
  return "";
}

} // namespace midcom
