// SPDX-License-Identifier: GPL-3.0-or-later
// The transaction-stateful proxy (RFC 3261 16): one target for each request, so one client
// transaction for each server transaction. Requests are in proxy_requests.cc, responses in
// proxy_responses.cc, what midcomd ends by itself in proxy_farewell.cc, what an endpoint sends
// again in proxy_mending.cc.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/agent_config.h"
#include "daemon/body_service.h"
#include "daemon/call_service.h"
#include "daemon/event_log.h"
#include "daemon/firewall.h"
#include "daemon/flow_table.h"
#include "daemon/keyed_hash.h"
#include "daemon/network.h"
#include "daemon/peer_directory.h"
#include "daemon/request_route.h"
#include "daemon/transaction_table.h"

namespace midcom {

class Proxy {
public:
  using Random = std::function<void(std::uint8_t* bytes, std::size_t size)>;
  Proxy(const AgentConfig& config, const PeerDirectory& peers, const KeyedSecrets& secrets,
        Network& network, FlowTable& flows, BodyService& disclosures, CallService& firewall,
        EventLog& log, Random random);

  void on_request(FlowId flow, const sip::MessagePtr& request, sip::TimePoint now);
  void on_response(FlowId flow, const sip::MessagePtr& response, sip::TimePoint now);
  // Bytes that did not pass the gate.
  void on_rejected(FlowId flow, std::string_view bytes, sip::Error error, sip::TimePoint now);
  void on_flow_closed(const FlowEntry& flow, sip::TimePoint now);
  // The middlebox has answered for a call: its messages go on, in order.
  void resume(const CallPtr& call, sip::TimePoint now);
  void on_timer(sip::TimePoint now);
  [[nodiscard]] std::optional<sip::TimePoint> next_deadline() const {
    return transactions_.next_deadline();
  }
  [[nodiscard]] std::size_t transactions() const { return transactions_.size(); }

private:
  // Requests.
  [[nodiscard]] Reason check(const sip::Message& request, const FlowEntry& from) const;
  [[nodiscard]] bool has_looped(const sip::Message& request, std::string_view loop_mark) const;
  [[nodiscard]] std::string loop_mark(const sip::Message& request, const FlowEntry& from) const;
  using Turn = BodyService::Turn;
  [[nodiscard]] bool must_wait(const sip::Message& message, const CallPtr& call) const;
  [[nodiscard]] bool waits(const sip::Message& message, const CallPtr& call, Turn turn);
  void handle(TransactionId server, sip::TimePoint now);
  [[nodiscard]] FlowId entry_of(const sip::Message& request, const FlowEntry& from);
  [[nodiscard]] BodyService::Sender sender_of(const sip::Message& message,
                                              const FlowEntry& from) const;
  [[nodiscard]] BodyService::Sender sender_of(const sip::Message& request, const FlowEntry& from,
                                              const RequestRoute& route);
  // Without a route only the BYE of a participant: it closes, and is refused.
  void serve(TransactionId server, const std::expected<RequestRoute, Reason>& route,
             const Disclosure& body, sip::TimePoint now);
  void serve_ack(FlowId from, const sip::MessagePtr& request, const RequestRoute& route,
                 const Disclosure& body, sip::TimePoint now);
  void handle_cancel(FlowEntry& from, const sip::MessagePtr& request, sip::TimePoint now);
  void handle_ack(FlowId from, const sip::MessagePtr& request, sip::TimePoint now);
  void forward(TransactionId server, const RequestRoute& route, sip::TimePoint now);
  // `request` came, `outgoing_request` leaves.
  void forward_ack(FlowId from, const sip::MessagePtr& request,
                   const sip::MessagePtr& outgoing_request, const RequestRoute& route,
                   const Pass& pass);
  // What goes out, over which flow; a Reason when it can't.
  struct Outgoing {
    FlowEntry* flow;
    std::string branch;
    std::string bytes;
  };
  [[nodiscard]] std::expected<Outgoing, Reason> prepare(const sip::Message& request,
                                                        FlowEntry& from, const RequestRoute& route);
  [[nodiscard]] const std::string& token_for(FlowEntry& flow) const;
  [[nodiscard]] bool admit(FlowEntry& from, const sip::Message& request, bool is_new,
                           sip::TimePoint now);
  [[nodiscard]] bool is_full(const sip::IpAddress& source) const;
  // Bad input is logged at most once per source and interval.
  [[nodiscard]] bool may_log(const sip::IpAddress& source, sip::TimePoint now);
  void note_alias(const FlowEntry& from, const sip::Message& request);

