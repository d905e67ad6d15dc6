// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/world.h"

#include <algorithm>
#include <stdexcept>

#include "tests/scenario/channel_pass.h"

namespace midcom::scenario {

namespace {

std::uint64_t transaction_of(const pinhole::Request& request) {
  return std::visit([](const auto& value) { return value.transaction; }, request);
}

SecretKey key_of(std::uint8_t fill) {
  SecretKey key;
  key.fill(fill);
  return key;
}

} // namespace

World::World(AgentConfig config, const pinhole::Policy& policy, Hooks hooks, std::uint64_t seed,
             OpenerMaterial material)
    : config_(std::move(config)), hooks_(std::move(hooks)),
      random_(seed * 2654435761U + 88172645463325252U), middlebox_(make_middlebox_side(policy)),
      openers_(std::make_unique<OpenerSide>(config_.smime.openers, std::move(material))) {
  secrets_.flow_token = key_of(1);
  secrets_.group = key_of(2);
  secrets_.identity = key_of(3);
  secrets_.tag = key_of(4);
  start_agent();
  start_middlebox();
}

World::~World() = default;

void World::start_agent() {
  const auto random = [this](std::uint8_t* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      random_ ^= random_ << 13;
      random_ ^= random_ >> 7;
      random_ ^= random_ << 17;
      bytes[i] = static_cast<std::uint8_t>(random_ >> 32);
    }
  };
  agent_ = std::make_unique<Agent>(config_, secrets_, static_cast<Network&>(*this),
                                   static_cast<MiddleboxPort&>(*this), *openers_, names_, log_,
                                   random, [this] { return wall_clock(); });
  connect_openers();
}

void World::connect_openers() {
  for (std::size_t i = 0; i < openers_->size(); ++i) agent_->on_opener_up(i, now_);
}

void World::restart_openers() {
  openers_->restart();
  for (std::size_t i = 0; i < openers_->size(); ++i) agent_->on_opener_down(i, now_);
  connect_openers();
}

// A Wednesday of 2026; the scenarios' certificates are good then.
std::int64_t World::wall_clock() const {
  constexpr std::int64_t begin = 1'795'000'000;
  return begin + std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count();
}

FlowId World::open(FlowInfo flow) {
  flow.id = next_flow_++;
  flow.is_inbound = true;
  flow.local = config_.listeners.at(flow.listener).address;
  const FlowId id = flow.id;
  flows_[id] = Flow{flow, false, false, {}};
  agent_->on_flow_open(flow, now_);
  return id;
}

FlowId World::connect(const Target& target) {
  const FlowId id = next_flow_++;
  FlowInfo info;
  info.id = id;
  info.transport = target.transport;
  info.remote = target.address;
  info.is_inbound = false;
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    const auto& listener = config_.listeners[i];
    if (listener.transport == target.transport &&
        listener.address.address.family == target.address.address.family) {
      info.listener = i;
      info.local = listener.address;
      break;
    }
  }
  if (target.transport != Transport::udp)
    info.local.port = static_cast<std::uint16_t>(30000 + id % 30000);
  if (target.transport == Transport::tls) info.tls_version = "1.3";
  if (!target.tls_name.empty()) info.identities.push_back(target.tls_name);
  const auto outcome = hooks_.connecting(id, target, info.identities);
  flows_[id] = Flow{info, true, false, {}};
  if (outcome != ConnectOutcome::hold)
    posted_.emplace_back([this, id, outcome] { finish_connect(id, outcome); });
  return id;
}

void World::finish_connect(FlowId flow, ConnectOutcome outcome) {
  const auto found = flows_.find(flow);
  if (found == flows_.end() || !found->second.connecting) return;
  if (outcome == ConnectOutcome::fail) {
    remove_flow(flow, "connect-failed");
    return;
  }
  found->second.connecting = false;
  auto queued = std::move(found->second.queued);
  agent_->on_flow_open(found->second.info, now_);
  for (const auto& bytes : queued) hooks_.sent(flow, *bytes);
}

void World::send(FlowId flow, sip::Bytes bytes) {
  const auto found = flows_.find(flow);
  if (found == flows_.end() || found->second.closing) {
    if (hooks_.undelivered) hooks_.undelivered(flow, *bytes);
    return;
  }
  if (found->second.connecting)
    found->second.queued.push_back(std::move(bytes));
  else
    hooks_.sent(flow, *bytes);
}

void World::close(FlowId flow) {
  const auto found = flows_.find(flow);
  if (found == flows_.end() || found->second.closing) return;
  found->second.closing = true;
  posted_.emplace_back([this, flow] { remove_flow(flow, "closed"); });
}

void World::remove_flow(FlowId flow, std::string_view reason) {
  if (flows_.erase(flow) == 0) return;
  hooks_.closed(flow);
  agent_->on_flow_closed(flow, reason, now_);
}

