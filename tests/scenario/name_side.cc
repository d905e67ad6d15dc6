// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/name_side.h"

namespace midcom::scenario {

void NameSide::know(const std::string& name, std::vector<sip::IpAddress> addresses) {
  silent_.erase(name);
  known_[name] = std::move(addresses);
}

NameSide::Answer NameSide::run() {
  Answer answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

void NameSide::look_up(std::uint64_t question, const std::string& name,
                       sip::IpAddress::Family family) {
  ++asked_;
  if (silent_.contains(name)) return;
  Answer answer{question, {}};
  if (const auto known = known_.find(name); known != known_.end())
    for (const sip::IpAddress& address : known->second)
      if (address.family == family) answer.second.push_back(address);
  answers_.push_back(std::move(answer));
}

} // namespace midcom::scenario
