// SPDX-License-Identifier: GPL-3.0-or-later
// Random sequences of groups, packets, answers and time, against what may never happen.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "made_packets.h"
#include "pinhole/gate.h"

namespace midcom::pinhole {
namespace {

using made::at;
using std::chrono::milliseconds;

// A packet of which is known without reading it what it proves.
struct Sample {
  std::string payload;
  Kind kind;
  std::string_view ufrag = "";    // STUN: the sender's
  bool is_password_right = false; // STUN
};

const std::vector<Sample> samples = {
    {made::stun({.username = "recv:one"}), kind_stun, "one", true},
    {made::stun({.username = "recv:two"}), kind_stun, "two", true},
    {made::stun({.username = "recv:one", .password = "guessed"}), kind_stun, "one", false},
    {made::client_hello(), kind_dtls},
    {made::rtp(0), kind_rtp},
    {made::rtcp(), kind_rtcp},
    {made::udptl(), kind_udptl},
};
const std::vector<Endpoint> receivers = {at("10.0.0.1", 4000), at("10.0.0.1", 4002),
                                         at("2001:db8::1", 4000)};
const std::vector<Endpoint> senders = {at("192.0.2.7", 5004), at("192.0.2.7", 6000),
                                       at("192.0.2.8", 5004)};

// The rules of promise.h once more, by what the sample is known to be.
bool fits(const Sample& sample, const Promise& promise) {
  if ((promise.kinds & sample.kind) == 0) return false;
  if (sample.kind != kind_stun) return true;
  const bool is_password_fine = promise.receiver_password.empty() || sample.is_password_right;
  return is_password_fine && (promise.sender_ufrag.empty() || promise.sender_ufrag == sample.ufrag);
}

bool may_admit(const Sample& sample, const Endpoint& source, const Promise& promise) {
  if (promise.awaits_answer || !fits(sample, promise)) return false;
  if (promise.source == SourceRule::any_verified && sample.kind == kind_stun) return true;
  return std::ranges::any_of(promise.senders, [&](const Endpoint& sender) {
    return promise.source == SourceRule::signalled ? sender == source
                                                   : sender.address == source.address;
  });
}

class GateWorld {
public:
  explicit GateWorld(unsigned seed) : random_(seed) {}
  void step();
  void finish();
  [[nodiscard]] std::size_t count_of(std::string_view word) const {
    const auto found = told_.find(word);
    return found == told_.end() ? 0 : found->second;
  }

private:
  struct Sent {
    std::size_t sample;
    FlowKey key;
    TimePoint due;
  };
  struct Held {
    std::vector<Sink> sinks;
    std::vector<Promise> promises;
  };

  int pick(int count) { return std::uniform_int_distribution(0, count - 1)(random_); }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(pick(static_cast<int>(list.size())))];
  }
  Promise make_promise();
  void change_group();
  void send();
  void reconsider();
  void let_time_pass();
  void check_bounds();
  void take(const std::vector<Gate::Judged>& judged);
  void check_admit(const Gate::Admit& admit, const Sent& sent);
  [[nodiscard]] bool is_awaited(const Sent& sent) const;

  std::mt19937 random_;
  GateLimits limits_{.parked_per_flow = 4, .parked_per_group = 8, .parked = 12};
  Gate gate_{limits_};
  TimePoint now_{std::chrono::seconds(1)};
  std::uint32_t last_id_ = 0;
  std::map<int, Held> groups_;
  std::map<std::uint32_t, Sent> parked_;
  std::set<FlowKey> open_;
  std::map<std::string, std::size_t, std::less<>> told_;
};

Promise GateWorld::make_promise() {
  Promise made;
  made.kinds = static_cast<std::uint8_t>(pick(64));
  made.awaits_answer = pick(2) == 0;
  made.source = static_cast<SourceRule>(pick(3));
  for (int i = pick(3); i > 0; --i) made.senders.push_back(one_of(senders));
  made.payload_types[0] = 1;
  made.receiver_ufrag = "recv";
  if (pick(2) == 0) made.receiver_password = made::Stun{}.password;
  if (!made.awaits_answer || pick(2) == 0) made.sender_ufrag = pick(2) == 0 ? "one" : "two";
  return made;
}

void GateWorld::change_group() {
  const int id = pick(4);
  Held& held = groups_[id];
  held = {};
  for (int i = pick(4); i > 0; --i) {
    held.sinks.push_back({.at = one_of(receivers),
                          .is_a = pick(2) == 0,
                          .promise = static_cast<std::uint8_t>(held.promises.size())});
    held.promises.push_back(make_promise());
  }
  gate_.set_group({static_cast<std::uint8_t>(id)}, held.sinks, held.promises);
}

bool GateWorld::is_awaited(const Sent& sent) const {
  return std::ranges::any_of(groups_, [&](const auto& group) {
    return std::ranges::any_of(group.second.sinks, [&](const Sink& sink) {
      const Promise& promise = group.second.promises[sink.promise];
      return sink.at == sent.key.destination && promise.awaits_answer &&
             fits(samples[sent.sample], promise);
    });
  });
}

