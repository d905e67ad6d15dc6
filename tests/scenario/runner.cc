// SPDX-License-Identifier: GPL-3.0-or-later
// The steps that act; those that expect are in expectations.cc.
#include "tests/scenario/runner.h"

#include <algorithm>
#include <stdexcept>

#include "sip/e2m/certs_only.h"
#include "tests/scenario/config_text.h"

namespace midcom::scenario {

namespace {

Transport transport_of(const std::string& word) {
  if (word == "udp") return Transport::udp;
  if (word == "tcp") return Transport::tcp;
  if (word == "tls") return Transport::tls;
  throw std::runtime_error("no transport: " + word);
}

std::string via_name(Transport transport) {
  return transport == Transport::udp ? "UDP" : transport == Transport::tcp ? "TCP" : "TLS";
}

sip::Endpoint endpoint_of(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error("no ADDRESS:PORT: " + text);
  auto host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto address = sip::IpAddress::parse(host);
  if (!address) throw std::runtime_error("no address: " + host);
  return {*address, static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)))};
}

sip::Duration duration_of(const std::string& text) {
  std::size_t digits = 0;
  const auto number = std::stol(text, &digits);
  const auto unit = text.substr(digits);
  if (unit == "ms") return std::chrono::milliseconds(number);
  if (unit == "s") return std::chrono::seconds(number);
  if (unit == "m") return std::chrono::minutes(number);
  if (unit == "h") return std::chrono::hours(number);
  throw std::runtime_error("no duration: " + text);
}

std::string first_word(const std::string& text) {
  const auto words = words_of(text);
  if (words.empty()) throw std::runtime_error("a word is missing");
  return words[0];
}

} // namespace

const Runner::Row Runner::rows[] = {
    {"CONFIG", &Runner::config},
    {"CONTACTS", &Runner::contacts},
    {"FLOW", &Runner::flow},
    {"TARGET", &Runner::target},
    {"RECV", &Runner::receive},
    {"RECV_RAW", &Runner::receive_raw},
    {"REPEAT", &Runner::repeat},
    {"REPLY", &Runner::reply},
    {"FORWARD", &Runner::forward},
    {"EXPECT_SEND", &Runner::expect_send},
    {"EXPECT_NOTHING", &Runner::expect_nothing},
    {"EXPECT_UNCHANGED", &Runner::expect_unchanged},
    {"EXPECT_BODY_IDENTICAL", &Runner::expect_body_identical},
    {"EXPECT_RULES", &Runner::expect_rules},
    {"EXPECT_SINKS", &Runner::expect_sinks},
    {"GATE", &Runner::gate},
    {"EXPECT_FATE", &Runner::expect_fate},
    {"LOSE_GATE", &Runner::lose_gate},
    {"EXPECT_PASS", &Runner::expect_pass},
    {"EXPECT_BLOCKED", &Runner::expect_blocked},
    {"EXPECT_LOG", &Runner::expect_log},
    {"EXPECT_NO_LOG", &Runner::expect_no_log},
    {"EXPECT_NOT_IN_LOG", &Runner::expect_not_in_log},
    {"EXPECT_COUNTS", &Runner::expect_counts},
    {"EXPECT_CONNECT", &Runner::expect_connect},
    {"EXPECT_CLOSED", &Runner::expect_closed},
    {"PASS", &Runner::pass},
    {"HOLD_MIDDLEBOX", &Runner::hold_middlebox},
    {"RELEASE_MIDDLEBOX", &Runner::release_middlebox},
    {"FAIL_MIDDLEBOX", &Runner::fail_middlebox},
    {"START_MIDDLEBOX", &Runner::start_middlebox},
    {"FAIL_COMMITS", &Runner::fail_commits},
    {"RESTART", &Runner::restart},
    {"HOLD_OPENERS", &Runner::hold_openers},
    {"RELEASE_OPENERS", &Runner::release_openers},
    {"RESTART_OPENERS", &Runner::restart_openers},
    {"EXPECT_KEY_OPERATIONS", &Runner::expect_key_operations},
    {"EXPECT_OPENED", &Runner::expect_opened},
    {"NAMES", &Runner::names},
    {"HOLD_NAMES", &Runner::hold_names},
    {"RELEASE_NAMES", &Runner::release_names},
    {"EXPECT_LOOKUPS", &Runner::expect_lookups},
    {"CLOSE", &Runner::close},
    {"BREAK", &Runner::break_stream},
    {"CONNECT_OK", &Runner::connect_ok},
    {"CONNECT_FAIL", &Runner::connect_fail},
    {"CONNECT_HOLD", &Runner::connect_hold},
    {"SET", &Runner::set},
    {"IGNORE", &Runner::ignore},
};

