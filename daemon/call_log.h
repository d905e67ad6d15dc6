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

// pinhole.open, pinhole.update (direction changed) and pinhole.close for the difference in rules,
// sink.open and sink.close for that in sinks. What the gate has admitted was told by gate.admit.
void write_changes(EventLog& log, const Call& call, const Leg& leg, const Pinholes& before,
                   const Pinholes& after);

// gate.admit. `sink`: where the packet came to; null when it is wanted no more.
void write_admitted(EventLog& log, const Call& call, const Leg& leg,
                    const pinhole::event::Admitted& admitted, const pinhole::Sink* sink);
// media.first: `open_ms` after the flow was opened, `answer_ms` after the call was answered.
void write_first_packet(EventLog& log, const Call& call, const Leg& leg, const MediaKey& key,
                        std::uint32_t delay_ms, sip::TimePoint now);

[[nodiscard]] std::string_view word_of_component(std::uint8_t component);
[[nodiscard]] std::string_view word_of_direction(bool is_from_caller); // "caller>callee"

// Adds up; counters of the leg's flows by their directions.
void add_up(const MediaCounts& more, MediaCounts& counts);
void add_up(const Leg& leg, const std::vector<pinhole::Counter>& counters, MediaCounts& counts);

// call.end with packets and bytes by stream, component and direction, and in first_ms= the delay of
// its first packet; streams whose RTP went one way only are named in oneway=, those without any in
// silent=.
void write_call_end(EventLog& log, const Call& call, Reason reason, int status, sip::TimePoint now);

} // namespace midcom
