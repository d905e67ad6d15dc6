// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sip/ip_address.h"
#include "sip/transaction.h"

namespace midcom {

// The agent's way to name servers. Each question is answered at most once, by an event with its
// number and never from within look_up(); whoever asks has a deadline of its own.
class NamePort {
public:
  virtual ~NamePort() = default;
  virtual void look_up(std::uint64_t question, const std::string& name,
                       sip::IpAddress::Family family) = 0;
};

class NameEvents {
public:
  virtual ~NameEvents() = default;
  // In the order of the answer; none: there is no such name, it has no address of that family, or
  // no server has said anything.
  virtual void on_name(std::uint64_t question, std::span<const sip::IpAddress> addresses,
                       sip::TimePoint now) = 0;
};

} // namespace midcom