Runner::Runner(const std::string& name) : parties_(name + "@test") {}

void Runner::run(const std::vector<Step>& steps) {
  for (const auto& step : steps) run_step(step);
  if (!steps.empty()) check_rest(steps.back());
}

void Runner::run_step(Step step) {
  try {
    step.rest = parties_.expand(step.rest);
    for (auto& line : step.block) line = parties_.expand(line);
    const auto row = std::ranges::find_if(
        rows, [&](const Row& candidate) { return step.command == candidate.command; });
    if (row == std::end(rows)) throw std::runtime_error("no such command: " + step.command);
    note("-- " + step.place.to_string() + " " + step.command + " " + step.rest);
    const bool comes_before =
        step.command == "CONFIG" || step.command == "TARGET" || step.command == "CONTACTS";
    if (!comes_before && !world_) make_world();
    (this->*row->run)(step);
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& error) {
    throw Failure(step.place, step.command + " " + step.rest + ": " + error.what());
  }
}

void Runner::note(const std::string& text) {
  trace_ += text + "\n";
}

void Runner::make_world() {
  const auto config = config_of(config_text_);
  World::Hooks hooks;
  hooks.sent = [this](FlowId flow, const std::string& bytes) {
    const auto& name = names_[flow];
    note("   to " + name + ":\n" + bytes);
    auto& party = parties_.of(name);
    party.inbox.push_back(Wire::parse(bytes));
    party.raw_inbox.push_back(bytes);
  };
  hooks.connecting = [this](FlowId flow, const Target& target, std::vector<std::string>& names) {
    auto& destination = destinations_[{target.transport, target.address}];
    if (destination.name.empty())
      destination.name =
          std::string(to_string(target.transport)) + ":" + target.address.to_string();
    if (!destination.identities.empty()) names = destination.identities;
    names_[flow] = destination.name;
    connects_.push_back(destination.name);
    note("   connects to " + destination.name);
    auto& party = parties_.of(destination.name);
    if (destination.outcome != World::ConnectOutcome::fail) party.flow = flow;
    party.sent_by = target.address.to_string();
    party.transport = via_name(target.transport);
    return destination.outcome;
  };
  hooks.closed = [this](FlowId flow) {
    note("   closed " + names_[flow]);
    if (parties_.of(names_[flow]).flow == flow) closed_.insert(names_[flow]);
  };
  OpenerMaterial material;
  auto agent = config.agent;
  if (agent.smime.openers > 0) {
    sealing_ = std::make_unique<Sealing>();
    material = sealing_->opener_material(agent);
    for (const auto& name : contacts_)
      agent.endpoint.contacts.push_back(sealing_->of(name).certificate.der());
  }
  world_ = std::make_unique<World>(std::move(agent), config.policy, std::move(hooks), 1,
                                   std::move(material));
  world_->settle();
}

void Runner::config(const Step& step) {
  for (const auto& line : step.block) config_text_ += line + "\n";
}

// Whose certificates an endpoint's `contacts` hold.
void Runner::contacts(const Step& step) {
  contacts_ = words_of(step.rest);
}

