// SPDX-License-Identifier: GPL-3.0-or-later
// What was read of messages lately. The same message passes once more (a later pass of a spiral, a
// branch of a fork further up, a retransmitted answer) without another look at its body, and
// without counting as a replay of itself.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "daemon/disclosure.h"
#include "daemon/disclosure_run.h"
#include "sip/message.h"
#include "sip/transaction.h"

namespace midcom {

class SeenDisclosures {
public:
  // `most` in number, `most_octets` of descriptions in all; the oldest go first.
  explicit SeenDisclosures(sip::Duration life, std::size_t most = 4096,
                           std::size_t most_octets = 16U << 20U)
      : life_(life), most_(most), most_octets_(most_octets) {}

  // Names a message by all that its disclosure hangs on: sender, body and the fields a signature
  // binds. `sender` is what a request's sender has proved; an answer is taken only from whom its
  // request was sent to, and has none.
  [[nodiscard]] static std::string key_of(const sip::Message& message, std::string_view sender);

  // Only what was read by terms at least as strict.
  [[nodiscard]] std::optional<Disclosure> find(const std::string& key, const DisclosureTerms& terms,
                                               const DisclosureRun::Expected& expected,
                                               sip::TimePoint now);
  void keep(const std::string& key, DisclosureTerms terms, DisclosureRun::Expected expected,
            Disclosure disclosure, sip::TimePoint now);
  [[nodiscard]] std::size_t size() const { return seen_.size(); }
  [[nodiscard]] std::size_t octets() const { return octets_; }

private:
  struct Seen {
    DisclosureTerms terms;
    DisclosureRun::Expected expected;
    Disclosure disclosure;
  };
  void forget_old(sip::TimePoint now);
  void drop_first();

  const sip::Duration life_;
  const std::size_t most_, most_octets_;
  std::unordered_map<std::string, Seen> seen_;
  std::deque<std::pair<sip::TimePoint, std::string>> order_;
  std::size_t octets_ = 0;
};

} // namespace midcom
