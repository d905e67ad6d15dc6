// SPDX-License-Identifier: GPL-3.0-or-later
// What must be open for two descriptions, or for an offer nobody has answered: a reference written
// from the RFCs and the design, for structures. It knows nothing of how midcomd plans media.
#pragma once

#include <set>
#include <vector>

#include "pinhole/flow.h"
#include "pinhole/request.h"
#include "tests/firewall/description.h"

namespace midcom::firewall_test {

struct Terms { // of the operator
  pinhole::SourceRule source = pinhole::SourceRule::signalled;
  bool caller_takes_tcp = true, callee_takes_tcp = true;
  bool has_gate = true;
  bool has_early = true;
};

struct View { // of one party: what it said
  const Description* description = nullptr;
  const std::vector<Fragment>* fragments = nullptr;
};

struct Needs {
  struct Flow { // packets of one direction pass
    std::uint16_t stream = 0;
    std::uint8_t component = 1;
    pinhole::FlowKey key;
    auto operator<=>(const Flow&) const = default;
  };
  struct Wait { // first packets are judged; the sink's index of its promise is 0
    pinhole::Sink sink;
    pinhole::Promise promise;
    auto operator<=>(const Wait&) const = default;
  };
  std::set<Flow> flows;
  std::set<Wait> waits;
  std::set<std::uint16_t> kept_connections; // streams that go on with the connection they have

  void add(const Needs& more);
  [[nodiscard]] bool has_component(std::uint16_t stream, std::uint8_t component) const;
  // Does somebody check there what a new path may be?
  [[nodiscard]] bool has_checks(std::uint16_t stream, std::uint8_t component) const;
};

[[nodiscard]] Needs needs_of_pair(const View& caller, const View& callee, Party offerer,
                                  const Terms& terms);
[[nodiscard]] Needs needs_of_offer(const View& offer, const Terms& terms);

// A default address of a stream is none of its owner's.
[[nodiscard]] bool is_denied(const Stream& stream);
// Everything is refused for its sake: no candidate could do instead.
[[nodiscard]] bool is_refused(const Description& description);

} // namespace midcom::firewall_test
