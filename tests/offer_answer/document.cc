// SPDX-License-Identifier: GPL-3.0-or-later
// Makes sip/OFFER-ANSWER.md by running the offer/answer machine.
//
//     offer_answer_document FILE           writes it
//     offer_answer_document --check FILE   compares it with a new run
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/unit/sip/offer_answer_script.h"

namespace {

using namespace midcom::sip;
using namespace midcom::sip::offer_answer_script;

constexpr const char* introduction = R"(# What the offer/answer machine does

Written by `tests/offer_answer/document.cc`, which runs `offer_answer.cc`, and compared with a new run by the tests.
`>`: from the caller, who sent the first INVITE; `<`: from the callee. Both may send every request; what is not shown is
the same the other way round.

)";

constexpr const char* patterns_introduction = R"(## Which message answers which

Beside RFC 6337 table 1. Rows: the message with the offer; columns: the message with the answer. Ini: may be the first exchange
of a dialog, Early: in an early dialog that has a session, Est: in an established one. A cell lists where the pair of messages
makes a session; *preview*: it is in force, but the exchange stays open. Everything else is neither offer nor answer.

)";

constexpr const char* states_introduction = R"(
## What each message does in each state

- **offer**: an exchange is open, the session is as before
- **preview**: the session of a description that is not the answer yet
- **agree**: the session is that of the offer and this answer
- **end**: what is open has failed; the session is as before
- **undo**: what was in force is gone: a preview, or all that was agreed since the INVITE (RFC 6141)
- **begin**: an INVITE without offer is pending
- **wait**: it is the far side's to refuse (491, 500); what is not refused begins when what is open has ended
- **refuse**: against RFC 3264; nothing changes

)";

// --- patterns

struct Message {
  const char* name;
  const char* text;
};

const Message offers[] = {{"INVITE", "> INVITE 7 C1"},
                          {"1xx-rel INVITE", "< 183r INVITE 7 C1"},
                          {"2xx INVITE", "< 200 INVITE 7 C1"},
                          {"PRACK", "> PRACK 8 C1"},
                          {"UPDATE", "> UPDATE 8 C1"},
                          {"1xx INVITE", "< 183 INVITE 7 C1"},
                          {"ACK", "> ACK 7 C1"}};
const Message answers[] = {
    {"1xx INVITE", "< 183 INVITE 7 D1"}, {"1xx-rel INVITE", "< 183r INVITE 7 D1"},
    {"2xx INVITE", "< 200 INVITE 7 D1"}, {"ACK", "> ACK 7 D1"},
    {"PRACK", "> PRACK 8 D1"},           {"2xx PRACK", "< 200 PRACK 8 D1"},
    {"2xx UPDATE", "< 200 UPDATE 8 D1"}};

using Events = std::vector<std::string>;

OfferAnswer machine_after(const Events& events) {
  OfferAnswer machine;
  for (const auto& event : events) static_cast<void>(feed(machine, event));
  return machine;
}

// What is before the offer: the INVITE that has to be pending for it, if any.
Events prelude_of(const std::string& offer, const std::string& place) {
  const bool is_in_invite = offer.ends_with("INVITE") && offer != "INVITE";
  const bool is_early = place == "Early";
  Events events;
  if (is_early)
    events = {"> INVITE 6 A1", "< 183r INVITE 6 B1"};
  else if (place == "Est")
    events = {"> INVITE 1 A1", "< 200 INVITE 1 B1", "> ACK 1 -"};
  if (is_in_invite || offer == "ACK") events.emplace_back("> INVITE 7 -");
  if (offer == "ACK") events.emplace_back("< 200 INVITE 7 -");
  if (is_early) return events;
  if (offer == "PRACK" && place == "Est")
    events.insert(events.end(), {"> INVITE 7 A1", "< 183r INVITE 7 B1"});
  else if (offer == "PRACK" || (offer == "UPDATE" && place == "Ini"))
    events.emplace_back("> INVITE 7 A1");
  return events;
}

// The places where the answer fits the offer.
std::string fit(const Message& offer, const Message& answer) {
  std::string places;
  bool is_preview = false;
  for (const std::string place : {"Ini", "Early", "Est"}) {
    auto machine = machine_after(prelude_of(offer.name, place));
    if (feed(machine, offer.text) != OfferAnswer::Outcome::offered) continue;
    const auto outcome = feed(machine, answer.text);
    is_preview = is_preview || outcome == OfferAnswer::Outcome::previewed;
    if (outcome != OfferAnswer::Outcome::agreed && outcome != OfferAnswer::Outcome::previewed)
      continue;
    if (!machine.in_force() || name_of(machine.in_force()).find('D') == std::string::npos) continue;
    places += (places.empty() ? "" : " ") + place;
  }
  return is_preview ? "*preview* " + places : places;
}

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const auto& cell : cells) text += " " + cell + " |";
  return text + "\n";
}

