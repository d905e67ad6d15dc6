// SPDX-License-Identifier: GPL-3.0-or-later
// What only an endpoint does (E2M.md 6): sends a refused request once more with another body, and
// keeps from its phones what can't be read.
#include "daemon/farewell.h"
#include "daemon/forwarding.h"
#include "daemon/proxy.h"

namespace midcom {

// Its transaction is over; the request's waits for what comes of it.
bool Proxy::mend(ClientTransaction& client, ServerTransaction& server,
                 const sip::MessagePtr& response, sip::TimePoint now) {
  if (response->status() < 300 || !server.rewritten || client.is_cancelled || server.is_answered)
    return false;
  const FlowEntry* from = flows_.find(server.flow);
  const auto route = route_request(*server.request, peers_, secrets_.flow_token, epoch_);
  if (from == nullptr || !route) return false;
  const auto sender = sender_of(*server.request, *from, *route);
  const bool is_taken = disclosures_.mends(
      {server.request, response, sender, ++server.attempts},
      [this, id = server.id, response, route = *route](const Disclosure& body,
                                                       sip::TimePoint later) {
        take_mended(id, response, route, body, later);
      },
      now);
  if (is_taken) server.client = client.server = 0;
  return is_taken;
}

void Proxy::take_mended(TransactionId id, const sip::MessagePtr& refusal, const RequestRoute& route,
                        const Disclosure& body, sip::TimePoint now) {
  ServerTransaction* server = transactions_.server(id);
  if (server == nullptr || server->is_answered) return;
  if (!body.rewritten) return finish_relay(id, 0, refusal, Reason::none, now);
  server->rewritten = body.rewritten;
  forward(id, route, now);
}

void Proxy::end_unreadable(const ServerTransaction& server, const sip::Message& response,
                           const FlowEntry& from, sip::TimePoint now) {
  if (server.is_answered) return;
  const bool has_dialog = server.is_invite() && response.status() < 300;
  const bool is_change = has_dialog && !server.request->to().tag().empty();
  if (has_dialog) {
    const Farewell farewell = farewell_for(*server.request, server.flow, response, from.info.id);
    const std::string branch = std::string(sip::branch_cookie) + random_hex(16);
    if (farewell.acknowledgement.flow != 0)
      network_.send(from.info.id,
                    std::make_shared<const std::string>(farewell.acknowledgement.with_via(
                        own_via(config_.listeners[from.info.listener], branch))));
    send_bye(farewell.to_callee, now);
    if (is_change) send_bye(farewell.to_caller, now);
  }
  refuse(server.id, Reason::answer_unacceptable, now);
}

} // namespace midcom
