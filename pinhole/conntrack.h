// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "pinhole/flow.h"
#include "pinhole/netlink_socket.h"

namespace midcom::pinhole {

// Deletes the conntrack entries these flows belong to, whichever end began; what isn't there is
// fine. For rulesets that accept `ct state established`. False: not permitted or no answer.
bool delete_conntrack(NetlinkSocket& socket, std::span<const FlowKey> flows);

} // namespace midcom::pinhole