void Runner::flow(const Step& step) {
  const auto words = words_of(step.rest);
  if (words.size() < 5 || words[3] != "->")
    throw std::runtime_error("FLOW NAME TRANSPORT ADDRESS:PORT -> LISTENER [identity NAME ...]");
  FlowInfo info;
  info.transport = transport_of(words[1]);
  info.remote = endpoint_of(words[2]);
  const auto& listeners = world_->config().listeners;
  const auto listener = std::ranges::find(listeners, words[4], &ListenerConfig::name);
  if (listener == listeners.end()) throw std::runtime_error("no listener " + words[4]);
  info.listener = static_cast<std::size_t>(listener - listeners.begin());
  if (info.transport != listener->transport) throw std::runtime_error("the listener's transport");
  if (info.transport == Transport::tls) info.tls_version = "1.3";
  if (words.size() > 5) info.identities.assign(words.begin() + 6, words.end());
  auto& party = parties_.of(words[0]);
  party.sent_by = words[2];
  party.transport = via_name(info.transport);
  party.flow = world_->open(info);
  names_[party.flow] = words[0];
  closed_.erase(words[0]);
  world_->settle();
}

void Runner::target(const Step& step) {
  const auto words = words_of(step.rest);
  if (words.size() < 3) throw std::runtime_error("TARGET NAME TRANSPORT ADDRESS:PORT [identity]");
  auto& destination = destinations_[{transport_of(words[1]), endpoint_of(words[2])}];
  destination.name = words[0];
  if (words.size() > 4) destination.identities.assign(words.begin() + 4, words.end());
  auto& party = parties_.of(words[0]);
  party.sent_by = words[2];
  party.transport = via_name(transport_of(words[1]));
}

// "Seal: ..." and "Copy-Body: NAME KEY" (what NAME sent under that key) are done last, when all the
// fields are there that a signature binds.
void Runner::settle_and_give(const std::string& name, Wire wire) {
  if (wire.has("Seal")) {
    const auto options = wire.header("Seal");
    wire.remove("Seal");
    if (!sealing_) throw std::runtime_error("Seal: needs [smime]");
    sealing_->apply(wire, options, world_->wall_clock());
  }
  if (wire.has("Offer")) { // "Offer: NAME [certs-only]": that certificate as the body
    const auto words = words_of(wire.header("Offer"));
    const std::string der = sealing_->of(words.at(0)).certificate.der();
    wire.remove("Offer");
    wire.add("Content-Type", words.size() > 1 ? "application/pkcs7-mime; smime-type=certs-only"
                                              : "application/pkix-cert");
    wire.body = words.size() > 1 ? sip::e2m::write_certs_only({&der, 1}) : der;
  }
  if (wire.has("Copy-Body")) {
    const auto words = words_of(wire.header("Copy-Body"));
    const Wire& source = parties_.of(words.at(0)).given.at(words.at(1));
    wire.remove("Copy-Body");
    for (const auto* header : {"Content-Type", "Content-ID", "Proxy-Inspect-Body"})
      for (const auto& line : source.lines(header)) wire.add(header, line);
    wire.body = source.body;
  }
  const auto bytes = wire.to_bytes();
  note("   from " + name + ":\n" + bytes);
  parties_.sent(name, wire, bytes);
  last_given_ = wire;
  world_->receive(parties_.of(name).flow, bytes);
  world_->settle();
}

void Runner::receive(const Step& step) {
  const auto name = first_word(step.rest);
  settle_and_give(name, parties_.request(name, step.block));
}

void Runner::receive_raw(const Step& step) {
  const auto name = first_word(step.rest);
  std::string bytes;
  bool in_body = false;
  for (const auto& line : step.block) {
    in_body = in_body || line.empty();
    bytes += line + "\r\n";
  }
  if (!in_body) bytes += "\r\n";
  for (const auto& [mark, octet] : {std::pair{"\\0", '\0'}, {"\\r", '\r'}, {"\\n", '\n'}})
    for (std::size_t at = 0; (at = bytes.find(mark, at)) != std::string::npos;)
      bytes.replace(at, 2, 1, octet);
  note("   from " + name + " (raw):\n" + bytes);
  last_given_ = Wire::parse(bytes);
  parties_.sent(name, last_given_, bytes);
  world_->receive(parties_.of(name).flow, bytes);
  world_->settle();
}

void Runner::repeat(const Step& step) {
  const auto name = first_word(step.rest);
  note("   again from " + name);
  world_->receive(parties_.of(name).flow, parties_.of(name).last_given_bytes);
  world_->settle();
}

