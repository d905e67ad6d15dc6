// SPDX-License-Identifier: GPL-3.0-or-later
#include "pinhole/middlebox.h"

#include <gtest/gtest.h>

#include "pinhole/observe_kernel.h"
#include "tests/scenario/fake_kernel.cc" // the program links only the library under test
#include "tests/unit/pinhole/middlebox_fixture.h"

namespace midcom::pinhole {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(MiddleboxTest, OpensCountsAndCloses) {
  EXPECT_EQ(ready.description, "owner persist destroy-element timeout-update gate");
  EXPECT_FALSE(passes());
  EXPECT_EQ(done(open(1)).result, Result::ok);
  EXPECT_TRUE(passes());
  EXPECT_TRUE(kernel.passes(b, a, now().steady));
  EXPECT_FALSE(kernel.passes(a, at("192.0.2.1", 5001), now().steady));
  const auto status = done(request::Status{7, GroupId{1}});
  EXPECT_EQ(status.transaction, 7U);
  EXPECT_EQ(status.participants, pair);
  ASSERT_EQ(status.counters.size(), 2U);
  EXPECT_EQ(status.counters[0], (Counter{0, 1, a, b, 1, 200}));
  const auto closed = done(request::Release{8, GroupId{1}, pair[1]});
  EXPECT_EQ(closed.result, Result::ok);
  EXPECT_EQ(closed.counters.size(), 2U);
  EXPECT_FALSE(passes());
  EXPECT_EQ(done(request::Status{9, GroupId{1}}).result, Result::unknown_group);
}

TEST_F(MiddleboxTest, OneTurnIsOneBatch) {
  const auto replies = ask({open(1), open(2), request::Release{3, GroupId{1}, pair[0]},
                            request::ChangeLifetime{4, GroupId{2}, 50}});
  EXPECT_EQ(kernel.batches(), 1U);
  ASSERT_EQ(replies.size(), 4U);
  for (const Reply& each : replies) EXPECT_EQ(std::get<reply::Done>(each).result, Result::ok);
  EXPECT_EQ(kernel.size(now().steady), 2U);
  (void)ask({request::List{5}});
  EXPECT_EQ(kernel.batches(), 1U) << "nothing to change";
}

TEST_F(MiddleboxTest, RefusalsNeverReachTheKernel) {
  auto low_port = open(1);
  low_port.rules[0].b.port = 5;
  EXPECT_EQ(done(low_port).result, Result::forbidden_port);
  EXPECT_EQ(done(open(1, 0)).result, Result::lifetime);
  EXPECT_EQ(done(request::ChangeLifetime{1, GroupId{1}, 0}).result, Result::lifetime);
  EXPECT_EQ(done(request::ChangeLifetime{1, GroupId{1}, 1}).result, Result::unknown_group);
  EXPECT_EQ(done(request::Release{1, GroupId{1}, pair[0]}).result, Result::unknown_group);
  EXPECT_EQ(kernel.batches(), 0U);
}

TEST_F(MiddleboxTest, FullTableIsDecidedBeforeTheKernel) {
  policy.max_rules = 1;
  EXPECT_EQ(done(open(1)).result, Result::ok);
  auto second = open(2);
  second.rules[0].a.port = 4002;
  EXPECT_EQ(done(second).result, Result::table_full);
  EXPECT_EQ(kernel.batches(), 1U);
}

TEST_F(MiddleboxTest, RefreshesUntilTheDeadline) {
  (void)done(open(1, 600));
  for (int i = 0; i < 59; ++i) {
    pass(seconds(10));
    EXPECT_TRUE(passes()) << i;
  }
  EXPECT_EQ(box->take_replies().size(), 1U) << "the first packet";
  pass(seconds(10));
  EXPECT_FALSE(passes());
  const auto replies = box->take_replies();
  ASSERT_EQ(replies.size(), 1U);
  const auto& event = std::get<event::GroupEvent>(replies[0]);
  EXPECT_EQ(event.cause, event::Cause::expired);
  ASSERT_EQ(event.counters.size(), 2U);
  EXPECT_EQ(event.counters[0].packets, 59U);
  EXPECT_FALSE(box->next_deadline());
}

TEST_F(MiddleboxTest, DeadEngineFailsClosed) {
  (void)done(open(1));
  box.reset();
  elapsed += seconds(119);
  EXPECT_TRUE(passes());
  elapsed += seconds(2);
  EXPECT_FALSE(passes());
}

TEST_F(MiddleboxTest, RestartAdopts) {
  (void)done(open(1));
  elapsed += seconds(100);
  restart();
  EXPECT_EQ(ready.adopted_groups, 1U);
  EXPECT_EQ(ready.adopted_elements, 2U);
  pass(seconds(400));
  EXPECT_TRUE(passes());
  EXPECT_EQ(done(request::Release{1, GroupId{1}, Participant{.strong = {3}}}).result,
            Result::not_participant);
  EXPECT_EQ(done(request::Release{1, GroupId{1}, pair[0]}).result, Result::ok);
  EXPECT_FALSE(passes());
}

TEST_F(MiddleboxTest, FailedBatchAnswersKernelAndGoesOnFromTheKernel) {
  (void)done(open(1));
  kernel.fail_next_apply();
  auto second = open(2);
  second.rules[0].a.port = 4002;
  const auto replies = ask({second, request::Release{3, GroupId{1}, pair[0]}});
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(std::get<reply::Done>(replies[0]).result, Result::kernel);
  EXPECT_EQ(std::get<reply::Done>(replies[1]).result, Result::kernel);
  EXPECT_TRUE(passes()) << "nothing was changed";
  EXPECT_EQ(box->group_count(), 1U);
  EXPECT_EQ(done(request::Release{4, GroupId{1}, pair[0]}).result, Result::ok);
  EXPECT_FALSE(passes());
}

TEST_F(MiddleboxTest, RetriesUntilTheKernelIsBack) {
  auto second = open(2);
  second.rules[0].a.port = 4002;
  (void)done(open(1));
  kernel.flush();
  (void)kernel.take_damage(); // the event was lost
  EXPECT_EQ(std::get<reply::Done>(ask({second}).at(0)).result, Result::kernel);
  EXPECT_EQ(done(second).result, Result::kernel) << "out of step";
  ASSERT_TRUE(box->next_deadline());
  (void)kernel.repair({.base = true, .flows = true}); // somebody brings the tables back, empty
  pass(seconds(1));
  const auto replies = box->take_replies();
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(std::get<event::GroupEvent>(replies[0]).cause, event::Cause::lost);
  EXPECT_TRUE(std::holds_alternative<event::Ready>(replies[1]));
  EXPECT_EQ(done(open(1)).result, Result::ok);
  EXPECT_TRUE(passes());
}

// A failed batch costs milliseconds and holds up everybody's commits.
TEST_F(MiddleboxTest, AKernelThatRefusesIsNotAskedWithoutPause) {
  for (const std::uint32_t lifetime_s : {600U, 5U}) { // a refresh is due, an end
    (void)done(open(1, lifetime_s));
    kernel.set_failing(true);
    (void)done(open(1, lifetime_s + 1));
    const std::size_t batches = kernel.batches();
    const auto before = elapsed;
    for (int i = 0; i < 1000 && box->next_deadline() && elapsed < before + seconds(10); ++i) {
      elapsed = std::max(elapsed, std::chrono::ceil<milliseconds>(*box->next_deadline() - start));
      kernel.set_time(now().steady);
      box->on_timer(now());
    }
    EXPECT_LE(kernel.batches(), batches + 12);
    kernel.set_failing(false);
    pass(seconds(2));
    EXPECT_EQ(passes(), lifetime_s == 600);
  }
}

TEST_F(MiddleboxTest, RepairsFlushedTables) {
  (void)done(open(1));
  kernel.flush();
  EXPECT_TRUE(kernel.passes(a, at("192.0.2.1", 5001), now().steady)) << "the gap is open";
  box->on_netlink_event(now());
  EXPECT_FALSE(kernel.passes(a, at("192.0.2.1", 5001), now().steady));
  EXPECT_TRUE(passes());
  ASSERT_EQ(box->take_replies().size(), 1U);
  // At once again: somebody fights us, so it waits a little.
  kernel.flush();
  box->on_netlink_event(now());
  EXPECT_TRUE(box->take_replies().empty());
  pass(milliseconds(50));
  EXPECT_EQ(box->take_replies().size(), 1U);
  EXPECT_TRUE(passes());
}

TEST_F(MiddleboxTest, ABatchThatMeetsFlushedTablesStillSucceeds) {
  (void)done(open(1));
  kernel.flush();
  const auto replies = ask({open(2)});
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<event::TableRepaired>(replies[0]));
  EXPECT_EQ(std::get<reply::Done>(replies[1]).result, Result::ok);
  EXPECT_EQ(box->group_count(), 2U);
  EXPECT_TRUE(passes());
}

