// SPDX-License-Identifier: GPL-3.0-or-later
// Looks at the media of confirmed legs now and then: which streams flow one way only or not at all,
// and which calls have died. Told by counters, so that it is as exact as the time between two
// looks: once `one-way-after` a session was agreed, then every third of `inactivity`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/call.h"
#include "daemon/deadline_queue.h"
#include "daemon/event_log.h"

namespace midcom {

class MediaWatch {
public:
  MediaWatch(const AgentConfig& config, EventLog& log) : config_(config), log_(log) {}

  // A session of the leg was agreed, or its answer has come.
  void begin(const CallPtr& call, Leg& leg, sip::TimePoint now);
  void forget(Leg& leg);

  // The counters of these legs are wanted now.
  struct Due {
    CallPtr call;
    Leg* leg;
  };
  [[nodiscard]] std::vector<Due> take_due(sip::TimePoint now);
  // `present`: of the flows the leg has. True when its media is dead: the call ends.
  [[nodiscard]] bool observe(const Call& call, Leg& leg,
                             const std::vector<pinhole::Counter>& present, sip::TimePoint now);
  [[nodiscard]] std::optional<sip::TimePoint> next_deadline() const { return deadlines_.next(); }

private:
  struct Watched {
    std::weak_ptr<Call> call;
    std::string tag;
  };
  [[nodiscard]] sip::Duration interval() const;
  void judge_streams(const Call& call, Leg& leg, const MediaCounts& now);
  void tell(const Call& call, const Leg& leg, std::uint16_t stream, Silence silence);

  const AgentConfig& config_;
  EventLog& log_;
  std::unordered_map<std::uint64_t, Watched> legs_; // by their ids
  DeadlineQueue deadlines_;
};

} // namespace midcom
