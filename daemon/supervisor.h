// SPDX-License-Identifier: GPL-3.0-or-later
// The process that stays: starts middlebox (a gateway's) and openers, then the agent, joins the
// agent to each of the others by a channel of its own, starts again what dies, and speaks to the
// service manager. It reads nothing but child exits, signals and the fixed messages of its
// children.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/channel_codec.h"
#include "daemon/channel_link.h"
#include "daemon/child_process.h"
#include "daemon/event_log.h"
#include "daemon/event_loop.h"
#include "daemon/exit_status.h"
#include "daemon/provisions.h"

namespace midcom {

class Supervisor {
public:
  // References must outlive it.
  Supervisor(const Provisions& provisions, EventLog& log);
  ~Supervisor();

  // Until a SIGTERM or SIGINT, or until a child fails before all was up for the first time.
  [[nodiscard]] ExitStatus run();

private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Child {
    Role role;
    std::uint8_t number = 0; // of an opener, from 1
    pid_t pid = 0;           // 0: not running
    bool is_up = false;
    bool is_started_before = false;
    int deaths = 0; // in a row, see restart_delay_ms()
    TimePoint started{}, pinged{};
    std::uint64_t ping = 0, pong = 0;
    std::unique_ptr<ChannelLink> link{};
    std::unique_ptr<TimerEvent> restart{};
  };

  [[nodiscard]] static std::vector<Child> children_for(const Provisions& provisions);
  [[nodiscard]] Child& agent() { return children_.front(); }
  void start(Child& child);
  void send_start_message(Child& child);
  void connect_peers(Child& other);
  void connect_agent();
  [[nodiscard]] ChannelLink::Verdict on_message(Child& child, const Channel::Message& message);
  void on_up(Child& child);
  void reap();
  void on_exit(Child& child, int status);
  [[nodiscard]] Event event_of(const Child& child, Level level, std::string_view name) const;
  void restart_later(Child& child);
  void on_tick();
  void check_life(Child& child);
  void end_now(Child& child, std::string_view why); // SIGKILL; reap() sees to the rest
  void begin_stop(ExitStatus status);
  void stop_next();
  void on_reload();

  const Provisions& provisions_;
  EventLog& log_;
  EventLoop loop_;
  std::vector<Child> children_; // in the order they are stopped; never changes
  ExitStatus exit_status_ = exit_ok;
  bool is_ready_ = false, is_stopping_ = false;
  std::chrono::milliseconds tick_;
  TimerEvent tick_timer_, stop_timer_;
  SignalEvent child_signal_, terminate_, interrupt_, hang_up_;
};

} // namespace midcom
