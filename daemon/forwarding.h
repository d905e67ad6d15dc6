// SPDX-License-Identifier: GPL-3.0-or-later
// The edits a proxy makes to a message it forwards (RFC 3261 16.6, 16.7; RFC 3581, 3327, 5626,
// 5658). Everything else leaves as it came.
#pragma once

#include <string>
#include <string_view>

#include "daemon/agent_config.h"
#include "daemon/request_route.h"
#include "sip/error.h"
#include "sip/message.h"

namespace midcom {

struct ForwardEdits {
  std::string_view branch;
  std::string in_token, out_token; // flow tokens of the two sides; empty: none
  const ListenerConfig* in_listener;
  const ListenerConfig* out_listener;
  sip::Endpoint source;     // of the flow the request came in on
  bool is_first_hop = true; // the sender is the user agent itself
};

// The first Via value with received and rport (RFC 3261 18.2.1, 3581); empty when nothing is to
// change.
[[nodiscard]] std::string fixed_first_via(const sip::Message& request, const sip::Endpoint& source);
// Our own Via value for what leaves by this listener.
[[nodiscard]] std::string own_via(const ListenerConfig& listener, std::string_view branch);
// "sip:TOKEN@HOST:PORT;transport=tls;lr". sips URIs carry no transport (RFC 5630).
[[nodiscard]] std::string own_uri(const ListenerConfig& listener, std::string_view token,
                                  bool is_secure);
[[nodiscard]] sip::Result<std::string> forwarded_request(const sip::Message& request,
                                                         const RequestRoute& route,
                                                         const ForwardEdits& edits);
[[nodiscard]] sip::Result<std::string> forwarded_response(const sip::Message& response);

} // namespace midcom
