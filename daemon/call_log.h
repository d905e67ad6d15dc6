// SPDX-License-Identifier: GPL-3.0-or-later
// The log events of calls and their rules.
#pragma once

#include <string_view>
#include <vector>

#include "daemon/call.h"
#include "daemon/event_log.h"
#include "daemon/peer_directory.h"
#include "daemon/reasons.h"

namespace midcom {

[[nodiscard]] Event call_event(Level level, std::string_view name, const Call& call);

// pinhole.open, pinhole.update (direction changed) and pinhole.close for the difference.
void write_rule_changes(EventLog& log, const Call& call, const Leg& leg,
                        const std::vector<pinhole::Rule>& before,
                        const std::vector<pinhole::Rule>& after);

// call.end with packets and bytes by stream, component and direction; streams whose RTP went one
// way only are named in oneway=, those without any in silent=.
void write_call_end(EventLog& log, const Call& call, Reason reason, int status, sip::TimePoint now);

} // namespace midcom
