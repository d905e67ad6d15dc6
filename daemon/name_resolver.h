// SPDX-License-Identifier: GPL-3.0-or-later
// Asks name servers (c-ares) on the event loop. It knows of nothing but the servers it is given: no
// files, no search list, no environment. Only name_resolver.cc includes ares.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/event_loop.h"
#include "daemon/name_port.h"

struct ares_channeldata;

namespace midcom {

class NameResolver final : public NamePort {
public:
  // Opens no file later than this, which reads /dev/urandom; without servers nothing is ever found.
  // Throws std::runtime_error. Loop and events must outlive it.
  NameResolver(EventLoop& loop, const std::vector<sip::Endpoint>& servers, NameEvents& events);
  ~NameResolver() override;
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  // Beyond most_asked it is answered at once, by none.
  void look_up(std::uint64_t question, const std::string& name,
               sip::IpAddress::Family family) override;

  static constexpr std::size_t most_asked = 4096; // questions that servers have been asked

private:
  struct Asked;
  struct Answer {
    std::uint64_t question;
    std::vector<sip::IpAddress> addresses;
  };
  struct Library { // its global state
    Library();
    ~Library();
  };
  static void on_answer(void* asked, int status, int timeouts, unsigned char* bytes, int size);
  static void on_socket(void* resolver, int socket, int is_readable, int is_writable);
  void answer(std::uint64_t question, std::vector<sip::IpAddress> addresses);
  void watch(int socket, unsigned interest);
  void on_ready(int socket, unsigned ready);
  void deliver();
  void rearm();

  EventLoop& loop_;
  NameEvents& events_;
  Library library_;
  std::size_t asked_ = 0;
  std::vector<Answer> answers_;                  // to be told
  std::vector<std::unique_ptr<IoEvent>> closed_; // whose callback may be running
  std::unordered_map<int, std::unique_ptr<IoEvent>> sockets_;
  DeferredEvent deliver_;
  TimerEvent due_;
  ares_channeldata* channel_ = nullptr;
};

} // namespace midcom
