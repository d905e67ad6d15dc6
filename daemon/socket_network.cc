// SPDX-License-Identifier: GPL-3.0-or-later
// Nothing here calls the agent from inside send(), connect() or close(). What those cause, and
// every write, happens in one deferred pass at the end of the loop's turn: flush, then tell of
// closed flows, then erase them.
#include "daemon/socket_network.h"

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/random.h>
#include <sys/socket.h>
#include <unordered_map>

#include "daemon/connection.h"
#include "daemon/socket_address.h"
#include "daemon/source_limits.h"
#include "daemon/tls_session.h"
#include "daemon/udp_port.h"

namespace midcom {

namespace {

constexpr int accepts_per_turn = 32;
constexpr auto accept_pause = std::chrono::milliseconds(200);

// A restarted process must not use an id that a flow token of the last one may still name.
FlowId first_flow_id() {
  FlowId random = 0;
  if (::getrandom(&random, sizeof(random), 0) != sizeof(random))
    throw std::runtime_error("no random octets");
  return (random >> 1 & ~0xffffffffULL) + 1;
}

void set_option(int fd, int level, int name, int value) {
  static_cast<void>(::setsockopt(fd, level, name, &value, sizeof(value)));
}

// A peer that acknowledges nothing for this long is gone (64*T1).
void tune(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 32000);
}

bool is_out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

} // namespace

struct SocketNetwork::Impl final : ConnectionOwner, UdpOwner {
  struct Listener {
    FileDescriptor fd;
    std::unique_ptr<IoEvent> io;
  };

  Impl(EventLoop& loop_, const AgentConfig& config_, TlsMaterial material,
       std::vector<FileDescriptor> listening, NetworkEvents& events_, EventLog& log_);

  void listen(std::size_t index, FileDescriptor fd);
  void on_acceptable(std::size_t index);
  void accept_one(std::size_t index, FileDescriptor fd, const sip::Endpoint& remote);
  bool is_within_limits(const sip::IpAddress& source);
  void pause_accepting();
  void watch_listeners(unsigned interest);
  void note_limit(const sip::IpAddress& source, std::string_view limit);

  FlowId connect(const Target& target);
  FlowId connect_udp(const Target& target);
  FlowId fail_connect(Reason reason);
  FileDescriptor start_connect(const Target& target, const ListenerConfig* from, bool& failed);
  std::pair<std::size_t, bool> outbound_listener(const Target& target) const;
  void add(std::unique_ptr<Connection> connection);

  void finish_turn();
  void reap();
  void note_end(const Connection& connection);

  void on_open(Connection& connection) override;
  void on_frame(Connection& connection, std::string bytes) override;
  void on_broken(Connection& connection, sip::Error error, std::string header_block) override;
  void on_dirty(Connection& connection) override;
  void on_backlog(Connection& connection) override;
  void on_finished(Connection& connection) override;
  void deliver_backlog();

  FlowId next_flow_id() override { return next_id++; }
  void on_udp_open(FlowInfo flow) override { events.on_flow_open(flow, loop.now()); }
  void on_udp_message(FlowId flow, std::string bytes) override;
  void on_udp_too_large(const sip::Endpoint& remote) override;
  void on_udp_dirty() override { turn_end.schedule(); }
  void on_udp_closed(FlowId flow, Reason reason) override;

  EventLoop& loop;
  const AgentConfig& config;
  NetworkEvents& events;
  EventLog& log;
  TlsContext tls;
  SourceLog source_log;
  SourceCounts sources; // of inbound connections
  std::size_t inbound = 0;
  FlowId next_id = first_flow_id();
  bool is_listening = true;
  ConnectionBuffers buffers;
  std::vector<Listener> listeners; // as config.listeners; no socket for UDP
  std::vector<std::unique_ptr<UdpPort>> udp_ports;
  std::unordered_map<FlowId, std::unique_ptr<Connection>> connections;
  std::vector<Connection*> dirty, finished; // emptied at the end of each turn
  std::vector<FlowId> backlog;
  std::vector<std::pair<FlowId, Reason>> ended; // flows without a Connection
  DeferredEvent turn_end;
  TimerEvent backlog_turn, accept_resume;
};