std::string rule(std::size_t columns) {
  std::string text = "|";
  for (std::size_t i = 0; i < columns; ++i) text += "---|";
  return text + "\n";
}

std::string patterns_table() {
  std::vector<std::string> head = {"offer \\ answer"};
  for (const auto& answer : answers) head.emplace_back(answer.name);
  std::string text = row(head) + rule(head.size());
  for (const auto& offer : offers) {
    std::vector<std::string> cells = {offer.name};
    for (const auto& answer : answers) cells.push_back(fit(offer, answer));
    text += row(cells);
  }
  return text;
}

// --- states

struct State {
  const char* name;
  Events events;
  Events ends; // end what is open, one by one
};

const Events established = {"> INVITE 1 A1", "< 200 INVITE 1 B1", "> ACK 1 -"};

Events after(Events events, const Events& more) {
  events.insert(events.end(), more.begin(), more.end());
  return events;
}

const std::vector<State>& states() {
  static const Events answered_early = {"> INVITE 1 A1", "< 183r INVITE 1 B1"};
  static const Events failed = {"< 500 INVITE 1 -"}, failed_again = {"< 500 INVITE 3 -"};
  static const std::vector<State> all = {
      {"nothing yet", {}, {}},
      {"INVITE with offer", {"> INVITE 1 A1"}, failed},
      {"... and a preview", {"> INVITE 1 A1", "< 183 INVITE 1 B1"}, failed},
      {"... answered in a 1xx-rel", answered_early, failed},
      {"... PRACK offers",
       after(answered_early, {"> PRACK 5 C1"}),
       {"< 500 PRACK 5 -", "< 500 INVITE 1 -"}},
      {"... UPDATE > offers",
       after(answered_early, {"> UPDATE 5 C1"}),
       {"< 500 UPDATE 5 -", "< 500 INVITE 1 -"}},
      {"... UPDATE < offers",
       after(answered_early, {"< UPDATE 5 C1"}),
       {"> 500 UPDATE 5 -", "< 500 INVITE 1 -"}},
      {"INVITE without offer", {"> INVITE 1 -"}, failed},
      {"... offer in a 1xx-rel", {"> INVITE 1 -", "< 183r INVITE 1 B1"}, failed},
      {"... offer in the 2xx", {"> INVITE 1 -", "< 200 INVITE 1 B1"}, {"> ACK 1 -"}},
      {"established", established, {}},
      {"re-INVITE with offer", after(established, {"> INVITE 3 C1"}), failed_again},
      {"... answered in a 1xx-rel", after(established, {"> INVITE 3 C1", "< 183r INVITE 3 D1"}),
       failed_again},
      {"re-INVITE without offer", after(established, {"> INVITE 3 -"}), failed_again},
      {"... UPDATE > offers",
       after(established, {"> INVITE 3 -", "> UPDATE 5 C1"}),
       {"< 500 UPDATE 5 -", "< 500 INVITE 3 -"}},
      {"UPDATE > offers", after(established, {"> UPDATE 5 C1"}), {"< 500 UPDATE 5 -"}},
      {"UPDATE < offers", after(established, {"< UPDATE 5 C1"}), {"> 500 UPDATE 5 -"}},
  };
  return all;
}

// @: the CSeq of the state's INVITE
const Message events[] = {{"> INVITE with offer", "> INVITE 9 X1"},
                          {"> INVITE without", "> INVITE 9 -"},
                          {"< INVITE with offer", "< INVITE 9 X1"},
                          {"< 1xx INVITE, SDP", "< 183 INVITE @ X1"},
                          {"< 1xx-rel INVITE, SDP", "< 183r INVITE @ X1"},
                          {"< 2xx INVITE, SDP", "< 200 INVITE @ X1"},
                          {"< 2xx INVITE, none", "< 200 INVITE @ -"},
                          {"< 3xx-6xx INVITE (SDP or none)", "< 488 INVITE @ X1"},
                          {"> ACK, SDP", "> ACK @ X1"},
                          {"> ACK, none", "> ACK @ -"},
                          {"> PRACK, SDP", "> PRACK 9 X1"},
                          {"< 2xx PRACK, SDP", "< 200 PRACK 5 X1"},
                          {"< 3xx-6xx PRACK, or 2xx without", "< 500 PRACK 5 -"},
                          {"> UPDATE, SDP", "> UPDATE 9 X1"},
                          {"> UPDATE, none", "> UPDATE 9 -"},
                          {"< UPDATE, SDP", "< UPDATE 9 X1"},
                          {"< 2xx UPDATE, SDP", "< 200 UPDATE 5 X1"},
                          {"< 3xx-6xx UPDATE, or 2xx without", "< 491 UPDATE 5 -"},
                          {"> 2xx UPDATE, SDP", "> 200 UPDATE 5 X1"},
                          {"> 3xx-6xx UPDATE, or 2xx without", "> 491 UPDATE 5 -"},
                          {"< 2xx INVITE, SDP with one m= more", "< 200 INVITE @ X11"},
                          {"> UPDATE, SDP with fewer m=", "> UPDATE 9 X"},
                          {"CANCEL, BYE, OPTIONS, 200 OPTIONS, ... with SDP", "> OPTIONS 9 X1"}};

