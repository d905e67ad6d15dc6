// SPDX-License-Identifier: GPL-3.0-or-later
// For any two descriptions: what a plan names is what the right one names, once, and who is called
// caller makes no difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sip/media_plan.h"
#include "tests/unit/sip/media_text.h"
#include "tests/unit/sip/random_descriptions.h"

namespace midcom::sip {
namespace {

using namespace test;

using Named = std::set<std::tuple<MediaTransport, Endpoint>>;

Named names_of(const Sdp& sdp, bool with_candidates) {
  Named all;
  auto addresses = receive_addresses(sdp);
  if (with_candidates) std::ranges::move(candidate_addresses(sdp), std::back_inserter(addresses));
  for (const ReceiveAddress& one : addresses)
    if (one.address && !one.is_hold) all.insert({one.transport, {*one.address, one.port}});
  return all;
}

bool names_sender(const Named& named, MediaTransport transport, const Endpoint& sender) {
  return std::ranges::any_of(named, [&](const auto& one) {
    return std::get<0>(one) == transport && std::get<1>(one).address == sender.address &&
           (sender.port == 0 || std::get<1>(one).port == sender.port);
  });
}

void check_flows(const MediaPlan& plan, const SessionPair& pair) {
  const Named caller = names_of(*pair.caller, false);
  const Named callee = names_of(*pair.callee, false);
  std::set<std::pair<Endpoint, Endpoint>> seen;
  for (const MediaFlow& flow : plan.flows) {
    ASSERT_EQ(flow.transport, MediaTransport::udp);
    ASSERT_TRUE(caller.contains({MediaTransport::udp, flow.caller}));
    ASSERT_TRUE(callee.contains({MediaTransport::udp, flow.callee}));
    ASSERT_EQ(flow.caller.address.family, flow.callee.address.family);
    ASSERT_TRUE(flow.from_caller || flow.from_callee);
    ASSERT_TRUE(flow.caller.port != 0 && flow.callee.port != 0);
    ASSERT_TRUE(seen.emplace(flow.caller, flow.callee).second);
    ASSERT_EQ(plan.streams.at(flow.stream).state, StreamState::open);
  }
}

void check_sink(const MediaSink& sink, const Named& receiver, const Named& sender) {
  ASSERT_TRUE(receiver.contains({sink.transport, sink.at})) << text_of(sink);
  ASSERT_NE(sink.at.port, 0);
  ASSERT_FALSE(sink.at.address.is_unspecified());
  ASSERT_LE(sink.senders.size(), max_media_senders);
  for (const Endpoint& one : sink.senders) {
    ASSERT_TRUE(names_sender(sender, sink.transport, one)) << text_of(sink);
    ASSERT_EQ(one.address.family, sink.at.address.family);
  }
  const bool has_kind =
      sink.has_stun || sink.has_dtls || sink.has_rtp || sink.has_rtcp || sink.has_udptl;
  ASSERT_EQ(has_kind, sink.transport == MediaTransport::udp) << text_of(sink);
  ASSERT_EQ(sink.has_stun, !sink.receiver_ufrag.empty());
  ASSERT_TRUE(sink.has_rtp || sink.payload_types.none());
  if (sink.is_exact) {
    ASSERT_FALSE(sink.has_stun);
    ASSERT_FALSE(sink.senders.empty());
  }
}

void check_sinks(const MediaPlan& plan, const Named& caller, const Named& callee) {
  std::set<std::tuple<Party, MediaTransport, Endpoint>> seen;
  for (const MediaSink& sink : plan.sinks) {
    const bool is_caller = sink.receiver == Party::caller;
    ASSERT_NO_FATAL_FAILURE(
        check_sink(sink, is_caller ? caller : callee, is_caller ? callee : caller));
    ASSERT_TRUE(seen.emplace(sink.receiver, sink.transport, sink.at).second);
    ASSERT_EQ(plan.streams.at(sink.stream).state, StreamState::open);
  }
}

bool is_in_order(const MediaPlan& plan) {
  const auto place = [](const auto& one) { return std::pair{one.stream, one.component}; };
  return std::ranges::is_sorted(plan.flows, {}, place) &&
         std::ranges::is_sorted(plan.sinks, {}, place);
}

// Everything of a plan as words, with the parties exchanged if asked.
std::multiset<std::string> words_of(const MediaPlan& plan, bool is_exchanged) {
  std::multiset<std::string> words;
  for (MediaFlow flow : plan.flows) {
    if (is_exchanged) {
      std::swap(flow.caller, flow.callee);
      std::swap(flow.from_caller, flow.from_callee);
    }
    words.insert(text_of(MediaPlan{{}, {flow}, {}, 0}));
  }
  for (const MediaSink& sink : plan.sinks) {
    const Party receiver = is_exchanged ? other(sink.receiver) : sink.receiver;
    words.insert(text_of(sink) + (receiver == Party::caller ? " caller" : " callee"));
  }
  for (const PlannedStream& stream : plan.streams)
    words.insert(std::to_string(stream.index) + " " +
                 std::to_string(static_cast<int>(stream.state)) + " " +
                 std::to_string(stream.carrier) + (stream.is_muxed ? " muxed" : ""));
  return words;
}

TEST(MediaProperties, PlansOfPairs) {
  RandomDescriptions random;
  std::size_t flows = 0;
  std::size_t sinks = 0;
  std::size_t bundled = 0;
  for (int round = 0; round < 4000; ++round) {
    random.choose_protocols();
    const SessionPair pair{random.next(caller_ip), random.next(callee_ip),
                           round % 2 == 0 ? Party::caller : Party::callee};
    const MediaPlan plan = plan_media(pair);
    SCOPED_TRACE(std::string(pair.caller->text()) + "\n" + std::string(pair.callee->text()) +
                 text_of(plan) + sinks_of(plan));
    ASSERT_EQ(plan.streams.size(), 3U);
    ASSERT_NO_FATAL_FAILURE(check_flows(plan, pair));
    ASSERT_NO_FATAL_FAILURE(
        check_sinks(plan, names_of(*pair.caller, true), names_of(*pair.callee, true)));
    ASSERT_TRUE(is_in_order(plan));
    ASSERT_EQ(words_of(plan, false),
              words_of(plan_media({pair.callee, pair.caller, other(pair.offerer)}), true));
    flows += plan.flows.size();
    sinks += plan.sinks.size();
    bundled += static_cast<std::size_t>(
        std::ranges::count(plan.streams, StreamState::bundled, &PlannedStream::state));
  }
  EXPECT_GT(flows, 1000U);
  EXPECT_GT(sinks, 2000U);
  EXPECT_GT(bundled, 100U);
}

TEST(MediaProperties, PlansOfOffers) {
  RandomDescriptions random;
  std::size_t sinks = 0;
  for (int round = 0; round < 4000; ++round) {
    random.choose_protocols();
    const SdpPtr offer = random.next(caller_ip);
    const MediaPlan plan = plan_offer(*offer, Party::callee);
    SCOPED_TRACE(std::string(offer->text()) + text_of(plan) + sinks_of(plan));
    ASSERT_TRUE(plan.flows.empty());
    ASSERT_TRUE(is_in_order(plan));
    ASSERT_NO_FATAL_FAILURE(check_sinks(plan, {}, names_of(*offer, true)));
    for (const MediaSink& sink : plan.sinks)
      ASSERT_TRUE(sink.awaits_answer && !sink.is_exact && sink.senders.empty() &&
                  sink.sender_ufrag.empty());
    sinks += plan.sinks.size();
  }
  EXPECT_GT(sinks, 2000U);
}

} // namespace
} // namespace midcom::sip