void GateWorld::check_admit(const Gate::Admit& admit, const Sent& sent) {
  ++told_["admit"];
  const Held& held = groups_[admit.group[0]];
  const bool is_allowed = std::ranges::any_of(held.sinks, [&](const Sink& sink) {
    const Endpoint& a = sink.is_a ? sent.key.destination : sent.key.source;
    const Endpoint& b = sink.is_a ? sent.key.source : sent.key.destination;
    return sink.at == sent.key.destination && admit.rule == Rule{.a = a, .b = b} &&
           admit.kind == samples[sent.sample].kind &&
           may_admit(samples[sent.sample], sent.key.source, held.promises[sink.promise]);
  });
  EXPECT_TRUE(is_allowed);
  if (pick(4) == 0)
    gate_.take_back(admit);
  else if (pick(2) == 0)
    open_.insert(sent.key);
}

void GateWorld::send() {
  Sent sent{.sample = static_cast<std::size_t>(pick(static_cast<int>(samples.size()))),
            .key = {one_of(senders), one_of(receivers)},
            .due = now_ + limits_.parked_life};
  while (sent.key.source.address.family != sent.key.destination.address.family)
    sent.key.destination = one_of(receivers);
  const std::string packet =
      made::udp(sent.key.source, sent.key.destination, samples[sent.sample].payload);
  const auto judged = gate_.on_packet({++last_id_, packet}, now_);
  EXPECT_EQ(judged.id, last_id_);
  EXPECT_EQ(judged.key, sent.key);
  EXPECT_FALSE(std::holds_alternative<Gate::Pass>(judged.decision));
  if (const auto* admit = std::get_if<Gate::Admit>(&judged.decision)) check_admit(*admit, sent);
  if (const auto* drop = std::get_if<Gate::Drop>(&judged.decision)) {
    ++told_[std::string(to_string(drop->reason))];
    EXPECT_EQ(is_awaited(sent), drop->reason == GateReason::too_many_parked);
  }
  if (std::holds_alternative<Gate::Park>(judged.decision)) parked_.emplace(last_id_, sent);
}

void GateWorld::take(const std::vector<Gate::Judged>& judged) {
  EXPECT_TRUE(std::ranges::is_sorted(judged, {}, &Gate::Judged::id)) << "order of arrival";
  for (const Gate::Judged& one : judged) {
    const auto sent = parked_.find(one.id);
    ASSERT_NE(sent, parked_.end()) << "told twice, or never parked";
    EXPECT_EQ(one.key, sent->second.key);
    EXPECT_FALSE(std::holds_alternative<Gate::Park>(one.decision));
    if (const auto* admit = std::get_if<Gate::Admit>(&one.decision))
      check_admit(*admit, sent->second);
    parked_.erase(sent);
  }
}

void GateWorld::reconsider() {
  const std::set<FlowKey> open = open_;
  const auto judged = gate_.reconsider([&](const FlowKey& key) { return open.contains(key); });
  for (const Gate::Judged& one : judged) {
    const bool passes = std::holds_alternative<Gate::Pass>(one.decision);
    EXPECT_EQ(passes, open.contains(one.key));
    if (passes) ++told_["pass"];
  }
  take(judged);
  for (const auto& [id, sent] : parked_) EXPECT_FALSE(open.contains(sent.key)) << "left behind";
  if (pick(4) == 0) open_.clear();
}

void GateWorld::let_time_pass() {
  now_ += milliseconds(pick(400));
  const auto judged = gate_.take_due(now_);
  take(judged);
  for (const auto& [id, sent] : parked_) EXPECT_GT(sent.due, now_);
  for (const Gate::Judged& one : judged)
    EXPECT_EQ(std::get<Gate::Drop>(one.decision).reason, GateReason::not_answered);
}

void GateWorld::check_bounds() {
  EXPECT_EQ(gate_.parked(), parked_.size());
  EXPECT_LE(gate_.parked(), limits_.parked);
  std::map<FlowKey, std::size_t> flows;
  for (const auto& [id, sent] : parked_) EXPECT_LE(++flows[sent.key], limits_.parked_per_flow);
  if (parked_.empty())
    EXPECT_EQ(gate_.next_due(), std::nullopt);
  else
    EXPECT_EQ(gate_.next_due(), parked_.begin()->second.due);
}

void GateWorld::step() {
  const int what = pick(16);
  if (what == 0)
    change_group();
  else if (what == 1)
    reconsider();
  else if (what == 2)
    let_time_pass();
  else
    send();
  check_bounds();
}

void GateWorld::finish() {
  for (const auto& [id, held] : groups_) gate_.set_group({static_cast<std::uint8_t>(id)}, {}, {});
  groups_.clear();
  open_.clear();
  reconsider();
  // What waited behind an admitted one was judged at a change: nobody is left.
  EXPECT_EQ(gate_.parked(), 0U);
  check_bounds();
}

TEST(GatePropertyTest, RandomSequences) {
  std::size_t admitted = 0, passed = 0, refused = 0;
  for (unsigned seed = 0; seed < 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    GateWorld world(seed);
    for (int i = 0; i < 1000; ++i) world.step();
    world.finish();
    admitted += world.count_of("admit");
    passed += world.count_of("pass");
    refused += world.count_of("too-many-parked") + world.count_of("too-many-admitted");
  }
  // The sequences reach what they are for.
  EXPECT_GT(admitted, 100U);
  EXPECT_GT(passed, 100U);
  EXPECT_GT(refused, 100U);
}

} // namespace
} // namespace midcom::pinhole
