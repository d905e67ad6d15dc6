// SPDX-License-Identifier: GPL-3.0-or-later
// The middlebox engine as one process at the gateway has it, over the real kernel.
#pragma once

#include <gtest/gtest.h>

#include <ctime>
#include <memory>
#include <poll.h>
#include <utility>
#include <vector>

#include "pinhole/middlebox.h"
#include "pinhole/nft_kernel.h"
#include "tests/lab/three_hosts.h"

namespace midcom::pinhole {

constexpr std::uint32_t like_6_1 = table_persist | destroy_element | timeout_update;
constexpr std::uint32_t without_owner = like_6_1 | table_owner;

inline Instant now() {
  return {std::chrono::steady_clock::now(), static_cast<std::uint64_t>(std::time(nullptr))};
}

inline Endpoint at(std::string_view address, int port) {
  return {*Address::parse(address), static_cast<std::uint16_t>(port)};
}

inline Policy make_policy(std::uint32_t masked) {
  Policy policy;
  policy.sides = {
      {"inside", {"to_a"}, {*Prefix::parse("192.0.2.0/24"), *Prefix::parse("2001:db8:a::/64")}},
      {"outside", {"to_b"}, {*Prefix::parse("198.51.100.0/24"), *Prefix::parse("2001:db8:b::/64")}},
  };
  policy.masked_features = masked;
  return policy;
}

inline Participants participants(std::uint8_t first, std::uint8_t second) {
  return {Participant{.strong = {first}, .network = {}},
          Participant{.strong = {}, .network = {second}}};
}

// One middlebox process: its sockets live in the gateway.
struct Engine {
  Engine(const lab::ThreeHosts& hosts, Policy with) : policy(std::move(with)) {
    const lab::Inside gateway(hosts.name('g'));
    kernel = NftKernel::open(open_queue_statistics()).value();
    middlebox = std::make_unique<Middlebox>(policy, *kernel);
    const auto started = middlebox->start(now());
    EXPECT_TRUE(started.has_value());
    ready = std::get<event::Ready>(middlebox->take_replies().at(0));
  }
  // Other replies are kept in `events`.
  reply::Done ask(const Request& request) {
    middlebox->on_request(request);
    middlebox->commit(now());
    take_events();
    EXPECT_TRUE(answer.has_value());
    return std::exchange(answer, {}).value();
  }
  Result open(const GroupId& group, const Endpoint& a, const Endpoint& b,
              std::uint32_t lifetime_s = 60) {
    return ask(request::SetGroup{1, group, participants(1, 2), lifetime_s, {{.a = a, .b = b}}})
        .result;
  }
  void take_events() {
    for (Reply& reply : middlebox->take_replies())
      if (auto* done = std::get_if<reply::Done>(&reply))
        answer = std::move(*done);
      else
        events.push_back(std::move(reply));
  }
  // Judges first packets until none has come for a while.
  void judge_packets(int quiet_ms = 50) {
    for (;;) {
      pollfd waiting{middlebox->packet_fd(), POLLIN, 0};
      if (poll(&waiting, 1, quiet_ms) <= 0) return take_events();
      middlebox->on_packets(now());
    }
  }
  template <class T>
  [[nodiscard]] std::vector<T> events_of() const {
    std::vector<T> found;
    for (const Reply& reply : events)
      if (const T* one = std::get_if<T>(&reply)) found.push_back(*one);
    return found;
  }
  Policy policy;
  std::unique_ptr<NftKernel> kernel;
  std::unique_ptr<Middlebox> middlebox;
  event::Ready ready;
  std::optional<reply::Done> answer;
  std::vector<Reply> events;
};

} // namespace midcom::pinhole
