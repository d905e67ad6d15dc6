// SPDX-License-Identifier: GPL-3.0-or-later
// Is a request within what the operator allows? Pure; the last word before the kernel.
#pragma once

#include "pinhole/policy.h"
#include "pinhole/request.h"

namespace midcom::pinhole {

// Everything that needs no state: ok, or the first reason against.
[[nodiscard]] Result check(const Policy& policy, const request::SetGroup& request);
[[nodiscard]] Result check(const Policy& policy, const Rule& rule);
// Is `source` where `promise` has its sender, for a sink at `receiver`? On the side of one of the
// senders named; when those tell nothing (none is named, or they are on no side or on the
// receiver's: addresses behind a NAT), anywhere.
[[nodiscard]] Result check_sender(const Policy& policy, const Promise& promise,
                                  const Address& receiver, const Address& source);
[[nodiscard]] Result check_lifetime(const Policy& policy, std::uint32_t lifetime_s);

} // namespace midcom::pinhole
