// SPDX-License-Identifier: GPL-3.0-or-later
// Has bodies opened and signatures verified, for the services of the agent. All of one pair of
// participants goes to the same opener, where the keys of its earlier messages are; whatever has no
// pair goes where least is waiting.
//
// When an opener dies its unanswered requests are sent once more to its successor, no other one: a
// body that kills its reader takes down what serves its own pair, and no more.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/deadline_queue.h"
#include "daemon/opener_port.h"

namespace midcom {

enum class OpenerFailure : std::uint8_t {
  overload,  // too much waits for this opener
  too_large, // no opener takes a body of this size
  failed,    // no answer in time, its opener died over it twice, or there is none
};
[[nodiscard]] std::string_view to_string(OpenerFailure failure);

class OpenerClient {
public:
  template <class Reply>
  using Callback =
      std::function<void(const std::expected<Reply, OpenerFailure>& answer, sip::TimePoint now)>;

  // `timeout`: from submit() to the answer. The port must outlive the client.
  OpenerClient(std::size_t openers, std::chrono::milliseconds timeout, OpenerPort& port);

  // The callback is called once, never from within submit(): a refusal comes by the next
  // on_timer(). It may submit. The request's id is set here, and is what is returned.
  std::uint64_t submit(opener::Open request, Callback<opener::Opened> callback, sip::TimePoint now);
  std::uint64_t submit(opener::Verify request, Callback<opener::Verified> callback,
                       sip::TimePoint now);
  std::uint64_t submit(opener::Seal request, Callback<opener::Sealed> callback, sip::TimePoint now);
  std::uint64_t submit(opener::CheckCertificate request,
                       Callback<opener::CheckedCertificate> callback, sip::TimePoint now);
  void forget(std::uint64_t id); // its callback won't be called; unknown ids are ignored

  void on_reply(std::size_t opener, const opener::Reply& reply, sip::TimePoint now);
  void on_down(std::size_t opener, sip::TimePoint now);
  void on_up(std::size_t opener, sip::TimePoint now);
  void on_timer(sip::TimePoint now);
  [[nodiscard]] std::optional<sip::TimePoint> next_deadline() const { return deadlines_.next(); }

  [[nodiscard]] std::size_t up() const;                                 // openers that are
  [[nodiscard]] std::size_t pending() const { return pending_.size(); } // callbacks to come

  static constexpr std::size_t max_waiting = 256; // for one opener

private:
  using AnyCallback = std::variant<Callback<opener::Opened>, Callback<opener::Verified>,
                                   Callback<opener::Sealed>, Callback<opener::CheckedCertificate>>;
  struct Pending {
    opener::Request request;
    AnyCallback callback;
    std::size_t opener = 0;
    int sent = 0; // how often
    OpenerFailure on_deadline = OpenerFailure::failed;
  };
  struct Opener {
    bool is_up = false;
    std::set<std::uint64_t> asked;   // and not yet answered, also what nobody waits for any more
    std::set<std::uint64_t> waiting; // until it is up
    [[nodiscard]] std::size_t load() const { return asked.size() + waiting.size(); }
  };

  std::uint64_t submit(opener::Request request, AnyCallback callback,
                       std::optional<std::size_t> opener, sip::TimePoint now);
  [[nodiscard]] std::optional<std::size_t> opener_of(std::string_view pair) const;
  [[nodiscard]] std::optional<std::size_t> least_loaded() const;
  void refuse(std::uint64_t id, Pending pending, OpenerFailure failure, sip::TimePoint now);
  void send(std::uint64_t id, Pending& pending);
  [[nodiscard]] std::optional<AnyCallback> take(std::uint64_t id);
  void fail(std::uint64_t id, OpenerFailure failure, sip::TimePoint now);

  std::chrono::milliseconds timeout_;
  OpenerPort& port_;
  std::vector<Opener> openers_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Pending> pending_;
  DeadlineQueue deadlines_;
};

} // namespace midcom
