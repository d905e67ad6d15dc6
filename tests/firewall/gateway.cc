// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/firewall/gateway.h"

#include <stdexcept>

#include "pinhole/features.h"
#include "tests/scenario/channel_pass.h"
#include "tests/scenario/config_text.h"

namespace midcom::firewall_test {

namespace {

constexpr const char* two_sides = "[midcomd]\nname = gw.example\n"
                                  "[listen a]\naddress = udp:10.9.0.1:5060\n"
                                  "[peer inside]\nkind = phones\nkeys = allow\n"
                                  "network = 10.1.0.0/16\nnetwork = 2001:db8:1::/48\n"
                                  "media = 10.1.0.0/24\nmedia = 2001:db8:1::/64\n"
                                  "media-source = SOURCE\ntcp-media = CALLER\n"
                                  "[peer outside]\nkind = phones\nkeys = allow\n"
                                  "network = 203.0.113.0/24\nnetwork = 2001:db8:2::/48\n"
                                  "media = 203.0.113.0/25\nmedia = 2001:db8:2::/64\n"
                                  "media-source = SOURCE\ntcp-media = CALLEE\n"
                                  "[media]\ninactivity = 0s\ninactivity-on-hold = 0s\n"
                                  "early = EARLY\n";

Config read_config(const Terms& terms) {
  std::string text = two_sides;
  const auto replace = [&](const std::string& word, const std::string& by) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
      text.replace(at, word.size(), by);
  };
  static constexpr const char* sources[] = {"signalled", "same-address", "any-verified"};
  replace("SOURCE", sources[static_cast<int>(terms.source)]);
  replace("CALLER", terms.caller_takes_tcp ? "yes" : "no");
  replace("CALLEE", terms.callee_takes_tcp ? "yes" : "no");
  replace("EARLY", terms.has_early ? "yes" : "no");
  Config config = scenario::config_of(text);
  config.policy.masked_features = terms.has_gate ? 0 : std::uint32_t{pinhole::gate};
  return config;
}

Secrets secrets() {
  Secrets all;
  all.group.fill(2);
  all.identity.fill(3);
  return all;
}

Disclosure disclosed(const std::string& sdp) {
  Disclosure body;
  if (!sdp.empty()) body.description = sdp;
  return body;
}

} // namespace

const Config& config_of(const Terms& terms) {
  static std::map<std::tuple<pinhole::SourceRule, bool, bool, bool, bool>, Config> known;
  const std::tuple key{terms.source, terms.caller_takes_tcp, terms.callee_takes_tcp, terms.has_gate,
                       terms.has_early};
  const auto found = known.find(key);
  return found != known.end() ? found->second
                              : known.emplace(key, read_config(terms)).first->second;
}

Gateway::Gateway(const Terms& terms)
    : config_(config_of(terms)), peers_(config_.agent), secrets_(secrets()),
      middlebox_(scenario::make_middlebox_side(config_.policy)),
      firewall_(config_.agent, peers_, secrets_, *this, *this,
                [this](const CallPtr& call, sip::TimePoint) { resume(call); }) {
  take(middlebox_->start(now_));
}

Gateway::~Gateway() = default;

FlowEntry Gateway::flow_of(Party party, int number) const {
  const bool is_caller = party == Party::caller;
  const std::string address = (is_caller ? "10.1.0." : "203.0.113.") + std::to_string(number);
  FlowEntry flow;
  flow.info.id = static_cast<FlowId>(is_caller ? number : 1000 + number);
  flow.info.remote = {*sip::IpAddress::parse(address), 5061};
  flow.info.identities = {"p" + std::to_string(flow.info.id) + ".example"};
  flow.peer = is_caller ? 0 : 1;
  flow.is_open = true;
  return flow;
}

void Gateway::write(const Event& event) {
  if (!event.field("sinks").empty()) lacks_room_ = true;
}

// As the proxy does when nothing of the call waits any more.
void Gateway::resume(const CallPtr& call) {
  firewall_.settle(call, now_);
  if (call->commit_failure != Reason::none)
    trouble_ += "refused: " + std::string(word_of(call->commit_failure)) + "\n";
  if (call->transactions == 0) firewall_.drop_when_done(call, now_);
}

