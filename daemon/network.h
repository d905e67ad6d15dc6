// SPDX-License-Identifier: GPL-3.0-or-later
// The network as the agent sees it: flows (RFC 5626: one signalling connection, or one UDP address
// pair) and whole framed messages. SocketNetwork implements it on libevent and OpenSSL; the
// scenario engine with a fake. Every call and event of one Network happens on one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/ip_address.h"
#include "sip/transaction.h"

namespace midcom {

using FlowId = std::uint64_t; // never used twice in the life of a process; 0 is none

enum class Transport : std::uint8_t { udp, tcp, tls };
[[nodiscard]] std::string_view to_string(Transport transport); // "udp", "tcp", "tls"

struct FlowInfo {
  FlowId id = 0;
  Transport transport = Transport::tls;
  sip::Endpoint local, remote;
  bool is_inbound = true;
  std::size_t listener = 0; // index in AgentConfig::listeners; for an outbound flow the one whose
                            // address family and transport it goes out by
  // RFC 5922 identities of the peer's verified certificate, lower case: SAN sip: URI hosts, else
  // SAN DNS names, else (no SAN at all) the CN. Empty without a verified certificate.
  std::vector<std::string> identities;
  std::string tls_version; // "1.3"; empty without TLS
};

struct Target {
  Transport transport = Transport::tls;
  sip::Endpoint address;
  std::string
      tls_name; // the domain the peer must prove (RFC 5922 7.3); empty: only for tcp and udp
  auto operator<=>(const Target&) const = default;
};

class Network {
public:
  virtual ~Network() = default;
  // Queues whole bytes on a flow. An unknown or closing flow: nothing is sent and on_flow_closed
  // has been or will be called.
  virtual void send(FlowId flow, sip::Bytes bytes) = 0;
  // Starts a connection; always gives a new id. Bytes sent before on_flow_open are queued. Ends in
  // on_flow_open or on_flow_closed. For UDP on_flow_open follows at once.
  [[nodiscard]] virtual FlowId connect(const Target& target) = 0;
  // Closes after what is queued has been written. on_flow_closed follows.
  virtual void close(FlowId flow) = 0;
};

class NetworkEvents {
public:
  virtual ~NetworkEvents() = default;
  virtual void on_flow_open(const FlowInfo& flow, sip::TimePoint now) = 0;
  // `reason` is a word of the closed list of reasons.h ("closed", "tls-name", "connect-failed",
  // ...).
  virtual void on_flow_closed(FlowId flow, std::string_view reason, sip::TimePoint now) = 0;
  // One framed message, not parsed yet.
  virtual void on_message(FlowId flow, std::string bytes, sip::TimePoint now) = 0;
  // The stream can't be framed further. `header_block` may be empty. The network closes the flow
  // after this call; what the agent sends meanwhile still goes out.
  virtual void on_broken_stream(FlowId flow, sip::Error error, std::string header_block,
                                sip::TimePoint now) = 0;
};

} // namespace midcom
