// SPDX-License-Identifier: GPL-3.0-or-later
// The steps about name servers.
#include <stdexcept>

#include "tests/scenario/runner.h"

namespace midcom::scenario {

// "NAME = ADDRESS ...", "NAME = none", "NAME silent"
void Runner::names(const Step& step) {
  for (const auto& line : step.block) {
    const auto words = words_of(line);
    if (words.size() == 2 && words[1] == "silent") {
      world_->names().silence(words[0]);
      continue;
    }
    if (words.size() < 3 || words[1] != "=")
      throw std::runtime_error("NAME = ADDRESS ..., NAME = none or NAME silent: " + line);
    std::vector<sip::IpAddress> addresses;
    for (std::size_t i = 2; i < words.size() && words[i] != "none"; ++i) {
      const auto address = sip::IpAddress::parse(words[i]);
      if (!address) throw std::runtime_error("no address: " + words[i]);
      addresses.push_back(*address);
    }
    world_->names().know(words[0], std::move(addresses));
  }
}

void Runner::hold_names(const Step&) {
  world_->hold_names(true);
}

void Runner::release_names(const Step&) {
  world_->hold_names(false);
  world_->settle();
}

void Runner::expect_lookups(const Step& step) {
  const auto asked = std::to_string(world_->names().asked());
  if (step.rest != asked) throw Failure(step.place, "name servers were asked " + asked + " times");
}

} // namespace midcom::scenario
