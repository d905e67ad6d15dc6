// SPDX-License-Identifier: GPL-3.0-or-later
// What the firewall service says of a message, and what it keeps with a server transaction.
#pragma once

#include <cstdint>

#include "daemon/call.h"
#include "daemon/reasons.h"

namespace midcom {

struct Verdict {
  enum class Kind : std::uint8_t {
    allow,
    refuse, // with `reason`
    wait,   // the call holds its messages; its waiter goes on when the middlebox has answered
    again,  // likewise, but the waiter brings the request once more: now nothing is decided
  };
  Kind kind = Kind::allow;
  Reason reason = Reason::none;
};

// Who sent a request inside a dialog, as far as it is needed to tell later.
struct Sender {
  PeerIndex peer = no_peer;
  bool is_carrier = false; // a trunk that a participant's requests go through
  pinhole::Address address;
  pinhole::Participant hashed;
};

// What a request means for its call, kept with its server transaction.
struct Pass {
  CallPtr call;           // null: no call (REGISTER, MESSAGE, ...)
  bool is_entry = false;  // the pass on which the request first entered
  std::uint64_t leg = 0;  // which leg it may act on, inside a dialog; 0: none
  bool is_proved = false; // its sender is a participant, as far as `leg` has any
  Sender sender;          // with `leg`, where no INVITE proved the participants
};

} // namespace midcom
