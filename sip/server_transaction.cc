// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <utility>

#include "sip/transaction.h"

namespace midcom::sip {

namespace {

constexpr int sixty_four = 64; // RFC 3261 table 4: timers H, J and L are 64*T1

std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

bool is_due(const std::optional<TimePoint>& deadline, TimePoint now) {
  return deadline && *deadline <= now;
}

TransactionActions send(const Bytes& bytes) {
  if (!bytes) return {};
  return {action::Send{bytes}};
}

} // namespace

InviteServerTransaction::InviteServerTransaction(bool reliable, TransactionTimers timers)
    : reliable_(reliable), timers_(timers) {}

TransactionActions InviteServerTransaction::on_request() {
  // Accepted and Confirmed absorb it: the 2xx is repeated by the far UA, the final response has its
  // ACK already.
  if (state_ == State::proceeding || state_ == State::completed) return send(last_);
  return {};
}

TransactionActions InviteServerTransaction::on_respond(int status, Bytes response, TimePoint now) {
  const bool is_success = status >= 200 && status < 300;
  if (state_ == State::accepted && is_success) return send(response);
  if (state_ != State::proceeding) return {};
  if (status < 200) {
    last_ = std::move(response);
    return send(last_);
  }
  expire_ = now + sixty_four * timers_.t1;
  if (is_success) {
    state_ = State::accepted;
    last_.reset();
    return send(response);
  }
  state_ = State::completed;
  last_ = std::move(response);
  if (!reliable_) {
    interval_ = timers_.t1;
    retransmit_ = now + interval_;
  }
  return send(last_);
}

TransactionActions InviteServerTransaction::on_ack(TimePoint now) {
  if (state_ == State::accepted) return {action::Deliver{}};
  if (state_ != State::completed) return {};
  retransmit_.reset();
  last_.reset();
  if (reliable_) { // timer I is 0
    state_ = State::terminated;
    expire_.reset();
    return {action::Terminated{}};
  }
  state_ = State::confirmed;
  expire_ = now + timers_.t4;
  return {};
}

// RFC 6026 7.1: the state is kept, so that a retransmitted INVITE doesn't become a new request; the
// timers end it.
TransactionActions InviteServerTransaction::on_transport_error(TimePoint) {
  if (state_ == State::confirmed || state_ == State::terminated) return {};
  return {action::TransportFailed{}};
}

TransactionActions InviteServerTransaction::on_timer(TimePoint now) {
  if (is_due(expire_, now)) {
    const bool is_ack_missing = state_ == State::completed;
    state_ = State::terminated;
    expire_.reset();
    retransmit_.reset();
    last_.reset();
    if (is_ack_missing) return {action::TimedOut{}, action::Terminated{}};
    return {action::Terminated{}};
  }
  if (!is_due(retransmit_, now)) return {};
  interval_ = std::min(2 * interval_, timers_.t2);
  retransmit_ = now + interval_;
  return send(last_);
}

std::optional<TimePoint> InviteServerTransaction::next_deadline() const {
  return earlier(retransmit_, expire_);
}

NonInviteServerTransaction::NonInviteServerTransaction(bool reliable, TransactionTimers timers)
    : reliable_(reliable), timers_(timers) {}

TransactionActions NonInviteServerTransaction::on_request() {
  if (state_ == State::proceeding || state_ == State::completed) return send(last_);
  return {};
}

TransactionActions NonInviteServerTransaction::on_respond(int status, Bytes response,
                                                          TimePoint now) {
  if (state_ != State::trying && state_ != State::proceeding) return {};
  if (status < 200) {
    state_ = State::proceeding;
    last_ = std::move(response);
    return send(last_);
  }
  // RFC 4320 4.2: a 408 is never sent for a request other than INVITE. The transaction ends with no
  // response, and goes on absorbing retransmissions as long as they can come.
  if (status == 408) response.reset();
  last_ = std::move(response);
  TransactionActions actions = send(last_);
  if (reliable_) { // timer J is 0
    state_ = State::terminated;
    last_.reset();
    actions.emplace_back(action::Terminated{});
    return actions;
  }
  state_ = State::completed;
  expire_ = now + sixty_four * timers_.t1;
  return actions;
}

// RFC 3261 figure 8. Trying has sent nothing yet: the user learns of the failure when it answers.
TransactionActions NonInviteServerTransaction::on_transport_error(TimePoint) {
  if (state_ != State::proceeding && state_ != State::completed) return {};
  state_ = State::terminated;
  expire_.reset();
  last_.reset();
  return {action::TransportFailed{}, action::Terminated{}};
}

TransactionActions NonInviteServerTransaction::on_timer(TimePoint now) {
  if (!is_due(expire_, now)) return {};
  state_ = State::terminated;
  expire_.reset();
  last_.reset();
  return {action::Terminated{}};
}

std::optional<TimePoint> NonInviteServerTransaction::next_deadline() const {
  return expire_;
}

} // namespace midcom::sip
