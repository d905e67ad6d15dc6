// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/sim_model.h"

#include <algorithm>
#include <utility>

namespace midcom::scenario {

namespace {

using std::chrono::seconds;

constexpr seconds losers{60};         // losing branches are closed by then
constexpr seconds unacknowledged{64}; // 128 * T1: an answer whose ACK doesn't come
constexpr seconds answered_life{32};  // 64 * T1: a transaction after its final response
constexpr seconds early_life{310};    // an early dialog without its agent
constexpr seconds rounding{2};        // userdata keeps deadlines in whole seconds, rounded up

// Of an INVITE, its responses and its ACK.
std::string invite_of(const Wire& message) {
  return message.header("Call-ID") + " " + parameter_of(message.header("From"), "tag") + " " +
         words_of(message.header("CSeq"))[0];
}

// One request and its responses.
std::string request_of(const Wire& message) {
  return message.header("Call-ID") + " " + parameter_of(message.header("From"), "tag") + " " +
         message.header("CSeq");
}

std::string sender_of(const Wire& message) {
  return message.header("Call-ID") + " " + leg_of(message) + " " +
         parameter_of(message.header("From"), "tag");
}

// RTP and RTCP of the one stream that the user agents' descriptions have.
std::vector<pinhole::Endpoint> receive_addresses(const std::string& body) {
  const auto word_after = [&](std::string_view mark) {
    const auto at = body.find(mark);
    if (at == std::string::npos) return std::string();
    const auto begin = at + mark.size();
    return body.substr(begin, body.find_first_of(" \r", begin) - begin);
  };
  const auto address = pinhole::Address::parse(word_after("c=IN IP4 "));
  const auto port = word_after("m=audio ");
  if (!address || port.empty()) return {};
  const auto number = static_cast<std::uint16_t>(std::stoi(port));
  return {{*address, number}, {*address, static_cast<std::uint16_t>(number + 1)}};
}

int cseq_of(const Wire& message) {
  return std::stoi(message.header("CSeq"));
}

bool is_refreshing(const Wire& message) {
  return !message.is_request() && message.method() == "INVITE" && message.status() / 100 == 2 &&
         !message.header("Session-Expires").empty();
}

// The session interval, and how long its 2xx or a BYE may be on its way.
sip::Duration session_life(const Wire& message) {
  return seconds(std::stoi(message.header("Session-Expires"))) + seconds(32);
}

std::string text_of(const Directed& flow) {
  return flow.source.to_string() + " -> " + flow.destination.to_string();
}

} // namespace

std::string leg_of(const Wire& message) {
  const auto to = parameter_of(message.header("To"), "tag");
  if (to.ends_with("-caller")) return parameter_of(message.header("From"), "tag");
  return to;
}

std::vector<Directed> Model::flows_of(const Pair& pair) const {
  const auto a = *pinhole::Address::parse(pair.caller.address);
  const auto b = *pinhole::Address::parse(pair.callee.address);
  std::vector<Directed> flows;
  for (std::uint16_t i = 0; i < 2; ++i) {
    const pinhole::Endpoint from{a, static_cast<std::uint16_t>(pair.caller.port + i)};
    const pinhole::Endpoint to{b, static_cast<std::uint16_t>(pair.callee.port + i)};
    flows.push_back({from, to});
    flows.push_back({to, from});
  }
  return flows;
}

void Model::made_offer(const std::string& call, const std::string& body) {
  bodies_[body] = call;
  if (!lies_.contains(body)) offers_[body] = {call, {}, receive_addresses(body), false, {}};
}

// The first 2xx of a request counts; for a new agent that may be one that comes again.
void Model::given_refresh(const Wire& message) {
  if (!is_refreshing(message)) return;
  const auto now = world_.now(), end = now + session_life(message);
  refreshes_.try_emplace(request_of(message), now);
  const auto& call = calls_[message.header("Call-ID")];
  auto& leg = calls_[message.header("Call-ID")].legs[leg_of(message)];
  // Without the INVITE's transaction, which died with an earlier agent, it goes nowhere: if nobody
  // has heard of a session before, the kernel has what that agent told of an early dialog.
  const bool is_untold = !leg.session_most && cseq_of(message) == 1 && call.invited != agent_;
  const auto most = is_untold ? std::max(end, restarted_ + early_life) : end;
  leg.session_most = leg.session_most ? std::max(*leg.session_most, most) : most;
  leg.session_given = now;
  if (!leg.session_least) leg.session_least = end;
}

void Model::sent_refresh(const Wire& message, To to) {
  if (!is_refreshing(message)) return;
  const auto& call = calls_[message.header("Call-ID")];
  auto& leg = calls_[message.header("Call-ID")].legs[leg_of(message)];
  const auto end = world_.now() + session_life(message); // of one that was held
  leg.session_most = leg.session_most ? std::max(*leg.session_most, end) : end;
  // One that started since may not know the dialog.
  const auto given = refreshes_.find(request_of(message));
  if (to == To::proxy || call.is_orphan || given == refreshes_.end() || !leg.session_least) return;
  leg.session_least = std::max(*leg.session_least, given->second + session_life(message));
}

// Over a new agent its INVITE opens it once more.
void Model::given_offer(const Wire& message) {
  const auto found = offers_.find(message.body);
  if (found == offers_.end()) return;
  Offer& offer = found->second;
  offer.leg = leg_of(message);
  offer.is_given = true;
  auto& call = calls_[offer.call];
  const bool is_new = std::exchange(offer.given_to, agent_) != agent_;
  if (is_new && message.is_request() && !offer.leg.empty()) {
    const auto end = call.legs[offer.leg].ended;
    const auto remembered = call.invited == agent_ ? answered_life : seconds(0);
    offer.is_late = end && world_.now() - remembered > *end;
    offer.request = request_of(message);
  }
  const bool is_known = call.is_answered && call.invited == agent_;
  if (offer.leg.empty() && !is_known && world_.is_ready()) offer.until.reset();
}

bool Model::may_wait(const Offer& offer) {
  const auto now = world_.now();
  if (!offer.is_given) return false;
  if (offer.leg.empty()) return !offer.until || now <= *offer.until;
  const auto& leg = calls_[offer.call].legs[offer.leg];
  if (offer.is_late && !offer.until) return true;
  return !leg.ended || now <= *leg.ended || (offer.until && now <= *offer.until);
}

// Whoever hasn't heard of the end of his dialog goes on in it, and the agent has forgotten it: such
// an offer waits for its answer as in any dialog of which nothing is known.
void Model::answered_late(const Wire& message) {
  if (message.is_request() || message.status() < 200) return;
  for (auto& [body, offer] : offers_)
    if (offer.is_late && !offer.until && offer.request == request_of(message))
      offer.until = world_.now() + slack;
}

// Nothing waits where nobody has offered, nor when the offer has its answer.
void Model::check_sinks() {
  if (middlebox_down_ || middlebox_back_ + slack > world_.now()) return;
  for (const auto& key : world_.middlebox().sinks(world_.now())) {
    const bool is_offered = std::ranges::any_of(offers_, [&](const auto& entry) {
      return std::ranges::find(entry.second.at, key.destination) != entry.second.at.end() &&
             may_wait(entry.second);
    });
    if (!is_offered)
      throw Violation("waits for media, but no offer is open: " + key.destination.to_string());
  }
}

void Model::made_answer(const std::string& call, const std::string& leg, const std::string& body,
                        const Media& caller, const Media& callee) {
  bodies_[body] = call;
  for (const auto index : answers_[body])
    if (pairs_[index].leg == leg) return; // the same body again
  Pair pair;
  pair.call = call;
  pair.leg = leg;
  pair.caller = caller;
  pair.callee = callee;
  pair.is_lie = lies_.contains(caller.body) || lies_.contains(callee.body);
  pairs_.push_back(std::move(pair));
  const auto index = pairs_.size() - 1;
  answers_[body].push_back(index);
  for (const auto& flow : flows_of(pairs_.back())) by_flow_[flow].push_back(index);
}

void Model::given(const Wire& message, bool by_participant) {
  if (is_forged(message) && message.is_request() && !by_participant) return given_forgery(message);
  const auto call = message.header("Call-ID");
  if (message.is_request() && lies_.contains(message.body))
    lying_requests_.insert(request_of(message));
  if (!message.body.empty())
    if (const auto found = answers_.find(message.body); found != answers_.end())
      for (const auto index : found->second)
        if (auto& pair = pairs_[index]; pair.leg == leg_of(message) && !pair.is_believed) {
          pair.is_believed = true;
          pair.agent = agent_;
          if (pair.is_lie) leave_to_fate(pair);
        }
  given_offer(message);
  given_refresh(message);
  if (message.is_request() && message.method() == "INVITE" && by_participant) {
    auto& last = last_invite_[sender_of(message)];
    last = std::max(last, cseq_of(message));
  }
  const bool is_invites = !message.is_request() && message.method() == "INVITE";
  if (is_invites && cseq_of(message) == 1 && message.status() >= 300)
    calls_[call].has_failure = true;
  if (is_invites && message.status() > 100 && message.status() < 300)
    calls_[call].legs[leg_of(message)].known_to = agent_;
  if (!message.is_request() && message.method() == "INVITE" && message.status() / 100 == 2)
    calls_[call].legs[leg_of(message)].is_accepted = true;
  if (message.is_request() && message.method() == "BYE" && by_participant)
    calls_[call].legs[leg_of(message)].bye_given = true;
  if (message.is_request() && message.method() == "BYE" && by_participant && is_away())
    calls_[call].legs[leg_of(message)].is_unheard = true;
}

TimePoint Model::end_of_tolerance() {
  watch_middlebox();
  return middlebox_down_
             ? TimePoint::max()
             : (middlebox_back_ + slack > world_.now() ? middlebox_back_ + slack : world_.now());
}

void Model::ended(const std::string& call, const std::string& leg) {
  auto& state = calls_[call].legs[leg];
  if (!state.ended) state.ended = end_of_tolerance();
}

// Exchanges of a dialog are made one after the other: one takes the place of those made before it,
// also where the network brings their answers in another order.
void Model::supersede(const Pair& by) {
  for (auto& pair : pairs_) {
    if (&pair == &by) break;
    if (pair.call != by.call || pair.leg != by.leg || pair.until) continue;
    pair.by = by.invite;
    pair.until = world_.now() + (by.invite.empty() ? grace_ : unacknowledged) + slack;
  }
}

void Model::acknowledged(const std::string& invite, const std::string& leg) {
  for (auto& pair : pairs_)
    if (pair.by == invite && pair.leg == leg) {
      pair.by.clear();
      pair.until = std::min(*pair.until, world_.now() + grace_ + slack);
    }
}

// RFC 3261 14.1: to whoever gets a failure the session is as it was, also when the far side has
// answered with a 2xx that got lost on the way.
void Model::refused(const std::string& invite) {
  refused_.insert(invite);
  for (auto& pair : pairs_) {
    if (pair.by == invite) {
      pair.by.clear();
      pair.until.reset();
    }
    if (pair.invite == invite && pair.agent == agent_ && !pair.until)
      pair.until = world_.now() + grace_ + slack;
  }
}

// What was there before this exchange may stay or go: its users have left it.
void Model::leave_to_fate(const Pair& by) {
  for (auto& pair : pairs_) {
    if (&pair == &by) break;
    if (pair.call == by.call && pair.leg == by.leg) pair.is_replaced = true;
  }
}

void Model::forwarded(Pair& pair) {
  if (pair.is_forwarded || pair.until) return;
  const auto& leg = calls_[pair.call].legs[pair.leg];
  if (leg.ended || leg.bye_given || calls_[pair.call].failed || refused_.contains(pair.invite))
    return;
  if (calls_[pair.call].has_failure && pair.invite.empty()) return; // a preview, again
  const auto has_won = [&](const auto& other) {
    return other.first != pair.leg && other.second.is_accepted;
  };
  if (pair.is_unheard && pair.invite.empty() &&
      std::ranges::any_of(calls_[pair.call].legs, has_won))
    return; // likewise, when its INVITE comes again over UDP: its branch has lost since
  if (!pair.is_believed) throw Violation("an answer leaves that the agent was never given");
  // A branch that answers after another has won: its caller ends it at once, nothing need pass.
  for (const auto& [tag, other] : calls_[pair.call].legs)
    if (tag != pair.leg && other.is_answered && !leg.is_first) return;
  // An answer alone, by ACK to an agent that started after the offer had passed, is no exchange to
  // it: it opens nothing (invariant 7), and what was there before stays.
  if (passed_[pair.caller.body] != agent_ || passed_[pair.callee.body] != agent_) return;
  // Without a middlebox an answer may go on, with no media: nothing opens (invariant 7).
  if (!world_.is_ready()) return leave_to_fate(pair);
  pair.is_forwarded = true;
  if (pair.is_lie) return supersede(pair);
  for (const auto& flow : flows_of(pair)) {
    if (!world_.middlebox().passes(flow, world_.now()))
      throw Violation("an answer leaves before its rule is there: " + text_of(flow));
    if (!acknowledged_.contains(flow))
      throw Violation("an answer leaves before the acknowledgement of " + text_of(flow));
  }
  supersede(pair);
}

// It never goes on, so that every answer is the agent's own: 488, but for what is wrong before a
// description is looked at.
void Model::judge_answer_to_lie(const Wire& message) {
  const int status = message.status();
  if (message.is_request() || status < 200 || status == 488) return;
  if (lying_requests_.erase(request_of(message)) == 0) return;
  if (status == 430 && cseq_of(message) > 1) return; // its route leads nowhere
  if (status == 503 && is_away()) return;
  throw Violation("an offer that lies is answered " + message.start_line);
}

void Model::sent(const Wire& message, To to, bool proves) {
  const auto call = message.header("Call-ID");
  const auto leg = leg_of(message);
  if (const auto forgery = forgeries_.find(forged_branch(message)); forgery != forgeries_.end()) {
    if (message.is_request()) judge_forgery(forgery->second, message);
    return;
  }
  judge_answer_to_lie(message);
  if (to == To::caller || to == To::callee) answered_late(message);
  sent_refresh(message, to);
  if (!message.body.empty()) {
    if (forged_bodies_.contains(message.body)) throw Violation("a forged body goes on alone");
    const auto known = bodies_.find(message.body);
    if (known == bodies_.end() || known->second != call)
      throw Violation("a body that nobody of the call wrote:\n" + message.body);
    if (message.is_request() && lies_.contains(message.body))
      throw Violation("a request goes on that lies:\n" + message.body);
    passed_[message.body] = agent_;
    if (const auto found = answers_.find(message.body); found != answers_.end())
      for (const auto index : found->second) {
        if (pairs_[index].leg != leg) continue;
        if (message.status() / 100 == 2 && message.method() == "INVITE")
          pairs_[index].invite = invite_of(message);
        // UDP may bring an ACK after its sender's next INVITE, which makes an end of the exchange
        // that waits for it (RFC 3261 14.1): the late answer opens nothing.
        const auto last = last_invite_.find(sender_of(message));
        if (message.method() == "ACK" && last != last_invite_.end() &&
            last->second > cseq_of(message))
          continue;
        forwarded(pairs_[index]);
      }
  }
  const auto method = message.method();
  const int status = message.status();
  if (message.is_request()) {
    // Only one that the agent lets pass: over a new UDP flow its sender can prove nothing.
    if (method == "ACK") acknowledged(invite_of(message), leg);
    if (method == "INVITE" && leg.empty() && calls_[call].invited != agent_) {
      auto& anew = calls_[call];
      anew.invited = agent_;
      anew.is_answered = false;
      // UDP may bring it to a new agent after its failure; what is agreed on then is allowed.
      if (anew.failed) anew.failed_before.emplace_back(*anew.failed, anew.failed_by);
      anew.failed.reset();
    }
    if (method == "ACK" && to == To::callee && !leg.empty() && calls_[call].legs[leg].is_answered) {
      calls_[call].legs[leg].is_confirmed = true;
      for (auto& [tag, other] : calls_[call].legs)
        if (!other.is_answered && !other.until)
          other.until = world_.now() + (calls_[call].is_orphan ? life_of(other) : losers);
    }
    return;
  }
  // It was there when the BYE came, and gone before it was asked.
  if (method == "BYE" && !proves && status >= 200 && is_away())
    calls_[call].legs[leg].is_unheard = true;
  if (method == "BYE" && (to == To::caller || to == To::callee) &&
      (status / 100 == 2 || status == 481 || status == 408 || status == 430) &&
      (proves || !calls_[call].is_orphan || !calls_[call].legs[leg].is_unheard))
    ended(call, leg);
  if (method == "INVITE" && status >= 300 && (to == To::caller || to == To::callee) &&
      cseq_of(message) > 1)
    refused(invite_of(message));
  if (method != "INVITE" || cseq_of(message) != 1) return;
  // A loser's 2xx that goes on is a dialog until its sender gives up for want of an ACK, also where
  // it gets lost behind the gateway.
  auto& told = calls_[call].legs[leg];
  if (status / 100 == 2 && told.until)
    told.until = std::max(*told.until, world_.now() + unacknowledged + slack);
  if (to != To::caller) return;
  if (status >= 200) answered(call, status);
  if (status / 100 == 2) {
    auto& state = calls_[call].legs[leg];
    if (!state.is_answered)
      state.is_first = std::ranges::none_of(calls_[call].legs, [&](const auto& other) {
        return other.second.is_answered && other.first != leg;
      });
    state.is_answered = true;
    state.until.reset();
    if (!state.since) state.since = world_.now();
  }
  if (status >= 300) failed(call);
}

// The INVITE has its final response. Offers that are still on their way to the agent are another
// branch's.
void Model::answered(const std::string& call, int status) {
  calls_[call].is_answered = true;
  for (auto& [body, offer] : offers_)
    if (offer.call == call && offer.is_given && offer.leg.empty() && !offer.until) {
      offer.until = world_.now() + slack; // without the middlebox nothing is taken away
      if (status == 503) offer.until = std::max(*offer.until, offer.kept);
    }
}

void Model::failed(const std::string& call) {
  if (calls_[call].failed) return;
  calls_[call].failed = end_of_tolerance();
  calls_[call].failed_by = agent_;
}

void Model::unheard(const Wire& message, To to) {
  if (to == To::caller || to == To::callee) answered_late(message);
  if (message.is_request() || message.method() != "INVITE" || to != To::caller) return;
  if (cseq_of(message) != 1) return;
  if (const auto found = answers_.find(message.body); found != answers_.end())
    for (const auto index : found->second)
      if (pairs_[index].leg == leg_of(message)) pairs_[index].is_unheard = true;
  auto& call = calls_[message.header("Call-ID")];
  if (message.status() >= 200) answered(message.header("Call-ID"), message.status());
  if (message.status() >= 300) failed(message.header("Call-ID"));
  if (message.status() / 100 != 2) return;
  auto& leg = call.legs[leg_of(message)];
  if (leg.until) leg.until = std::max(*leg.until, world_.now() + unacknowledged + slack);
  for (auto& [tag, other] : call.legs)
    if (&other != &leg && !other.is_answered && !other.is_accepted && !other.until)
      other.until = world_.now() + (call.is_orphan ? life_of(other) : losers);
}

// Of a branch whose agent has died: what the kernel was told.
sip::Duration Model::life_of(const Leg& leg) const {
  return leg.is_accepted ? lifetime_ : sip::Duration(early_life);
}

void Model::agent_restarted() {
  ++agent_;
  restarted_ = world_.now();
  for (auto& pair : pairs_) pair.by.clear(); // an ACK tells the new one nothing
  for (auto& [body, offer] : offers_)
    if (!offer.until || *offer.until >= world_.now())
      offer.until = offer.kept = world_.now() + early_life;
  // What a dead agent was about to take away stays as long as the kernel was told.
  watch_middlebox();
  const bool was_away = middlebox_down_ || middlebox_back_ + slack > world_.now();
  for (auto& pair : pairs_)
    if (pair.until && (*pair.until >= world_.now() || was_away))
      pair.until = world_.now() + lifetime_ + slack;
  for (auto& [id, call] : calls_) {
    call.is_orphan = true;
    if (call.failed && *call.failed > world_.now())
      call.failed = world_.now() + lifetime_ + rounding;
    for (auto& [tag, leg] : call.legs) {
      if (leg.until) leg.until = std::max(*leg.until, world_.now() + life_of(leg));
      // The kernel may know no end but an early dialog's.
      const bool is_untold = was_away || leg.session_given + slack > world_.now();
      if (leg.session_most && is_untold)
        leg.session_most = std::max(*leg.session_most, world_.now() + early_life);
      if (leg.ended && *leg.ended > world_.now()) leg.ended = world_.now() + lifetime_ + rounding;
    }
  }
}

void Model::acknowledged(const pinhole::Request& request, pinhole::Result result) {
  const auto* set = std::get_if<pinhole::request::SetGroup>(&request);
  if (set == nullptr || result != pinhole::Result::ok) return;
  for (const auto& rule : set->rules) {
    if (rule.from_a) acknowledged_.insert({rule.a, rule.b});
    if (rule.from_b) acknowledged_.insert({rule.b, rule.a});
  }
}

// Between the agent and a middlebox that is ready; otherwise nothing can be opened or closed.
void Model::watch_middlebox() {
  const bool was_down = std::exchange(middlebox_down_, !world_.is_ready());
  if (middlebox_down_ && !was_down) {
    const auto is_due = [&](const auto& end) {
      return end && *end > world_.now() && *end <= world_.now() + slack;
    };
    for (auto& [id, call] : calls_) { // what is not done yet waits again
      if (is_due(call.failed)) call.failed = TimePoint::max();
      for (auto& [tag, leg] : call.legs)
        if (is_due(leg.ended)) leg.ended = TimePoint::max();
    }
  }
  if (middlebox_down_ || !was_down) return;
  middlebox_back_ = world_.now();
  for (auto& [id, call] : calls_) {
    if (call.failed == TimePoint::max()) call.failed = world_.now() + slack;
    for (auto& [tag, leg] : call.legs)
      if (leg.ended == TimePoint::max()) leg.ended = world_.now() + slack;
  }
}

std::string Model::why_not_allowed(const Pair& pair) {
  const auto now = world_.now();
  auto& call = calls_[pair.call];
  auto& leg = call.legs[pair.leg];
  if (pair.is_lie) return "one of its descriptions lies";
  if (!pair.is_believed) return "its answer has not reached the agent";
  if (leg.ended && now >= *leg.ended) return "its dialog has ended";
  // An INVITE repeated to a new agent fails there; of the branches that answered the one before, it
  // knows no tag: the kernel ends what was opened for them.
  const auto rest = pair.agent < call.failed_by ? lifetime_ : sip::Duration(0);
  if (call.failed && now - rest >= *call.failed && !leg.is_answered) return "its INVITE has failed";
  for (const auto& [failed, by] : call.failed_before)
    if (pair.agent <= by && now - (pair.agent < by ? lifetime_ : sip::Duration(0)) >= failed &&
        !leg.is_answered)
      return "its INVITE had failed";
  if (leg.until && now > *leg.until) return "its branch has lost";
  if (leg.session_most && now > *leg.session_most + slack + rounding) return "its session is over";
  if (pair.until && now > *pair.until + (middlebox_back_ + slack > now ? slack : seconds(0)) &&
      !middlebox_down_)
    return "a later exchange took its place";
  return {};
}

bool Model::must_pass(const Pair& pair) {
  auto& leg = calls_[pair.call].legs[pair.leg];
  return pair.is_forwarded && !pair.is_lie && !pair.until && !pair.is_replaced && leg.is_first &&
         leg.is_confirmed && !leg.bye_given && !leg.ended && leg.since &&
         world_.now() < *leg.since + lifetime_ - seconds(2) &&
         (!leg.session_least || world_.now() < *leg.session_least - seconds(2));
}

void Model::check() {
  ++checks_;
  watch_middlebox();
  const auto passing = world_.middlebox().passing(world_.now());
  for (const auto& flow : passing) {
    const auto found = by_flow_.find(flow);
    if (found == by_flow_.end())
      throw Violation("passes, but nobody agreed on it: " + text_of(flow));
    std::string why;
    for (const auto index : found->second)
      if (why = why_not_allowed(pairs_[index]); why.empty()) break;
    if (!why.empty()) throw Violation("passes, but " + why + ": " + text_of(flow));
  }
  check_sinks();
  const std::set<Directed> there(passing.begin(), passing.end());
  for (const auto& pair : pairs_)
    if (must_pass(pair))
      for (const auto& flow : flows_of(pair))
        if (!there.contains(flow)) throw Violation("a live stream is cut: " + text_of(flow));
}

void Model::check_empty() {
  if (const auto flows = world_.middlebox().passing(world_.now()); !flows.empty())
    throw Violation("left over at the end: " + text_of(flows[0]));
  if (const auto sinks = world_.middlebox().sinks(world_.now()); !sinks.empty())
    throw Violation("waits at the end: " + sinks[0].destination.to_string());
  const auto counts = world_.counts();
  if (counts.calls != 0 || counts.transactions != 0)
    throw Violation("left over at the end: " + std::to_string(counts.calls) + " calls, " +
                    std::to_string(counts.transactions) + " transactions");
}

} // namespace midcom::scenario
