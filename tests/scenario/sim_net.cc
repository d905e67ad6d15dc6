// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/sim_net.h"

#include <algorithm>
#include <array>
#include <functional>

namespace midcom::scenario {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

sip::Endpoint endpoint(const Station& station) {
  const auto colon = station.sent_by.rfind(':');
  return {*sip::IpAddress::parse(station.address),
          static_cast<std::uint16_t>(std::stoi(station.sent_by.substr(colon + 1)))};
}

constexpr std::size_t core_party = 6;
constexpr std::size_t first_forger = 7; // and all after it

} // namespace

Figures& Figures::operator+=(const Figures& other) {
  steps += other.steps;
  checks += other.checks;
  messages += other.messages;
  calls += other.calls;
  lost += other.lost;
  repeated += other.repeated;
  reordered += other.reordered;
  agent_restarts += other.agent_restarts;
  middlebox_restarts += other.middlebox_restarts;
  hang_ups += other.hang_ups;
  forgeries += other.forgeries;
  answers_488 += other.answers_488;
  stray_packets += other.stray_packets;
  return *this;
}

SimNet::SimNet(const Config& config, std::uint64_t seed, bool traces, bool honest)
    : dice_(seed), mischief_(~seed), stray_(seed ^ 0x5bd1e995), traces_(traces), honest_(honest) {
  add("anna", Kind::phone, Transport::tls, "inside", "10.1.0.10", 40000);
  add("adam", Kind::phone, Transport::udp, "inside-udp", "10.1.0.11", 5060);
  add("berta", Kind::registered, Transport::tls, "outside", "203.0.113.20", 41000);
  add("bruno", Kind::registered, Transport::tls, "outside", "203.0.113.21", 41000);
  add("trunk", Kind::trunk, Transport::tls, "outside", "192.0.2.70", 5061, "trunk.example.net");
  add("plain", Kind::trunk, Transport::udp, "outside-udp", "192.0.2.130", 5060);
  add("core", Kind::core, Transport::tls, "outside", "192.0.2.5", 5061, "core.example.com");
  add("mallory", Kind::phone, Transport::tls, "inside", "10.1.0.66", 40000);
  add("mordred", Kind::phone, Transport::tls, "outside", "203.0.113.66", 40000);
  add("morgana", Kind::phone, Transport::udp, "inside-udp", "10.1.0.67", 5060);
  World::Hooks hooks;
  hooks.sent = [this](FlowId flow, const std::string& bytes) { sent(flow, bytes); };
  hooks.undelivered = [this](FlowId flow, const std::string& bytes) {
    const auto wire = Wire::parse(bytes);
    if (const auto* call = call_of(wire)) model_->unheard(wire, to_whom(*call, by_flow_.at(flow)));
  };
  hooks.connecting = [this](FlowId flow, const Target& target,
                            std::vector<std::string>& identities) {
    const auto index = party_of(target);
    auto& party = parties_[index];
    by_flow_[flow] = index;
    party.flow = flow;
    if (!party.identity.empty()) identities = {party.identity};
    return World::ConnectOutcome::succeed;
  };
  hooks.closed = [this](FlowId flow) {
    auto& party = parties_[by_flow_[flow]];
    if (party.flow != flow) return;
    party.flow = 0;
    if (party.transport == Transport::udp) return;
    party.to_agent.clear();
    party.to_party.clear();
  };
  hooks.acknowledged = [this](const pinhole::Request& request, pinhole::Result result) {
    model_->acknowledged(request, result);
  };
  world_ = std::make_unique<World>(config.agent, config.policy, std::move(hooks), seed);
  model_ =
      std::make_unique<Model>(*world_, config.agent.timeouts.grace, config.agent.timeouts.call);
}

void SimNet::add(const char* name, Kind kind, Transport transport, const char* listener,
                 const char* address, std::uint16_t port, const char* identity) {
  parties_.push_back({{name, address, std::string(address) + ":" + std::to_string(port),
                       transport == Transport::udp ? "UDP" : "TLS"},
                      kind,
                      transport,
                      listener,
                      identity,
                      0,
                      {},
                      {}});
}

