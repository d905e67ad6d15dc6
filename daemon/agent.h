// SPDX-License-Identifier: GPL-3.0-or-later
// The agent without I/O: events of the network, the middlebox, the openers and the clock in; sends,
// requests and log events out. A worker drives it on real sockets, the scenario engine on fakes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "daemon/agent_config.h"
#include "daemon/agent_snapshot.h"
#include "daemon/event_log.h"
#include "daemon/middlebox_port.h"
#include "daemon/name_port.h"
#include "daemon/network.h"
#include "daemon/opener_port.h"
#include "daemon/secrets.h"

namespace midcom {

class Agent final : public NetworkEvents,
                    public MiddleboxEvents,
                    public OpenerEvents,
                    public NameEvents {
public:
  // Fills `bytes` with unpredictable octets (getrandom; a seeded generator in tests).
  using Random = std::function<void(std::uint8_t* bytes, std::size_t size)>;
  // Seconds since the epoch: what Dates and certificates are judged by.
  using WallClock = std::function<std::int64_t()>;

  // All references must outlive the agent.
  Agent(const AgentConfig& config, const Secrets& secrets, Network& network,
        MiddleboxPort& middlebox, OpenerPort& openers, NamePort& names, EventLog& log,
        Random random, WallClock wall_clock);
  ~Agent() override;

  void on_flow_open(const FlowInfo& flow, sip::TimePoint now) override;
  void on_flow_closed(FlowId flow, std::string_view reason, sip::TimePoint now) override;
  void on_message(FlowId flow, std::string bytes, sip::TimePoint now) override;
  void on_broken_stream(FlowId flow, sip::Error error, std::string header_block,
                        sip::TimePoint now) override;
  void on_middlebox_reply(const pinhole::Reply& reply, sip::TimePoint now) override;
  void on_middlebox_down(sip::TimePoint now) override;
  void on_middlebox_up(sip::TimePoint now) override;
  void on_opener_reply(std::size_t opener, const opener::Reply& reply, sip::TimePoint now) override;
  void on_opener_down(std::size_t opener, sip::TimePoint now) override;
  void on_opener_up(std::size_t opener, sip::TimePoint now) override;
  void on_name(std::uint64_t question, std::span<const sip::IpAddress> addresses,
               sip::TimePoint now) override;

  // Runs what is due. next_deadline() changes with every event.
  void on_timer(sip::TimePoint now);
  [[nodiscard]] std::optional<sip::TimePoint> next_deadline() const;

  struct Counts {
    std::size_t transactions, calls, flows;
  };
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] AgentSnapshot snapshot(const SnapshotQuery& query, sip::TimePoint now) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace midcom
