// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/event_loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdexcept>

namespace midcom {

namespace {

using Clock = std::chrono::steady_clock;

// One thread per loop: libevent's locks are never needed.
event_base* make_base() {
  event_config* config = event_config_new();
  if (config == nullptr) throw std::bad_alloc();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config);
  event_config_free(config);
  if (base == nullptr) throw std::runtime_error("no event base");
  return base;
}

event* make_event(event_base* base, int fd, int what, event_callback_fn callback, void* argument) {
  event* made = event_new(base, fd, static_cast<short>(what), callback, argument);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

timeval delay_until(Clock::time_point when) {
  auto delay = std::chrono::ceil<std::chrono::microseconds>(when - Clock::now());
  if (delay.count() < 0) delay = {};
  timeval value{};
  value.tv_sec = static_cast<time_t>(delay.count() / 1'000'000);
  value.tv_usec = static_cast<suseconds_t>(delay.count() % 1'000'000);
  return value;
}

int flags_of(unsigned interest) {
  int what = EV_PERSIST;
  if (interest & IoEvent::readable) what |= EV_READ;
  if (interest & IoEvent::writable) what |= EV_WRITE;
  return what;
}

} // namespace

EventLoop::EventLoop() : base_(make_base()) {}

EventLoop::~EventLoop() {
  event_base_free(base_);
}

void EventLoop::run() {
  event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY);
}

void EventLoop::stop() {
  event_base_loopbreak(base_);
}

Clock::time_point EventLoop::now() const {
  return Clock::now();
}

IoEvent::IoEvent(EventLoop& loop, int fd, std::function<void(unsigned)> callback)
    : loop_(loop), fd_(fd), callback_(std::move(callback)) {
  auto trampoline = [](evutil_socket_t, short what, void* self) {
    unsigned ready = none;
    if (what & EV_READ) ready |= readable;
    if (what & EV_WRITE) ready |= writable;
    static_cast<IoEvent*>(self)->callback_(ready);
  };
  event_ = make_event(loop.base(), fd, flags_of(none), trampoline, this);
}

IoEvent::~IoEvent() {
  event_free(event_);
}

void IoEvent::watch(unsigned interest) {
  if (interest == interest_) return;
  event_del(event_);
  interest_ = interest;
  if (interest == none) return;
  event_assign(event_, loop_.base(), fd_, static_cast<short>(flags_of(interest)),
               event_get_callback(event_), this);
  if (event_add(event_, nullptr) != 0) throw std::runtime_error("can't watch a descriptor");
}

TimerEvent::TimerEvent(EventLoop& loop, std::function<void()> callback)
    : callback_(std::move(callback)) {
  auto trampoline = [](evutil_socket_t, short, void* self) {
    static_cast<TimerEvent*>(self)->on_due();
  };
  event_ = make_event(loop.base(), -1, 0, trampoline, this);
}

TimerEvent::~TimerEvent() {
  event_free(event_);
}

void TimerEvent::start_at(Clock::time_point when) {
  if (pending_ && when == when_) return;
  pending_ = true;
  when_ = when;
  const timeval delay = delay_until(when);
  event_add(event_, &delay);
}

void TimerEvent::stop() {
  pending_ = false;
  event_del(event_);
}

// libevent reads a coarse, cached clock and may be some milliseconds early.
void TimerEvent::on_due() {
  pending_ = false;
  if (Clock::now() < when_) return start_at(when_);
  callback_();
}

DeferredEvent::DeferredEvent(EventLoop& loop, std::function<void()> callback)
    : callback_(std::move(callback)) {
  auto trampoline = [](evutil_socket_t, short, void* self) {
    static_cast<DeferredEvent*>(self)->callback_();
  };
  event_ = make_event(loop.base(), -1, 0, trampoline, this);
}

DeferredEvent::~DeferredEvent() {
  event_free(event_);
}

void DeferredEvent::schedule() {
  event_active(event_, EV_TIMEOUT, 0);
}

SignalEvent::SignalEvent(EventLoop& loop, int signal, std::function<void()> callback)
    : callback_(std::move(callback)) {
  auto trampoline = [](evutil_socket_t, short, void* self) {
    static_cast<SignalEvent*>(self)->callback_();
  };
  event_ = make_event(loop.base(), signal, EV_SIGNAL | EV_PERSIST, trampoline, this);
  if (event_add(event_, nullptr) != 0) throw std::runtime_error("can't watch a signal");
}

SignalEvent::~SignalEvent() {
  event_free(event_);
}

} // namespace midcom
