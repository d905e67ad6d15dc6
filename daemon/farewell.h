// SPDX-License-Identifier: GPL-3.0-or-later
// The two BYEs by which midcomd ends a dialog whose answer its policy can't accept
// (on-bad-answer = terminate, E2M.md 4): made of the INVITE and its 2xx as they passed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/network.h"
#include "sip/message.h"

namespace midcom {

struct Bye {       // or an ACK
  FlowId flow = 0; // 0: there is no way to say it
  // All but the first Via, which the sender's transaction gives.
  std::string start_line, fields;
  [[nodiscard]] std::string with_via(std::string_view via) const;
};

struct Farewell {
  Bye to_caller, to_callee; // each in the name of the other
  Bye acknowledgement;      // of the 2xx to the callee, where the caller never gets to see it
};

// `invite` as it came from `caller`, `response` as it came from `callee`, of an INVITE in either
// direction: caller is who sent it. Proxies between here and either end are found in Record-Route
// (RFC 3261 12.1).
[[nodiscard]] Farewell farewell_for(const sip::Message& invite, FlowId caller,
                                    const sip::Message& response, FlowId callee);

} // namespace midcom