std::string invite_of(const State& state) {
  const bool is_again = std::ranges::any_of(
      state.events, [](const auto& event) { return event.starts_with("> INVITE 3"); });
  return is_again ? "3" : "1";
}

// A request that offers nothing at once: does its 2xx count, now or when what is open has failed?
std::string later_of(const OfferAnswer& before, const OfferAnswer& after, const State& state,
                     Event request) {
  const auto is_counted = [&](std::size_t ended) {
    OfferAnswer with = after, without = before;
    for (OfferAnswer* machine : {&with, &without}) {
      for (std::size_t i = 0; i < ended; ++i) static_cast<void>(feed(*machine, state.ends[i]));
      Event answer = request;
      answer.from = other(request.from);
      answer.status = 200;
      answer.sdp = request.sdp == "-" ? "Y1" : "Y" + request.sdp.substr(1);
      static_cast<void>(feed(*machine, answer));
    }
    return session(with) != session(without);
  };
  if (request.status != 0) return "";
  if (!before.open_offer() && is_counted(0)) return "begin";
  for (std::size_t ended = 1; ended <= state.ends.size(); ++ended)
    if (is_counted(ended)) return "wait";
  return "";
}

std::string cell_of(const State& state, const Message& event) {
  const OfferAnswer before = machine_after(state.events);
  std::string text = event.text;
  if (const auto at = text.find('@'); at != std::string::npos)
    text.replace(at, 1, invite_of(state));
  OfferAnswer machine = before;
  switch (feed(machine, text)) {
  case OfferAnswer::Outcome::offered:
    return "offer";
  case OfferAnswer::Outcome::previewed:
    return "preview";
  case OfferAnswer::Outcome::agreed:
    return "agree";
  case OfferAnswer::Outcome::rolled_back:
    return machine.in_force() == before.in_force() ? "end" : "undo";
  case OfferAnswer::Outcome::violation:
    return machine.open_offer() == before.open_offer() ? "refuse" : "refuse, end";
  case OfferAnswer::Outcome::nothing:
    break;
  }
  return later_of(before, machine, state, read_event(text));
}

std::string states_table() {
  std::string text = "States and the messages that lead there:\n\n";
  std::vector<std::string> head = {""};
  char letter = 'a';
  for (const auto& state : states()) {
    head.emplace_back(1, letter);
    text += std::string("- **") + letter++ + "** " + state.name;
    std::string ladder;
    for (const auto& event : state.events) ladder += (ladder.empty() ? "" : ", ") + event;
    text += (ladder.empty() ? "" : ": `" + ladder + "`") + ". Session: `" +
            session(machine_after(state.events)) + "`\n";
  }
  text += "\n" + row(head) + rule(head.size());
  for (const auto& event : events) {
    std::vector<std::string> cells = {event.name};
    for (const auto& state : states()) cells.push_back(cell_of(state, event));
    text += row(cells);
  }
  return text;
}

std::string document() {
  return introduction + std::string(patterns_introduction) + patterns_table() +
         states_introduction + states_table();
}

std::string content_of(const char* file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

int main(int argc, char** argv) {
  const bool is_check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (argc != 2 && !is_check) {
    std::cerr << "usage: offer_answer_document [--check] FILE\n";
    return 2;
  }
  const std::string made = document();
  if (!is_check) {
    std::ofstream out(argv[1], std::ios::binary);
    out << made;
    return out.flush() ? 0 : 1;
  }
  if (content_of(argv[2]) == made) return 0;
  std::cerr << argv[2] << " is not what the machine does; write it again\n" << made;
  return 1;
}
