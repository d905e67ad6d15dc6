// SPDX-License-Identifier: GPL-3.0-or-later
// sip/ and pinhole/ know nothing of each other: an address crosses between them here, as octets.
#pragma once

#include "pinhole/endpoint.h"
#include "sip/ip_address.h"

namespace midcom {

[[nodiscard]] pinhole::Address to_pinhole(const sip::IpAddress& address);
[[nodiscard]] pinhole::Endpoint to_pinhole(const sip::Endpoint& endpoint);

} // namespace midcom
