// SPDX-License-Identifier: GPL-3.0-or-later
// The steps about receive addresses and the first packets that come to them.
#include "tests/scenario/gate_steps.h"

#include <algorithm>
#include <stdexcept>

#include "tests/scenario/runner.h"
#include "tests/unit/pinhole/made_packets.h"

namespace midcom::scenario {

namespace {

using Fate = MiddleboxSide::Fate;

Fate fate_named(const std::string& word) {
  if (word == "passed") return Fate::passed;
  if (word == "held") return Fate::held;
  if (word == "dropped") return Fate::dropped;
  throw std::runtime_error("passed, held or dropped: " + word);
}

std::string_view word_of(Fate fate) {
  return fate == Fate::passed ? "passed" : fate == Fate::held ? "held" : "dropped";
}

// "stun RECEIVER:SENDER [PASSWORD]", "rtp TYPE", "rtcp", "dtls", "udptl", "syn", "junk".
std::string payload_of(const std::vector<std::string>& words) {
  namespace made = pinhole::made;
  const auto& kind = words.at(0);
  if (kind == "stun") {
    made::Stun parts;
    parts.username = words.at(1);
    if (words.size() > 2)
      parts.password = words[2];
    else
      parts.proof = made::Stun::Proof::none;
    return made::stun(parts);
  }
  if (kind == "rtp") return made::rtp(static_cast<std::uint8_t>(std::stoi(words.at(1))));
  if (kind == "rtcp") return made::rtcp();
  if (kind == "dtls") return made::client_hello();
  if (kind == "udptl") return made::udptl();
  if (kind == "syn") return {};
  if (kind == "junk") return "nothing that anybody promised";
  throw std::runtime_error("no such packet: " + kind);
}

} // namespace

pinhole::Endpoint media_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  auto host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto address = pinhole::Address::parse(host);
  if (!address || colon == std::string::npos) throw std::runtime_error("no ADDRESS:PORT: " + text);
  return {*address, static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)))};
}

// Exactly these wait for first packets: a list of `ADDRESS:PORT [tcp]`, or none.
void Runner::expect_sinks(const Step& step) {
  std::vector<std::string> want, have;
  for (const auto& line : step.block)
    if (const auto words = words_of(line); !words.empty())
      want.push_back(media_endpoint(words[0]).to_string() +
                     (words.size() > 1 && words[1] == "tcp" ? " tcp" : ""));
  if (want.empty() && step.rest != "none")
    throw Failure(step.place, "EXPECT_SINKS none, or a list");
  for (const auto& key : world_->middlebox().sinks(world_->now()))
    have.push_back(key.destination.to_string() + (key.protocol == 6 ? " tcp" : ""));
  std::ranges::sort(want);
  std::ranges::sort(have);
  if (want == have) return;
  std::string text;
  for (const auto& sink : have) text += "\n  " + sink;
  throw Failure(step.place, "other sinks are there:" + text);
}

// GATE SOURCE > DESTINATION PACKET... passed|held|dropped [as NAME]
void Runner::gate(const Step& step) {
  auto words = words_of(step.rest);
  std::string name;
  if (words.size() > 2 && words[words.size() - 2] == "as") {
    name = words.back();
    words.resize(words.size() - 2);
  }
  if (words.size() < 5 || words[1] != ">")
    throw std::runtime_error("GATE SOURCE > DESTINATION PACKET... passed|held|dropped [as NAME]");
  const Fate wanted = fate_named(words.back());
  const std::vector<std::string> packet(words.begin() + 3, words.end() - 1);
  const std::uint8_t protocol = packet[0] == "syn" ? 6 : 17;
  const auto number = world_->deliver(
      {media_endpoint(words[0]), media_endpoint(words[2]), protocol}, payload_of(packet));
  world_->settle();
  if (!name.empty()) packets_[name] = number;
  const Fate fate = world_->middlebox().fate(number);
  if (fate != wanted) throw Failure(step.place, "it is " + std::string(word_of(fate)));
}

// EXPECT_FATE NAME passed|held|dropped
void Runner::expect_fate(const Step& step) {
  const auto words = words_of(step.rest);
  const Fate fate = world_->middlebox().fate(packets_.at(words.at(0)));
  if (fate != fate_named(words.at(1)))
    throw Failure(step.place, words[0] + " is " + std::string(word_of(fate)));
}

// The middlebox finds no queue when it starts again.
void Runner::lose_gate(const Step& step) {
  world_->middlebox().lose_gate(step.rest != "no");
}

} // namespace midcom::scenario
