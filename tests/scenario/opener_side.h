// SPDX-License-Identifier: GPL-3.0-or-later
// The opener processes as a World drives them: the real Opener behind the real encoding.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "daemon/opener.h"
#include "daemon/opener_port.h"

namespace midcom::scenario {

class OpenerSide final : public OpenerPort {
public:
  OpenerSide(std::size_t openers, OpenerMaterial material);

  [[nodiscard]] std::size_t size() const { return openers_.size(); }
  [[nodiscard]] bool has_requests() const { return !requests_.empty(); }
  // Answers the oldest one: which opener, and its reply.
  [[nodiscard]] std::pair<std::size_t, opener::Reply> run();
  void restart(); // new processes: what was asked of the old ones and what they kept is gone
  void forget_requests() { requests_.clear(); }       // their channels are gone
  [[nodiscard]] std::uint64_t key_operations() const; // of all processes so far

private:
  void send(std::size_t opener, const opener::Request& request) override;
  void reject(std::size_t opener) override;

  const OpenerMaterial material_;
  std::vector<std::unique_ptr<Opener>> openers_;
  std::deque<std::pair<std::size_t, opener::Request>> requests_;
  std::uint64_t operations_before_ = 0;
};

} // namespace midcom::scenario
