// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <utility>

#include "sip/transaction.h"

namespace midcom::sip {

namespace {

constexpr int sixty_four = 64;                               // RFC 3261 table 4: timers B, F and M
constexpr Duration least_timer_d = std::chrono::seconds(32); // RFC 3261 17.1.1.2

std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

bool is_due(const std::optional<TimePoint>& deadline, TimePoint now) {
  return deadline && *deadline <= now;
}

} // namespace

InviteClientTransaction::InviteClientTransaction(bool reliable, TransactionTimers timers)
    : reliable_(reliable), timers_(timers) {}

TransactionActions InviteClientTransaction::start(Bytes request, TimePoint now) {
  request_ = std::move(request);
  expire_ = now + sixty_four * timers_.t1;
  if (!reliable_) {
    interval_ = timers_.t1;
    retransmit_ = now + interval_;
  }
  return {action::Send{request_}};
}

TransactionActions InviteClientTransaction::on_response(int status, Bytes ack, TimePoint now) {
  const bool is_success = status >= 200 && status < 300;
  if (state_ == State::accepted && is_success) return {action::Deliver{}};
  if (state_ == State::completed && status >= 300 && ack_) return {action::Send{ack_}};
  if (state_ != State::calling && state_ != State::proceeding) return {};
  retransmit_.reset();
  request_.reset();
  if (status < 200) {
    state_ = State::proceeding;
    expire_.reset(); // how long to wait now is timer C, the proxy's (16.6 step 11)
    return {action::Deliver{}};
  }
  if (is_success) {
    state_ = State::accepted;
    expire_ = now + sixty_four * timers_.t1;
    return {action::Deliver{}};
  }
  ack_ = std::move(ack);
  TransactionActions actions;
  if (ack_) actions.emplace_back(action::Send{ack_});
  actions.emplace_back(action::Deliver{});
  if (reliable_) { // timer D is 0
    state_ = State::terminated;
    expire_.reset();
    ack_.reset();
    actions.emplace_back(action::Terminated{});
    return actions;
  }
  state_ = State::completed;
  expire_ = now + std::max<Duration>(sixty_four * timers_.t1, least_timer_d);
  return actions;
}

// RFC 6026 figure 5: only the states that send know a transport error. In Proceeding and Accepted
// the response may still come over another connection (RFC 3261 18.2.2).
TransactionActions InviteClientTransaction::on_transport_error(TimePoint) {
  if (state_ != State::calling && state_ != State::completed) return {};
  state_ = State::terminated;
  expire_.reset();
  retransmit_.reset();
  request_.reset();
  ack_.reset();
  return {action::TransportFailed{}, action::Terminated{}};
}

TransactionActions InviteClientTransaction::on_timer(TimePoint now) {
  if (is_due(expire_, now)) {
    const bool is_unanswered = state_ == State::calling;
    state_ = State::terminated;
    expire_.reset();
    retransmit_.reset();
    request_.reset();
    ack_.reset();
    if (is_unanswered) return {action::TimedOut{}, action::Terminated{}};
    return {action::Terminated{}};
  }
  if (!is_due(retransmit_, now)) return {};
  interval_ *= 2; // timer A has no ceiling
  retransmit_ = now + interval_;
  return {action::Send{request_}};
}

std::optional<TimePoint> InviteClientTransaction::next_deadline() const {
  return earlier(retransmit_, expire_);
}

NonInviteClientTransaction::NonInviteClientTransaction(bool reliable, TransactionTimers timers)
    : reliable_(reliable), timers_(timers) {}

TransactionActions NonInviteClientTransaction::start(Bytes request, TimePoint now) {
  request_ = std::move(request);
  expire_ = now + sixty_four * timers_.t1;
  if (!reliable_) {
    interval_ = timers_.t1;
    retransmit_ = now + interval_;
  }
  return {action::Send{request_}};
}

TransactionActions NonInviteClientTransaction::on_response(int status, TimePoint now) {
  if (state_ != State::trying && state_ != State::proceeding) return {};
  if (status < 200) { // timers E and F run on
    state_ = State::proceeding;
    return {action::Deliver{}};
  }
  retransmit_.reset();
  request_.reset();
  if (reliable_) { // timer K is 0
    state_ = State::terminated;
    expire_.reset();
    return {action::Deliver{}, action::Terminated{}};
  }
  state_ = State::completed;
  expire_ = now + timers_.t4;
  return {action::Deliver{}};
}

TransactionActions NonInviteClientTransaction::on_transport_error(TimePoint) {
  if (state_ != State::trying && state_ != State::proceeding) return {};
  state_ = State::terminated;
  expire_.reset();
  retransmit_.reset();
  request_.reset();
  return {action::TransportFailed{}, action::Terminated{}};
}

TransactionActions NonInviteClientTransaction::on_timer(TimePoint now) {
  if (is_due(expire_, now)) {
    const bool is_unanswered = state_ != State::completed;
    state_ = State::terminated;
    expire_.reset();
    retransmit_.reset();
    request_.reset();
    if (is_unanswered) return {action::TimedOut{}, action::Terminated{}};
    return {action::Terminated{}};
  }
  if (!is_due(retransmit_, now)) return {};
  interval_ = state_ == State::proceeding ? timers_.t2 : std::min(2 * interval_, timers_.t2);
  retransmit_ = now + interval_;
  return {action::Send{request_}};
}

std::optional<TimePoint> NonInviteClientTransaction::next_deadline() const {
  return earlier(retransmit_, expire_);
}

} // namespace midcom::sip
