// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/endpoint_conversion.h"

namespace midcom {

pinhole::Address to_pinhole(const sip::IpAddress& address) {
  const bool is_ipv4 = address.family == sip::IpAddress::Family::ipv4;
  return {is_ipv4 ? pinhole::Family::ipv4 : pinhole::Family::ipv6, address.octets};
}

pinhole::Endpoint to_pinhole(const sip::Endpoint& endpoint) {
  return {to_pinhole(endpoint.address), endpoint.port};
}

} // namespace midcom
