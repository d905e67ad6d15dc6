// SPDX-License-Identifier: GPL-3.0-or-later
#include "network_lab.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>

#include "daemon/socket_address.h"

namespace midcom::test {

void Recorder::on_flow_open(const FlowInfo& flow, sip::TimePoint) {
  opened.push_back(flow);
  order.emplace_back("open");
}

void Recorder::on_flow_closed(FlowId flow, std::string_view reason, sip::TimePoint) {
  closed.push_back({flow, std::string(reason)});
  order.emplace_back("closed");
  if (when_closed) when_closed(Closed(closed.back()));
}

void Recorder::on_message(FlowId flow, std::string bytes, sip::TimePoint) {
  received.push_back({flow, std::move(bytes)});
  order.emplace_back("message");
  if (when_received) when_received(Received(received.back()));
}

void Recorder::on_broken_stream(FlowId flow, sip::Error error, std::string header_block,
                                sip::TimePoint) {
  broken.push_back({flow, error, std::move(header_block)});
  order.emplace_back("broken");
  if (when_broken) when_broken(Broken(broken.back()));
}

std::size_t Recorder::count(std::string_view event) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(events, [&](const Event& e) { return e.name() == event; }));
}

const Event* Recorder::find(std::string_view event) const {
  const Event* found = nullptr;
  for (const Event& e : events)
    if (e.name() == event) found = &e;
  return found;
}

void Node::start(TlsMaterial tls) {
  std::vector<FileDescriptor> sockets;
  for (const Transport transport : {Transport::udp, Transport::tcp, Transport::tls}) {
    if (transport == Transport::tls && !has_tls_listener) continue;
    const bool is_udp = transport == Transport::udp;
    FileDescriptor fd(::socket(AF_INET, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0));
    SocketAddress any(sip::Endpoint{*sip::IpAddress::parse("127.0.0.1"), 0});
    if (::bind(fd.get(), any.get(), any.size) != 0) throw std::runtime_error("bind");
    if (!is_udp && ::listen(fd.get(), 128) != 0) throw std::runtime_error("listen");
    ListenerConfig listener;
    listener.name = std::string(to_string(transport));
    listener.transport = transport;
    listener.address = *local_endpoint(fd.get());
    config.listeners.push_back(listener);
    sockets.push_back(std::move(fd));
  }
  network = std::make_unique<SocketNetwork>(loop, config, std::move(tls), std::move(sockets),
                                            recorder, recorder);
}

sip::Endpoint Node::address(Transport transport) const {
  return config.listeners.at(static_cast<std::size_t>(transport)).address;
}

Target Node::target(Transport transport, std::string tls_name) const {
  return {transport, address(transport), std::move(tls_name)};
}

Wire::Wire(Transport transport, const sip::Endpoint& remote)
    : fd_(::socket(AF_INET, transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM, 0)) {
  const SocketAddress address(remote);
  if (::connect(fd_.get(), address.get(), address.size) != 0) throw std::runtime_error("connect");
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  const int on = 1;
  if (transport != Transport::udp)
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void Wire::write(std::string_view bytes) {
  if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) is_closed_ = true;
}

const std::string& Wire::read() {
  char buffer[65536];
  while (true) {
    const ssize_t count = ::recv(fd_.get(), buffer, sizeof(buffer), 0);
    if (count < 0 && errno != EAGAIN) is_closed_ = true;
    if (count == 0) is_closed_ = true;
    if (count <= 0) return received_;
    received_.append(buffer, static_cast<std::size_t>(count));
    datagrams.emplace_back(buffer, static_cast<std::size_t>(count));
  }
}

bool Wire::is_closed() {
  static_cast<void>(read());
  return is_closed_;
}

bool run_until(EventLoop& loop, const std::function<bool()>& is_so) {
  const auto end = loop.now() + std::chrono::seconds(5);
  bool was_so = is_so();
  TimerEvent poll(loop, [&] {
    was_so = is_so();
    if (was_so || loop.now() > end) return loop.stop();
    poll.start_at(loop.now() + std::chrono::milliseconds(1));
  });
  if (was_so) return true;
  poll.start_at(loop.now());
  loop.run();
  return was_so;
}

void run_for(EventLoop& loop, std::chrono::milliseconds time) {
  TimerEvent end(loop, [&] { loop.stop(); });
  end.start_at(loop.now() + time);
  loop.run();
}

TlsMaterial material_of(const Certificate& certificate, const std::string& ca,
                        TlsConfig::Verify verify) {
  TlsMaterial material;
  if (certificate.x509) {
    material.certificate_chain = certificate.pem();
    material.private_key = certificate.key_pem();
  }
  material.trusted_ca = ca;
  material.client_verify = verify;
  return material;
}

std::string options_request(int number, std::size_t body) {
  return "OPTIONS sip:b.example SIP/2.0\r\n"
         "Via: SIP/2.0/TCP a.example;branch=z9hG4bK" +
         std::to_string(number) +
         "\r\n"
         "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c" +
         std::to_string(number) + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: " + std::to_string(body) +
         "\r\n\r\n" + std::string(body, 'x');
}

sip::Bytes bytes_of(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

} // namespace midcom::test
