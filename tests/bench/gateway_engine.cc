// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/gateway_engine.h"

#include <algorithm>
#include <ctime>
#include <stdexcept>
#include <utility>

namespace midcom::bench {

using namespace pinhole;

namespace {

constexpr std::size_t rules_of_group = 4, groups_of_turn = 16;

} // namespace

Instant now() {
  return {std::chrono::steady_clock::now(), static_cast<std::uint64_t>(std::time(nullptr))};
}

Policy gateway_policy(Mode mode) {
  Policy policy;
  policy.mode = mode;
  policy.sides = {{"inside", {"to_a"}, {*Prefix::parse("192.0.2.0/24")}},
                  {"outside", {"to_b"}, {*Prefix::parse("198.51.100.0/24")}}};
  policy.refresh_s = 600; // no turn of the loop is needed meanwhile
  return policy;
}

GroupId group_id(int number) {
  return {1, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
          static_cast<std::uint8_t>(number)};
}

Participants two_participants() {
  return {Participant{.strong = {1}, .network = {}}, Participant{.strong = {}, .network = {2}}};
}

GatewayEngine::GatewayEngine(const lab::ThreeHosts& hosts, Policy policy)
    : policy_(std::move(policy)) {
  const lab::Inside gateway(hosts.name('g'));
  auto kernel = NftKernel::open();
  if (!kernel) throw std::runtime_error("netlink: " + std::string(to_string(kernel.error())));
  kernel_ = std::move(*kernel);
  middlebox_ = std::make_unique<Middlebox>(policy_, *kernel_);
  if (const auto started = middlebox_->start(now()); !started)
    throw std::runtime_error("nftables: " + std::string(to_string(started.error())));
  (void)middlebox_->take_replies();
}

void GatewayEngine::open(const std::vector<MediaFlow>& flows) {
  for (std::size_t done = 0; done < flows.size();) {
    for (std::size_t i = 0; i < groups_of_turn && done < flows.size(); ++i) {
      request::SetGroup set{1, group_id(++groups_), two_participants(), 3600, {}};
      const std::size_t end = std::min(flows.size(), done + rules_of_group);
      for (; done < end; ++done)
        set.rules.push_back({.stream = static_cast<std::uint16_t>(set.rules.size()),
                             .a = flows[done].from,
                             .b = flows[done].to});
      middlebox_->on_request(std::move(set));
    }
    middlebox_->commit(now());
    for (const Reply& reply : middlebox_->take_replies()) {
      const auto* answer = std::get_if<reply::Done>(&reply);
      if (answer != nullptr && answer->result != Result::ok)
        throw std::runtime_error("a rule was refused: " + std::string(to_string(answer->result)));
    }
  }
}

} // namespace midcom::bench
