// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/transaction_table.h"

#include <cctype>

namespace midcom {
namespace {

void append_lower(std::string& key, std::string_view text) {
  for (const char c : text)
    key.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
}

} // namespace

TransactionTable::TransactionTable(const TimeoutConfig& timeouts)
    : timers_{timeouts.t1, timeouts.t2, timeouts.t4} {}

std::string TransactionTable::server_key(const sip::Message& request, std::string_view method,
                                         const sip::IpAddress& source) {
  const sip::Via& via = request.top_via();
  std::string key(method);
  key.append(1, '\0').append(via.branch()).append(1, '\0');
  append_lower(key, via.host);
  key.append(1, ':').append(std::to_string(via.port.value_or(0)));
  key.append(1, '\0').append(reinterpret_cast<const char*>(source.octets.data()), 16);
  if (!via.branch().starts_with(sip::branch_cookie)) {
    // RFC 2543 peers: the whole identity of the request (RFC 3261 17.2.3).
    key.append(1, '\0').append(request.call_id()).append(1, '\0').append(request.from().tag());
    key.append(1, '\0').append(std::to_string(request.cseq().number));
  }
  return key;
}

std::string TransactionTable::client_key(std::string_view branch, std::string_view method) {
  return std::string(branch).append(1, '\0').append(method);
}

ServerTransaction& TransactionTable::add_server(const std::string& key, bool is_invite,
                                                bool is_reliable) {
  const TransactionId id = next_++;
  using Machine = ServerTransaction::Machine;
  Machine machine = is_invite ? Machine(sip::InviteServerTransaction(is_reliable, timers_))
                              : Machine(sip::NonInviteServerTransaction(is_reliable, timers_));
  server_keys_[key] = id;
  return servers_.try_emplace(id, id, key, std::move(machine)).first->second;
}

ClientTransaction& TransactionTable::add_client(const std::string& key, bool is_invite,
                                                bool is_reliable) {
  const TransactionId id = next_++;
  using Machine = ClientTransaction::Machine;
  Machine machine = is_invite ? Machine(sip::InviteClientTransaction(is_reliable, timers_))
                              : Machine(sip::NonInviteClientTransaction(is_reliable, timers_));
  client_keys_[key] = id;
  return clients_.try_emplace(id, id, key, std::move(machine)).first->second;
}

ServerTransaction* TransactionTable::server(TransactionId id) {
  const auto found = servers_.find(id);
  return found == servers_.end() ? nullptr : &found->second;
}

ClientTransaction* TransactionTable::client(TransactionId id) {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : &found->second;
}

ServerTransaction* TransactionTable::server(const std::string& key) {
  const auto found = server_keys_.find(key);
  return found == server_keys_.end() ? nullptr : server(found->second);
}

ClientTransaction* TransactionTable::client(const std::string& key) {
  const auto found = client_keys_.find(key);
  return found == client_keys_.end() ? nullptr : client(found->second);
}

void TransactionTable::erase_server(TransactionId id) {
  const auto found = servers_.find(id);
  if (found == servers_.end()) return;
  deadlines_.set(id, std::nullopt);
  server_keys_.erase(found->second.key);
  servers_.erase(found);
}

void TransactionTable::erase_client(TransactionId id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  deadlines_.set(id, std::nullopt);
  client_keys_.erase(found->second.key);
  clients_.erase(found);
}

void TransactionTable::rearm(const ServerTransaction& transaction) {
  deadlines_.set(transaction.id,
                 std::visit([](const auto& m) { return m.next_deadline(); }, transaction.machine));
}

void TransactionTable::rearm(const ClientTransaction& transaction) {
  auto next = std::visit([](const auto& m) { return m.next_deadline(); }, transaction.machine);
  if (transaction.timer_c && (!next || *transaction.timer_c < *next)) next = transaction.timer_c;
  deadlines_.set(transaction.id, next);
}

} // namespace midcom