void Gateway::take(std::vector<pinhole::Reply> replies) {
  for (const auto& each : replies) {
    const pinhole::Reply reply = scenario::through_channel(each);
    if (const auto* ready = std::get_if<pinhole::event::Ready>(&reply))
      firewall_.middlebox_up(ready->features, now_);
    if (const auto* done = std::get_if<pinhole::reply::Done>(&reply)) {
      auto asked = asked_.extract(done->transaction);
      const bool is_set = asked && done->result == pinhole::Result::ok;
      if (is_set) groups_[asked.mapped().group] = std::move(asked.mapped());
    }
    if (const auto* over = std::get_if<pinhole::event::GroupEvent>(&reply)) {
      groups_.erase(over->group);
      trouble_ += "a group ended by itself\n";
    }
    firewall_.pinholes().on_reply(reply, now_);
  }
}

void Gateway::settle() {
  while (!requests_.empty()) {
    std::vector<pinhole::Request> batch;
    for (const auto& request : std::exchange(requests_, {})) {
      batch.push_back(scenario::through_channel(request));
      if (const auto* set = std::get_if<pinhole::request::SetGroup>(&batch.back()))
        asked_.emplace(set->transaction, *set);
    }
    take(middlebox_->handle(batch, now_));
  }
}

Verdict Gateway::request(const sip::Message& request, const std::string& sdp, const FlowEntry& from,
                         Pass& pass) {
  const Verdict verdict = firewall_.on_request(request, disclosed(sdp), from, pass, now_);
  firewall_.attach(pass);
  settle();
  return verdict;
}

Verdict Gateway::ack(const sip::Message& request, const std::string& sdp, const FlowEntry& from) {
  Pass pass;
  const Verdict verdict = firewall_.on_request(request, disclosed(sdp), from, pass, now_);
  settle();
  if (pass.call) firewall_.drop_when_done(pass.call, now_);
  settle();
  return verdict;
}

void Gateway::response(const Pass& pass, const sip::Message& request, const sip::Message& response,
                       const std::string& sdp, const FlowEntry& from) {
  static_cast<void>(firewall_.on_response(pass, request, response, disclosed(sdp), from, now_));
  settle();
}

void Gateway::own_answer(const Pass& pass, const sip::Message& request, int status, Reason reason) {
  static_cast<void>(firewall_.on_own_answer(pass, request, status, reason, now_));
  settle();
}

void Gateway::finish(const Pass& pass) {
  firewall_.detach(pass, now_);
  settle();
}

void Gateway::pass_time(sip::Duration time) {
  const sip::TimePoint end = now_ + time;
  for (;;) {
    auto next = firewall_.next_deadline();
    if (const auto other = middlebox_->next_deadline(); other && (!next || *other < *next))
      next = other;
    if (!next || *next > end) break;
    now_ = std::max(now_, *next);
    firewall_.on_timer(now_);
    settle();
    take(middlebox_->on_timer(now_));
    settle();
  }
  now_ = end;
}

bool Gateway::deliver(const pinhole::FlowKey& key, const std::string& payload) {
  const auto number = middlebox_->deliver(key, payload, now_);
  take(middlebox_->take_replies());
  settle();
  return middlebox_->fate(number) == scenario::MiddleboxSide::Fate::passed;
}

std::set<pinhole::FlowKey> Gateway::flows() {
  std::set<pinhole::FlowKey> all;
  for (const auto& one : middlebox_->passing(now_))
    all.insert({one.source, one.destination, one.protocol});
  return all;
}

std::set<pinhole::FlowKey> Gateway::sinks() {
  const auto all = middlebox_->sinks(now_);
  return {all.begin(), all.end()};
}

std::set<Needs::Wait> Gateway::waits() {
  std::set<Needs::Wait> all;
  for (const auto& [group, set] : groups_)
    for (const auto& sink : set.sinks) {
      const auto& promise = set.promises[sink.promise];
      auto plain = sink;
      plain.promise = 0;
      all.insert({plain, promise});
    }
  return all;
}

} // namespace midcom::firewall_test
