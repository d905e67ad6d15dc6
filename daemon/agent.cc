// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/agent.h"

#include <utility>

#include "daemon/disclosure_service.h"
#include "daemon/endpoint_service.h"
#include "daemon/firewall.h"
#include "daemon/flow_table.h"
#include "daemon/media_names.h"
#include "daemon/opener_client.h"
#include "daemon/peer_directory.h"
#include "daemon/proxy.h"
#include "sip/message.h"

namespace midcom {

// What there is to the agent's services depends on its role, and nothing else does: a gateway reads
// bodies and has a firewall; an endpoint makes new bodies and has none.
struct Agent::Impl {
  Impl(const AgentConfig& configuration, const Secrets& keys, Network& net,
       MiddleboxPort& middlebox, OpenerPort& opener_port, NamePort& name_port, EventLog& event_log,
       Random random, WallClock wall_clock)
      : config(configuration), secrets(keys), log(event_log), network(net), peers(configuration),
        openers(configuration.smime.openers, configuration.timeouts.opener, opener_port),
        flows(peers, net, configuration.limits.connections),
        bodies(make_bodies(std::move(wall_clock), random)), names(make_names(name_port)),
        calls(make_calls(middlebox)), proxy(configuration, peers, secrets, net, flows,
                                            names ? static_cast<BodyService&>(*names) : *bodies,
                                            *calls, event_log, std::move(random)) {}

  std::unique_ptr<BodyService> make_bodies(WallClock wall_clock, const Random& random) {
    if (config.role == StationRole::gateway)
      return std::make_unique<DisclosureService>(config, peers, openers, log,
                                                 std::move(wall_clock));
    auto service =
        std::make_unique<EndpointService>(config, peers, openers, log, wall_clock, random);
    endpoint = service.get();
    return service;
  }

  std::unique_ptr<MediaNames> make_names(NamePort& port) {
    if (config.role == StationRole::endpoint) return nullptr;
    return std::make_unique<MediaNames>(
        config, peers, *bodies, port, log,
        [this](const sip::Message& message, std::string_view description) {
          return firewall->pinned_names(message, description);
        });
  }

  std::unique_ptr<CallService> make_calls(MiddleboxPort& middlebox) {
    if (config.role == StationRole::endpoint) return make_unfollowed_calls();
    auto service = std::make_unique<Firewall>(
        config, peers, secrets, middlebox, log,
        [this](const CallPtr& call, sip::TimePoint now) { proxy.resume(call, now); });
    firewall = service.get();
    return service;
  }

  [[nodiscard]] std::string_view name_of(const FlowEntry& flow) const {
    return flow.peer == no_peer ? std::string_view("-") : peers.at(flow.peer).name;
  }