void SimNet::note(const std::string& text) {
  if (!traces_) return;
  note_log();
  trace_ += std::to_string(elapsed_ms()) + " " + text + "\n";
}

long SimNet::elapsed_ms() const {
  const auto since = now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count() % 100000000;
}

void SimNet::note_log() {
  const auto& events = world_->log().events();
  for (; noted_events_ < events.size(); ++noted_events_) {
    const auto& event = events[noted_events_];
    trace_ += "           log " + std::string(event.name());
    for (const auto& [key, value] : event.fields())
      trace_.append(" ").append(key).append("=").append(value);
    trace_ += "\n";
  }
}

std::size_t SimNet::party_of(const Target& target) const {
  for (std::size_t i = 0; i < parties_.size(); ++i)
    if (endpoint(parties_[i].station) == target.address &&
        parties_[i].transport == target.transport)
      return i;
  throw Violation("connects to " + target.address.to_string() + ", which nobody asked for");
}

SimCall* SimNet::call_of(const Wire& wire) {
  const auto id = wire.header("Call-ID");
  for (const auto& call : calls_)
    if (call->id() == id) return call.get();
  return nullptr;
}

Model::To SimNet::to_whom(const SimCall& call, std::size_t party) const {
  return party == call.caller()   ? Model::To::caller
         : party == call.callee() ? Model::To::callee
         : party == core_party    ? Model::To::proxy
                                  : Model::To::other;
}

void SimNet::sent(FlowId flow, const std::string& bytes) {
  const auto index = by_flow_.at(flow);
  const auto wire = Wire::parse(bytes);
  if (traces_)
    note("  agent -> " + parties_[index].station.name + ": " + wire.start_line + " [" +
         wire.header("Call-ID") + " " + wire.header("CSeq") + " " + leg_of(wire) + "]");
  const auto* call = call_of(wire);
  if (call && wire.status() == 488) ++figures_.answers_488;
  if (index >= first_forger)
    model_->sent_to_forger(wire);
  else if (call)
    model_->sent(wire, to_whom(*call, index), parties_[index].transport != Transport::udp);
  parties_[index].to_party.push_back(bytes);
}

void SimNet::open(Party& party) {
  FlowInfo info;
  info.transport = party.transport;
  info.remote = endpoint(party.station);
  if (party.kind == Kind::trunk || party.kind == Kind::core)
    if (party.transport != Transport::udp)
      info.remote.port = next_port_ = static_cast<std::uint16_t>(next_port_ + 2);
  if (!party.identity.empty()) info.identities = {party.identity};
  const auto& listeners = world_->config().listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i)
    if (listeners[i].name == party.listener) info.listener = i;
  party.flow = world_->open(info);
  const auto index = static_cast<std::size_t>(&party - parties_.data());
  by_flow_[party.flow] = index;
  if (party.kind == Kind::registered) registers(index);
}

void SimNet::registers(std::size_t index) {
  auto& party = parties_[index];
  Wire wire;
  const auto number = std::to_string(++registrations_);
  wire.start_line = "REGISTER sip:example.com SIP/2.0";
  wire.add("Via", "SIP/2.0/TLS " + party.station.sent_by + ";branch=z9hG4bKreg" + number);
  wire.add("Max-Forwards", "70");
  wire.add("From", "<sip:" + party.station.name + "@example.com>;tag=r" + number);
  wire.add("To", "<sip:" + party.station.name + "@example.com>");
  wire.add("Call-ID", "reg" + number);
  wire.add("CSeq", "1 REGISTER");
  wire.add("Contact", "<" + party.station.contact() + ">");
  party.to_agent.push_front(wire.to_bytes());
}

void SimNet::transmit(std::size_t index, const Wire& wire) {
  parties_[index].to_agent.push_back(wire.to_bytes());
}