SocketNetwork::Impl::Impl(EventLoop& loop_, const AgentConfig& config_, TlsMaterial material,
                          std::vector<FileDescriptor> listening, NetworkEvents& events_,
                          EventLog& log_)
    : loop(loop_), config(config_), events(events_), log(log_), tls(std::move(material)),
      source_log(log_), turn_end(loop_, [this] { finish_turn(); }),
      backlog_turn(loop_, [this] { deliver_backlog(); }),
      accept_resume(loop_, [this] { watch_listeners(IoEvent::readable); }) {
  if (listening.size() != config.listeners.size())
    throw std::runtime_error("listening sockets don't match the configuration");
  listeners.resize(listening.size());
  for (std::size_t i = 0; i < listening.size(); ++i) listen(i, std::move(listening[i]));
}

void SocketNetwork::Impl::listen(std::size_t index, FileDescriptor fd) {
  const ListenerConfig& listener = config.listeners[index];
  const auto local = local_endpoint(fd.get());
  if (!local) throw std::runtime_error("listener " + listener.name + ": not a socket");
  if (listener.transport == Transport::tls && !tls.can_serve())
    throw std::runtime_error("listener " + listener.name + ": no certificate");
  if (listener.transport == Transport::udp) {
    udp_ports.push_back(
        std::make_unique<UdpPort>(loop, config, *this, std::move(fd), index, *local));
    return;
  }
  listeners[index].io =
      std::make_unique<IoEvent>(loop, fd.get(), [this, index](unsigned) { on_acceptable(index); });
  listeners[index].fd = std::move(fd);
  listeners[index].io->watch(IoEvent::readable);
}

void SocketNetwork::Impl::on_acceptable(std::size_t index) {
  for (int count = 0; count < accepts_per_turn && is_listening; ++count) {
    SocketAddress address;
    FileDescriptor fd(::accept4(listeners[index].fd.get(), address.get(), &address.size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (is_out_of_resources(errno)) pause_accepting();
      return; // nothing waits, or the connection was gone before it was accepted
    }
    if (const auto remote = address.endpoint()) accept_one(index, std::move(fd), *remote);
  }
}

void SocketNetwork::Impl::accept_one(std::size_t index, FileDescriptor fd,
                                     const sip::Endpoint& remote) {
  if (!is_within_limits(remote.address)) return;
  tune(fd.get());
  const ListenerConfig& listener = config.listeners[index];
  FlowInfo info;
  info.id = next_id++;
  info.transport = listener.transport;
  info.local = local_endpoint(fd.get()).value_or(listener.address);
  info.remote = remote;
  info.listener = index;
  std::unique_ptr<TlsSession> session;
  if (listener.transport == Transport::tls) session = TlsSession::server(tls, fd.get());
  auto connection = std::make_unique<Connection>(loop, config, buffers, *this, std::move(info),
                                                 std::move(fd), std::move(session));
  Connection& accepted = *connection;
  sources.add(remote.address);
  ++inbound;
  add(std::move(connection));
  accepted.start_accepted();
}

bool SocketNetwork::Impl::is_within_limits(const sip::IpAddress& source) {
  const bool is_full = inbound >= config.limits.connections;
  const bool is_too_many = sources.of(source) >= config.limits.connections_per_address;
  if (is_full)
    note_limit(source, "connections");
  else if (is_too_many)
    note_limit(source, "connections-per-address");
  return !is_full && !is_too_many;
}

void SocketNetwork::Impl::note_limit(const sip::IpAddress& source, std::string_view limit) {
  Event event(Level::warning, "limit.hit");
  event.add("limit", limit);
  source_log.write(std::move(event), source, limit, loop.now());
}

void SocketNetwork::Impl::pause_accepting() {
  note_limit({}, "file-descriptors");
  watch_listeners(IoEvent::none);
  accept_resume.start_at(loop.now() + accept_pause);
}

void SocketNetwork::Impl::watch_listeners(unsigned interest) {
  for (Listener& listener : listeners)
    if (listener.io) listener.io->watch(interest);
}

void SocketNetwork::Impl::add(std::unique_ptr<Connection> connection) {
  const FlowId id = connection->info().id;
  connections.emplace(id, std::move(connection));
}

// The listener with the address the kernel routes from, so that Via and Record-Route name what the
// far side sees; else the first of the family and transport. `second`: bind to its address.
std::pair<std::size_t, bool> SocketNetwork::Impl::outbound_listener(const Target& target) const {
  const auto source = source_towards(target.address);
  std::size_t best = 0;
  int best_score = -1;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const ListenerConfig& listener = config.listeners[i];
    if (listener.address.address.family != target.address.address.family) continue;
    const int score = (listener.transport == target.transport ? 2 : 0) +
                      (source && listener.address.address == *source ? 1 : 0);
    if (score > best_score) {
      best = i;
      best_score = score;
    }
  }
  return {best, best_score >= 0 && source && config.listeners[best].address.address == *source};
}

