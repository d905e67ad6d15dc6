// SPDX-License-Identifier: GPL-3.0-or-later
// Whom an endpoint can seal for: the certificates of its configuration, once an opener has checked
// them, and those it has learned from signatures and refusals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/agent_config.h"
#include "daemon/endpoint_dialogs.h"
#include "daemon/event_log.h"
#include "daemon/opener_client.h"

namespace midcom {

class EndpointCertificates {
public:
  // References must outlive it.
  using WallClock = std::function<std::int64_t()>; // seconds since the epoch
  EndpointCertificates(const EndpointConfig& config, OpenerClient& openers, EventLog& log,
                       WallClock wall_clock)
      : config_(config), openers_(openers), log_(log), wall_clock_(std::move(wall_clock)),
        is_checked_(count(), false) {}

  // Has those of the configuration checked that have not been yet.
  void on_opener_up(sip::TimePoint now);

  // DER; empty: none is known.
  [[nodiscard]] std::string of(std::string_view address) const;
  void learn(std::string_view address, std::string certificate);
  // Those of the configuration, then those that asked in calls to this address.
  [[nodiscard]] std::vector<Middle> middles_towards(std::string_view address) const;
  void learn_middle(std::string_view address, const Middle& middle);

  static constexpr std::size_t most_known = 10000; // addresses
  static constexpr std::size_t most_middles = 4;   // of one address

private:
  [[nodiscard]] std::size_t count() const {
    return config_.middles.size() + config_.contacts.size();
  }
  void check(std::size_t index, sip::TimePoint now);
  void take(std::size_t index, const opener::CheckedCertificate& answer);
  void complain(std::size_t index, std::string_view why);

  const EndpointConfig& config_;
  OpenerClient& openers_;
  EventLog& log_;
  WallClock wall_clock_;
  std::vector<bool> is_checked_; // or being checked: first the middles, then the contacts
  std::vector<Middle> middles_;
  std::map<std::string, std::string, std::less<>> by_address_;
  std::map<std::string, std::vector<Middle>, std::less<>> middles_of_;
};

// Adds it, or puts a new certificate in the place of the old one. False: nothing is new.
bool add_middle(std::vector<Middle>& middles, const Middle& middle);

} // namespace midcom
