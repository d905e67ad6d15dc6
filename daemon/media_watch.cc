// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/media_watch.h"

#include <netinet/in.h>

#include <algorithm>

#include "daemon/call_log.h"
#include "sip/media_protocol.h"

namespace midcom {
namespace {

using std::chrono::seconds;

constexpr seconds shortest_interval{15};

struct Expected { // which directions of a stream carry packets, as agreed
  bool from_caller = false, from_callee = false;
  bool has_rule = false;    // else nobody has shown yet where it comes from
  bool takes_turns = false; // one sends, then the other: T.38
};

bool takes_turns(std::string_view protocol) {
  const auto* known = sip::find_media_protocol(protocol);
  return known != nullptr && known->payload == sip::MediaPayload::udptl;
}

bool sends(sip::Direction direction) {
  return direction == sip::Direction::sendrecv || direction == sip::Direction::sendonly;
}

bool receives(sip::Direction direction) {
  return direction == sip::Direction::sendrecv || direction == sip::Direction::recvonly;
}

template <class Open> // a rule or a sink
bool is_media(const Open& open) {
  return open.component == 1 && open.protocol != IPPROTO_TCP;
}

bool is_connection(const pinhole::Rule& rule) {
  return rule.protocol == IPPROTO_TCP;
}

Expected expected_of(const sip::SessionPair& pair, std::size_t stream) {
  if (stream >= pair.caller->media().size() || stream >= pair.callee->media().size()) return {};
  const auto caller = pair.caller->direction_of(stream);
  const auto callee = pair.callee->direction_of(stream);
  return {.from_caller = sends(caller) && receives(callee),
          .from_callee = sends(callee) && receives(caller),
          .takes_turns = takes_turns(pair.caller->media()[stream].protocol)};
}

// Streams over UDP whose RTP is open; of what the kernel had before this agent nothing more is
// known.
std::map<std::uint16_t, Expected> expected(const Leg& leg) {
  std::map<std::uint16_t, Expected> streams;
  const auto& pair = leg.exchange.agreed();
  if (pair)
    for (const auto& sink : leg.open.sinks)
      if (is_media(sink) && !leg.open.promise_of(sink).awaits_answer)
        streams[sink.stream] = expected_of(*pair, sink.stream);
  for (const auto& rule : leg.open.rules) {
    if (!is_media(rule)) continue;
    Expected& stream = streams[rule.stream];
    if (pair) {
      stream = expected_of(*pair, rule.stream);
    } else {
      stream.from_caller |= rule.from_a;
      stream.from_callee |= rule.from_b;
    }
    stream.has_rule = true;
  }
  return streams;
}

// Where ICE has found no way through here it may have found another.
bool is_on_hold(const std::map<std::uint16_t, Expected>& streams) {
  return std::ranges::none_of(streams, [](const auto& entry) {
    const Expected& stream = entry.second;
    return stream.has_rule && stream.from_caller && stream.from_callee;
  });
}

// What counts less than before was counted anew: by a middlebox, or in a table, that began since.
bool has_grown(const MediaCounts& before, const MediaCounts& now, const MediaKey& key) {
  const auto old = before.find(key), present = now.find(key);
  if (present == now.end() || present->second.packets == 0) return false;
  return old == before.end() || present->second.packets != old->second.packets;
}

Silence silence_of(const Expected& stream, bool caller_sends, bool callee_sends) {
  if (stream.takes_turns && (caller_sends || callee_sends)) return Silence::nobody;
  const bool is_caller_silent = stream.from_caller && !caller_sends;
  const bool is_callee_silent = stream.from_callee && !callee_sends;
  if (is_caller_silent && is_callee_silent) return Silence::both;
  if (is_caller_silent) return stream.from_callee ? Silence::caller : Silence::both;
  if (is_callee_silent) return stream.from_caller ? Silence::callee : Silence::both;
  return Silence::nobody;
}

} // namespace

sip::Duration MediaWatch::interval() const {
  return std::max<sip::Duration>(config_.media.inactivity / 3, shortest_interval);
}

void MediaWatch::begin(const CallPtr& call, Leg& leg, sip::TimePoint now) {
  if (leg.open.rules.empty() && leg.open.sinks.empty()) return forget(leg);
  leg.media.is_watched = true;
  leg.media.active = now;
  leg.media.told.clear();
  legs_[leg.id] = {call, leg.tag};
  deadlines_.set(leg.id, now + config_.media.one_way_after);
}

void MediaWatch::forget(Leg& leg) {
  if (!std::exchange(leg.media.is_watched, false)) return;
  legs_.erase(leg.id);
  deadlines_.set(leg.id, std::nullopt);
}

std::vector<MediaWatch::Due> MediaWatch::take_due(sip::TimePoint now) {
  std::vector<Due> due;
  while (const auto id = deadlines_.pop_due(now)) {
    const auto watched = legs_.find(*id);
    const CallPtr call = watched->second.call.lock();
    Leg* const leg = call ? call->find_leg(watched->second.tag, *id) : nullptr;
    if (leg == nullptr || leg->is_ended) {
      legs_.erase(watched);
      continue;
    }
    deadlines_.set(*id, now + interval());
    due.push_back({call, leg});
  }
  return due;
}

bool MediaWatch::observe(const Call& call, Leg& leg, const std::vector<pinhole::Counter>& present,
                         sip::TimePoint now) {
  if (!leg.media.is_watched || leg.is_ended) return false;
  MediaCounts counts = leg.media.ended;
  add_up(leg, present, counts);
  const bool is_active = std::ranges::any_of(
      counts, [&](const auto& entry) { return has_grown(leg.media.seen, counts, entry.first); });
  if (is_active) leg.media.active = now;
  judge_streams(call, leg, counts);
  leg.media.seen = std::move(counts);
  // Who chats may think for a while.
  if (std::ranges::any_of(leg.open.rules, is_connection)) return false;
  if (config_.media.inactivity == seconds(0)) return false;
  const auto limit =
      is_on_hold(expected(leg)) ? config_.media.inactivity_on_hold : config_.media.inactivity;
  if (limit == seconds(0)) return false;
  const auto end = leg.media.active + limit;
  if (now >= end) return true;
  deadlines_.set(leg.id, std::min<sip::TimePoint>(now + interval(), end));
  return false;
}

void MediaWatch::judge_streams(const Call& call, Leg& leg, const MediaCounts& now) {
  for (const auto& [stream, wanted] : expected(leg)) {
    const auto grows = [&](bool is_from_caller) {
      return has_grown(leg.media.seen, now, {stream, 1, is_from_caller});
    };
    const Silence silence = silence_of(wanted, grows(true), grows(false));
    if (std::exchange(leg.media.told[stream], silence) != silence) tell(call, leg, stream, silence);
  }
}

void MediaWatch::tell(const Call& call, const Leg& leg, std::uint16_t stream, Silence silence) {
  if (silence == Silence::nobody) return;
  if (silence == Silence::both) {
    log_.write(call_event(Level::notice, "media.none", call).add("m", stream).add("leg", leg.tag));
    return;
  }
  log_.write(call_event(Level::warning, "media.one_way", call)
                 .add("m", stream)
                 .add("dir", word_of_direction(silence == Silence::caller))
                 .add("leg", leg.tag));
}

} // namespace midcom
