// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/supervisor.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <utility>
#include <vector>

#include "daemon/notify.h"

namespace midcom {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_tick = 5s;
constexpr auto longest_start = 60s;   // from fork to Up
constexpr auto longest_silence = 20s; // from Ping to Pong
constexpr auto longest_stop = 5s;     // from Stop to exit, for all children

// Often enough for the watchdog to see an answer four times in its interval.
std::chrono::milliseconds tick_interval() {
  const auto watchdog = notify::watchdog_interval();
  if (!watchdog) return longest_tick;
  const auto quarter = std::chrono::duration_cast<std::chrono::milliseconds>(*watchdog / 4);
  return std::clamp<std::chrono::milliseconds>(quarter, 10ms, longest_tick);
}

// A role that can't start for a reason no restart removes says so by its status.
ExitStatus status_of_failed_start(int status) {
  if (!WIFEXITED(status)) return exit_failure;
  switch (WEXITSTATUS(status)) {
  case exit_unavailable:
    return exit_unavailable;
  case exit_no_permission:
    return exit_no_permission;
  case exit_config:
    return exit_config;
  default:
    return exit_failure;
  }
}

} // namespace

Supervisor::Supervisor(const Provisions& provisions, EventLog& log)
    : provisions_(provisions), log_(log), children_(children_for(provisions)),
      tick_(tick_interval()), tick_timer_(loop_, [this] { on_tick(); }),
      stop_timer_(loop_,
                  [this] {
                    for (Child& child : children_) end_now(child, "slow to stop");
                  }),
      child_signal_(loop_, SIGCHLD, [this] { reap(); }),
      terminate_(loop_, SIGTERM, [this] { begin_stop(exit_ok); }),
      interrupt_(loop_, SIGINT, [this] { begin_stop(exit_ok); }),
      hang_up_(loop_, SIGHUP, [this] { on_reload(); }) {
  for (Child& child : children_)
    child.restart = std::make_unique<TimerEvent>(loop_, [this, &child] { start(child); });
}

Supervisor::~Supervisor() = default;

// The agent goes first, so that the others still take what it says last.
std::vector<Supervisor::Child> Supervisor::children_for(const Provisions& provisions) {
  std::vector<Child> children;
  children.push_back({.role = Role::agent});
  for (std::uint8_t number = 1; number <= provisions.openers; ++number)
    children.push_back({.role = Role::opener, .number = number});
  if (provisions.has_middlebox) children.push_back({.role = Role::middlebox});
  return children;
}

ExitStatus Supervisor::run() {
  for (Child& child : children_)
    if (child.role != Role::agent) start(child);
  if (!provisions_.has_middlebox) start(agent());
  tick_timer_.start_at(loop_.now() + tick_);
  loop_.run();
  return exit_status_;
}

Event Supervisor::event_of(const Child& child, Level level, std::string_view name) const {
  Event event(level, name);
  event.add("role", to_string(child.role));
  if (child.number != 0) event.add("number", std::uint64_t{child.number});
  if (child.pid != 0) event.add("pid", static_cast<std::uint64_t>(child.pid));
  return event;
}

void Supervisor::start(Child& child) {
  if (is_stopping_ || child.pid != 0) return;
  try {
    auto [ours, theirs] = Channel::make_pair();
    child.pid = start_child(child.role, theirs);
    child.link = std::make_unique<ChannelLink>(
        loop_, std::move(ours),
        ChannelLink::Callbacks{.on_message =
                                   [this, &child](const Channel::Message& message) {
                                     return on_message(child, message);
                                   },
                               .on_turn_end = {},
                               .on_end =
                                   [this, &child](ChannelLink::End end) {
                                     // A child that is alive and well keeps its channel open.
                                     if (end != ChannelLink::End::closed)
                                       end_now(child, to_string(end));
                                   }});
  } catch (const std::system_error& error) {
    log_.write(event_of(child, Level::error, "process.fail")
                   .add("detail", std::string_view(error.what())));
    restart_later(child);
    return;
  }
  child.is_up = false;
  child.started = loop_.now();
  child.ping = child.pong = 0;
  log_.write(
      event_of(child, child.is_started_before ? Level::notice : Level::info, "process.start"));
  child.is_started_before = true;
  send_start_message(child);
  if (child.role == Role::agent) connect_agent();
}

