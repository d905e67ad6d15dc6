// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/firewall/call.h"

#include <algorithm>
#include <cstdlib>

namespace midcom::firewall_test {

namespace {

Terms terms_of(Dice& dice) {
  static constexpr pinhole::SourceRule sources[] = {pinhole::SourceRule::signalled,
                                                    pinhole::SourceRule::same_address,
                                                    pinhole::SourceRule::any_verified};
  Terms terms;
  terms.source = dice.pick(sources);
  terms.caller_takes_tcp = dice.happens(80);
  terms.has_gate = dice.happens(95);
  terms.has_early = dice.happens(95);
  return terms;
}

std::string text_of(const pinhole::FlowKey& key) {
  return key.source.to_string() + " -> " + key.destination.to_string() +
         (key.protocol == 6 ? " tcp" : "");
}

std::string text_of(const Needs::Wait& wait) {
  const auto& [sink, promise] = wait;
  std::string text = sink.at.to_string() + (sink.protocol == 6 ? " tcp" : "") + " m" +
                     std::to_string(sink.stream) + "." + std::to_string(sink.component) +
                     (sink.is_a ? " caller" : " callee") + " kinds " +
                     std::to_string(promise.kinds) + (promise.awaits_answer ? " awaits" : "") +
                     " " + promise.receiver_ufrag + ":" + promise.sender_ufrag + " session " +
                     std::to_string(promise.session) + " of";
  for (const auto& sender : promise.senders) text += " " + sender.to_string();
  return text;
}

} // namespace

Call::Call(unsigned seed, Counts& counts)
    : dice_(seed), counts_(counts), terms_(terms_of(dice_)), describer_(dice_), gateway_(terms_),
      reference_(terms_, known_), caller_(gateway_.flow_of(Party::caller, 10)),
      begun_(gateway_.now()) {
  note("seed " + std::to_string(seed) + " source " +
       std::to_string(static_cast<int>(terms_.source)) + (terms_.has_gate ? "" : " no gate") +
       (terms_.has_early ? "" : " no early") + (terms_.caller_takes_tcp ? "" : " no tcp"));
}

void Call::note(const std::string& text) {
  trace_ += text + "\n";
}

void Call::fail(const std::string& why) {
  note("FAILED: " + why);
  has_failed_ = true;
}

void Call::step() {
  struct Choice {
    unsigned weight;
    bool (Call::*act)();
  };
  static constexpr Choice choices[] = {
      {4, &Call::invite},       {14, &Call::provisional},
      {7, &Call::accept},       {4, &Call::reject},
      {14, &Call::prack},       {10, &Call::update},
      {8, &Call::reinvite},     {24, &Call::answer_pending},
      {18, &Call::acknowledge}, {10, &Call::trickle},
      {1, &Call::bye},          {5, &Call::repeat},
      {10, &Call::wait},        {14, &Call::packet},
      {3, &Call::accept_late},
  };
  for (int tries = 0; tries < 20; ++tries) {
    auto rest = dice_.below(146);
    for (const Choice& choice : choices) {
      if (rest >= choice.weight) {
        rest -= choice.weight;
        continue;
      }
      if ((this->*choice.act)()) return;
      break;
    }
  }
}

bool Call::compare() {
  const Needs required = reference_.required(), allowed = reference_.allowed();
  if (!gateway_.trouble().empty()) fail(gateway_.trouble());
  std::set<pinhole::FlowKey> wanted, tolerated, sinks;
  for (const auto& flow : required.flows) wanted.insert(flow.key);
  for (const auto& flow : allowed.flows) tolerated.insert(flow.key);
  const auto live = gateway_.flows();
  const auto waits = gateway_.waits();
  const bool is_short = gateway_.lacks_room();
  for (const auto& key : wanted)
    if (!is_short && !live.contains(key)) fail("not open: " + text_of(key));
  for (const auto& key : live)
    if (!tolerated.contains(key)) fail("open: " + text_of(key));
  for (const auto& wait : required.waits)
    if (!is_short && !waits.contains(wait)) fail("not waited for: " + text_of(wait));
  for (const auto& wait : waits) {
    if (!allowed.waits.contains(wait)) fail("waited for: " + text_of(wait));
    sinks.insert(pinhole::sink_key(wait.sink.protocol, wait.sink.at));
  }
  if (sinks != gateway_.sinks()) fail("the kernel waits elsewhere");
  if (std::getenv("MIDCOM_TRACE") != nullptr) {
    for (const auto& key : live)
      note("    " + text_of(key) + (wanted.contains(key) ? "" : "  (grace)"));
    for (const auto& wait : waits) note("    waits at " + text_of(wait));
  }
  if (live.size() > wanted.size()) ++counts_["within grace"];
  if (!live.empty()) ++counts_["compared with open flows"];
  return !has_failed_;
}

bool Call::run() {
  static_cast<void>(invite());
  for (auto steps = 10 + dice_.below(40); steps > 0; --steps) {
    step();
    if (!compare()) return false;
  }
  end_all();
  if (gateway_.lacks_room()) ++counts_["short of room"];
  const auto& seen = reference_.counts();
  counts_["ICE agreed"] += seen.ice;
  counts_["BUNDLE agreed"] += seen.bundles;
  counts_["TCP agreed"] += seen.tcp;
  counts_["ICE restart"] += seen.restarts;
  counts_["rolled back"] += seen.rollbacks;
  counts_["grace"] += seen.graces;
  return !has_failed_;
}

void Call::end_all() {
  note("the end");
  for (std::size_t i = 0; i < transactions_.size() && !has_failed_; ++i) {
    Transaction& one = transactions_[i];
    if (one.is_answered || one.method == sip::Method::bye) continue;
    respond(i, one.tag.empty() ? nullptr : find(one.tag), 487, false, nullptr);
    static_cast<void>(compare());
  }
  for (Leg& leg : legs_) {
    const auto* known = reference_.find(leg.tag);
    if (has_failed_ || known == nullptr || known->is_ended) continue;
    const auto number =
        send(sip::Method::bye, dice_.happens(50) ? Party::caller : Party::callee, &leg, nullptr);
    reference_.on_end(leg.tag);
    respond(number, &leg, 200, false, nullptr);
    static_cast<void>(compare());
  }
  if (!gateway_.flows().empty() || !gateway_.sinks().empty()) fail("something is left open");
  for (Transaction& one : transactions_) finish(one);
  gateway_.pass_time(std::chrono::seconds(1));
  if (gateway_.calls() != 0) fail("the call is still known");
}

} // namespace midcom::firewall_test
