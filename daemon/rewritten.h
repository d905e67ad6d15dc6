// SPDX-License-Identifier: GPL-3.0-or-later
// A message that goes on with another body than it came with. Nobody but the endpoint's service can
// make one, and a gateway has no such service: there bodies leave as they came (invariant 4).
#pragma once

#include <utility>

#include "sip/message.h"

namespace midcom {

class Rewritten {
public:
  Rewritten() = default; // nothing is
  [[nodiscard]] const sip::MessagePtr& in_place_of(const sip::MessagePtr& original) const {
    return message_ ? message_ : original;
  }
  explicit operator bool() const { return message_ != nullptr; }

private:
  friend class EndpointService;
  explicit Rewritten(sip::MessagePtr message) : message_(std::move(message)) {}
  sip::MessagePtr message_;
};

} // namespace midcom
