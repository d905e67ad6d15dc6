// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/media_names.h"

#include <algorithm>
#include <utility>

namespace midcom {

namespace {

using Family = sip::IpAddress::Family;

// What the firewall takes a description from (RFC 6337 2.1); a failure's body is no answer.
bool carries_session(const sip::Message& message) {
  const auto method = message.cseq().method;
  return (message.is_request() || message.status() < 300) &&
         (method == "INVITE" || method == "ACK" || method == "PRACK" || method == "UPDATE");
}

} // namespace

MediaNames::MediaNames(const AgentConfig& config, const PeerDirectory& peers, BodyService& reader,
                       NamePort& port, EventLog& log, FindPinned find_pinned)
    : BodyService(&reader), config_(config), peers_(peers), reader_(reader), port_(port), log_(log),
      find_pinned_(std::move(find_pinned)) {}

std::optional<Disclosure> MediaNames::read(const sip::MessagePtr& message, const Sender& sender,
                                           Then then, sip::TimePoint now) {
  const PeerIndex peer = sender.from.peer;
  if (peer == no_peer || !peers_.at(peer).resolves_media_names || !carries_session(*message))
    return reader_.read(message, sender, std::move(then), now);
  Lookup lookup{message, peer, sender.from.info.remote.to_string(), std::move(then)};
  auto body = reader_.read(
      message, sender,
      [this, lookup](const Disclosure& read, sip::TimePoint later) mutable {
        lookup.body = read;
        if (settle(lookup)) return lookup.then(lookup.body, later);
        begin(std::move(lookup), later);
      },
      now);
  if (!body) return std::nullopt;
  lookup.body = *std::move(body);
  if (settle(lookup)) return std::move(lookup.body);
  begin(std::move(lookup), now);
  return std::nullopt;
}

bool MediaNames::settle(Lookup& lookup) {
  if (!lookup.body.description) return true;
  PinnedNames pinned = find_pinned_(*lookup.message, *lookup.body.description);
  const auto sdp = sip::Sdp::parse(*lookup.body.description, config_.limits.sdp, pinned.names);
  lookup.body.names = std::move(pinned.names);
  if (!sdp || pinned.is_whole) return true; // what can't be read is the firewall's to refuse
  lookup.wanted = sip::host_names(**sdp);
  if (lookup.wanted.empty()) return true;
  const auto of_peer = lookups_of_.find(lookup.peer);
  const bool is_flood = lookups_.size() >= most_waiting ||
                        (of_peer != lookups_of_.end() && of_peer->second >= most_of_peer);
  if (!is_flood && lookup.wanted.size() <= most_names) return false;
  log_failure(lookup, lookup.wanted.front().name, is_flood ? "overload" : "too-many");
  return true;
}

void MediaNames::begin(Lookup lookup, sip::TimePoint now) {
  const std::uint64_t id = ++last_id_;
  turns_.begin(lookup.message->call_id());
  ++lookups_of_[lookup.peer];
  deadlines_.set(id, now + config_.dns.timeout);
  Lookup& kept = lookups_.emplace(id, std::move(lookup)).first->second;
  for (const sip::HostName& name : kept.wanted) ask(id, kept, name);
}

void MediaNames::ask(std::uint64_t id, Lookup& lookup, const sip::HostName& name) {
  for (const Family family : {Family::ipv6, Family::ipv4}) {
    if (name.family && *name.family != family) continue;
    lookup.last_question = ++last_id_;
    questions_.emplace(lookup.last_question, Question{id, name, family});
    ++lookup.unanswered;
    port_.look_up(lookup.last_question, name.name, family);
  }
}

// The first one that can be an address; of two families IPv6 counts, whichever comes first.
void MediaNames::on_name(std::uint64_t id, std::span<const sip::IpAddress> addresses,
                         sip::TimePoint now) {
  const auto found = questions_.find(id);
  if (found == questions_.end()) return; // nobody waits any more
  const Question question = std::move(found->second);
  questions_.erase(found);
  Lookup& lookup = lookups_.at(question.lookup);
  const auto address = std::ranges::find_if(addresses, [&](const sip::IpAddress& one) {
    return one.family == question.family && !one.is_unspecified();
  });
  if (address != addresses.end()) {
    if (question.family == Family::ipv6)
      lookup.body.names[question.name] = *address;
    else
      lookup.body.names.emplace(question.name, *address);
  }
  if (--lookup.unanswered == 0) finish(question.lookup, false, now);
}

void MediaNames::on_timer(sip::TimePoint now) {
  while (const auto id = deadlines_.pop_due(now)) finish(*id, true, now);
}

void MediaNames::finish(std::uint64_t id, bool is_late, sip::TimePoint now) {
  auto node = lookups_.extract(id);
  if (node.empty()) return;
  Lookup& lookup = node.mapped();
  deadlines_.set(id, std::nullopt);
  for (std::uint64_t question = id + 1; question <= lookup.last_question; ++question)
    questions_.erase(question);
  if (const auto of_peer = lookups_of_.find(lookup.peer); --of_peer->second == 0)
    lookups_of_.erase(of_peer);
  for (const sip::HostName& name : lookup.wanted) {
    const auto found = lookup.body.names.find(name);
    if (found == lookup.body.names.end())
      log_failure(lookup, name.name, is_late ? "timeout" : "no-address");
    else
      log_.write(event(lookup, Level::info, "name.pin")
                     .add("host", name.name)
                     .add("address", found->second.to_string()));
  }
  const std::string call_id(lookup.message->call_id());
  lookup.then(lookup.body, now);
  turns_.end(call_id, now);
}

Event MediaNames::event(const Lookup& lookup, Level level, std::string_view name) const {
  Event event(level, name);
  event.add("src", lookup.source)
      .add("peer", peers_.at(lookup.peer).name)
      .add("call", lookup.message->call_id());
  return event;
}

void MediaNames::log_failure(const Lookup& lookup, std::string_view name, std::string_view reason) {
  log_.write(event(lookup, Level::notice, "name.fail").add("host", name).add("reason", reason));
}

} // namespace midcom