  // Answers.
  void refuse(TransactionId server, Reason reason, sip::TimePoint now);
  void refuse_body(TransactionId server, const Disclosure& body, sip::TimePoint now);
  void answer(TransactionId server, int status, std::string_view extra, sip::TimePoint now);
  void own_final(TransactionId server, int status, Reason reason, std::string extra,
                 sip::TimePoint now);
  void log_refusal(const FlowEntry* from, const sip::Message& request, int status, Reason reason);
  [[nodiscard]] std::string extra_fields(Reason reason, const sip::Message& request,
                                         const FlowEntry* from) const;

  // Responses.
  // `from`: the flow it came on, which over UDP need not be the one the request left by.
  void read_response(TransactionId client, const sip::MessagePtr& response, const FlowEntry& from,
                     sip::TimePoint now);
  void take_read_response(TransactionId client, const sip::MessagePtr& response,
                          const Disclosure& body, const FlowEntry& from, sip::TimePoint now);
  void take_response(TransactionId client, const sip::MessagePtr& response, const Disclosure& body,
                     const FlowEntry& from, sip::TimePoint now);
  void relay(TransactionId client, const sip::MessagePtr& response, const Disclosure& body,
             const FlowEntry& from, sip::TimePoint now);
  void finish_relay(TransactionId server, TransactionId client, const sip::MessagePtr& response,
                    Reason failure, sip::TimePoint now);
  void give_up_branch(TransactionId client, Reason reason, sip::TimePoint now);
  // A refused request goes out once more, mended. False: its refusal goes on.
  [[nodiscard]] bool mend(ClientTransaction& client, ServerTransaction& server,
                          const sip::MessagePtr& response, sip::TimePoint now);
  void take_mended(TransactionId server, const sip::MessagePtr& refusal, const RequestRoute& route,
                   const Disclosure& body, sip::TimePoint now);
  // A final answer that its asker must not see: refused to the one, ended with the other.
  void end_unreadable(const ServerTransaction& server, const sip::Message& response,
                      const FlowEntry& from, sip::TimePoint now);
  [[nodiscard]] bool ends_bad_answers(const ServerTransaction& server, const FlowEntry& from) const;
  void prepare_farewell(const ServerTransaction& server, const sip::Message& response,
                        const FlowEntry& from, bool is_refused);
  void refuse_answer(const CallPtr& call, const sip::Message& ack, const FlowEntry& from);
  void say_farewell(const CallPtr& call, const sip::Message& message, sip::TimePoint now);
  void send_bye(const Bye& bye, sip::TimePoint now);
  void pin_registration(const ClientTransaction& client, const ServerTransaction& server,
                        const sip::Message& response);
  void cancel(ClientTransaction& client, sip::TimePoint now);
  void client_failed(TransactionId client, int status, Reason reason, sip::TimePoint now);

  // Machines.
  void run(ServerTransaction& transaction, const sip::TransactionActions& actions,
           sip::TimePoint now);
  [[nodiscard]] bool run(TransactionId client, const sip::TransactionActions& actions,
                         sip::TimePoint now); // true: the response is to be delivered
  void fire_server(ServerTransaction& transaction, sip::TimePoint now);
  void fire_client(ClientTransaction& transaction, sip::TimePoint now);
  void count_open(const sip::IpAddress& source);
  void mark_answered(ServerTransaction& server);
  void drop_server(TransactionId server, sip::TimePoint now);
  void drop_client(TransactionId client);
  [[nodiscard]] std::string random_hex(std::size_t octets) const;

  const AgentConfig& config_;
  const PeerDirectory& peers_;
  const KeyedSecrets& secrets_;
  Network& network_;
  FlowTable& flows_;
  BodyService& disclosures_;
  CallService& firewall_;
  EventLog& log_;
  Random random_;
  std::uint32_t epoch_ = 0;
  TransactionTable transactions_;
  std::size_t open_ = 0; // server transactions without a final answer: what the limits count
  std::map<sip::IpAddress, std::size_t> open_of_;
  std::map<sip::IpAddress, sip::TimePoint> silenced_; // sources whose refusals were logged lately
};

} // namespace midcom
