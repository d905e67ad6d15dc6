// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/disclosure_service.h"

#include <algorithm>
#include <utility>

namespace midcom {

namespace {

std::string address_of(const sip::NameAddr& who) {
  return who.uri.address_of_record();
}

std::string cseq_of(const sip::Message& message) {
  return std::to_string(message.cseq().number) + " " + std::string(message.cseq().method);
}

std::string identity_of(const FlowEntry& flow, const PeerDirectory& peers) {
  auto strong = flow.strong_identities();
  std::ranges::sort(strong);
  std::string identity;
  for (const auto& one : strong) identity.append(one).append(1, ' ');
  return identity.empty() ? flow.network_identity(peers) : identity;
}

// Whose word a message is. An answer's sender has shown that its request was sent to it.
std::string author_of(const sip::Message& message, const DisclosureService::Sender& sender,
                      const PeerDirectory& peers) {
  if (!message.is_request()) return "answer";
  return identity_of(sender.entered != nullptr ? *sender.entered : sender.from, peers);
}

// RFC 6337 2.1.
bool may_carry_description(const sip::Message& message) {
  const auto method = message.cseq().method;
  return method == "INVITE" || method == "ACK" || method == "PRACK" || method == "UPDATE";
}

void add_missing(std::vector<std::string>& types, const std::vector<std::string>& more) {
  for (const auto& type : more)
    if (std::ranges::find(types, type) == types.end()) types.push_back(type);
}

} // namespace

std::string pair_of(const sip::Message& message) {
  std::string a = address_of(message.from()), b = address_of(message.to());
  if (b < a) std::swap(a, b);
  return a + " " + b;
}

DisclosureService::DisclosureService(const AgentConfig& config, const PeerDirectory& peers,
                                     OpenerClient& openers, EventLog& log, WallClock wall_clock)
    : config_(config), peers_(peers), openers_(openers), log_(log),
      wall_clock_(std::move(wall_clock)),
      replays_(wall_clock_(), config.smime.date_window, config.smime.replay_entries,
               std::max(config.timeouts.timer_c, config.timeouts.early)),
      seen_(config.timeouts.timer_c) {}

DisclosureTerms DisclosureService::terms_for(const sip::Message& message,
                                             const Sender& sender) const {
  DisclosureTerms terms;
  const auto add = [&](PeerIndex peer) {
    if (peer == no_peer) return;
    const DisclosurePolicy& policy = peers_.at(peer).disclosure;
    add_missing(terms.view, policy.view);
    add_missing(terms.verify, policy.verify);
    if (policy.opaque == DisclosurePolicy::Opaque::refuse) terms.forwards_opaque = false;
    if (policy.legacy == DisclosurePolicy::Legacy::refuse) terms.accepts_legacy = false;
  };
  add(sender.from.peer);
  if (!message.is_request()) { // what was asked of the offer is asked of its answer, on every pass
    add(sender.asker);
    if (sender.entered != nullptr) add(sender.entered->peer);
  }
  terms.is_label_believed =
      config_.smime.openers > 0 && sender.from.info.transport == Transport::tls;
  terms.has_identity = !identity_of(sender.from, peers_).empty();
  terms.looks_for_description = config_.smime.openers > 0 && may_carry_description(message);
  terms.is_recipient = !sender.recipient.empty();
  terms.date_window = config_.smime.date_window;
  return terms;
}

DisclosureRun::Expected DisclosureService::expected_for(const sip::Message& message,
                                                        const Sender& sender) const {
  if (!sender.pinned.empty()) return {{sender.pinned}, {}};
  if (message.is_request()) return {{address_of(message.from())}, {}};
  // Calls are forwarded: who may answer is policy.
  using Answerer = DisclosurePolicy::Answerer;
  const auto answerer = sender.from.peer == no_peer
                            ? Answerer::to_uri
                            : peers_.at(sender.from.peer).disclosure.answerer;
  switch (answerer) {
  case Answerer::any_trusted:
    return {};
  case Answerer::peer_domain: {
    const auto to = address_of(message.to());
    return {{}, to.substr(to.rfind('@') + 1)};
  }
  case Answerer::to_uri:
    break;
  }
  return {{address_of(message.to())}, {}};
}

std::optional<Disclosure> DisclosureService::read(const sip::MessagePtr& message,
                                                  const Sender& sender, Then then,
                                                  sip::TimePoint now) {
  if (message->body().empty()) return Disclosure{};
  const auto terms = terms_for(*message, sender);
  const auto expected = expected_for(*message, sender);
  const auto author = author_of(*message, sender, peers_);
  std::string seen_key;
  // Not only what asks an opener: a spiral's later pass may ask nothing, its label being gone.
  if (config_.smime.openers > 0 && !sip::iequals(message->content_type(), "application/sdp")) {
    // Each user has another key.
    seen_key = SeenDisclosures::key_of(*message, author + '\0' + sender.recipient);
    if (auto known = seen_.find(seen_key, terms, expected, now)) return known;
  }
  auto reading = std::make_shared<Reading>(
      Reading{message, terms, expected,
              DisclosureRun(message, terms, config_.names, expected, wall_clock_()),
              pair_of(*message), author, std::move(seen_key), sender.recipient, sender.from.peer,
              sender.from.info.remote.to_string(), std::move(then)});
  auto question = reading->run.next();
  if (!question || config_.smime.openers == 0) {
    if (question) reading->run.take_failure();
    return finish(*reading, false, now);
  }
  turns_.begin(message->call_id());
  ask(reading, *std::move(question), now);
  return std::nullopt;
}

void DisclosureService::ask(const std::shared_ptr<Reading>& reading, DisclosureRun::Asked question,
                            sip::TimePoint now) {
  const auto callback = [this, reading](const auto& answer, sip::TimePoint later) {
    if (answer)
      reading->run.take(*answer);
    else
      reading->run.take_failure();
    go_on(reading, later);
  };
  if (auto* open = std::get_if<opener::Open>(&question)) {
    open->pair = reading->pair;
    open->user = reading->recipient;
    openers_.submit(std::move(*open), callback, now);
  } else {
    openers_.submit(std::move(std::get<opener::Verify>(question)), callback, now);
  }
}

void DisclosureService::go_on(const std::shared_ptr<Reading>& reading, sip::TimePoint now) {
  if (auto question = reading->run.next()) return ask(reading, *std::move(question), now);
  const std::string call_id(reading->message->call_id());
  reading->then(finish(*reading, true, now), now);
  turns_.end(call_id, now);
}

Disclosure DisclosureService::finish(Reading& reading, bool was_asked, sip::TimePoint now) {
  Disclosure disclosure = reading.run.result();
  for (const VerifiedSigner& one : disclosure.verified) {
    const Reason replay = replays_.take({one.uri, one.digest, reading.message->call_id(),
                                         cseq_of(*reading.message), one.date, reading.author},
                                        wall_clock_());
    if (replay == Reason::none) continue;
    disclosure = {};
    disclosure.finding = replay;
    break;
  }
  if (disclosure.is_sealed || disclosure.signer || disclosure.finding != Reason::none)
    log(reading, disclosure);
  if (was_asked && disclosure.finding == Reason::none && !reading.seen_key.empty())
    seen_.keep(reading.seen_key, reading.terms, reading.expected, disclosure, now);
  return disclosure;
}

void DisclosureService::log(const Reading& reading, const Disclosure& disclosure) {
  const bool is_good = disclosure.finding == Reason::none;
  Event event(is_good ? Level::info : Level::notice, is_good ? "e2m.read" : "e2m.fail");
  event.add("src", reading.source)
      .add("peer", reading.peer == no_peer ? "-" : peers_.at(reading.peer).name)
      .add("cseq", cseq_of(*reading.message));
  if (is_good)
    event.add("sealed", disclosure.is_sealed ? "yes" : "no")
        .add("signer", disclosure.signer ? std::string_view(disclosure.signer->uri) : "-");
  else
    event.add("reason", word_of(disclosure.finding));
  if (!disclosure.lacking.empty()) event.add("type", disclosure.lacking);
  log_.write(event.add("call", reading.message->call_id()));
}

BodyService::Offer DisclosureService::offer_to(const sip::Message&) const {
  return {"application/pkix-cert", config_.smime.certificate};
}

std::string DisclosureService::announced_policy(PeerIndex peer) const {
  if (peer == no_peer) return {};
  const DisclosurePolicy& policy = peers_.at(peer).disclosure;
  std::string lines;
  const auto line = [&](std::string_view text, const std::string& type) {
    lines.append("Warning: 380 ").append(config_.names.front()).append(" \"").append(text);
    lines.append(" '").append(type).append("'\"\r\n");
  };
  for (const auto& type : policy.view) line("Required to View Content-Type", type);
  for (const auto& type : policy.verify) line("Required to Verify Content-Type", type);
  return lines;
}

} // namespace midcom
