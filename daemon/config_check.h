// SPDX-License-Identifier: GPL-3.0-or-later
// Checks of midcomd.conf that see more than one value. Each adds its errors to the draft; none
// stops at the first.
#pragma once

#include "daemon/config_schema.h"

namespace midcom {

void check_listeners(ConfigDraft& draft); // and what they advertise
void check_peers(ConfigDraft& draft);     // names, media, next hops
void check_networks(ConfigDraft& draft);  // overlaps between sides
void check_routes(ConfigDraft& draft);
void check_tls(ConfigDraft& draft);   // files, relative to the file that names them
void check_smime(ConfigDraft& draft); // and the keys of peers that need it; config_smime.cc
void check_role(ConfigDraft& draft);  // what belongs to one role alone; config_endpoint.cc
void check_limits(ConfigDraft& draft);
void check_log_and_firewall(ConfigDraft& draft);

[[nodiscard]] const std::string& side_name(const PeerDraft& peer); // default: the peer's name

} // namespace midcom
