// SPDX-License-Identifier: GPL-3.0-or-later
// Requests: admission, validation (RFC 3261 16.3), routing, the services, forwarding (16.6).
#include "daemon/proxy.h"

#include <algorithm>
#include <array>

#include "daemon/flow_token.h"
#include "daemon/forwarding.h"
#include "daemon/keyed_hash.h"
#include "sip/response.h"

namespace midcom {
namespace {

constexpr std::array<std::string_view, 14> default_methods = {
    "INVITE", "ACK",  "CANCEL",  "BYE",       "OPTIONS", "REGISTER", "PRACK",
    "UPDATE", "INFO", "MESSAGE", "SUBSCRIBE", "NOTIFY",  "REFER",    "PUBLISH"};

bool is_allowed(const PeerConfig& peer, std::string_view method) {
  if (method == "ACK" || method == "CANCEL")
    return true; // they belong to an INVITE that was allowed
  const auto is_method = [&](std::string_view m) { return m == method; };
  return peer.methods.empty() ? std::ranges::any_of(default_methods, is_method)
                              : std::ranges::any_of(peer.methods, is_method);
}

bool is_reliable(Transport transport) {
  return transport != Transport::udp;
}

} // namespace

Proxy::Proxy(const AgentConfig& config, const PeerDirectory& peers, const KeyedSecrets& secrets,
             Network& network, FlowTable& flows, BodyService& disclosures, CallService& firewall,
             EventLog& log, Random random)
    : config_(config), peers_(peers), secrets_(secrets), network_(network), flows_(flows),
      disclosures_(disclosures), firewall_(firewall), log_(log), random_(std::move(random)),
      transactions_(config.timeouts) {
  std::array<std::uint8_t, 4> octets{};
  random_(octets.data(), octets.size());
  for (const auto octet : octets) epoch_ = epoch_ << 8 | octet;
}

std::string Proxy::random_hex(std::size_t octets) const {
  std::array<std::uint8_t, 16> bytes{};
  random_(bytes.data(), octets);
  return to_hex(bytes.data(), octets);
}

bool Proxy::is_full(const sip::IpAddress& source) const {
  const auto found = open_of_.find(source);
  return open_ >= config_.limits.transactions ||
         (found != open_of_.end() && found->second >= config_.limits.transactions_per_address);
}

// Whoever is no peer of ours, or asks for too much, costs no transaction.
bool Proxy::admit(FlowEntry& from, const sip::Message& request, bool is_new, sip::TimePoint now) {
  Reason reason = Reason::none;
  if (from.peer == no_peer)
    reason = Reason::unknown_peer;
  else if (is_new && is_full(from.info.remote.address))
    reason = Reason::transaction_limit;
  if (reason == Reason::none) return true;
  const int status = row_of(reason).status;
  if (may_log(from.info.remote.address, now)) log_refusal(&from, request, status, reason);
  // UDP sources can be forged: a stranger gets no answer to reflect.
  if (from.info.transport == Transport::udp && reason == Reason::unknown_peer) return false;
  if (request.method() != "ACK")
    network_.send(from.info.id,
                  std::make_shared<const std::string>(sip::make_response(
                      request, status, random_hex(8), extra_fields(reason, request, &from),
                      fixed_first_via(request, from.info.remote))));
  if (reason == Reason::unknown_peer) network_.close(from.info.id);
  return false;
}

// RFC 5923 5: a peer that proved its name and asks for an alias is reached back over this
// connection, under that name alone.
void Proxy::note_alias(const FlowEntry& from, const sip::Message& request) {
  if (from.info.transport != Transport::tls || !from.info.is_inbound) return;
  const auto& next_hop = peers_.at(from.peer).next_hop;
  const sip::Via& via = request.top_via();
  if (!next_hop || !via.parameter("alias") || request.vias().size() != 1) return;
  const bool is_proved = std::ranges::any_of(from.info.identities, [&](const auto& identity) {
    return sip::iequals(identity, next_hop->tls_name);
  });
  if (!is_proved || next_hop->address.address != from.info.remote.address) return;
  flows_.alias(
      from.info.id,
      {Transport::tls, {from.info.remote.address, via.port.value_or(5061)}, next_hop->tls_name});
}

void Proxy::on_request(FlowId flow, const sip::MessagePtr& request, sip::TimePoint now) {
  FlowEntry* from = flows_.find(flow);
  if (from == nullptr) return;
  const auto source = from->info.remote.address;
  const std::string key = TransactionTable::server_key(*request, request->method(), source);
  ServerTransaction* const known = transactions_.server(key);
  const bool is_ack = request->method() == "ACK";
  if (!admit(*from, *request, known == nullptr && !is_ack, now)) return;
  if (is_ack) return handle_ack(flow, request, now);
  note_alias(*from, *request);
  if (known != nullptr) {
    // Where datagrams come from again after their flow was forgotten, answers go again.
    if (from->info.transport == Transport::udp && flows_.find(known->flow) == nullptr)
      known->flow = flow;
    run(*known, std::visit([](auto& machine) { return machine.on_request(); }, known->machine),
        now);
    return;
  }
  if (request->method() == "CANCEL") return handle_cancel(*from, request, now);

  const bool is_invite = request->method() == "INVITE";
  ServerTransaction& server =
      transactions_.add_server(key, is_invite, is_reliable(from->info.transport));
  server.flow = flow;
  server.source = source;
  server.entered = entry_of(*request, *from);
  server.request = request;
  count_open(source);
  const TransactionId id = server.id;
  if (is_invite) answer(id, 100, {}, now);
  handle(id, now);
}

// A call's messages are taken in order: while one is with an opener or waits for the middlebox, the
// later ones wait.
bool Proxy::must_wait(const sip::Message& message, const CallPtr& call) const {
  return disclosures_.is_busy(message.call_id()) || (call && call->awaiting > 0);
}

bool Proxy::waits(const sip::Message& message, const CallPtr& call, Turn turn) {
  if (disclosures_.is_busy(message.call_id())) {
    disclosures_.defer(message.call_id(), std::move(turn));
    return true;
  }
  if (!call || call->awaiting == 0) return false;
  call->deferred.emplace_back(std::move(turn));
  return true;
}

std::string Proxy::loop_mark(const sip::Message& request, const FlowEntry& from) const {
  std::string routes;
  for (const auto value : request.values(sip::HeaderName::route))
    routes.append(value).append(1, ',');
  const auto digest =
      keyed_hash(secrets_.tag, {request.request_uri().text, routes, request.call_id(),
                                request.from().tag(), request.to().tag(), request.cseq().method,
                                std::to_string(request.cseq().number), std::to_string(from.peer)});
  return to_hex(digest.data(), 8);
}

// RFC 3261 16.3 step 4: a Via of ours made for a request that asked for the same routing.
bool Proxy::has_looped(const sip::Message& request, std::string_view mark) const {
  const std::string prefix = std::string(sip::branch_cookie).append(mark);
  return std::ranges::any_of(request.vias(),
                             [&](const auto& via) { return via.branch().starts_with(prefix); });
}

Reason Proxy::check(const sip::Message& request, const FlowEntry& from) const {
  const auto scheme = request.request_uri().scheme;
  if (scheme != sip::Uri::Scheme::sip && scheme != sip::Uri::Scheme::sips)
    return Reason::unsupported_scheme;
  if (request.max_forwards() == 0U) return Reason::too_many_hops;
  const bool has_passed = request.vias().size() > 1; // else no Via can be ours
  if (has_passed && has_looped(request, loop_mark(request, from))) return Reason::loop_detected;
  if (request.first(sip::HeaderName::proxy_require) != nullptr) return Reason::bad_extension;
  if (!is_allowed(peers_.at(from.peer), request.method())) return Reason::method_not_allowed;
  return Reason::none;
}

void Proxy::handle(TransactionId id, sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(id);
  if (server == nullptr || server->is_answered) return;
  const auto request = server->request;
  if (disclosures_.is_full(request->call_id())) return refuse(id, Reason::overload, now);
  // Also when it had waited: what its tags name may be another call by now.
  if (waits(*request, firewall_.call_of(*request),
            [this, id](sip::TimePoint later) { handle(id, later); }))
    return;
  FlowEntry* from = flows_.find(server->flow);
  if (from == nullptr) return drop_server(id, now);
  auto route = route_request(*request, peers_, secrets_.flow_token, epoch_);
  Reason reason = check(*request, *from);
  if (reason == Reason::none && !route) reason = route.error();
  if (reason != Reason::none) {
    // The sender of a BYE has left its dialog whether or not it can be forwarded.
    if (request->method() != "BYE") return refuse(id, reason, now);
    return serve(id, std::unexpected(reason), {}, now);
  }
  if (std::holds_alternative<ToSelf>(route->next)) {
    server->offers_certificate = true;
    return answer(id, 200,
                  extra_fields(Reason::none, *request, from) +
                      disclosures_.announced_policy(from->peer),
                  now);
  }
  // A stranger's body costs nothing; the firewall says why it goes no further.
  if (!firewall_.may_belong(*request, *from)) return serve(id, route, {}, now);
  auto sender = sender_of(*request, *from, *route);
  sender.entered = flows_.find(server->entered);
  const auto body = disclosures_.read(
      request, sender,
      [this, id, route](const Disclosure& read, sip::TimePoint later) {
        serve(id, route, read, later);
      },
      now);
  if (body) serve(id, route, *body, now);
}

BodyService::Sender Proxy::sender_of(const sip::Message& message, const FlowEntry& from) const {
  return {.from = from, .pinned = std::string(firewall_.pinned_signer(message))};
}

BodyService::Sender Proxy::sender_of(const sip::Message& request, const FlowEntry& from,
                                     const RequestRoute& route) {
  auto sender = sender_of(request, from);
  if (const auto* peer = std::get_if<ToPeer>(&route.next)) sender.onward = peer->peer;
  if (const auto* flow = std::get_if<ToFlow>(&route.next))
    sender.onward_flow = flows_.find(flow->flow);
  if (sender.onward_flow != nullptr) sender.onward = sender.onward_flow->peer;
  return sender;
}

// A later pass of a spiral comes from a trunk, is what was sent, and shows the branch it was sent
// with: nobody else has that.
FlowId Proxy::entry_of(const sip::Message& request, const FlowEntry& from) {
  if (from.peer == no_peer || peers_.at(from.peer).kind != PeerKind::trunk) return from.info.id;
  for (const auto& via : request.vias()) {
    const auto* sent =
        transactions_.client(TransactionTable::client_key(via.branch(), request.method()));
    const auto* server = sent == nullptr ? nullptr : transactions_.server(sent->server);
    if (server == nullptr) continue;
    const sip::Message& first = *server->rewritten.in_place_of(server->request);
    if (first.call_id() == request.call_id() && first.from().tag() == request.from().tag() &&
        first.cseq().number == request.cseq().number && first.body() == request.body())
      return server->entered;
  }
  return from.info.id;
}

// The services that come after reading, then out.
void Proxy::serve(TransactionId id, const std::expected<RequestRoute, Reason>& route,
                  const Disclosure& body, sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(id);
  if (server == nullptr || server->is_answered) return;
  const auto request = server->request;
  if (const CallPtr call = firewall_.call_of(*request); call && call->awaiting > 0) {
    call->deferred.emplace_back(
        [this, id, route, body](sip::TimePoint later) { serve(id, route, body, later); });
    return;
  }
  FlowEntry* from = flows_.find(server->flow);
  if (from == nullptr) return drop_server(id, now);
  if (body.finding != Reason::none && request->method() != "BYE") return refuse_body(id, body, now);
  server->rewritten = body.rewritten;
  const Verdict verdict = firewall_.on_request(*request, body, *from, server->pass, now);
  if (verdict.kind == Verdict::Kind::again) {
    server->pass.call->waiter = [this, id, route, body](Reason, sip::TimePoint later) {
      serve(id, route, body, later);
    };
    return;
  }
  firewall_.attach(server->pass);
  server->is_attached = true;
  if (verdict.kind == Verdict::Kind::refuse) return refuse(id, verdict.reason, now);
  if (!route) return refuse(id, route.error(), now);
  if (verdict.kind == Verdict::Kind::wait) {
    server->pass.call->waiter = [this, id, route = *route](Reason failure, sip::TimePoint later) {
      if (failure == Reason::none)
        forward(id, route, later);
      else
        refuse(id, failure, later);
    };
    return;
  }
  forward(id, *route, now);
}

const std::string& Proxy::token_for(FlowEntry& flow) const {
  if (!flow.token.empty()) return flow.token;
  FlowToken token{FlowToken::Kind::flow, flow.info.id, epoch_};
  if (flow.peer != no_peer && peers_.at(flow.peer).next_hop)
    token = {FlowToken::Kind::peer, peer_token_value(peers_.at(flow.peer).name), 0};
  return flow.token = encode(secrets_.flow_token, token);
}

std::expected<Proxy::Outgoing, Reason> Proxy::prepare(const sip::Message& request, FlowEntry& from,
                                                      const RequestRoute& route) {
  FlowId id = 0;
  if (const auto* flow = std::get_if<ToFlow>(&route.next))
    id = flow->flow;
  else if (const auto* peer = std::get_if<ToPeer>(&route.next))
    id = flows_.to_target(peer->target, peer->peer);
  if (id == 0) return std::unexpected(Reason::overload);
  // to_target may add a flow; references into the table stay valid.
  FlowEntry* to = flows_.find(id);
  if (to == nullptr) return std::unexpected(Reason::flow_gone);
  if (request.request_uri().is_secure() && to->info.transport != Transport::tls)
    return std::unexpected(Reason::sips_required);
  const std::string branch =
      std::string(sip::branch_cookie) + loop_mark(request, from) + "." + random_hex(8);
  const auto bytes = forwarded_request(
      request, route,
      {branch, token_for(from), token_for(*to), &config_.listeners[from.info.listener],
       &config_.listeners[to->info.listener], from.info.remote, request.vias().size() == 1});
  if (!bytes) return std::unexpected(Reason::parse_error);
  return Outgoing{to, branch, *bytes};
}

void Proxy::forward(TransactionId id, const RequestRoute& route, sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(id);
  if (server == nullptr || server->is_answered) return;
  if (server->is_cancelled) return own_final(id, 487, Reason::none, {}, now);
  FlowEntry* from = flows_.find(server->flow);
  if (from == nullptr) {
    firewall_.withdraw(server->pass, *server->request, now);
    return drop_server(id, now);
  }
  auto outgoing = prepare(*server->rewritten.in_place_of(server->request), *from, route);
  if (!outgoing) return refuse(id, outgoing.error(), now);
  const bool is_invite = server->is_invite();
  FlowEntry& to = *outgoing->flow;
  ClientTransaction& client = transactions_.add_client(
      TransactionTable::client_key(outgoing->branch, server->request->method()), is_invite,
      is_reliable(to.info.transport));
  client.flow = to.info.id;
  client.remote = to.info.remote.address;
  client.peer = to.peer;
  client.server = id;
  client.sent = std::make_shared<const std::string>(std::move(outgoing->bytes));
  if (is_invite) client.timer_c = now + config_.timeouts.timer_c;
  server->client = client.id;
  to.client_transactions.insert(client.id);
  firewall_.on_sent(server->pass, *server->request, to, outgoing->branch);
  static_cast<void>(run(
      client.id,
      std::visit([&](auto& machine) { return machine.start(client.sent, now); }, client.machine),
      now));
}

void Proxy::handle_ack(FlowId flow, const sip::MessagePtr& request, sip::TimePoint now) {
  FlowEntry* from = flows_.find(flow);
  if (from == nullptr) return;
  const std::string key =
      TransactionTable::server_key(*request, "INVITE", from->info.remote.address);
  if (ServerTransaction* server = transactions_.server(key); server != nullptr) {
    auto& machine = std::get<sip::InviteServerTransaction>(server->machine);
    if (machine.state() != sip::InviteServerTransaction::State::accepted)
      return run(*server, machine.on_ack(now), now);
  }
  // Nothing counts an ACK: more than a call can have waiting at once are noise.
  constexpr std::size_t most_waiting = 256;
  const CallPtr call = firewall_.call_of(*request);
  if (call && call->deferred.size() >= most_waiting) return;
  if (waits(*request, call,
            [this, flow, request](sip::TimePoint later) { handle_ack(flow, request, later); }))
    return;
  if (check(*request, *from) != Reason::none) return;
  auto route = route_request(*request, peers_, secrets_.flow_token, epoch_);
  if (!route) return log_refusal(from, *request, 0, route.error());
  if (!firewall_.may_belong(*request, *from)) return serve_ack(flow, request, *route, {}, now);
  const auto body = disclosures_.read(
      request, sender_of(*request, *from, *route),
      [this, flow, request, route = *route](const Disclosure& read, sip::TimePoint later) {
        serve_ack(flow, request, route, read, later);
      },
      now);
  if (body) serve_ack(flow, request, *route, *body, now);
}

// An ACK can't be refused: what is wrong with its body opens nothing.
void Proxy::serve_ack(FlowId flow, const sip::MessagePtr& request, const RequestRoute& route,
                      const Disclosure& body, sip::TimePoint now) {
  if (const CallPtr call = firewall_.call_of(*request); call && call->awaiting > 0) {
    call->deferred.emplace_back([this, flow, request, route, body](sip::TimePoint later) {
      serve_ack(flow, request, route, body, later);
    });
    return;
  }
  FlowEntry* from = flows_.find(flow);
  if (from == nullptr) return;
  // A body that could not be sealed does not leave in clear; who repeats its 2xx asks for it again.
  if (body.finding != Reason::none && disclosures_.ends_unreadable_answers())
    return log_refusal(from, *request, 0, body.finding);
  Pass pass;
  const Verdict verdict = firewall_.on_request(*request, body, *from, pass, now);
  if (verdict.kind == Verdict::Kind::again) {
    pass.call->waiter = [this, flow, request, route, body](Reason, sip::TimePoint later) {
      serve_ack(flow, request, route, body, later);
    };
    return;
  }
  if (body.finding != Reason::none && pass.call) refuse_answer(pass.call, *request, *from);
  if (verdict.kind == Verdict::Kind::refuse) {
    log_refusal(from, *request, 0, verdict.reason);
    if (pass.call) firewall_.drop_when_done(pass.call, now);
    return;
  }
  const auto outgoing = body.rewritten.in_place_of(request);
  if (verdict.kind == Verdict::Kind::wait) {
    const std::weak_ptr<Call> call = pass.call;
    pass.call->waiter = [this, flow, request, outgoing, route, call,
                         leg = pass.leg](Reason, sip::TimePoint later) {
      // Refused rules leave the media closed, not the dialog open.
      forward_ack(flow, request, outgoing, route, {.call = call.lock(), .leg = leg, .sender = {}});
      if (const CallPtr live = call.lock()) say_farewell(live, *request, later);
    };
    return;
  }
  forward_ack(flow, request, outgoing, route, pass);
  if (pass.call) say_farewell(pass.call, *request, now);
  if (pass.call) firewall_.drop_when_done(pass.call, now);
}

// ACK to a 2xx is its own transaction without a response: forwarded statelessly.
void Proxy::forward_ack(FlowId flow, const sip::MessagePtr& request,
                        const sip::MessagePtr& outgoing_request, const RequestRoute& route,
                        const Pass& pass) {
  FlowEntry* from = flows_.find(flow);
  if (from == nullptr) return;
  const auto outgoing = prepare(*outgoing_request, *from, route);
  if (!outgoing) return log_refusal(from, *request, 0, outgoing.error());
  firewall_.on_sent(pass, *request, *outgoing->flow, outgoing->branch);
  network_.send(outgoing->flow->info.id, std::make_shared<const std::string>(outgoing->bytes));
}

void Proxy::handle_cancel(FlowEntry& from, const sip::MessagePtr& request, sip::TimePoint now) {
  const auto source = from.info.remote.address;
  const std::string invite_key = TransactionTable::server_key(*request, "INVITE", source);
  ServerTransaction* invite = transactions_.server(invite_key);
  const TransactionId invite_id = invite != nullptr ? invite->id : 0;
  ServerTransaction& own =
      transactions_.add_server(TransactionTable::server_key(*request, "CANCEL", source), false,
                               is_reliable(from.info.transport));
  own.flow = from.info.id;
  own.source = source;
  own.request = request;
  count_open(source);
  answer(own.id, invite_id != 0 ? 200 : 481, {}, now);
  invite = transactions_.server(invite_id);
  if (invite == nullptr || invite->is_answered) return;
  invite->is_cancelled = true;
  ClientTransaction* client = transactions_.client(invite->client);
  if (client == nullptr) return; // still waits; forward() answers 487
  client->wants_cancel = true;
  if (client->has_provisional) cancel(*client, now);
}

} // namespace midcom
