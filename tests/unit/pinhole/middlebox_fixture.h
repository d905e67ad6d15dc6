// SPDX-License-Identifier: GPL-3.0-or-later
// An engine over a kernel in memory, and the time of both.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "pinhole/middlebox.h"
#include "tests/scenario/fake_kernel.h"

namespace midcom::pinhole {

inline const TimePoint start{std::chrono::seconds(1000)};

inline Endpoint at(std::string_view address, int port) {
  return {*Address::parse(address), static_cast<std::uint16_t>(port)};
}
inline const Endpoint a = at("10.0.0.1", 4000), b = at("192.0.2.1", 5000);
inline const Participants pair{Participant{.strong = {1}}, Participant{.strong = {2}}};

class MiddleboxTest : public testing::Test {
protected:
  MiddleboxTest() {
    policy.sides = {{"in", {}, {*Prefix::parse("10.0.0.0/8")}},
                    {"out", {}, {*Prefix::parse("192.0.2.0/24")}}};
    policy.max_rules = 300;
    restart();
  }
  Instant now() const {
    return {start + elapsed,
            1'700'000'000U + static_cast<unsigned>(elapsed / std::chrono::seconds(1))};
  }
  void restart() {
    box = std::make_unique<Middlebox>(policy, kernel);
    kernel.set_time(now().steady);
    ASSERT_TRUE(box->start(now()));
    ready = std::get<event::Ready>(box->take_replies().at(0));
  }
  void pass(std::chrono::milliseconds time) {
    const Instant until{now().steady + time, 0};
    while (box->next_deadline() && *box->next_deadline() <= until.steady) {
      elapsed = std::max(
          elapsed, std::chrono::ceil<std::chrono::milliseconds>(*box->next_deadline() - start));
      kernel.set_time(now().steady);
      box->on_timer(now());
    }
    elapsed = std::chrono::floor<std::chrono::milliseconds>(until.steady - start);
    kernel.set_time(now().steady);
  }
  std::vector<Reply> ask(std::vector<Request> requests) {
    kernel.set_time(now().steady);
    for (const Request& request : requests) box->on_request(request);
    box->commit(now());
    return box->take_replies();
  }
  reply::Done done(const Request& request) {
    for (const Reply& reply : ask({request}))
      if (const auto* answer = std::get_if<reply::Done>(&reply)) return *answer;
    ADD_FAILURE() << "no answer";
    return {};
  }
  static request::SetGroup open(std::uint8_t group, std::uint32_t lifetime_s = 600) {
    return {group, GroupId{group}, pair, lifetime_s, {{.a = a, .b = b}}};
  }
  bool passes() { return kernel.passes(a, b, now().steady); }

  Policy policy;
  FakeKernel kernel;
  std::chrono::milliseconds elapsed{0};
  std::unique_ptr<Middlebox> box;
  event::Ready ready;
};

} // namespace midcom::pinhole
