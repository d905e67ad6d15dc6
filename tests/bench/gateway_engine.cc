// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/gateway_engine.h"

#include <array>
#include <ctime>
#include <poll.h>
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
  auto kernel = NftKernel::open(open_queue_statistics());
  if (!kernel) throw std::runtime_error("netlink: " + std::string(to_string(kernel.error())));
  kernel_ = std::move(*kernel);
  middlebox_ = std::make_unique<Middlebox>(policy_, *kernel_);
  if (const auto started = middlebox_->start(now()); !started)
    throw std::runtime_error("nftables: " + std::string(to_string(started.error())));
  (void)middlebox_->take_replies();
}

void GatewayEngine::open(const std::vector<MediaFlow>& flows) {
  std::vector<request::SetGroup> groups;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (i % rules_of_group == 0)
      groups.push_back({1, group_id(++groups_), two_participants(), 3600, {}});
    groups.back().rules.push_back({.stream = static_cast<std::uint16_t>(i % rules_of_group),
                                   .a = flows[i].from,
                                   .b = flows[i].to});
  }
  ask(groups);
}

void GatewayEngine::ask(const std::vector<request::SetGroup>& groups) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    middlebox_->on_request(groups[i]);
    if ((i + 1) % groups_of_turn == 0 || i + 1 == groups.size()) middlebox_->commit(now());
  }
  for (const Reply& reply : middlebox_->take_replies()) {
    const auto* answer = std::get_if<reply::Done>(&reply);
    if (answer != nullptr && answer->result != Result::ok)
      throw std::runtime_error("a group was refused: " + std::string(to_string(answer->result)));
  }
}

bool GatewayEngine::serve(std::chrono::milliseconds wait) {
  std::array<pollfd, 2> ready{
      {{middlebox_->packet_fd(), POLLIN, 0}, {middlebox_->event_fd(), POLLIN, 0}}};
  const bool is_any = poll(ready.data(), ready.size(), static_cast<int>(wait.count())) > 0;
  if (ready[0].revents != 0) middlebox_->on_packets(now());
  if (ready[1].revents != 0) middlebox_->on_netlink_event(now());
  if (const auto due = middlebox_->next_deadline(); due && *due <= now().steady)
    middlebox_->on_timer(now());
  (void)middlebox_->take_replies();
  return is_any;
}

} // namespace midcom::bench
