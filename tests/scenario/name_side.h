// SPDX-License-Identifier: GPL-3.0-or-later
// The name servers as a World drives them: what they know, what they keep silent about, how often
// they were asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/name_port.h"

namespace midcom::scenario {

class NameSide final : public NamePort {
public:
  using Answer = std::pair<std::uint64_t, std::vector<sip::IpAddress>>; // to which question

  void know(const std::string& name, std::vector<sip::IpAddress> addresses); // in place of others
  void silence(const std::string& name) { silent_.insert(name); }
  [[nodiscard]] std::size_t asked() const { return asked_; } // questions since the start

  [[nodiscard]] bool has_answers() const { return !answers_.empty(); }
  [[nodiscard]] Answer run();                   // the oldest one
  void forget_questions() { answers_.clear(); } // their asker is gone

private:
  void look_up(std::uint64_t question, const std::string& name,
               sip::IpAddress::Family family) override;

  std::map<std::string, std::vector<sip::IpAddress>> known_;
  std::set<std::string> silent_;
  std::size_t asked_ = 0;
  std::deque<Answer> answers_;
};

} // namespace midcom::scenario
