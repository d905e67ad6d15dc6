// SPDX-License-Identifier: GPL-3.0-or-later
// Real SocketNetworks and plain sockets on the loopback, for the tests of this folder.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/socket_network.h"
#include "test_certificates.h"

namespace midcom::test {

class Recorder final : public NetworkEvents, public EventLog {
public:
  struct Closed {
    FlowId flow;
    std::string reason;
  };
  struct Received {
    FlowId flow;
    std::string bytes;
  };
  struct Broken {
    FlowId flow;
    sip::Error error;
    std::string header_block;
  };
  std::vector<FlowInfo> opened;
  std::vector<Closed> closed;
  std::vector<Received> received;
  std::vector<Broken> broken;
  std::vector<Event> events;
  std::vector<std::string> order; // "open", "message", "broken", "closed"
  std::function<void(const Received&)> when_received;
  std::function<void(const Broken&)> when_broken;
  std::function<void(const Closed&)> when_closed;

  void on_flow_open(const FlowInfo& flow, sip::TimePoint now) override;
  void on_flow_closed(FlowId flow, std::string_view reason, sip::TimePoint now) override;
  void on_message(FlowId flow, std::string bytes, sip::TimePoint now) override;
  void on_broken_stream(FlowId flow, sip::Error error, std::string header_block,
                        sip::TimePoint now) override;
  void write(const Event& event) override { events.push_back(event); }
  [[nodiscard]] std::size_t count(std::string_view event) const;
  [[nodiscard]] const Event* find(std::string_view event) const; // the last one
};

// A node with one listener of each transport on 127.0.0.1, in the order of the enumeration.
struct Node {
  explicit Node(EventLoop& event_loop) : loop(event_loop) {}
  void start(TlsMaterial tls); // after `config` is set up
  [[nodiscard]] sip::Endpoint address(Transport transport) const;
  [[nodiscard]] Target target(Transport transport, std::string tls_name = {}) const;

  EventLoop& loop;
  bool has_tls_listener = true;
  AgentConfig config;
  Recorder recorder;
  std::unique_ptr<SocketNetwork> network;
};

// A plain non-blocking socket.
class Wire {
public:
  Wire(Transport transport, const sip::Endpoint& remote);
  void write(std::string_view bytes);
  [[nodiscard]] const std::string& read(); // all that came so far
  [[nodiscard]] bool is_closed();          // the far end closed or reset
  [[nodiscard]] int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }
  std::vector<std::string> datagrams;

private:
  FileDescriptor fd_;
  std::string received_;
  bool is_closed_ = false;
};

// Runs the loop until it is so, at most five seconds. False: it never was.
[[nodiscard]] bool run_until(EventLoop& loop, const std::function<bool()>& is_so);
void run_for(EventLoop& loop, std::chrono::milliseconds time);

[[nodiscard]] TlsMaterial material_of(const Certificate& certificate, const std::string& ca,
                                      TlsConfig::Verify verify = TlsConfig::Verify::optional);
[[nodiscard]] std::string options_request(int number, std::size_t body = 0);
[[nodiscard]] sip::Bytes bytes_of(std::string text);

} // namespace midcom::test