void World::receive(FlowId flow, std::string bytes) {
  if (!is_open(flow)) throw std::runtime_error("a message on a flow that is not open");
  agent_->on_message(flow, std::move(bytes), now_);
}

void World::break_stream(FlowId flow, sip::Error error, std::string header_block) {
  agent_->on_broken_stream(flow, error, std::move(header_block), now_);
  remove_flow(flow, "closed");
}

void World::hang_up(FlowId flow, std::string_view reason) {
  remove_flow(flow, reason);
}

bool World::is_open(FlowId flow) const {
  const auto found = flows_.find(flow);
  return found != flows_.end() && !found->second.connecting && !found->second.closing;
}

const FlowInfo* World::info(FlowId flow) const {
  const auto found = flows_.find(flow);
  return found == flows_.end() ? nullptr : &found->second.info;
}

void World::send(const pinhole::Request& request) {
  if (!middlebox_runs_) return;
  requests_.push_back(through_channel(request));
  unacked_.push_back(requests_.back());
}

std::uint32_t World::deliver(const pinhole::FlowKey& packet, std::string_view payload) {
  const auto number = middlebox_->deliver(packet, payload, now_);
  take_replies(middlebox_->take_replies());
  return number;
}

void World::run_posted() {
  const auto event = std::move(posted_.front());
  posted_.pop_front();
  event();
}

void World::run_requests() {
  const std::vector<pinhole::Request> batch(requests_.begin(), requests_.end());
  requests_.clear();
  take_replies(middlebox_->handle(batch, now_));
}

void World::take_replies(std::vector<pinhole::Reply> replies) {
  for (auto& reply : replies) replies_.push_back(through_channel(reply));
}

void World::run_reply() {
  const pinhole::Reply reply = std::move(replies_.front());
  replies_.pop_front();
  if (const auto* done = std::get_if<pinhole::reply::Done>(&reply))
    std::erase_if(unacked_, [&](const auto& request) {
      if (transaction_of(request) != done->transaction) return false;
      if (hooks_.acknowledged) hooks_.acknowledged(request, done->result);
      return true;
    });
  if (std::holds_alternative<pinhole::event::Ready>(reply)) is_ready_ = true;
  agent_->on_middlebox_reply(reply, now_);
}

void World::settle() {
  for (int turns = 0;; ++turns) {
    if (turns > 100000) throw std::runtime_error("the agent doesn't come to rest");
    if (!posted_.empty())
      run_posted();
    else if (!held_ && has_requests())
      run_requests();
    else if (!held_ && !replies_.empty())
      run_reply();
    else if (!openers_held_ && openers_->has_requests()) {
      const auto [opener, reply] = openers_->run();
      agent_->on_opener_reply(opener, reply, now_);
    } else if (!names_held_ && names_.has_answers()) {
      const auto [question, addresses] = names_.run();
      agent_->on_name(question, addresses, now_);
    } else
      return;
  }
}

std::optional<TimePoint> World::next_deadline() const {
  auto next = agent_->next_deadline();
  if (middlebox_runs_)
    if (const auto other = middlebox_->next_deadline(); other && (!next || *other < *next))
      next = other;
  return next;
}

void World::fire_due() {
  if (const auto due = agent_->next_deadline(); due && *due <= now_) agent_->on_timer(now_);
  if (!middlebox_runs_) return;
  if (const auto due = middlebox_->next_deadline(); due && *due <= now_)
    take_replies(middlebox_->on_timer(now_));
}

void World::advance_to(TimePoint when) {
  now_ = std::max(now_, when);
  fire_due();
}

void World::pass(sip::Duration time) {
  const TimePoint end = now_ + time;
  settle();
  for (int turns = 0;; ++turns) {
    if (turns > 2000000) throw std::runtime_error("timers fire without end");
    const auto next = next_deadline();
    if (!next || *next > end) break;
    advance_to(*next);
    settle();
  }
  now_ = end;
}

void World::restart_agent() {
  is_ready_ = false;
  agent_.reset();
  const auto flows = std::move(flows_);
  flows_.clear();
  posted_.clear();
  requests_.clear();
  unacked_.clear();
  replies_.clear();
  openers_->forget_requests();
  names_.forget_questions();
  for (const auto& [id, flow] : flows) hooks_.closed(id);
  start_agent();
  if (!middlebox_runs_) return;
  // The middlebox stays; on a new channel it says what it has, as after its own start.
  agent_->on_middlebox_up(now_);
  take_replies(middlebox_->on_new_agent(now_));
}

void World::stop_middlebox() {
  middlebox_->stop();
  is_ready_ = false;
  middlebox_runs_ = false;
  requests_.clear();
  unacked_.clear();
  replies_.clear();
  agent_->on_middlebox_down(now_);
}

void World::start_middlebox() {
  middlebox_runs_ = true;
  agent_->on_middlebox_up(now_);
  take_replies(middlebox_->start(now_));
}

} // namespace midcom::scenario
