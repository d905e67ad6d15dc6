// SPDX-License-Identifier: GPL-3.0-or-later
// Host names in the session descriptions of peers with `media-names = resolve`: after a body has
// been read and before the firewall sees it they are looked up, the call's later messages waiting
// in order meanwhile. What comes out is pinned: it goes with the Disclosure, and the same octets
// mean the same later. Whether media may be there is the firewall's to say, as of a literal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/body_service.h"
#include "daemon/deadline_queue.h"
#include "daemon/event_log.h"
#include "daemon/name_port.h"
#include "sip/sdp.h"

namespace midcom {

// What is pinned already for a description whose sender sends the same octets again in its call.
struct PinnedNames {
  sip::NamedAddresses names;
  bool is_whole = false; // the same request or answer once more: what wasn't found then, isn't now
};

class MediaNames final : public BodyService {
public:
  using FindPinned =
      std::function<PinnedNames(const sip::Message& message, std::string_view description)>;

  // `reader` reads the bodies. References must outlive it.
  MediaNames(const AgentConfig& config, const PeerDirectory& peers, BodyService& reader,
             NamePort& port, EventLog& log, FindPinned find_pinned);

  [[nodiscard]] std::optional<Disclosure> read(const sip::MessagePtr& message, const Sender& sender,
                                               Then then, sip::TimePoint now) override;
  [[nodiscard]] Offer offer_to(const sip::Message& request) const override {
    return reader_.offer_to(request);
  }
  [[nodiscard]] std::string announced_policy(PeerIndex peer) const override {
    return reader_.announced_policy(peer);
  }

  void on_name(std::uint64_t question, std::span<const sip::IpAddress> addresses,
               sip::TimePoint now);
  void on_timer(sip::TimePoint now);
  [[nodiscard]] std::optional<sip::TimePoint> next_deadline() const { return deadlines_.next(); }
  [[nodiscard]] std::size_t waiting() const { return lookups_.size(); }

  static constexpr std::size_t most_names = 8;     // of one description
  static constexpr std::size_t most_waiting = 512; // descriptions, of all peers
  static constexpr std::size_t most_of_peer = 128; // likewise, of one

private:
  // One description, of a message that waits or doesn't have to.
  struct Lookup {
    sip::MessagePtr message;
    PeerIndex peer;
    std::string source;
    Then then;
    Disclosure body{};
    std::vector<sip::HostName> wanted{};
    std::size_t unanswered = 0;      // questions
    std::uint64_t last_question = 0; // their numbers follow the lookup's
  };
  struct Question {
    std::uint64_t lookup;
    sip::HostName name;
    sip::IpAddress::Family family;
  };

  // Fills in what is pinned. True: nothing has to be looked up.
  [[nodiscard]] bool settle(Lookup& lookup);
  void begin(Lookup lookup, sip::TimePoint now);
  void ask(std::uint64_t id, Lookup& lookup, const sip::HostName& name);
  void finish(std::uint64_t id, bool is_late, sip::TimePoint now);
  [[nodiscard]] Event event(const Lookup& lookup, Level level, std::string_view name) const;
  void log_failure(const Lookup& lookup, std::string_view name, std::string_view reason);

  const AgentConfig& config_;
  const PeerDirectory& peers_;
  BodyService& reader_;
  NamePort& port_;
  EventLog& log_;
  FindPinned find_pinned_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, Lookup> lookups_;
  std::unordered_map<std::uint64_t, Question> questions_;
  std::unordered_map<PeerIndex, std::size_t> lookups_of_;
  DeadlineQueue deadlines_;
};

} // namespace midcom