void SimNet::core_receives(const Wire& received) {
  Wire wire = received;
  wire.remove("Content-Length");
  auto vias = wire.values("Via");
  if (!wire.is_request()) {
    vias.erase(vias.begin());
    if (vias.empty()) return;
    wire.remove("Via");
    for (std::size_t i = vias.size(); i > 0; --i) wire.add_first("Via", vias[i - 1]);
    return transmit(core_party, wire);
  }
  const auto method = wire.method();
  const auto respond = [&](const std::string& status, const std::string& path) {
    Wire answer;
    answer.start_line = "SIP/2.0 " + status;
    for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq", "Contact"})
      for (const auto& line : wire.lines(name)) answer.add(name, line);
    if (parameter_of(answer.header("To"), "tag").empty())
      answer.set("To", answer.header("To") + ";tag=core");
    if (!path.empty()) answer.add("Path", path);
    transmit(core_party, answer);
  };
  const auto branch = parameter_of(vias.at(0), "branch");
  if (method == "REGISTER") {
    const auto user = uri_of(wire.header("To"));
    paths_[user] = wire.header("Path");
    return respond("200 OK", wire.header("Path"));
  }
  if (refused_by_core_.contains(branch)) {
    if (method == "CANCEL") respond("481 Unknown", "");
    return;
  }
  auto routes = wire.values("Route");
  wire.remove("Route");
  if (!routes.empty() && uri_of(routes[0]) == "sip:core.example.com;lr")
    routes.erase(routes.begin());
  for (const auto& party : parties_)
    if (wire.uri() == "sip:" + party.station.name + "@example.com") {
      const auto path = paths_.find(wire.uri());
      if (path == paths_.end()) {
        refused_by_core_.insert(branch);
        return method == "ACK" ? void() : respond("480 Not Registered", "");
      }
      routes.insert(routes.begin(), path->second);
      wire.start_line = method + " " + party.station.contact() + " SIP/2.0";
      break;
    }
  std::string joined;
  for (const auto& route : routes) joined += (joined.empty() ? "" : ", ") + route;
  if (!joined.empty()) wire.add_first("Route", joined);
  if (method == "INVITE" && parameter_of(wire.header("To"), "tag").empty())
    wire.add_first("Record-Route", "<sip:core.example.com;lr>");
  wire.add_first("Via", "SIP/2.0/TLS 192.0.2.5:5061;branch=z9hG4bKcore" +
                            std::to_string(std::hash<std::string>{}(branch)));
  wire.set("Max-Forwards", std::to_string(std::stoi(wire.header("Max-Forwards")) - 1));
  transmit(core_party, wire);
}

std::string SimNet::take(std::deque<std::string>& queue, bool is_udp, bool fair, bool& lost) {
  std::size_t at = 0;
  if (is_udp && !fair && queue.size() > 1 && dice_.percent(20)) {
    at = dice_.below(queue.size());
    figures_.reordered += at != 0;
  }
  auto bytes = queue[at];
  if (is_udp && !fair && dice_.percent(8)) {
    ++figures_.repeated; // stays, comes again
    return bytes;
  }
  queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(at));
  if (is_udp && !fair && dice_.percent(8)) {
    ++figures_.lost;
    lost = true;
  }
  return bytes;
}

void SimNet::to_agent(std::size_t index, bool fair) {
  auto& party = parties_[index];
  if (party.flow == 0) open(party);
  if (!world_->is_open(party.flow) || party.to_agent.empty()) return;
  bool lost = false;
  const auto bytes = take(party.to_agent, party.transport == Transport::udp, fair, lost);
  if (lost) return;
  const auto wire = Wire::parse(bytes);
  if (traces_)
    note(party.station.name + " -> agent: " + wire.start_line + " [" + wire.header("Call-ID") +
         " " + wire.header("CSeq") + " " + leg_of(wire) + "]");
  ++figures_.messages;
  if (const auto* call = call_of(wire))
    model_->given(wire, index == call->caller() || index == call->callee() || index == core_party);
  world_->receive(party.flow, bytes);
}