  const AgentConfig& config;
  KeyedSecrets secrets;
  EventLog& log;
  Network& network;
  PeerDirectory peers;
  OpenerClient openers;
  FlowTable flows;
  EndpointService* endpoint = nullptr; // null in a gateway
  Firewall* firewall = nullptr;        // null in an endpoint
  std::unique_ptr<BodyService> bodies;
  std::unique_ptr<MediaNames> names; // what the firewall sees bodies by; null in an endpoint
  std::unique_ptr<CallService> calls;
  Proxy proxy;
  pinhole::event::Ready middlebox_ready{}; // as last announced
};

Agent::Agent(const AgentConfig& config, const Secrets& secrets, Network& network,
             MiddleboxPort& middlebox, OpenerPort& openers, NamePort& names, EventLog& log,
             Random random, WallClock wall_clock)
    : impl_(std::make_unique<Impl>(config, secrets, network, middlebox, openers, names, log,
                                   std::move(random), std::move(wall_clock))) {}

Agent::~Agent() = default;

void Agent::on_flow_open(const FlowInfo& flow, sip::TimePoint) {
  impl_->flows.opened(flow);
  const FlowEntry* entry = impl_->flows.find(flow.id);
  if (entry->target)
    impl_->log.write(Event(Level::info, "peer.up")
                         .add("peer", impl_->name_of(*entry))
                         .add("dst", flow.remote.to_string())
                         .add("transport", to_string(flow.transport)));
}

void Agent::on_flow_closed(FlowId flow, std::string_view reason, sip::TimePoint now) {
  const auto entry = impl_->flows.closed(flow);
  if (!entry) return;
  if (entry->target)
    impl_->log.write(Event(Level::notice, "peer.down")
                         .add("peer", impl_->name_of(*entry))
                         .add("dst", entry->info.remote.to_string())
                         .add("reason", reason));
  impl_->proxy.on_flow_closed(*entry, now);
}

void Agent::on_message(FlowId flow, std::string bytes, sip::TimePoint now) {
  const FlowEntry* entry = impl_->flows.find(flow);
  if (entry == nullptr) return;
  const auto framing =
      entry->info.transport == Transport::udp ? sip::Framing::datagram : sip::Framing::stream;
  std::string copy; // kept only to answer what does not pass the gate
  auto message =
      sip::Message::parse(std::move(bytes), framing, impl_->config.limits.message, &copy);
  if (!message) return impl_->proxy.on_rejected(flow, copy, message.error(), now);
  if ((*message)->is_request())
    impl_->proxy.on_request(flow, *std::move(message), now);
  else
    impl_->proxy.on_response(flow, *std::move(message), now);
}

void Agent::on_broken_stream(FlowId flow, sip::Error error, std::string header_block,
                             sip::TimePoint now) {
  impl_->proxy.on_rejected(flow, header_block, error, now);
}

void Agent::on_middlebox_reply(const pinhole::Reply& reply, sip::TimePoint now) {
  if (impl_->firewall == nullptr) return;
  if (const auto* ready = std::get_if<pinhole::event::Ready>(&reply)) {
    impl_->log.write(Event(Level::notice, "middlebox.up")
                         .add("adopted_groups", ready->adopted_groups)
                         .add("adopted_elements", ready->adopted_elements));
    impl_->middlebox_ready = *ready;
    impl_->firewall->middlebox_up(ready->features, now);
  }
  if (const auto* repaired = std::get_if<pinhole::event::TableRepaired>(&reply))
    impl_->log.write(Event(Level::warning, "nft.repaired").add("gap_us", repaired->gap_us));
  impl_->firewall->pinholes().on_reply(reply, now);
}

void Agent::on_middlebox_down(sip::TimePoint) {
  if (impl_->firewall != nullptr) impl_->firewall->pinholes().on_down();
}

void Agent::on_middlebox_up(sip::TimePoint) {} // usable from event::Ready on

void Agent::on_opener_reply(std::size_t opener, const opener::Reply& reply, sip::TimePoint now) {
  impl_->openers.on_reply(opener, reply, now);
}

void Agent::on_opener_down(std::size_t opener, sip::TimePoint now) {
  impl_->log.write(Event(Level::notice, "opener.down").add("number", opener + 1));
  impl_->openers.on_down(opener, now);
}

void Agent::on_opener_up(std::size_t opener, sip::TimePoint now) {
  impl_->log.write(Event(Level::info, "opener.up").add("number", opener + 1));
  impl_->openers.on_up(opener, now);
  if (impl_->endpoint != nullptr) impl_->endpoint->on_opener_up(now);
}

void Agent::on_name(std::uint64_t question, std::span<const sip::IpAddress> addresses,
                    sip::TimePoint now) {
  if (impl_->names) impl_->names->on_name(question, addresses, now);
}

void Agent::on_timer(sip::TimePoint now) {
  impl_->openers.on_timer(now);
  if (impl_->names) impl_->names->on_timer(now);
  impl_->proxy.on_timer(now);
  if (impl_->firewall != nullptr) impl_->firewall->on_timer(now);
}

std::optional<sip::TimePoint> Agent::next_deadline() const {
  std::optional<sip::TimePoint> next;
  const auto of_firewall =
      impl_->firewall == nullptr ? std::nullopt : impl_->firewall->next_deadline();
  const auto of_names = impl_->names ? impl_->names->next_deadline() : std::nullopt;
  for (const auto& deadline :
       {impl_->proxy.next_deadline(), of_firewall, impl_->openers.next_deadline(), of_names})
    if (deadline && (!next || *deadline < *next)) next = deadline;
  return next;
}

Agent::Counts Agent::counts() const {
  return {impl_->proxy.transactions(), impl_->firewall == nullptr ? 0 : impl_->firewall->calls(),
          impl_->flows.size()};
}

AgentSnapshot Agent::snapshot(const SnapshotQuery& query, sip::TimePoint now) const {
  AgentSnapshot out = take_snapshot(impl_->config, impl_->flows, impl_->firewall, query, now);
  const bool is_followed = impl_->firewall != nullptr;
  const auto [transactions, calls, flows] = counts();
  const PinholeClient* pinholes = is_followed ? &impl_->firewall->pinholes() : nullptr;
  out.status = {is_followed && pinholes->is_up(),
                impl_->middlebox_ready.description,
                impl_->middlebox_ready.adopted_groups,
                impl_->middlebox_ready.adopted_elements,
                flows,
                calls,
                transactions,
                is_followed ? pinholes->rules() : 0,
                is_followed && pinholes->is_up() && pinholes->has_gate(),
                is_followed ? pinholes->gate() : pinhole::event::GateCounters{},
                is_followed ? pinholes->commits() : LatencyHistogram()};
  return out;
}

} // namespace midcom
