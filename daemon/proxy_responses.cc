// SPDX-License-Identifier: GPL-3.0-or-later
// Responses (RFC 3261 16.7), answers of our own, and what the transaction machines ask for.
#include "daemon/proxy.h"

#include <algorithm>
#include <limits>

#include "daemon/forwarding.h"
#include "sip/response.h"

namespace midcom {
namespace {

constexpr auto refusal_log_interval = std::chrono::seconds(10);
constexpr std::size_t silenced_limit = 4096;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

sip::MessagePtr parse_sent(const sip::Bytes& bytes) {
  // What was sent is more than what came in: limits were checked there.
  constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  auto message =
      sip::Message::parse(*bytes, sip::Framing::stream, {none, none, none, none, none, none});
  return message ? *message : nullptr;
}

std::string joined_methods(const PeerConfig& peer) {
  if (peer.methods.empty())
    return "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, MESSAGE, SUBSCRIBE, "
           "NOTIFY, REFER, PUBLISH";
  std::string list;
  for (const auto& method : peer.methods) list += (list.empty() ? "" : ", ") + method;
  return list;
}

bool is_removal(const sip::Message& request) {
  const auto is_zero = [](std::string_view text) { return text == "0"; };
  const auto* expires = request.first(sip::HeaderName::expires);
  const auto contacts = request.values(sip::HeaderName::contact);
  bool has_binding = false;
  for (const auto value : contacts) {
    const auto contact = sip::NameAddr::parse(value);
    if (!contact || contact->is_star) continue;
    const auto own = contact->parameter("expires");
    if (own ? !is_zero(*own) : expires == nullptr || !is_zero(expires->value)) has_binding = true;
  }
  return !contacts.empty() && !has_binding;
}

} // namespace

std::string Proxy::extra_fields(Reason reason, const sip::Message& request,
                                const FlowEntry* from) const {
  std::string extra;
  const ReasonRow& row = row_of(reason);
  if (!row.warning.empty())
    extra += "Warning: 399 " + config_.names.front() + " \"" + std::string(row.warning) + " (" +
             std::string(row.word) + ")\"\r\n";
  if (reason == Reason::sips_required) // RFC 5630 6.2
    extra += "Warning: 380 " + config_.names.front() + " \"SIPS Not Allowed\"\r\n";
  if (row.status == 503) extra += "Retry-After: 10\r\n";
  if (reason == Reason::bad_extension)
    for (const auto value : request.values(sip::HeaderName::proxy_require))
      extra += "Unsupported: " + std::string(value) + "\r\n";
  const bool is_about_methods = reason == Reason::method_not_allowed || reason == Reason::none;
  if (is_about_methods && from != nullptr && from->peer != no_peer)
    extra += "Allow: " + joined_methods(peers_.at(from->peer)) + "\r\n";
  return extra;
}

void Proxy::log_refusal(const FlowEntry* from, const sip::Message& request, int status,
                        Reason reason) {
  Event event(Level::notice, request.method() == "INVITE" ? "call.refuse" : "request.refuse");
  event.add("src", from != nullptr ? from->info.remote.to_string() : "-");
  event.add("peer", from != nullptr && from->peer != no_peer ? peers_.at(from->peer).name : "-");
  event.add("method", request.method());
  if (status != 0) event.add("code", static_cast<std::uint64_t>(status));
  event.add("reason", word_of(reason)).add("call", request.call_id());
  log_.write(event);
}

bool Proxy::may_log(const sip::IpAddress& source, sip::TimePoint now) {
  if (silenced_.size() >= silenced_limit) silenced_.clear();
  auto& last = silenced_[source];
  if (last != sip::TimePoint{} && now - last < refusal_log_interval) return false;
  last = now;
  return true;
}

void Proxy::on_rejected(FlowId flow, std::string_view bytes, sip::Error error, sip::TimePoint now) {
  const FlowEntry* from = flows_.find(flow);
  if (from == nullptr) return;
  const int status = sip::status_for(error);
  if (may_log(from->info.remote.address, now))
    log_.write(Event(Level::notice, "message.reject")
                   .add("src", from->info.remote.to_string())
                   .add("reason", word_of(Reason::parse_error))
                   .add("detail", sip::to_string(error))
                   .add("code", static_cast<std::uint64_t>(status)));
  if (from->peer == no_peer || from->info.transport == Transport::udp) return;
  const auto rejected = sip::salvage_request(bytes);
  if (!rejected || rejected->method == "ACK") return;
  const std::string warning = "Warning: 399 " + config_.names.front() + " \"" +
                              std::string(sip::to_string(error)) + "\"\r\n";
  network_.send(flow, std::make_shared<const std::string>(
                          sip::make_response(*rejected, status, random_hex(8), warning)));
}

void Proxy::refuse(TransactionId id, Reason reason, sip::TimePoint now) {
  const ServerTransaction* server = transactions_.server(id);
  if (server == nullptr || server->is_answered) return;
  const int status = row_of(reason).status;
  log_refusal(flows_.find(server->flow), *server->request, status, reason);
  own_final(id, status, reason, extra_fields(reason, *server->request, flows_.find(server->flow)),
            now);
}

// E2M.md 4: says which type must be shown or signed, and with 496 by what certificate.
void Proxy::refuse_body(TransactionId id, const Disclosure& body, sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(id);
  if (server == nullptr || server->is_answered) return;
  const FlowEntry* from = flows_.find(server->flow);
  const int status = row_of(body.finding).status;
  std::string extra = extra_fields(body.finding, *server->request, from);
  if (!body.lacking.empty())
    extra += "Warning: 380 " + config_.names.front() + " \"Required to " +
             (body.finding == Reason::signature_required ? "Verify" : "View") + " Content-Type '" +
             body.lacking + "'\"\r\n";
  server->offers_certificate =
      body.finding == Reason::body_undecipherable || body.finding == Reason::sealed_for_others;
  log_refusal(from, *server->request, status, body.finding);
  own_final(id, status, body.finding, std::move(extra), now);
}

// A final answer made here. What it closes is closed before it leaves.
void Proxy::own_final(TransactionId id, int status, Reason reason, std::string extra,
                      sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(id);
  if (server == nullptr || server->is_answered) return;
  if (const CallPtr call = server->pass.call; call && call->awaiting > 0) {
    // Timers and lost flows come in between: another message of the call may be waiting.
    call->deferred.emplace_back(
        [this, id, status, reason, extra = std::move(extra)](sip::TimePoint later) {
          own_final(id, status, reason, extra, later);
        });
    return;
  }
  const Verdict verdict =
      firewall_.on_own_answer(server->pass, *server->request, status, reason, now);
  if (verdict.kind != Verdict::Kind::wait) return answer(id, status, extra, now);
  server->pass.call->waiter = [this, id, status, extra = std::move(extra)](Reason,
                                                                           sip::TimePoint later) {
    answer(id, status, extra, later);
  };
}

void Proxy::answer(TransactionId id, int status, std::string_view extra, sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(id);
  if (server == nullptr || server->is_answered) return;
  const FlowEntry* from = flows_.find(server->flow);
  const std::string via =
      from != nullptr ? fixed_first_via(*server->request, from->info.remote) : std::string();
  sip::Content content;
  if (server->offers_certificate && status >= 200)
    if (const auto offer = disclosures_.offer_to(*server->request); !offer.octets.empty())
      content = {offer.type, offer.octets};
  const auto bytes = std::make_shared<const std::string>(
      sip::make_response(*server->request, status, status == 100 ? std::string() : random_hex(8),
                         extra, via, content));
  if (status >= 200) mark_answered(*server);
  run(*server,
      std::visit([&](auto& machine) { return machine.on_respond(status, bytes, now); },
                 server->machine),
      now);
}

void Proxy::on_response(FlowId flow, const sip::MessagePtr& response, sip::TimePoint now) {
  const FlowEntry* from = flows_.find(flow);
  if (from == nullptr) return;
  const ClientTransaction* client = transactions_.client(
      TransactionTable::client_key(response->top_via().branch(), response->cseq().method));
  // A response nobody waits for, or from somebody it wasn't asked of, goes nowhere.
  if (client == nullptr || client->remote != from->info.remote.address) return;
  read_response(client->id, response, *from, now);
}

void Proxy::read_response(TransactionId id, const sip::MessagePtr& response, const FlowEntry& from,
                          sip::TimePoint now) {
  const ClientTransaction* client = transactions_.client(id);
  if (client == nullptr) return;
  const ServerTransaction* server = transactions_.server(client->server);
  if (server != nullptr && must_wait(*response, server->pass.call)) {
    static_cast<void>(
        waits(*response, server->pass.call,
              [this, id, response, entry = from.without_transactions()](sip::TimePoint later) {
                read_response(id, response, entry, later);
              }));
    return;
  }
  // A failure's body is no answer: it may hold what its sender asks for (493).
  if (server == nullptr || response->status() >= 300)
    return take_response(id, response, {}, from, now);
  auto sender = sender_of(*response, from);
  if (const FlowEntry* asker = flows_.find(server->flow)) {
    sender.asker = sender.onward = asker->peer;
    sender.onward_flow = asker;
  }
  sender.entered = flows_.find(server->entered);
  const auto body = disclosures_.read(
      response, sender,
      [this, id, response, entry = from.without_transactions()](const Disclosure& read,
                                                                sip::TimePoint later) {
        take_read_response(id, response, read, entry, later);
      },
      now);
  if (body) take_response(id, response, *body, from, now);
}

void Proxy::take_read_response(TransactionId id, const sip::MessagePtr& response,
                               const Disclosure& body, const FlowEntry& from, sip::TimePoint now) {
  const ClientTransaction* client = transactions_.client(id);
  if (client == nullptr) return;
  const ServerTransaction* server = transactions_.server(client->server);
  if (server != nullptr && server->pass.call && server->pass.call->awaiting > 0) {
    server->pass.call->deferred.emplace_back(
        [this, id, response, body, entry = from.without_transactions()](sip::TimePoint later) {
          take_response(id, response, body, entry, later);
        });
    return;
  }
  take_response(id, response, body, from, now);
}

void Proxy::take_response(TransactionId id, const sip::MessagePtr& response, const Disclosure& body,
                          const FlowEntry& from, sip::TimePoint now) {
  ClientTransaction* client = transactions_.client(id);
  if (client == nullptr) return;
  const int status = response->status();
  if (status < 200) {
    client->has_provisional = true;
    if (client->is_invite() && status > 100 && !client->is_cancelled)
      client->timer_c = now + config_.timeouts.timer_c;
    if (client->wants_cancel) cancel(*client, now);
  } else {
    client->timer_c.reset();
  }
  sip::TransactionActions actions;
  if (auto* invite = std::get_if<sip::InviteClientTransaction>(&client->machine)) {
    sip::Bytes ack;
    if (status >= 300)
      if (const auto sent = parse_sent(client->sent))
        ack = std::make_shared<const std::string>(sip::make_ack(*sent, *response));
    actions = invite->on_response(status, ack, now);
  } else {
    actions = std::get<sip::NonInviteClientTransaction>(client->machine).on_response(status, now);
  }
  // Relayed before the machine may end: what it ends is looked up again.
  const bool delivers = std::ranges::any_of(actions, [](const auto& action) {
    return std::holds_alternative<sip::action::Deliver>(action);
  });
  if (delivers && status > 100 && response->vias().size() > 1)
    relay(id, response, body, from, now);
  else if (delivers && status >= 200)
    client_failed(id, 502, Reason::parse_error, now); // its sender lost the way back
  static_cast<void>(run(id, actions, now));
}

void Proxy::relay(TransactionId id, const sip::MessagePtr& response, const Disclosure& body,
                  const FlowEntry& from, sip::TimePoint now) {
  ClientTransaction* client = transactions_.client(id);
  if (client == nullptr) return;
  ServerTransaction* server = transactions_.server(client->server);
  if (server == nullptr || mend(*client, *server, response, now)) return;
  pin_registration(*client, *server, *response);
  const TransactionId server_id = server->id;
  const bool is_unreadable = body.finding != Reason::none && disclosures_.ends_unreadable_answers();
  const bool is_refused =
      is_unreadable || (body.finding != Reason::none && ends_bad_answers(*server, from));
  const bool is_early = server->is_invite() && response->status() < 200 && !server->is_answered;
  if (is_refused && is_early) return give_up_branch(id, Reason::answer_unacceptable, now);
  if (is_unreadable && !is_early) return end_unreadable(*server, *response, from, now);
  const Verdict verdict =
      firewall_.on_response(server->pass, *server->request, *response, body, from, now);
  prepare_farewell(*server, *response, from, is_refused);
  const auto outgoing = body.rewritten.in_place_of(response);
  if (verdict.kind == Verdict::Kind::wait) {
    server->pass.call->waiter = [this, server_id, id, outgoing](Reason failure,
                                                                sip::TimePoint later) {
      finish_relay(server_id, id, outgoing, failure, later);
    };
    return;
  }
  Reason failure = Reason::none;
  if (server->pass.call) failure = std::exchange(server->pass.call->commit_failure, Reason::none);
  finish_relay(server_id, id, outgoing, failure, now);
}

void Proxy::finish_relay(TransactionId server_id, TransactionId client_id,
                         const sip::MessagePtr& response, Reason failure, sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(server_id);
  if (server == nullptr) return;
  const int status = response->status();
  const bool is_early = server->is_invite() && status < 200 && !server->is_answered;
  if (is_early && (failure == Reason::table_full || failure == Reason::middlebox_down))
    return give_up_branch(client_id, failure, now);
  const auto bytes = forwarded_response(*response);
  if (!bytes) {
    if (status >= 200) own_final(server_id, 502, Reason::parse_error, {}, now);
    return;
  }
  if (status >= 200) mark_answered(*server);
  const auto out = std::make_shared<const std::string>(*bytes);
  const bool is_last_word = !server->is_invite() && status >= 200;
  const CallPtr call = is_last_word ? server->pass.call : nullptr;
  const auto request = server->request;
  run(*server,
      std::visit([&](auto& machine) { return machine.on_respond(status, out, now); },
                 server->machine),
      now);
  if (call) say_farewell(call, *request, now);
}

// Its final answer is for us alone.
void Proxy::give_up_branch(TransactionId id, Reason reason, sip::TimePoint now) {
  ClientTransaction* client = transactions_.client(id);
  if (client == nullptr) return;
  const TransactionId server = std::exchange(client->server, 0);
  client->wants_cancel = true;
  cancel(*client, now);
  refuse(server, reason, now);
}

// DESIGN.md "identity of a flow": the address of record of a REGISTER on this flow that a registrar
// peer answered with 200.
void Proxy::pin_registration(const ClientTransaction& client, const ServerTransaction& server,
                             const sip::Message& response) {
  if (server.request->method() != "REGISTER" || response.status() != 200) return;
  if (client.peer == no_peer || !peers_.at(client.peer).is_registrar) return;
  FlowEntry* flow = flows_.find(server.flow);
  if (flow == nullptr) return;
  const std::string address = server.request->to().uri.address_of_record();
  std::erase(flow->registered, address);
  const bool is_removal_request = is_removal(*server.request);
  if (!is_removal_request) flow->registered.push_back(address);
  log_.write(Event(Level::info, is_removal_request ? "register.remove" : "register.ok")
                 .add("src", flow->info.remote.to_string())
                 .add("aor", address));
}

void Proxy::cancel(ClientTransaction& client, sip::TimePoint now) {
  if (std::exchange(client.is_cancelled, true)) return;
  // RFC 3261 9.1: if no final response follows, the INVITE is over after 64 * T1.
  client.timer_c = now + 64 * config_.timeouts.t1;
  transactions_.rearm(client);
  const auto sent = parse_sent(client.sent);
  FlowEntry* to = flows_.find(client.flow);
  if (!sent || to == nullptr) return;
  ClientTransaction& own =
      transactions_.add_client(TransactionTable::client_key(sent->top_via().branch(), "CANCEL"),
                               false, to->info.transport != Transport::udp);
  own.flow = client.flow;
  own.remote = client.remote;
  own.peer = client.peer;
  own.sent = std::make_shared<const std::string>(sip::make_cancel(*sent));
  to->client_transactions.insert(own.id);
  static_cast<void>(run(
      own.id, std::get<sip::NonInviteClientTransaction>(own.machine).start(own.sent, now), now));
}

// A client transaction ended without a final response.
void Proxy::client_failed(TransactionId id, int status, Reason reason, sip::TimePoint now) {
  const ClientTransaction* client = transactions_.client(id);
  if (client == nullptr || client->server == 0) return;
  const TransactionId server_id = client->server;
  const ServerTransaction* server = transactions_.server(server_id);
  if (server == nullptr || server->is_answered) return;
  log_refusal(flows_.find(server->flow), *server->request, status, reason);
  if (server->is_invite() || reason != Reason::timeout)
    return own_final(server_id, status, reason,
                     extra_fields(reason, *server->request, flows_.find(server->flow)), now);
  // RFC 4320 4.1: no 408 for a non-INVITE; its sender has timed out as well.
  static_cast<void>(firewall_.on_own_answer(server->pass, *server->request, status, reason, now));
  drop_server(server_id, now);
}

void Proxy::run(ServerTransaction& transaction, const sip::TransactionActions& actions,
                sip::TimePoint now) {
  const TransactionId id = transaction.id;
  bool is_over = false;
  for (const auto& action : actions)
    std::visit(
        Overloaded{
            [&](const sip::action::Send& send) { network_.send(transaction.flow, send.bytes); },
            [&](const sip::action::Terminated&) { is_over = true; },
            [](const auto&) {},
        },
        action);
  if (is_over)
    drop_server(id, now);
  else
    transactions_.rearm(transaction);
}

bool Proxy::run(TransactionId id, const sip::TransactionActions& actions, sip::TimePoint now) {
  bool delivers = false, is_over = false;
  for (const auto& action : actions) {
    const ClientTransaction* client = transactions_.client(id);
    if (client == nullptr) return delivers;
    std::visit(
        Overloaded{
            [&](const sip::action::Send& send) { network_.send(client->flow, send.bytes); },
            [&](const sip::action::Deliver&) { delivers = true; },
            [&](const sip::action::TimedOut&) { client_failed(id, 408, Reason::timeout, now); },
            [&](const sip::action::TransportFailed&) {
              client_failed(id, 503, Reason::connect_failed, now);
            },
            [&](const sip::action::Terminated&) { is_over = true; },
        },
        action);
  }
  if (is_over)
    drop_client(id);
  else if (const ClientTransaction* client = transactions_.client(id))
    transactions_.rearm(*client);
  return delivers;
}

void Proxy::count_open(const sip::IpAddress& source) {
  ++open_;
  ++open_of_[source];
}

// What is kept after the final answer, to absorb retransmissions, is no work in progress any more.
void Proxy::mark_answered(ServerTransaction& server) {
  if (std::exchange(server.is_answered, true)) return;
  --open_;
  const auto found = open_of_.find(server.source);
  if (--found->second == 0) open_of_.erase(found);
}

void Proxy::drop_server(TransactionId id, sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(id);
  if (server == nullptr) return;
  mark_answered(*server);
  const Pass pass = server->is_attached ? server->pass : Pass{};
  transactions_.erase_server(id);
  firewall_.detach(pass, now);
}

void Proxy::drop_client(TransactionId id) {
  const ClientTransaction* client = transactions_.client(id);
  if (client == nullptr) return;
  if (FlowEntry* flow = flows_.find(client->flow)) flow->client_transactions.erase(id);
  transactions_.erase_client(id);
}

void Proxy::on_flow_closed(const FlowEntry& flow, sip::TimePoint now) {
  for (const TransactionId id : flow.client_transactions) {
    ClientTransaction* client = transactions_.client(id);
    if (client == nullptr) continue;
    static_cast<void>(run(
        id,
        std::visit([&](auto& machine) { return machine.on_transport_error(now); }, client->machine),
        now));
  }
}

void Proxy::resume(const CallPtr& call, sip::TimePoint now) {
  if (call->is_draining) return; // the loop below goes on by itself
  call->is_draining = true;
  firewall_.settle(call, now);
  while (call->awaiting == 0) {
    const Reason failure = std::exchange(call->commit_failure, Reason::none);
    if (auto waiter = std::exchange(call->waiter, nullptr))
      waiter(failure, now);
    else if (!call->deferred.empty()) {
      auto next = std::move(call->deferred.front());
      call->deferred.pop_front();
      next(now);
    } else
      break;
  }
  call->is_draining = false;
  if (call->transactions == 0) firewall_.drop_when_done(call, now);
}

void Proxy::on_timer(sip::TimePoint now) {
  while (const auto id = transactions_.pop_due(now)) {
    if (ServerTransaction* server = transactions_.server(*id))
      fire_server(*server, now);
    else if (ClientTransaction* client = transactions_.client(*id))
      fire_client(*client, now);
  }
}

void Proxy::fire_server(ServerTransaction& transaction, sip::TimePoint now) {
  run(transaction,
      std::visit([&](auto& machine) { return machine.on_timer(now); }, transaction.machine), now);
}

void Proxy::fire_client(ClientTransaction& client, sip::TimePoint now) {
  const TransactionId id = client.id;
  if (client.timer_c && *client.timer_c <= now) {
    client.timer_c.reset();
    if (client.has_provisional && !client.is_cancelled) {
      cancel(client, now); // RFC 3261 16.8
      transactions_.rearm(client);
      return;
    }
    client_failed(id, 408, Reason::timeout, now);
    return drop_client(id);
  }
  static_cast<void>(run(
      id, std::visit([&](auto& machine) { return machine.on_timer(now); }, client.machine), now));
}

} // namespace midcom
