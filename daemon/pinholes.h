// SPDX-License-Identifier: GPL-3.0-or-later
// All that one group has in the firewall, compared and kept as a whole: exact rules, receive
// addresses whose sender isn't known (sinks), and what their first packets must be.
#pragma once

#include <cstddef>
#include <vector>

#include "pinhole/request.h"

namespace midcom {

struct Pinholes {
  std::vector<pinhole::Rule> rules;
  std::vector<pinhole::Sink> sinks;
  std::vector<pinhole::Promise> promises; // of the sinks; each is there once

  bool operator==(const Pinholes&) const = default;
  [[nodiscard]] bool empty() const { return rules.empty() && sinks.empty(); }
  [[nodiscard]] std::size_t size() const { return rules.size() + sinks.size(); }

  // False when there are too many promises: the sink is left out.
  bool add(pinhole::Sink sink, const pinhole::Promise& promise);
  // Leaves out sinks, those of offers first, until there are no more than `most` with the rules.
  // How many.
  std::size_t fit(std::size_t most);
  // Sorts, so that what is alike compares equal.
  void normalize();

  [[nodiscard]] const pinhole::Promise& promise_of(const pinhole::Sink& sink) const {
    return promises[sink.promise];
  }
  // Has this, in order, all that `other` has? A sink with another promise is another sink.
  [[nodiscard]] bool includes(const Pinholes& other) const;
  // Is the sink there with this promise, whatever its index?
  [[nodiscard]] bool has(const pinhole::Sink& sink, const pinhole::Promise& promise) const;
};

// Is it a rule that the gate may make of the sink?
[[nodiscard]] bool comes_of(const pinhole::Rule& rule, const pinhole::Sink& sink);

} // namespace midcom
