// SPDX-License-Identifier: GPL-3.0-or-later
// Messages of a call as texts for the gateway, and as what they mean for the reference.
#include <stdexcept>
#include <utility>

#include "tests/firewall/call.h"

namespace midcom::firewall_test {

namespace {

const char* name_of(sip::Method method) {
  static constexpr const char* names[] = {"INVITE", "ACK",    "PRACK", "UPDATE",
                                          "BYE",    "CANCEL", "INFO"};
  return names[static_cast<int>(method)];
}

sip::MessagePtr parse(const std::string& text) {
  auto message = sip::Message::parse(text, sip::Framing::stream, {});
  if (!message) throw std::runtime_error("no message: " + text);
  return *std::move(message);
}

} // namespace

const FlowEntry& Call::flow_of(const Leg* leg, Party party) const {
  return party == Party::caller || leg == nullptr ? caller_ : leg->callee;
}

Call::Leg* Call::find(const std::string& tag) {
  for (Leg& leg : legs_)
    if (leg.tag == tag) return &leg;
  return nullptr;
}

Call::Leg* Call::live_leg(bool is_confirmed) {
  std::vector<Leg*> all;
  for (Leg& leg : legs_)
    if (!leg.is_ended && (leg.is_confirmed || !is_confirmed)) all.push_back(&leg);
  return all.empty() ? nullptr : dice_.pick(all);
}

Call::Leg& Call::new_leg() {
  Leg& leg = legs_.emplace_back();
  leg.number = static_cast<int>(legs_.size()) + 9;
  leg.tag = "callee" + std::to_string(leg.number);
  leg.callee = gateway_.flow_of(Party::callee, leg.number);
  if (legs_.size() > 1) ++counts_["fork"];
  return leg;
}

NaiveExchanges& Call::exchange_of(Leg& leg) {
  return reference_.find(leg.tag)->exchange;
}

const std::string& Call::sdp_of(const Description* description) const {
  static const std::string none;
  return description == nullptr ? none : texts_.at(description->name);
}

const Description& Call::keep(Description description, Leg* leg) {
  const std::string name = description.name;
  if (leg != nullptr) leg->said[description.owner == Party::caller ? 0 : 1] = name;
  const auto& text = texts_.emplace(name, firewall_test::text_of(description)).first->second;
  note(text);
  return known_.emplace(name, std::move(description)).first->second;
}

const Description* Call::offer_of(Leg& leg, Party party) {
  const auto agreed = exchange_of(leg).agreed();
  const int number = party == Party::caller ? 10 : leg.number;
  if (agreed && dice_.happens(3))
    return &keep(describer_.nonsense(known_.at(agreed->offer), party, number), &leg);
  const Description* before = agreed ? &known_.at(agreed->of(party)) : nullptr;
  return &keep(describer_.offer(party, number, before), &leg);
}

const Description* Call::answer_of(Leg& leg, Party party) {
  const auto& exchange = exchange_of(leg);
  const Description& offer = exchange.open()->offer.name.empty()
                                 ? known_.begin()->second
                                 : known_.at(exchange.open()->offer.name);
  const int number = party == Party::caller ? 10 : leg.number;
  if (dice_.happens(2)) return &keep(describer_.nonsense(offer, party, number), &leg);
  Before before;
  if (const auto agreed = exchange.agreed()) {
    before.own = &known_.at(agreed->of(party));
    before.other = &known_.at(agreed->of(sip::other(party)));
  }
  return &keep(describer_.answer(offer, party, number, before), &leg);
}

std::string Call::text_of_request(const std::string& method, Party from, const Leg* leg,
                                  std::uint32_t cseq, const std::string& sdp,
                                  const std::string& type) {
  const bool is_caller = from == Party::caller;
  const std::string caller = "<sip:alice@example.com>;tag=caller";
  const std::string callee =
      "<sip:bob@example.com>" + (leg == nullptr ? std::string() : ";tag=" + leg->tag);
  const auto& source = flow_of(leg, from).info.remote.address;
  std::string text = method + " sip:somebody@example.com SIP/2.0\r\nVia: SIP/2.0/TLS " +
                     source.to_string() + ":5061;branch=z9hG4bK" + std::to_string(++branches_) +
                     "\r\nFrom: " + (is_caller ? caller : callee) +
                     "\r\nTo: " + (is_caller ? callee : caller) +
                     "\r\nCall-ID: call\r\nCSeq: " + std::to_string(cseq) + " " + method +
                     "\r\nMax-Forwards: 70\r\nContact: <sip:me@" + source.to_string() + ">\r\n";
  if (!sdp.empty()) text += "Content-Type: " + type + "\r\n";
  return text + "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
}

std::size_t Call::number_of(const Transaction& transaction) const {
  std::size_t number = 0;
  while (&transactions_[number] != &transaction) ++number;
  return number;
}

std::size_t Call::send(sip::Method method, Party from, Leg* leg, const Description* sdp) {
  std::uint32_t& cseq = from == Party::caller ? caller_cseq_ : leg->callee_cseq;
  ++cseq;
  Transaction& transaction = transactions_.emplace_back();
  transaction.from = from;
  transaction.method = method;
  transaction.cseq = cseq;
  if (leg != nullptr) transaction.tag = leg->tag;
  transaction.request =
      parse(text_of_request(name_of(method), from, leg, cseq, sdp_of(sdp), "application/sdp"));
  note(std::string(from == Party::caller ? "> " : "< ") + name_of(method) + " " +
       std::to_string(cseq) + (leg != nullptr ? " in " + leg->tag : "") +
       (sdp != nullptr ? " " + sdp->name : ""));
  const Reference::Event event{
      from, method, cseq, 0, false, sdp != nullptr ? naive(*sdp) : sip::NaiveDescription{}};
  const bool may_be_offer = sdp != nullptr && method != sip::Method::bye &&
                            (leg == nullptr || exchange_of(*leg).takes(event));
  const bool must_be_refused =
      sdp != nullptr && method != sip::Method::bye && (is_refused(*sdp) || !may_be_offer);
  const Verdict verdict =
      gateway_.request(*transaction.request, sdp_of(sdp), flow_of(leg, from), transaction.pass);
  const bool is_refused_now = verdict.kind == Verdict::Kind::refuse;
  if (is_refused_now != must_be_refused)
    fail(std::string(is_refused_now ? "it is refused: " : "it isn't refused ") +
         std::string(word_of(verdict.reason)));
  const std::size_t index = transactions_.size() - 1;
  if (is_refused_now) {
    ++counts_["refused"];
    note("  refused");
    if (leg == nullptr) reference_.on_invite({from, method, cseq, 0, false, {}});
    time_out(index, 488, verdict.reason);
    return index;
  }
  if (leg == nullptr)
    reference_.on_invite(event);
  else
    reference_.on_message(leg->tag, event, gateway_.now());
  return index;
}

void Call::send_ack(Leg& leg, const Transaction& invite, const Description* sdp) {
  const auto message =
      parse(text_of_request("ACK", invite.from, &leg, invite.cseq, sdp_of(sdp), "application/sdp"));
  const Reference::Event event{invite.from, sip::Method::ack,
                               invite.cseq, 0,
                               false,       sdp != nullptr ? naive(*sdp) : sip::NaiveDescription{}};
  const auto act = [this, message, event, sdp, tag = leg.tag, from = invite.from] {
    const Leg* const its = find(tag);
    const Verdict verdict = gateway_.ack(*message, sdp_of(sdp), flow_of(its, from));
    if (verdict.kind == Verdict::Kind::refuse) {
      if (sdp == nullptr || !is_refused(*sdp)) fail("an ACK is refused");
      return;
    }
    reference_.on_message(tag, event, gateway_.now());
  };
  note(std::string(invite.from == Party::caller ? "> " : "< ") + "ACK " +
       std::to_string(invite.cseq) + " in " + leg.tag + (sdp != nullptr ? " " + sdp->name : ""));
  act();
  repeats_.push_back({act, "ACK " + std::to_string(invite.cseq) + " in " + leg.tag});
}

void Call::respond(std::size_t index, Leg* leg, int status, bool is_reliable,
                   const Description* sdp) {
  Transaction& transaction = transactions_[index];
  const bool is_initial = transaction.tag.empty();
  const Party from = sip::other(transaction.from);
  const auto& request = *transaction.request;
  const std::string tag = leg != nullptr && is_initial ? ";tag=" + leg->tag : "";
  std::string text = "SIP/2.0 " + std::to_string(status) +
                     " Words\r\nVia: SIP/2.0/TLS 10.9.0.1:5061;branch=z9hG4bKx\r\nFrom: " +
                     std::string(request.from().text) +
                     "\r\nTo: " + std::string(request.to().text) + tag +
                     "\r\nCall-ID: call\r\nCSeq: " + std::to_string(transaction.cseq) + " " +
                     name_of(transaction.method) + "\r\nContact: <sip:me@example.com>\r\n";
  if (is_reliable) text += "Require: 100rel\r\nRSeq: " + std::to_string(++branches_) + "\r\n";
  if (sdp != nullptr) text += "Content-Type: application/sdp\r\n";
  text += "Content-Length: " + std::to_string(sdp_of(sdp).size()) + "\r\n\r\n" + sdp_of(sdp);
  const auto response = parse(text);
  const std::string words = std::string(from == Party::caller ? "> " : "< ") +
                            std::to_string(status) + (is_reliable ? "r " : " ") +
                            name_of(transaction.method) + " " + std::to_string(transaction.cseq) +
                            (leg != nullptr ? " in " + leg->tag : "") +
                            (sdp != nullptr ? " " + sdp->name : "");
  const Reference::Event event{
      from,   transaction.method, transaction.cseq,
      status, is_reliable,        sdp != nullptr ? naive(*sdp) : sip::NaiveDescription{}};
  const auto act = [this, index, response, event, sdp, is_initial,
                    name = leg != nullptr ? leg->tag : std::string()] {
    const Transaction& its = transactions_[index];
    const Leg* const of = find(name);
    const FlowEntry& flow = of == nullptr && event.from == Party::callee
                                ? gateway_.flow_of(Party::callee, 9)
                                : flow_of(of, event.from);
    gateway_.response(its.pass, *its.request, *response, sdp_of(sdp), flow);
    if (event.method == sip::Method::bye) return;
    if (is_initial)
      reference_.on_invite_response(name, event, gateway_.now());
    else
      reference_.on_message(name, event, gateway_.now());
  };
  note(words);
  act();
  if (transaction.method == sip::Method::invite && status < 300) repeats_.push_back({act, words});
  if (status < 200) return;
  transaction.is_answered = true;
  transaction.answered = gateway_.now();
  if (status >= 300 || transaction.method != sip::Method::invite) finish(transaction);
}

// The gateway's own word: nobody has answered, or it refuses.
void Call::time_out(std::size_t index, int status, Reason reason) {
  Transaction& transaction = transactions_[index];
  if (reason == Reason::timeout) note("  nobody answers");
  gateway_.own_answer(transaction.pass, *transaction.request, status, reason);
  const Reference::Event event{
      sip::other(transaction.from), transaction.method, transaction.cseq, status, false, {}};
  if (transaction.method != sip::Method::bye) {
    if (transaction.tag.empty())
      reference_.on_invite_response({}, event, gateway_.now());
    else
      reference_.on_message(transaction.tag, event, gateway_.now());
  }
  transaction.is_answered = true;
  finish(transaction);
}

void Call::finish(Transaction& transaction) {
  if (!std::exchange(transaction.is_finished, true)) gateway_.finish(transaction.pass);
}

} // namespace midcom::firewall_test