void Runner::reply(const Step& step) {
  auto words = words_of(step.rest);
  if (words.size() < 3) throw std::runtime_error("REPLY NAME METHOD STATUS [REASON] [tag=TAG]");
  std::string tag, status;
  if (words.back().starts_with("tag=")) {
    tag = words.back().substr(4);
    words.pop_back();
  }
  for (std::size_t i = 2; i < words.size(); ++i) status += (i > 2 ? " " : "") + words[i];
  if (words.size() == 3) status += " Reason";
  settle_and_give(words[0], parties_.response(words[0], words[1], status, tag, step.block));
}

void Runner::forward(const Step& step) {
  const auto words = words_of(step.rest);
  if (words.size() < 2) throw std::runtime_error("FORWARD NAME METHOD|STATUS [uri=] [route=]");
  std::map<std::string, std::string> options;
  for (std::size_t i = 2; i < words.size(); ++i)
    options[words[i].substr(0, words[i].find('='))] = words[i].substr(words[i].find('=') + 1);
  settle_and_give(words[0], parties_.forward(words[0], words[1], options));
}

void Runner::pass(const Step& step) {
  world_->pass(duration_of(first_word(step.rest)));
}

void Runner::hold_middlebox(const Step&) {
  world_->hold_middlebox(true);
}

void Runner::release_middlebox(const Step&) {
  world_->hold_middlebox(false);
  world_->settle();
}

void Runner::fail_middlebox(const Step&) {
  world_->stop_middlebox();
  world_->settle();
}

void Runner::start_middlebox(const Step&) {
  world_->start_middlebox();
  world_->settle();
}

void Runner::fail_commits(const Step& step) {
  world_->middlebox().fail_commits(step.rest != "no");
}

void Runner::restart(const Step& step) {
  if (step.rest != "agent") world_->stop_middlebox();
  if (step.rest != "middlebox") world_->restart_agent();
  if (step.rest != "agent") world_->start_middlebox();
  world_->settle();
}

void Runner::hold_openers(const Step&) {
  world_->hold_openers(true);
}

void Runner::release_openers(const Step&) {
  world_->hold_openers(false);
  world_->settle();
}

void Runner::restart_openers(const Step&) {
  world_->restart_openers();
  world_->settle();
}

void Runner::close(const Step& step) {
  world_->hang_up(parties_.of(first_word(step.rest)).flow);
  world_->settle();
}

void Runner::break_stream(const Step& step) {
  std::string head;
  for (const auto& line : step.block) head += line + "\r\n";
  const auto words = words_of(step.rest);
  const auto error = words.size() > 1 && words[1] == "not-sip"    ? sip::Error::not_sip
                     : words.size() > 1 && words[1] == "too-long" ? sip::Error::too_long
                                                                  : sip::Error::bad_content_length;
  world_->break_stream(parties_.of(words.at(0)).flow, error, head);
  world_->settle();
}

void Runner::connect_ok(const Step& step) {
  for (auto& [target, destination] : destinations_)
    if (destination.name == step.rest) destination.outcome = World::ConnectOutcome::succeed;
  const auto flow = parties_.of(step.rest).flow;
  world_->finish_connect(flow, World::ConnectOutcome::succeed);
  world_->settle();
}

void Runner::connect_fail(const Step& step) {
  for (auto& [target, destination] : destinations_)
    if (destination.name == step.rest) destination.outcome = World::ConnectOutcome::fail;
  world_->finish_connect(parties_.of(step.rest).flow, World::ConnectOutcome::fail);
  world_->settle();
}

void Runner::connect_hold(const Step& step) {
  for (auto& [target, destination] : destinations_)
    if (destination.name == step.rest) destination.outcome = World::ConnectOutcome::hold;
}

void Runner::set(const Step& step) {
  const auto space = step.rest.find(' ');
  parties_.set(step.rest.substr(0, space),
               space == std::string::npos ? "" : trim(step.rest.substr(space)));
}

void Runner::ignore(const Step& step) {
  ignored_.insert(first_word(step.rest));
}

} // namespace midcom::scenario