void Supervisor::send_start_message(Child& child) {
  if (child.role == Role::opener) {
    const OpenerProvisions& opener = provisions_.opener;
    std::vector<int> descriptors{provisions_.empty_directory.get(), opener.slice.get(),
                                 opener.certificate.get(),          opener.key.get(),
                                 opener.authorities.get(),          opener.revocation_lists.get()};
    for (const FileDescriptor& file : opener.users) descriptors.push_back(file.get());
    child.link->send(encode(Control(control::StartOpener{opener.account.uid, opener.account.gid})),
                     descriptors);
    return;
  }
  if (child.role == Role::middlebox) {
    const int descriptors[] = {provisions_.empty_directory.get(),
                               provisions_.middlebox_slice.get()};
    child.link->send(encode(Control(control::StartMiddlebox{provisions_.middlebox.uid,
                                                            provisions_.middlebox.gid})),
                     descriptors);
    return;
  }
  std::vector<int> descriptors{provisions_.empty_directory.get(),
                               provisions_.agent_slice.get(),
                               provisions_.secrets.get(),
                               provisions_.certificate.get(),
                               provisions_.key.get(),
                               provisions_.trusted_ca.get()};
  for (const FileDescriptor& listener : provisions_.listeners)
    descriptors.push_back(listener.get());
  if (provisions_.control) descriptors.push_back(provisions_.control.get());
  const auto count = static_cast<std::uint32_t>(provisions_.listeners.size());
  child.link->send(
      encode(Control(control::StartAgent{provisions_.agent.uid, provisions_.agent.gid, count})),
      descriptors);
}

// The graph of communication: the agent with the middlebox and with each opener, and each with the
// supervisor. Done anew whenever one of the two has come back; the survivor's old end is over.
void Supervisor::connect_peers(Child& other) {
  try {
    const auto [first, second] = Channel::make_pair();
    const int to_agent[] = {first.get()}, to_other[] = {second.get()};
    agent().link->send(encode(Control(control::Peer{other.number})), to_agent);
    other.link->send(encode(Control(control::Peer{})), to_other);
  } catch (const std::system_error& error) {
    log_.write(Event(Level::error, "process.fail").add("detail", std::string_view(error.what())));
    end_now(agent(), "no channel");
  }
}

void Supervisor::connect_agent() {
  for (Child& child : children_)
    if (child.role != Role::agent && child.is_up) connect_peers(child);
}

ChannelLink::Verdict Supervisor::on_message(Child& child, const Channel::Message& message) {
  const auto decoded = decode_control(message.bytes);
  if (!decoded || !message.descriptors.empty()) return ChannelLink::Verdict::end;
  if (std::holds_alternative<control::Up>(*decoded) && !child.is_up) {
    on_up(child);
    return ChannelLink::Verdict::go_on;
  }
  if (const auto* pong = std::get_if<control::Pong>(&*decoded);
      pong != nullptr && pong->number == child.ping) {
    child.pong = pong->number;
    return ChannelLink::Verdict::go_on;
  }
  if (std::holds_alternative<control::Violation>(*decoded) && child.role != Role::agent) {
    end_now(agent(), "channel violation");
    return ChannelLink::Verdict::go_on;
  }
  if (const auto* violation = std::get_if<control::OpenerViolation>(&*decoded);
      violation != nullptr && child.role == Role::agent &&
      violation->opener <= provisions_.openers) {
    end_now(children_[violation->opener], "channel violation");
    return ChannelLink::Verdict::go_on;
  }
  return ChannelLink::Verdict::end;
}