void SimNet::to_party(std::size_t index, bool fair) {
  auto& party = parties_[index];
  bool lost = false;
  const auto bytes = take(party.to_party, party.transport == Transport::udp, fair, lost);
  if (lost) return;
  const auto wire = Wire::parse(bytes);
  if (index == core_party) return core_receives(wire);
  if (auto* call = call_of(wire); call && index < first_forger) call->on_message(index, wire);
}

bool SimNet::move_packet(bool fair) {
  const auto from = dice_.below(parties_.size());
  const bool to = dice_.percent(50);
  for (std::size_t i = 0; i < 2 * parties_.size(); ++i) {
    const auto index = (from + i / 2) % parties_.size();
    auto& party = parties_[index];
    const bool outward = to == (i % 2 == 0);
    if (outward ? party.to_party.empty() : party.to_agent.empty()) continue;
    if (!outward && party.flow != 0 && !world_->is_open(party.flow)) continue;
    outward ? to_party(index, fair) : to_agent(index, fair);
    return true;
  }
  return false;
}

void SimNet::middlebox_turn() {
  if (world_->has_posted() && dice_.percent(50)) return world_->run_posted();
  if (world_->has_replies() && (dice_.percent(50) || !world_->has_requests()))
    return world_->run_reply();
  if (world_->has_requests()) return world_->run_requests();
  if (world_->has_posted()) world_->run_posted();
}

void SimNet::go_on(sip::Duration time) {
  auto end = now() + time;
  while (true) {
    // A middlebox that has work is slow, not stopped: time goes on in small steps with it.
    if (world_->has_requests() || world_->has_replies())
      end = std::min(end, now() + milliseconds(200));
    const auto next = world_->next_deadline();
    if (!next || *next > end) break;
    world_->advance_to(*next);
    model_->check();
    while (world_->has_posted()) world_->run_posted();
  }
  world_->advance_to(end);
  for (const auto& call : calls_) call->on_timer();
}

void SimNet::new_call() {
  const auto caller = dice_.below(2);
  const auto callee = 2 + dice_.below(4);
  const auto& station = parties_[callee].station;
  const std::string uri = callee == 4   ? "sip:x@trunk.example.net"
                          : callee == 5 ? "sip:x@plain.example.net"
                                        : "sip:" + station.name + "@example.com";
  ++figures_.calls;
  calls_.push_back(std::make_unique<SimCall>(
      SimCall::Surroundings{*model_, dice_, mischief_, !honest_, [this] { return now(); },
                            [this](std::size_t party, const Wire& wire) { transmit(party, wire); },
                            next_port_},
      static_cast<int>(calls_.size() + 1), caller, parties_[caller].station, callee, station, uri));
}

void SimNet::disaster() {
  const auto kind = dice_.below(100);
  if (kind < 20) {
    note("== the agent dies");
    ++figures_.agent_restarts;
    world_->restart_agent();
    model_->agent_restarted();
  } else if (kind < 40 && world_->middlebox_runs()) {
    note("== the middlebox dies");
    ++figures_.middlebox_restarts;
    world_->stop_middlebox();
    middlebox_back_ = now() + milliseconds(dice_.below(3000));
  } else if (kind < 60) {
    auto& party = parties_[dice_.below(parties_.size())];
    if (party.flow == 0 || !world_->is_open(party.flow)) return;
    note("== hangs up " + party.station.name);
    ++figures_.hang_ups;
    world_->hang_up(party.flow);
  } else if (!calls_.empty()) {
    forge(*calls_[dice_.below(calls_.size())]);
  }
}

