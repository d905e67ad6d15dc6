// SPDX-License-Identifier: GPL-3.0-or-later
// midcomd's middlebox engine at the gateway of tests/lab/three_hosts: the code and the kernel of
// the real process, without its loop.
#pragma once

#include <memory>
#include <vector>

#include "pinhole/middlebox.h"
#include "pinhole/nft_kernel.h"
#include "tests/bench/media_load.h"

namespace midcom::bench {

[[nodiscard]] pinhole::Instant now();
[[nodiscard]] pinhole::Policy gateway_policy(pinhole::Mode mode);
[[nodiscard]] pinhole::GroupId group_id(int number);
[[nodiscard]] pinhole::Participants two_participants();

class GatewayEngine {
public:
  GatewayEngine(const lab::ThreeHosts& hosts, pinhole::Policy policy); // throws runtime_error
  // One rule for each flow, in groups of a call's size.
  void open(const std::vector<MediaFlow>& flows);
  // In turns of several; throws std::runtime_error when one is refused.
  void ask(const std::vector<pinhole::request::SetGroup>& groups);
  // One turn of the process's loop: waits so long for packets or events. Was there anything?
  bool serve(std::chrono::milliseconds wait);
  [[nodiscard]] pinhole::Middlebox& middlebox() { return *middlebox_; }

private:
  pinhole::Policy policy_;
  std::unique_ptr<pinhole::NftKernel> kernel_;
  std::unique_ptr<pinhole::Middlebox> middlebox_;
  int groups_ = 0;
};

} // namespace midcom::bench
