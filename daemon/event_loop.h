// SPDX-License-Identifier: GPL-3.0-or-later
// libevent's objects, one owner each. Only event_loop.cc includes libevent's event headers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

struct event;
struct event_base;

namespace midcom {

class EventLoop {
public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  void run(); // until stop()
  void stop();
  [[nodiscard]] std::chrono::steady_clock::time_point now() const;
  [[nodiscard]] event_base* base() { return base_; }

private:
  event_base* base_;
};

// A callback may destroy the object it belongs to only as its last act.
class IoEvent {
public:
  enum Interest : unsigned { none = 0, readable = 1, writable = 2 };
  IoEvent(EventLoop& loop, int fd, std::function<void(unsigned ready)> callback); // fd is borrowed
  ~IoEvent();
  IoEvent(const IoEvent&) = delete;
  IoEvent& operator=(const IoEvent&) = delete;
  void watch(unsigned interest); // level-triggered; none stops watching

private:
  EventLoop& loop_;
  int fd_;
  unsigned interest_ = none;
  event* event_ = nullptr;
  std::function<void(unsigned)> callback_;
};

// Never fires before its time.
class TimerEvent {
public:
  TimerEvent(EventLoop& loop, std::function<void()> callback);
  ~TimerEvent();
  TimerEvent(const TimerEvent&) = delete;
  TimerEvent& operator=(const TimerEvent&) = delete;
  void start_at(std::chrono::steady_clock::time_point when); // replaces an earlier start
  void stop();

private:
  void on_due();

  event* event_;
  bool pending_ = false;
  std::chrono::steady_clock::time_point when_;
  std::function<void()> callback_;
};

// Work to do once behind everything that is ready in this turn of the loop (flushing, erasing): no
// system call, unlike a timer of 0.
class DeferredEvent {
public:
  DeferredEvent(EventLoop& loop, std::function<void()> callback);
  ~DeferredEvent();
  DeferredEvent(const DeferredEvent&) = delete;
  DeferredEvent& operator=(const DeferredEvent&) = delete;
  void schedule(); // once, however often it is called before it runs

private:
  event* event_;
  std::function<void()> callback_;
};

class SignalEvent {
public:
  SignalEvent(EventLoop& loop, int signal, std::function<void()> callback);
  ~SignalEvent();
  SignalEvent(const SignalEvent&) = delete;
  SignalEvent& operator=(const SignalEvent&) = delete;

private:
  event* event_;
  std::function<void()> callback_;
};

} // namespace midcom
