// SPDX-License-Identifier: GPL-3.0-or-later
// The four transaction machines of RFC 3261 17 with RFC 6026 and RFC 4320, as values: an event in,
// actions out, no clock. Timers are named as in RFC 3261 table 4.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace midcom::sip {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;
using Bytes = std::shared_ptr<const std::string>;

struct TransactionTimers {
  Duration t1 = std::chrono::milliseconds(500);
  Duration t2 = std::chrono::seconds(4);
  Duration t4 = std::chrono::seconds(5);
};

namespace action {
struct Send {
  Bytes bytes;
}; // to the transaction's peer, over its flow
struct Deliver {};         // the response (or ACK) just given goes to the transaction user
struct TimedOut {};        // client: timer B or F; server INVITE: timer H (no ACK came)
struct TransportFailed {}; // the transaction user is told. Terminated follows except in the INVITE
                           // server transaction, which its timers end (RFC 6026 7.1)
struct Terminated {};      // forget the machine
} // namespace action
using TransactionAction = std::variant<action::Send, action::Deliver, action::TimedOut,
                                       action::TransportFailed, action::Terminated>;
using TransactionActions = std::vector<TransactionAction>;

// 17.2.1 with RFC 6026: Accepted state for 2xx, in which retransmitted INVITEs are absorbed and
// further 2xx are passed on.
class InviteServerTransaction {
public:
  enum class State : std::uint8_t { proceeding, completed, confirmed, accepted, terminated };
  InviteServerTransaction(bool reliable, TransactionTimers timers);
  [[nodiscard]] TransactionActions on_request(); // a retransmission
  [[nodiscard]] TransactionActions on_respond(int status, Bytes response, TimePoint now);
  // Ends Completed. In Accepted the ACK matched by a 2xx's branch is delivered (RFC 6026 7.1).
  [[nodiscard]] TransactionActions on_ack(TimePoint now);
  [[nodiscard]] TransactionActions on_transport_error(TimePoint now);
  [[nodiscard]] TransactionActions on_timer(TimePoint now); // when next_deadline() is due
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  [[nodiscard]] State state() const { return state_; }

private:
  bool reliable_;
  TransactionTimers timers_;
  State state_ = State::proceeding;
  Bytes last_;
  Duration interval_{};
  std::optional<TimePoint> retransmit_; // G
  std::optional<TimePoint> expire_;     // H, I, L
};

// 17.2.2, RFC 4320. A 408 given to on_respond() ends the transaction and is not sent.
class NonInviteServerTransaction {
public:
  enum class State : std::uint8_t { trying, proceeding, completed, terminated };
  NonInviteServerTransaction(bool reliable, TransactionTimers timers);
  [[nodiscard]] TransactionActions on_request();
  [[nodiscard]] TransactionActions on_respond(int status, Bytes response, TimePoint now);
  [[nodiscard]] TransactionActions on_transport_error(TimePoint now);
  [[nodiscard]] TransactionActions on_timer(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  [[nodiscard]] State state() const { return state_; }

private:
  bool reliable_;
  TransactionTimers timers_;
  State state_ = State::trying;
  Bytes last_;
  std::optional<TimePoint> expire_; // J
};

// 17.1.1 with RFC 6026 (Accepted, timer M: every 2xx is delivered).
class InviteClientTransaction {
public:
  enum class State : std::uint8_t { calling, proceeding, completed, accepted, terminated };
  InviteClientTransaction(bool reliable, TransactionTimers timers);
  [[nodiscard]] TransactionActions start(Bytes request, TimePoint now);
  // `ack` is used for status >= 300 only and sent again for each retransmission of the response.
  [[nodiscard]] TransactionActions on_response(int status, Bytes ack, TimePoint now);
  [[nodiscard]] TransactionActions on_transport_error(TimePoint now);
  [[nodiscard]] TransactionActions on_timer(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  [[nodiscard]] State state() const { return state_; }

private:
  bool reliable_;
  TransactionTimers timers_;
  State state_ = State::calling;
  Bytes request_, ack_;
  Duration interval_{};
  std::optional<TimePoint> retransmit_; // A
  std::optional<TimePoint> expire_;     // B, D, M
};

// 17.1.2. TimedOut is for the user to judge: it must not answer 408 upstream (RFC 4320 4.2).
class NonInviteClientTransaction {
public:
  enum class State : std::uint8_t { trying, proceeding, completed, terminated };
  NonInviteClientTransaction(bool reliable, TransactionTimers timers);
  [[nodiscard]] TransactionActions start(Bytes request, TimePoint now);
  [[nodiscard]] TransactionActions on_response(int status, TimePoint now);
  [[nodiscard]] TransactionActions on_transport_error(TimePoint now);
  [[nodiscard]] TransactionActions on_timer(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  [[nodiscard]] State state() const { return state_; }

private:
  bool reliable_;
  TransactionTimers timers_;
  State state_ = State::trying;
  Bytes request_;
  Duration interval_{};
  std::optional<TimePoint> retransmit_; // E
  std::optional<TimePoint> expire_;     // F, K
};

} // namespace midcom::sip
