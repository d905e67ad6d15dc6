// SPDX-License-Identifier: GPL-3.0-or-later
// Ends dialogs whose answers can't be accepted (on-bad-answer = terminate, E2M.md 4).
#include "daemon/forwarding.h"
#include "daemon/proxy.h"

namespace midcom {

namespace {

Leg* leg_of(Call& call, const sip::Message& message) {
  for (const auto tag : {message.to().tag(), message.from().tag()})
    if (const auto found = call.legs.find(tag); found != call.legs.end()) return &found->second;
  return nullptr;
}

bool is_terminating(const PeerDirectory& peers, PeerIndex peer) {
  return peer != no_peer &&
         peers.at(peer).disclosure.on_bad_answer == DisclosurePolicy::BadAnswer::terminate;
}

} // namespace

bool Proxy::ends_bad_answers(const ServerTransaction& server, const FlowEntry& from) const {
  const FlowEntry* asker = flows_.find(server.flow);
  return is_terminating(peers_, from.peer) ||
         (asker != nullptr && is_terminating(peers_, asker->peer));
}

// A dialog that may have to be ended is known how to while its INVITE and its 2xx are at hand.
void Proxy::prepare_farewell(const ServerTransaction& server, const sip::Message& response,
                             const FlowEntry& from, bool is_refused) {
  const CallPtr& call = server.pass.call;
  if (!call || response.status() < 200 || response.status() >= 300) return;
  Leg* const leg = leg_of(*call, response);
  if (leg == nullptr || !ends_bad_answers(server, from)) return;
  if (server.is_invite())
    leg->farewell = farewell_for(*server.request, server.flow, response, from.info.id);
  leg->is_unacceptable = leg->is_unacceptable || is_refused;
}

// An ACK can't be refused; its dialog can be ended.
void Proxy::refuse_answer(const CallPtr& call, const sip::Message& ack, const FlowEntry& from) {
  Leg* const leg = leg_of(*call, ack);
  if (leg != nullptr && is_terminating(peers_, from.peer)) leg->is_unacceptable = true;
}

void Proxy::say_farewell(const CallPtr& call, const sip::Message& message, sip::TimePoint now) {
  Leg* const leg = leg_of(*call, message);
  if (leg == nullptr || !leg->is_unacceptable || !leg->farewell) return;
  leg->is_unacceptable = false;
  const Farewell farewell = *std::exchange(leg->farewell, std::nullopt);
  log_.write(Event(Level::notice, "call.terminate")
                 .add("reason", word_of(Reason::answer_unacceptable))
                 .add("call", call->call_id));
  firewall_.close(call, *leg, now);
  send_bye(farewell.to_caller, now);
  send_bye(farewell.to_callee, now);
}

void Proxy::send_bye(const Bye& bye, sip::TimePoint now) {
  FlowEntry* to = flows_.find(bye.flow);
  if (to == nullptr) return;
  const std::string branch = std::string(sip::branch_cookie) + random_hex(16);
  ClientTransaction& client = transactions_.add_client(TransactionTable::client_key(branch, "BYE"),
                                                       false, to->info.transport != Transport::udp);
  client.flow = bye.flow;
  client.remote = to->info.remote.address;
  client.peer = to->peer;
  client.sent = std::make_shared<const std::string>(
      bye.with_via(own_via(config_.listeners[to->info.listener], branch)));
  to->client_transactions.insert(client.id);
  static_cast<void>(
      run(client.id,
          std::get<sip::NonInviteClientTransaction>(client.machine).start(client.sent, now), now));
}

} // namespace midcom
