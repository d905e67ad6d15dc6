// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "pinhole/request.h"
#include "sip/transaction.h"

namespace midcom {

// The agent's side of the channel to the middlebox. Requests are answered in order by a Reply with
// the same transaction number, unless the channel goes down first.
class MiddleboxPort {
public:
  virtual ~MiddleboxPort() = default;
  virtual void send(const pinhole::Request& request) = 0; // ignored while down
};

class MiddleboxEvents {
public:
  virtual ~MiddleboxEvents() = default;
  virtual void on_middlebox_reply(const pinhole::Reply& reply, sip::TimePoint now) = 0;
  virtual void on_middlebox_down(sip::TimePoint now) = 0;
  // After this event::Ready comes as a reply.
  virtual void on_middlebox_up(sip::TimePoint now) = 0;
};

} // namespace midcom
