// SPDX-License-Identifier: GPL-3.0-or-later
// Where a request goes (RFC 3261 16.4, 16.5, 16.6 steps 6 and 7; RFC 5626 5.3). Decides only; opens
// nothing. There is no open relay: every way out is a flow of ours or a configured peer.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/keyed_hash.h"
#include "daemon/peer_directory.h"
#include "daemon/reasons.h"
#include "sip/message.h"

namespace midcom {

struct ToFlow { // a connection the far side opened, named by a flow token of ours
  FlowId flow;
};
struct ToPeer {
  PeerIndex peer;
  Target target;
};
struct ToSelf {}; // addressed to this gateway itself

struct RequestRoute {
  std::variant<ToFlow, ToPeer, ToSelf> next;
  // What is left of the Route set; meaningful when has_new_routes.
  std::vector<std::string> routes;
  bool has_new_routes = false;
  std::optional<std::string> new_request_uri; // strict routing
};

// `epoch` is that of this process's flow ids: a token of another epoch names a flow that is gone.
[[nodiscard]] std::expected<RequestRoute, Reason> route_request(const sip::Message& request,
                                                                const PeerDirectory& peers,
                                                                const KeyedHash& token_key,
                                                                std::uint32_t epoch);

} // namespace midcom
