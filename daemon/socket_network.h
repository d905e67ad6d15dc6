// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/event_log.h"
#include "daemon/event_loop.h"
#include "daemon/file_descriptor.h"
#include "daemon/network.h"
#include "daemon/tls_context.h"

namespace midcom {

// Network on real sockets: UDP, TCP and TLS listeners and connections on one event loop.
class SocketNetwork final : public Network {
public:
  // `listening` holds one bound (and for streams listening) socket per config.listeners entry, in
  // order. References must outlive it. Throws std::runtime_error when the TLS material can't be
  // used.
  SocketNetwork(EventLoop& loop, const AgentConfig& config, TlsMaterial tls,
                std::vector<FileDescriptor> listening, NetworkEvents& events, EventLog& log);
  ~SocketNetwork() override;

  void send(FlowId flow, sip::Bytes bytes) override;
  [[nodiscard]] FlowId connect(const Target& target) override;
  void close(FlowId flow) override;
  // Stops accepting; flows stay.
  void stop_listening();
  [[nodiscard]] std::size_t flow_count() const; // stream connections, handshakes included

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace midcom
