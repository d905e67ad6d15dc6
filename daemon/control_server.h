// SPDX-License-Identifier: GPL-3.0-or-later
// The control socket on the agent's loop: a few clients at a time, each one request, each with a
// deadline; the others wait in the backlog.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/event_loop.h"
#include "daemon/file_descriptor.h"

namespace midcom {

inline constexpr std::size_t max_control_clients = 8;

class ControlServer {
public:
  // The answer to a line without its newline.
  using Answer = std::function<std::string(std::string_view line)>;

  // `listening` is bound and listening. `patience`: from accept to the last octet written.
  ControlServer(EventLoop& loop, FileDescriptor listening, Answer answer,
                std::chrono::milliseconds patience = std::chrono::seconds(5));
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

private:
  struct Client;
  void on_acceptable();
  void on_ready(Client& client);
  [[nodiscard]] bool read(Client& client);  // false: it is done
  [[nodiscard]] bool write(Client& client); // false: it is done
  void sweep();

  EventLoop& loop_;
  FileDescriptor listening_;
  Answer answer_;
  std::chrono::milliseconds patience_;
  std::list<std::unique_ptr<Client>> clients_;
  IoEvent acceptable_;
  DeferredEvent sweep_;
  TimerEvent deadline_;
};

} // namespace midcom
