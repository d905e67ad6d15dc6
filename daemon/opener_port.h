// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

#include "daemon/opener_messages.h"
#include "sip/transaction.h"

namespace midcom {

// The agent's side of the channels to the openers, which are counted from 0. Each request is
// answered by a reply with the same id, unless the opener goes down first.
class OpenerPort {
public:
  virtual ~OpenerPort() = default;
  virtual void send(std::size_t opener, const opener::Request& request) = 0; // ignored while down
  // What it said answers nothing it was asked: it is ended, and goes down.
  virtual void reject(std::size_t opener) = 0;
};

class OpenerEvents {
public:
  virtual ~OpenerEvents() = default;
  virtual void on_opener_reply(std::size_t opener, const opener::Reply& reply,
                               sip::TimePoint now) = 0;
  virtual void on_opener_down(std::size_t opener, sip::TimePoint now) = 0;
  virtual void on_opener_up(std::size_t opener, sip::TimePoint now) = 0;
};

} // namespace midcom
