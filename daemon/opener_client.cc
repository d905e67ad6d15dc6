// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/opener_client.h"

#include <algorithm>
#include <utility>

namespace midcom {

namespace {

constexpr int most_sends = 2;

bool answers(const opener::Reply& reply, const opener::Request& request) {
  return reply.index() == request.index();
}

} // namespace

std::string_view to_string(OpenerFailure failure) {
  switch (failure) {
  case OpenerFailure::overload:
    return "overload";
  case OpenerFailure::too_large:
    return "too-large";
  case OpenerFailure::failed:
    return "failed";
  }
  return "";
}

OpenerClient::OpenerClient(std::size_t openers, std::chrono::milliseconds timeout, OpenerPort& port)
    : timeout_(timeout), port_(port), openers_(openers) {}

std::optional<std::size_t> OpenerClient::opener_of(std::string_view pair) const {
  if (openers_.empty()) return std::nullopt;
  return std::hash<std::string_view>()(pair) % openers_.size();
}

std::uint64_t OpenerClient::submit(opener::Open request, Callback<opener::Opened> callback,
                                   sip::TimePoint now) {
  const auto opener = opener_of(request.pair);
  return submit(opener::Request(std::move(request)), AnyCallback(std::move(callback)), opener, now);
}

std::uint64_t OpenerClient::submit(opener::Verify request, Callback<opener::Verified> callback,
                                   sip::TimePoint now) {
  return submit(opener::Request(std::move(request)), AnyCallback(std::move(callback)),
                least_loaded(), now);
}

std::uint64_t OpenerClient::submit(opener::Seal request, Callback<opener::Sealed> callback,
                                   sip::TimePoint now) {
  const auto opener = opener_of(request.pair);
  return submit(opener::Request(std::move(request)), AnyCallback(std::move(callback)), opener, now);
}

std::uint64_t OpenerClient::submit(opener::CheckCertificate request,
                                   Callback<opener::CheckedCertificate> callback,
                                   sip::TimePoint now) {
  return submit(opener::Request(std::move(request)), AnyCallback(std::move(callback)),
                least_loaded(), now);
}

std::uint64_t OpenerClient::submit(opener::Request request, AnyCallback callback,
                                   std::optional<std::size_t> opener, sip::TimePoint now) {
  const std::uint64_t id = next_id_++;
  std::visit([id](auto& message) { message.id = id; }, request);
  Pending pending{
      .request = std::move(request), .callback = std::move(callback), .opener = opener.value_or(0)};
  const auto refusal = [&]() -> std::optional<OpenerFailure> {
    if (!opener) return OpenerFailure::failed;
    if (!fits(pending.request)) return OpenerFailure::too_large;
    if (openers_[*opener].load() >= max_waiting) return OpenerFailure::overload;
    return std::nullopt;
  }();
  if (refusal) {
    refuse(id, std::move(pending), *refusal, now);
    return id;
  }
  Opener& to = openers_[*opener];
  to.waiting.insert(id);
  deadlines_.set(id, now + timeout_);
  Pending& kept = pending_.emplace(id, std::move(pending)).first->second;
  if (to.is_up) send(id, kept);
  return id;
}

// Kept without its octets until the timer, which is due at once.
void OpenerClient::refuse(std::uint64_t id, Pending pending, OpenerFailure failure,
                          sip::TimePoint now) {
  pending.request = opener::Open{};
  pending.on_deadline = failure;
  pending_.emplace(id, std::move(pending));
  deadlines_.set(id, now);
}

std::optional<std::size_t> OpenerClient::least_loaded() const {
  if (openers_.empty()) return std::nullopt;
  const auto order = [](const Opener& opener) { return std::pair(!opener.is_up, opener.load()); };
  const auto best = std::ranges::min_element(openers_, {}, order);
  return static_cast<std::size_t>(best - openers_.begin());
}

void OpenerClient::send(std::uint64_t id, Pending& pending) {
  ++pending.sent;
  Opener& to = openers_[pending.opener];
  to.waiting.erase(id);
  to.asked.insert(id);
  port_.send(pending.opener, pending.request);
}

void OpenerClient::forget(std::uint64_t id) {
  (void)take(id);
}

// Out of everything but `asked`: an opener still works on what nobody waits for any more.
std::optional<OpenerClient::AnyCallback> OpenerClient::take(std::uint64_t id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return std::nullopt;
  deadlines_.set(id, std::nullopt);
  if (found->second.opener < openers_.size()) openers_[found->second.opener].waiting.erase(id);
  AnyCallback callback = std::move(found->second.callback);
  pending_.erase(found);
  return callback;
}

void OpenerClient::fail(std::uint64_t id, OpenerFailure failure, sip::TimePoint now) {
  const auto callback = take(id);
  if (callback)
    std::visit([&](const auto& function) { function(std::unexpected(failure), now); }, *callback);
}

void OpenerClient::on_reply(std::size_t opener, const opener::Reply& reply, sip::TimePoint now) {
  const std::uint64_t id = id_of(reply);
  const auto found = pending_.find(id);
  if (!openers_[opener].asked.contains(id) ||
      (found != pending_.end() && !answers(reply, found->second.request)))
    return port_.reject(opener);
  openers_[opener].asked.erase(id);
  const auto callback = take(id);
  if (!callback) return;
  std::visit(
      [&]<class Reply>(const Reply& answer) { std::get<Callback<Reply>> (*callback)(answer, now); },
      reply);
}

void OpenerClient::on_down(std::size_t opener, sip::TimePoint now) {
  Opener& gone = openers_[opener];
  gone.is_up = false;
  std::vector<std::uint64_t> failed;
  for (const std::uint64_t id : std::exchange(gone.asked, {})) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) continue;
    if (found->second.sent < most_sends)
      gone.waiting.insert(id);
    else
      failed.push_back(id);
  }
  for (const std::uint64_t id : failed) fail(id, OpenerFailure::failed, now);
}

void OpenerClient::on_up(std::size_t opener, sip::TimePoint now) {
  if (openers_[opener].is_up) on_down(opener, now); // a new channel without the old one's end
  openers_[opener].is_up = true;
  for (const std::uint64_t id : std::set(openers_[opener].waiting)) send(id, pending_.at(id));
}

void OpenerClient::on_timer(sip::TimePoint now) {
  while (const auto id = deadlines_.pop_due(now)) {
    const auto found = pending_.find(*id);
    if (found != pending_.end()) fail(*id, found->second.on_deadline, now);
  }
}

std::size_t OpenerClient::up() const {
  return static_cast<std::size_t>(std::ranges::count_if(openers_, &Opener::is_up));
}

} // namespace midcom