TEST_F(MiddleboxTest, ListsInPieces) {
  std::vector<Request> requests;
  for (int i = 0; i < 300; ++i) {
    auto request = open(0);
    request.group = {static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 1};
    request.rules[0].a.port = static_cast<std::uint16_t>(10000 + i);
    requests.emplace_back(request);
  }
  (void)ask(requests);
  const auto replies = ask({request::List{9}});
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_TRUE(std::get<reply::Groups>(replies[0]).more);
  EXPECT_FALSE(std::get<reply::Groups>(replies[1]).more);
  EXPECT_EQ(std::get<reply::Groups>(replies[1]).groups.size(), 44U);
}

TEST_F(MiddleboxTest, ObserveAnswersAndWritesNothing) {
  policy.mode = Mode::observe;
  ObserveKernel nothing;
  Middlebox observer(policy, nothing);
  ASSERT_TRUE(observer.start(now()));
  EXPECT_EQ(observer.event_fd(), -1);
  observer.on_request(open(1));
  auto bad = open(2);
  bad.rules[0].b.port = 1;
  observer.on_request(bad);
  observer.commit(now());
  const auto replies = observer.take_replies();
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(std::get<reply::Done>(replies[1]).result, Result::ok);
  EXPECT_EQ(std::get<reply::Done>(replies[2]).result, Result::forbidden_port);
}

} // namespace
} // namespace midcom::pinhole
