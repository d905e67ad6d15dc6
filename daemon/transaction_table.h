// SPDX-License-Identifier: GPL-3.0-or-later
// The live transactions, by number and by the keys of RFC 3261 17.1.3 and 17.2.3, with their
// timers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "daemon/agent_config.h"
#include "daemon/deadline_queue.h"
#include "daemon/firewall.h"
#include "daemon/network.h"
#include "daemon/rewritten.h"
#include "sip/message.h"
#include "sip/transaction.h"

namespace midcom {

using TransactionId = std::uint64_t; // server and client share one sequence; 0 is none

struct ServerTransaction {
  using Machine = std::variant<sip::InviteServerTransaction, sip::NonInviteServerTransaction>;
  ServerTransaction(TransactionId number, std::string text, Machine state)
      : id(number), key(std::move(text)), machine(std::move(state)) {}
  TransactionId id;
  std::string key;
  Machine machine;
  FlowId flow = 0;
  FlowId entered = 0; // the flow of the request's first pass; of a spiral's later ones not `flow`
  sip::IpAddress source;
  sip::MessagePtr request;
  Pass pass;
  bool is_attached = false;
  TransactionId client = 0;
  bool is_answered = false;        // a final response was given
  bool is_cancelled = false;       // before it was forwarded
  Rewritten rewritten;             // as it leaves, in an endpoint
  int attempts = 0;                // how often it has been refused for its body
  bool offers_certificate = false; // its answer carries what bodies for us are encrypted with
  [[nodiscard]] bool is_invite() const { return machine.index() == 0; }
};

struct ClientTransaction {
  using Machine = std::variant<sip::InviteClientTransaction, sip::NonInviteClientTransaction>;
  ClientTransaction(TransactionId number, std::string text, Machine state)
      : id(number), key(std::move(text)), machine(std::move(state)) {}
  TransactionId id;
  std::string key;
  Machine machine;
  FlowId flow = 0;
  sip::IpAddress remote;
  sip::Bytes sent;
  TransactionId server = 0; // 0: made here (CANCEL)
  PeerIndex peer = no_peer;
  bool has_provisional = false;
  bool wants_cancel = false; // as soon as there is a provisional response (RFC 3261 9.1)
  bool is_cancelled = false; // CANCEL was sent
  std::optional<sip::TimePoint> timer_c;
  [[nodiscard]] bool is_invite() const { return machine.index() == 0; }
};

class TransactionTable {
public:
  explicit TransactionTable(const TimeoutConfig& timeouts);

  // Key of the server transaction a request belongs to. The sender's address is part of it, so that
  // nobody else's CANCEL matches.
  [[nodiscard]] static std::string server_key(const sip::Message& request, std::string_view method,
                                              const sip::IpAddress& source);
  [[nodiscard]] static std::string client_key(std::string_view branch, std::string_view method);

  ServerTransaction& add_server(const std::string& key, bool is_invite, bool is_reliable);
  ClientTransaction& add_client(const std::string& key, bool is_invite, bool is_reliable);
  [[nodiscard]] ServerTransaction* server(TransactionId id);
  [[nodiscard]] ClientTransaction* client(TransactionId id);
  [[nodiscard]] ServerTransaction* server(const std::string& key);
  [[nodiscard]] ClientTransaction* client(const std::string& key);
  void erase_server(TransactionId id);
  void erase_client(TransactionId id);

  // After every event of a machine.
  void rearm(const ServerTransaction& transaction);
  void rearm(const ClientTransaction& transaction);
  [[nodiscard]] std::optional<TransactionId> pop_due(sip::TimePoint now) {
    return deadlines_.pop_due(now);
  }
  [[nodiscard]] std::optional<sip::TimePoint> next_deadline() const { return deadlines_.next(); }
  [[nodiscard]] std::size_t size() const { return servers_.size() + clients_.size(); }

private:
  sip::TransactionTimers timers_;
  TransactionId next_ = 1;
  std::unordered_map<TransactionId, ServerTransaction> servers_;
  std::unordered_map<TransactionId, ClientTransaction> clients_;
  std::unordered_map<std::string, TransactionId> server_keys_, client_keys_;
  DeadlineQueue deadlines_;
};

} // namespace midcom
