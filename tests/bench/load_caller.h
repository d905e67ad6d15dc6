// SPDX-License-Identifier: GPL-3.0-or-later
// The calling side: INVITE, ACK and BYE of many calls over a few TLS connections to the proxy.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load_line.h"
#include "tests/bench/load_poller.h"
#include "tests/bench/load_report.h"

namespace midcom::bench {

using Clock = std::chrono::steady_clock;

struct CallerOptions {
  Endpoint proxy;
  std::string own;    // own address, in Via, Contact and the offer
  std::string target; // Request-URI
  Files files;
  std::size_t lines = 4;
  double rate = 0; // calls per second; 0: as fast as it goes
  std::size_t in_flight = 64;
  std::size_t count = 1000000;
  std::chrono::milliseconds duration{10000}, timeout{8000}, hold{0};
};

class Caller {
public:
  explicit Caller(const CallerOptions& options);
  // Returns when all calls have ended or failed. With a rate, latency counts from the moment a call
  // was due; a call that is due with `in_flight` others under way fails as "overload". A lost
  // connection ends the load.
  [[nodiscard]] Report run();

private:
  enum class State : std::uint8_t { idle, inviting, answered, leaving };
  struct Call {
    std::uint64_t serial = 0;
    State state = State::idle;
    Clock::time_point due, bye_sent;
    std::string to, target, routes; // of the dialog
  };
  struct Deadline {
    Clock::time_point at;
    std::size_t slot;
    std::uint64_t serial;
  };

  void connect_lines();
  void start_due(Clock::time_point now);
  void start_call(Clock::time_point due);
  void send_deferred(Clock::time_point now); // BYEs after the hold time, timeouts
  [[nodiscard]] std::chrono::nanoseconds next_wait(Clock::time_point now) const;
  [[nodiscard]] bool may_start(Clock::time_point now) const;
  void on_readable(std::size_t index);
  void on_message(std::string_view message, Clock::time_point now);
  void on_invite_final(std::size_t slot, const Text& text, Clock::time_point now);
  void on_bye_final(std::size_t slot, const Text& text, Clock::time_point now);
  void end_call(std::size_t slot);
  void fail_call(std::size_t slot, const std::string& why);
  void flush_lines();
  void lose_line(std::size_t index);

  [[nodiscard]] std::string head(std::size_t slot, std::string_view method,
                                 std::string_view uri) const;
  void send_invite(std::size_t slot);
  void send_ack(std::size_t slot);
  void send_refusal_ack(std::size_t slot, std::string_view to);
  void send_bye(std::size_t slot, Clock::time_point now);
  [[nodiscard]] Line* line_of(std::size_t slot) const { return lines_[slot % lines_.size()].get(); }
  void queue(std::size_t slot, const std::string& message);

  CallerOptions options_;
  TlsContext context_;
  Poller poller_;
  std::vector<std::unique_ptr<Line>> lines_; // null when lost
  std::vector<Call> calls_;
  std::vector<std::size_t> free_;
  std::deque<Deadline> deadlines_, holds_;
  std::string run_; // tells this run's Call-IDs from another's
  std::uint64_t serial_ = 0;
  std::size_t under_way_ = 0;
  Clock::time_point began_, last_ended_;
  Report report_;
};

} // namespace midcom::bench