FlowId SocketNetwork::Impl::fail_connect(Reason reason) {
  const FlowId id = next_id++;
  on_udp_closed(id, reason);
  return id;
}

FlowId SocketNetwork::Impl::connect(const Target& target) {
  if (target.transport == Transport::udp) return connect_udp(target);
  if (target.transport == Transport::tls && target.tls_name.empty())
    return fail_connect(Reason::tls_name);
  const auto [index, is_bound] = outbound_listener(target);
  bool failed = false;
  FileDescriptor fd = start_connect(target, is_bound ? &config.listeners[index] : nullptr, failed);
  if (!fd || failed) return fail_connect(Reason::connect_failed);
  FlowInfo info;
  info.id = next_id++;
  info.transport = target.transport;
  info.local = local_endpoint(fd.get()).value_or(sip::Endpoint{});
  info.remote = target.address;
  info.is_inbound = false;
  info.listener = index;
  const FlowId id = info.id;
  std::unique_ptr<TlsSession> session;
  if (target.transport == Transport::tls)
    session = TlsSession::client(tls, fd.get(), target.tls_name);
  auto connection = std::make_unique<Connection>(loop, config, buffers, *this, std::move(info),
                                                 std::move(fd), std::move(session));
  connection->start_connecting();
  add(std::move(connection));
  return id;
}