void SimNet::forge(const SimCall& call) {
  constexpr std::array methods = {"BYE", "BYE", "INVITE", "UPDATE", "PRACK", "ACK", "CANCEL"};
  const auto forger = first_forger + mischief_.below(parties_.size() - first_forger);
  const auto wire = call.forged(methods[mischief_.below(methods.size())], mischief_.below(2),
                                parties_[forger].station);
  if (wire.start_line.empty()) return;
  ++figures_.forgeries;
  transmit(forger, wire);
}

// RTP from one of the parties to somewhere that waits for it: it may wait for an answer, but passes
// only where its flow is open.
void SimNet::stray_packet() {
  const auto sinks = world_->middlebox().sinks(now());
  if (sinks.empty()) return;
  const auto& sink = sinks[stray_.below(sinks.size())];
  const auto& station = parties_[stray_.below(parties_.size())].station;
  const auto port = static_cast<std::uint16_t>(20000 + 2 * stray_.below(16));
  const Directed flow{{*pinhole::Address::parse(station.address), port}, sink.destination};
  std::string rtp(172, '\0');
  rtp[0] = static_cast<char>(0x80);
  const auto number = world_->deliver({flow.source, flow.destination, 17}, rtp);
  ++figures_.stray_packets;
  const auto open = world_->middlebox().passing(now());
  const bool has_passed = world_->middlebox().fate(number) == MiddleboxSide::Fate::passed;
  if (has_passed && std::ranges::find(open, flow) == open.end())
    throw Violation("media passes that nobody has agreed on, to " + sink.destination.to_string());
}

void SimNet::step(bool finishing) {
  ++figures_.steps;
  if (middlebox_back_ && now() >= *middlebox_back_) {
    note("== the middlebox is back");
    middlebox_back_.reset();
    world_->start_middlebox();
  }
  const bool waits = world_->has_posted() || world_->has_requests() || world_->has_replies();
  if (!waits) waiting_since_ = now();
  const auto what = dice_.below(100);
  if (waits && (what < 25 || now() - waiting_since_ > seconds(1)))
    middlebox_turn();
  else if (what < 80 && move_packet(finishing)) {
  } else if (what < 88 && !calls_.empty())
    calls_[dice_.below(calls_.size())]->act(finishing);
  else if (!finishing && what < 90)
    disaster();
  else
    go_on(waits || dice_.percent(80) ? milliseconds(1 + dice_.below(200))
                                     : milliseconds(1000 + dice_.below(4000)));
  if (stray_.percent(5)) stray_packet();
  if (traces_) note_log();
  model_->check();
}

// Nobody says anything new: sessions that aren't refreshed end.
void SimNet::pass_quietly() {
  for (int n = 0; n < 35; ++n) {
    while (move_packet(true)) {
    }
    world_->settle();
    go_on(seconds(5));
  }
}

void SimNet::run() {
  for (auto& party : parties_)
    if (party.kind != Kind::trunk && party.kind != Kind::core) open(party);
  const auto calls = 1 + dice_.below(3);
  for (std::size_t i = 0; i < calls; ++i) {
    new_call();
    const auto steps = 20 + dice_.below(80);
    for (std::size_t n = 0; n < steps; ++n) step(false);
    if (mischief_.percent(10) && !middlebox_back_) pass_quietly();
  }
  const auto is_over = [](const auto& call) { return call->is_over(); };
  for (int n = 0; n < 3000 && !std::ranges::all_of(calls_, is_over); ++n) step(true);
  // All that is left has its time: timers, lifetimes, what still moves.
  if (middlebox_back_) middlebox_back_ = now();
  for (int n = 0; n < 60 || (n < 200 && !std::ranges::all_of(calls_, is_over)); ++n) {
    for (int k = 0; k < 8; ++k) step(true);
    while (move_packet(true)) {
    }
    world_->settle();
    go_on(seconds(20));
    world_->settle();
  }
  go_on(seconds(70)); // the last transactions
  world_->settle();
  model_->check_empty();
  figures_.checks = model_->checks();
}

} // namespace midcom::scenario
