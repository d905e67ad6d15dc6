// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/udp_port.h"

#include <algorithm>
#include <array>
#include <sys/socket.h>
#include <sys/uio.h>

#include "daemon/socket_address.h"

namespace midcom {

namespace {

constexpr std::size_t batch = 16; // datagrams of one system call
constexpr int batches_per_turn = 4;
constexpr std::size_t datagram_size = 65536;
constexpr std::size_t max_outgoing = 8192; // datagrams of one turn

// RFC 7983 7: STUN's first octet is 0 to 3; nothing here answers it.
bool is_stun(std::string_view bytes) {
  return static_cast<unsigned char>(bytes.front()) < 4;
}

} // namespace

UdpPort::UdpPort(EventLoop& loop, const AgentConfig& config, UdpOwner& owner, FileDescriptor fd,
                 std::size_t listener, sip::Endpoint local)
    : loop_(loop), config_(config), owner_(owner), fd_(std::move(fd)), listener_(listener),
      local_(local), input_(batch * datagram_size),
      io_(loop, fd_.get(), [this](unsigned) { on_readable(); }), idle_(loop, [this] { expire(); }) {
  io_.watch(IoEvent::readable);
}

void UdpPort::on_readable() {
  std::array<mmsghdr, batch> headers{};
  std::array<iovec, batch> parts{};
  std::array<SocketAddress, batch> sources;
  for (std::size_t i = 0; i < batch; ++i)
    parts[i] = {input_.data() + i * datagram_size, datagram_size};
  for (int round = 0; round < batches_per_turn; ++round) {
    for (std::size_t i = 0; i < batch; ++i) {
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_name = sources[i].get();
      headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = ::recvmmsg(fd_.get(), headers.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<std::size_t>(i);
      const auto remote = sources[index].endpoint();
      if (remote && remote->port != 0)
        on_datagram(*remote,
                    {static_cast<const char*>(parts[index].iov_base), headers[index].msg_len});
    }
    if (count < static_cast<int>(batch)) return;
  }
}

// What isn't a message opens no flow.
void UdpPort::on_datagram(const sip::Endpoint& remote, std::string_view bytes) {
  static const auto pong = std::make_shared<const std::string>("\r\n");
  if (bytes.empty() || is_stun(bytes)) return;
  if (bytes.size() > config_.limits.message.message) return owner_.on_udp_too_large(remote);
  const auto start = bytes.find_first_not_of("\r\n"); // RFC 3261 7.5
  if (start == std::string_view::npos) {
    if (bytes.starts_with("\r\n\r\n")) queue(remote, pong);
    return;
  }
  auto known = by_remote_.find(remote);
  if (known == by_remote_.end()) {
    if (!is_opening_) return;
    const auto flow = open(remote, true);
    owner_.on_udp_open(flow->info);
    known = by_remote_.find(remote);
    if (known == by_remote_.end()) return; // closed meanwhile
  }
  touch(known->second);
  owner_.on_udp_message(known->second->info.id, std::string(bytes.substr(start)));
}

UdpPort::Flows::iterator UdpPort::open(const sip::Endpoint& remote, bool is_inbound) {
  if (flows_.size() >= config_.limits.connections) remove(flows_.begin(), Reason::overload);
  Flow flow;
  flow.info.id = owner_.next_flow_id();
  flow.info.transport = Transport::udp;
  flow.info.local = local_;
  flow.info.remote = remote;
  flow.info.is_inbound = is_inbound;
  flow.info.listener = listener_;
  flow.used = loop_.now();
  if (flows_.empty()) idle_.start_at(flow.used + config_.timeouts.idle);
  const auto place = flows_.insert(flows_.end(), std::move(flow));
  by_id_[place->info.id] = place;
  by_remote_[remote] = place;
  return place;
}

FlowId UdpPort::connect(const sip::Endpoint& remote) {
  const auto flow = open(remote, false);
  to_open_.push_back(flow->info.id);
  owner_.on_udp_dirty();
  return flow->info.id;
}

bool UdpPort::send(FlowId flow, sip::Bytes bytes) {
  const auto found = by_id_.find(flow);
  if (found == by_id_.end()) return false;
  touch(found->second);
  queue(found->second->info.remote, std::move(bytes));
  return true;
}

bool UdpPort::close(FlowId flow) {
  const auto found = by_id_.find(flow);
  if (found == by_id_.end()) return false;
  remove(found->second, Reason::closed);
  return true;
}

void UdpPort::queue(const sip::Endpoint& remote, sip::Bytes bytes) {
  if (outgoing_.size() >= max_outgoing) return; // lost, as datagrams may be
  outgoing_.emplace_back(remote, std::move(bytes));
  if (outgoing_.size() == 1) owner_.on_udp_dirty();
}

void UdpPort::flush() {
  for (const FlowId id : std::exchange(to_open_, {}))
    if (const auto found = by_id_.find(id); found != by_id_.end())
      owner_.on_udp_open(found->second->info);
  const auto outgoing = std::exchange(outgoing_, {});
  std::array<mmsghdr, batch> headers{};
  std::array<iovec, batch> parts{};
  std::array<SocketAddress, batch> destinations;
  for (std::size_t done = 0; done < outgoing.size();) {
    const std::size_t count = std::min(batch, outgoing.size() - done);
    for (std::size_t i = 0; i < count; ++i) {
      const auto& [remote, bytes] = outgoing[done + i];
      destinations[i] = SocketAddress(remote);
      parts[i] = {const_cast<char*>(bytes->data()), bytes->size()};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_name = destinations[i].get();
      headers[i].msg_hdr.msg_namelen = destinations[i].size;
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = ::sendmmsg(fd_.get(), headers.data(), static_cast<unsigned>(count),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    // A refused first datagram (too large, no route, full socket) is lost; the rest go on.
    done += sent > 0 ? static_cast<std::size_t>(sent) : 1;
  }
}

void UdpPort::touch(Flows::iterator flow) {
  flow->used = loop_.now();
  flows_.splice(flows_.end(), flows_, flow);
}

void UdpPort::remove(Flows::iterator flow, Reason reason) {
  const FlowId id = flow->info.id;
  const auto newest = by_remote_.find(flow->info.remote);
  if (newest != by_remote_.end() && newest->second == flow) by_remote_.erase(newest);
  by_id_.erase(id);
  flows_.erase(flow);
  owner_.on_udp_closed(id, reason);
}

void UdpPort::expire() {
  const auto now = loop_.now();
  const auto idle = config_.timeouts.idle;
  while (!flows_.empty() && now - flows_.front().used >= idle) remove(flows_.begin(), Reason::idle);
  if (!flows_.empty()) idle_.start_at(flows_.front().used + idle);
}

} // namespace midcom