FileDescriptor SocketNetwork::Impl::start_connect(const Target& target, const ListenerConfig* from,
                                                  bool& failed) {
  const SocketAddress remote(target.address);
  FileDescriptor fd(
      ::socket(remote.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  tune(fd.get());
  if (from != nullptr) {
    const SocketAddress local(sip::Endpoint{from->address.address, 0});
    set_option(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    static_cast<void>(::bind(fd.get(), local.get(), local.size));
  }
  failed = ::connect(fd.get(), remote.get(), remote.size) != 0 && errno != EINPROGRESS;
  return fd;
}

FlowId SocketNetwork::Impl::connect_udp(const Target& target) {
  const std::size_t index = outbound_listener(target).first;
  const auto port =
      std::ranges::find_if(udp_ports, [&](const auto& p) { return p->listener() == index; });
  if (port == udp_ports.end()) return fail_connect(Reason::connect_failed);
  return (*port)->connect(target.address);
}

void SocketNetwork::Impl::finish_turn() {
  for (Connection* connection : std::exchange(dirty, {})) connection->flush();
  for (const auto& port : udp_ports) port->flush();
  reap();
  if (!dirty.empty() || !finished.empty() || !ended.empty()) turn_end.schedule();
}

void SocketNetwork::Impl::reap() {
  for (const auto& [id, reason] : std::exchange(ended, {}))
    events.on_flow_closed(id, word_of(reason), loop.now());
  for (Connection* connection : std::exchange(finished, {})) {
    const auto found = connections.find(connection->info().id);
    const auto owner = std::move(found->second);
    connections.erase(found);
    note_end(*owner);
    const FlowInfo& info = owner->info();
    if (info.is_inbound) {
      sources.remove(info.remote.address);
      --inbound;
    }
    if (owner->was_open() || !info.is_inbound)
      events.on_flow_closed(info.id, word_of(owner->reason()), loop.now());
  }
}

void SocketNetwork::Impl::note_end(const Connection& connection) {
  const FlowInfo& info = connection.info();
  const std::string_view reason = word_of(connection.reason());
  if (info.transport == Transport::tls && !connection.was_open() &&
      connection.reason() != Reason::connect_failed) {
    Event event(Level::notice, "tls.fail");
    event.add("direction", info.is_inbound ? "in" : "out").add("reason", reason);
    if (!connection.tls_detail().empty()) event.add("detail", connection.tls_detail());
    source_log.write(std::move(event), info.remote.address, "tls.fail", loop.now());
  }
  Event event(Level::debug, "flow.close");
  event.add("src", info.remote.to_string()).add("transport", to_string(info.transport));
  event.add("reason", reason);
  log.write(event);
}

void SocketNetwork::Impl::on_open(Connection& connection) {
  const FlowInfo& info = connection.info();
  if (info.transport == Transport::tls) {
    Event event(Level::info, info.is_inbound ? "tls.accept" : "tls.connect");
    event.add(info.is_inbound ? "src" : "dst", info.remote.to_string());
    event.add("version", info.tls_version);
    for (const std::string& identity : info.identities) event.add("identity", identity);
    log.write(event);
  }
  events.on_flow_open(info, loop.now());
}

void SocketNetwork::Impl::on_frame(Connection& connection, std::string bytes) {
  events.on_message(connection.info().id, std::move(bytes), loop.now());
}

void SocketNetwork::Impl::on_broken(Connection& connection, sip::Error error,
                                    std::string header_block) {
  events.on_broken_stream(connection.info().id, error, std::move(header_block), loop.now());
}

void SocketNetwork::Impl::on_dirty(Connection& connection) {
  dirty.push_back(&connection);
  turn_end.schedule();
}

void SocketNetwork::Impl::on_finished(Connection& connection) {
  finished.push_back(&connection);
  turn_end.schedule();
}

// The next turn, not the end of this one: other connections come first.
void SocketNetwork::Impl::on_backlog(Connection& connection) {
  backlog.push_back(connection.info().id);
  backlog_turn.start_at(loop.now());
}

void SocketNetwork::Impl::deliver_backlog() {
  for (const FlowId id : std::exchange(backlog, {}))
    if (const auto found = connections.find(id); found != connections.end())
      found->second->deliver();
}

void SocketNetwork::Impl::on_udp_message(FlowId flow, std::string bytes) {
  events.on_message(flow, std::move(bytes), loop.now());
}

void SocketNetwork::Impl::on_udp_too_large(const sip::Endpoint& remote) {
  note_limit(remote.address, "message");
}

void SocketNetwork::Impl::on_udp_closed(FlowId flow, Reason reason) {
  ended.emplace_back(flow, reason);
  turn_end.schedule();
}

SocketNetwork::SocketNetwork(EventLoop& loop, const AgentConfig& config, TlsMaterial tls,
                             std::vector<FileDescriptor> listening, NetworkEvents& events,
                             EventLog& log)
    : impl_(std::make_unique<Impl>(loop, config, std::move(tls), std::move(listening), events,
                                   log)) {}

SocketNetwork::~SocketNetwork() = default;

void SocketNetwork::send(FlowId flow, sip::Bytes bytes) {
  if (const auto found = impl_->connections.find(flow); found != impl_->connections.end())
    return found->second->send(std::move(bytes));
  for (const auto& port : impl_->udp_ports)
    if (port->send(flow, bytes)) return;
}

FlowId SocketNetwork::connect(const Target& target) {
  return impl_->connect(target);
}

void SocketNetwork::close(FlowId flow) {
  if (const auto found = impl_->connections.find(flow); found != impl_->connections.end())
    return found->second->close(Reason::closed);
  for (const auto& port : impl_->udp_ports)
    if (port->close(flow)) return;
}

void SocketNetwork::stop_listening() {
  impl_->is_listening = false;
  impl_->accept_resume.stop();
  for (Impl::Listener& listener : impl_->listeners) {
    if (listener.io) listener.io->watch(IoEvent::none); // its callback may be running
    listener.fd.reset();
  }
  for (const auto& port : impl_->udp_ports) port->stop_opening();
}

std::size_t SocketNetwork::flow_count() const {
  return impl_->connections.size();
}

} // namespace midcom