void Supervisor::on_up(Child& child) {
  child.is_up = true;
  log_.write(event_of(child, Level::info, "process.up"));
  if (child.role != Role::agent && agent().pid != 0)
    connect_peers(child);
  else if (child.role == Role::middlebox && !agent().is_started_before)
    start(agent());
  if (is_ready_ || !std::ranges::all_of(children_, &Child::is_up)) return;
  is_ready_ = true;
  log_.write(Event(Level::notice, "daemon.ready"));
  notify::ready("all processes are running");
}

void Supervisor::reap() {
  for (Child& child : children_) {
    int status = 0;
    if (child.pid != 0 && ::waitpid(child.pid, &status, WNOHANG) == child.pid)
      on_exit(child, status);
  }
}

void Supervisor::on_exit(Child& child, int status) {
  Event event = event_of(child, is_stopping_ ? Level::info : Level::warning, "process.exit");
  if (WIFEXITED(status)) event.add("status", static_cast<std::uint64_t>(WEXITSTATUS(status)));
  if (WIFSIGNALED(status)) event.add("signal", std::string_view(::sigabbrev_np(WTERMSIG(status))));
  log_.write(event);
  child.pid = 0;
  child.is_up = false;
  child.link.reset();
  if (is_stopping_) return stop_next();
  if (!is_ready_) return begin_stop(status_of_failed_start(status));
  restart_later(child);
}

void Supervisor::restart_later(Child& child) {
  const auto lived = loop_.now() - child.started;
  child.deaths = lived < std::chrono::seconds(steady_life_seconds) ? child.deaths + 1 : 1;
  const int delay = restart_delay_ms(child.deaths);
  if (delay > 0) {
    log_.write(event_of(child, Level::error, "process.backoff")
                   .add("deaths", static_cast<std::uint64_t>(child.deaths))
                   .add("delay_ms", static_cast<std::uint64_t>(delay)));
  }
  // By the loop even without a delay: start() may be what failed.
  child.restart->start_at(loop_.now() + std::chrono::milliseconds(delay));
}

void Supervisor::on_tick() {
  bool have_all_answered = true;
  for (Child& child : children_) {
    have_all_answered = have_all_answered && child.is_up && child.ping == child.pong;
    check_life(child);
  }
  if (have_all_answered && is_ready_) notify::watchdog();
  tick_timer_.start_at(loop_.now() + tick_);
}

void Supervisor::check_life(Child& child) {
  if (child.pid == 0 || is_stopping_) return;
  const auto now = loop_.now();
  if (!child.is_up) {
    if (now - child.started > longest_start) end_now(child, "slow to start");
  } else if (child.ping == child.pong) {
    child.pinged = now;
    child.link->send(encode(Control(control::Ping{++child.ping})));
  } else if (now - child.pinged > longest_silence) {
    end_now(child, "no answer");
  }
}

void Supervisor::end_now(Child& child, std::string_view why) {
  if (child.pid == 0) return;
  log_.write(event_of(child, Level::error, "process.kill").add("detail", why));
  if (::kill(child.pid, SIGKILL) != 0)
    log_.write(event_of(child, Level::error, "process.fail")
                   .add("detail", std::string_view(std::strerror(errno))));
}

// One after the other, in the order of children_. The elements stay in the kernel until their
// timeouts: a restart cuts no media.
void Supervisor::begin_stop(ExitStatus status) {
  if (is_stopping_) { // asked twice: at once
    for (Child& child : children_) end_now(child, "stopped twice");
    return;
  }
  is_stopping_ = true;
  exit_status_ = status;
  log_.write(Event(Level::notice, "daemon.stop"));
  notify::stopping();
  for (Child& child : children_) child.restart->stop();
  stop_timer_.start_at(loop_.now() + longest_stop);
  stop_next();
}

void Supervisor::stop_next() {
  for (Child& child : children_) {
    if (child.pid == 0) continue;
    child.link->send(encode(Control(control::Stop{})));
    return;
  }
  loop_.stop();
}

void Supervisor::on_reload() {
  log_.write(Event(Level::warning, "config.reload")
                 .add("result", "ignored")
                 .add("detail", "this version takes up a new configuration only by a restart"));
}

} // namespace midcom
