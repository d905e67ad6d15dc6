// SPDX-License-Identifier: GPL-3.0-or-later
// Each test is a ladder of events with what they do and the session after them.
//
// An event is "> INVITE 1 A1" (a request of the caller, CSeq 1), "< 183r INVITE 1 B1" (a response
// of the callee, r: reliable). A description is named by its o= and, after the letter, its m=
// lines: 1 audio, 0 audio with port 0, v video, b audio with port 0 and a=bundle-only; "-" is none.
#include "sip/offer_answer.h"

#include <gtest/gtest.h>

#include <cctype>
#include <random>
#include <set>
#include <sstream>

namespace midcom::sip {
namespace {

SdpPtr description(const std::string& name) {
  if (name == "-") return nullptr;
  std::string text = "v=0\r\no=" + name + " 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n";
  for (const char line : name.substr(1)) {
    const bool is_zero = line == '0' || line == 'b';
    text += std::string("m=") + (line == 'v' ? "video" : "audio") + (is_zero ? " 0" : " 4000") +
            " RTP/AVP 0\r\n";
    if (line == 'b') text += "a=bundle-only\r\n";
  }
  const auto sdp = Sdp::parse(text, SdpLimits{});
  EXPECT_TRUE(sdp.has_value()) << name;
  return sdp ? *sdp : nullptr;
}

std::string name_of(const SdpPtr& sdp) {
  return sdp ? std::string(sdp->origin().substr(0, sdp->origin().find(' '))) : "-";
}

std::string name_of(const std::optional<SessionPair>& pair) {
  return pair ? name_of(pair->caller) + "/" + name_of(pair->callee) : "-";
}

std::string name_of(OfferAnswer::Outcome outcome) {
  const char* names[] = {"nothing", "offered", "previewed", "agreed", "rolled-back", "violation"};
  return names[static_cast<int>(outcome)];
}

OfferAnswer::Outcome feed(OfferAnswer& machine, const std::string& event) {
  std::istringstream words(event);
  std::string side, first, method, sdp;
  std::uint32_t cseq = 0;
  words >> side >> first;
  const Party from = side == ">" ? Party::caller : Party::callee;
  if (std::isdigit(static_cast<unsigned char>(first[0])) == 0) {
    words >> cseq >> sdp;
    return machine.on(OfferAnswer::Request{method_of(first), from, cseq, description(sdp)});
  }
  words >> method >> cseq >> sdp;
  return machine.on(OfferAnswer::Response{method_of(method), from, cseq, std::stoi(first),
                                          first.ends_with('r'), description(sdp)});
}

std::string session(const OfferAnswer& machine) {
  std::string text = name_of(machine.agreed());
  if (machine.preview()) text += " preview " + name_of(machine.preview());
  if (machine.open_offer()) text += " open " + name_of(machine.open_offer());
  return text;
}

struct Step {
  const char* event;
  const char* outcome;
  const char* session;
};

// Plays the steps; with `is_doubled` every event comes twice, and the second must do nothing.
void play(const std::vector<Step>& steps, bool is_doubled) {
  OfferAnswer machine;
  for (const Step& step : steps) {
    SCOPED_TRACE(step.event);
    EXPECT_EQ(name_of(feed(machine, step.event)), step.outcome);
    EXPECT_EQ(session(machine), step.session);
    if (!is_doubled) continue;
    const std::string_view outcome = step.outcome;
    const std::string again = name_of(feed(machine, step.event));
    EXPECT_TRUE(again == "nothing" || (outcome == "violation" && again == outcome)) << again;
    EXPECT_EQ(session(machine), step.session);
  }
}

void ladder(const std::vector<Step>& steps) {
  play(steps, false);
  play(steps, true);
}

TEST(OfferAnswer, Pattern1InviteAnd2xx) {
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 100 INVITE 1 -", "nothing", "- open A1"},
          {"< 180 INVITE 1 -", "nothing", "- open A1"},
          {"< 200 INVITE 1 B1", "agreed", "A1/B1"},
          {"> ACK 1 -", "nothing", "A1/B1"},
          {"> BYE 2 -", "nothing", "A1/B1"},
          {"< 200 BYE 2 -", "nothing", "A1/B1"}});
}

TEST(OfferAnswer, Pattern2OfferlessInvite) {
  ladder({{"> INVITE 1 -", "nothing", "-"},
          {"< 180 INVITE 1 -", "nothing", "-"},
          {"< 200 INVITE 1 B1", "offered", "- open B1"},
          {"> ACK 1 A1", "agreed", "A1/B1"}});
}

TEST(OfferAnswer, Pattern3AnswerInReliable1xx) {
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 180r INVITE 1 -", "nothing", "- open A1"},
          {"> PRACK 2 -", "nothing", "- open A1"},
          {"< 200 PRACK 2 -", "nothing", "- open A1"},
          {"< 183r INVITE 1 B1", "agreed", "A1/B1"},
          {"> PRACK 3 -", "nothing", "A1/B1"},
          {"< 200 PRACK 3 -", "nothing", "A1/B1"},
          {"< 183r INVITE 1 C1", "nothing", "A1/B1"},
          {"< 200 INVITE 1 D1", "nothing", "A1/B1"},
          {"> ACK 1 E1", "nothing", "A1/B1"}});
}

TEST(OfferAnswer, Pattern4OfferInReliable1xx) {
  ladder({{"> INVITE 1 -", "nothing", "-"},
          {"< 183r INVITE 1 B1", "offered", "- open B1"},
          {"> PRACK 2 A1", "agreed", "A1/B1"},
          {"< 200 PRACK 2 -", "nothing", "A1/B1"},
          {"< 183r INVITE 1 D1", "nothing", "A1/B1"},
          {"> PRACK 3 E1", "nothing", "A1/B1"},
          {"< 200 INVITE 1 C1", "nothing", "A1/B1"},
          {"> ACK 1 -", "nothing", "A1/B1"}});
}

TEST(OfferAnswer, Pattern5PrackAndItsResponse) {
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 183r INVITE 1 B1", "agreed", "A1/B1"},
          {"> PRACK 2 C1", "offered", "A1/B1 open C1"},
          {"< 200 PRACK 2 D1", "agreed", "C1/D1"},
          {"< 200 INVITE 1 -", "nothing", "C1/D1"}});
}

TEST(OfferAnswer, Pattern6Update) {
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 183r INVITE 1 B1", "agreed", "A1/B1"},
          {"< UPDATE 1 C1", "offered", "A1/B1 open C1"},
          {"> 200 UPDATE 1 D1", "agreed", "D1/C1"},
          {"< 200 INVITE 1 -", "nothing", "D1/C1"},
          {"> UPDATE 4 E1", "offered", "D1/C1 open E1"},
          {"< 100 UPDATE 4 F1", "nothing", "D1/C1 open E1"},
          {"< 200 UPDATE 4 F1", "agreed", "E1/F1"}});
}

TEST(OfferAnswer, NoUpdateOrPrackMayBeginTheFirstExchange) {
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 180r INVITE 1 -", "nothing", "- open A1"},
          {"> PRACK 2 C1", "nothing", "- open A1"},
          {"< UPDATE 1 D1", "nothing", "- open A1"},
          {"> 500 UPDATE 1 -", "nothing", "- open A1"},
          {"< 200 INVITE 1 B1", "agreed", "A1/B1"}});
  ladder({{"> INVITE 1 -", "nothing", "-"}, {"> UPDATE 2 C1", "nothing", "-"}});
}

TEST(OfferAnswer, PreviewIsConfirmed) {
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 183 INVITE 1 B1", "previewed", "- preview A1/B1 open A1"},
          {"< 200 INVITE 1 B1", "agreed", "A1/B1"}});
}

TEST(OfferAnswer, PreviewAndItsAnswerAreThePairOfOneIdentity) {
  OfferAnswer machine;
  feed(machine, "> INVITE 1 A1");
  feed(machine, "< 183 INVITE 1 B1");
  const auto preview = machine.in_force();
  ASSERT_TRUE(preview);
  feed(machine, "< 200 INVITE 1 B1");
  EXPECT_EQ(machine.in_force(), preview);
  EXPECT_EQ(machine.agreed()->offerer, Party::caller);
}

TEST(OfferAnswer, PreviewIsReplaced) {
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 183 INVITE 1 B1", "previewed", "- preview A1/B1 open A1"},
          {"< 180 INVITE 1 -", "nothing", "- preview A1/B1 open A1"},
          {"< 183 INVITE 1 C1", "previewed", "- preview A1/C1 open A1"},
          {"< 183r INVITE 1 D1", "agreed", "A1/D1"},
          {"< 183 INVITE 1 E1", "nothing", "A1/D1"}});
}

TEST(OfferAnswer, FinalWithoutAnswerGoesByThePreview) {
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 183 INVITE 1 B1", "previewed", "- preview A1/B1 open A1"},
          {"< 200 INVITE 1 -", "agreed", "A1/B1"}});
  ladder({{"> INVITE 1 A1", "offered", "- open A1"}, {"< 200 INVITE 1 -", "rolled-back", "-"}});
}

TEST(OfferAnswer, UnreliableDescriptionIsNoOffer) {
  ladder({{"> INVITE 1 -", "nothing", "-"},
          {"< 183 INVITE 1 B1", "nothing", "-"},
          {"< 200 INVITE 1 C1", "offered", "- open C1"},
          {"> ACK 1 A1", "agreed", "A1/C1"}});
}

TEST(OfferAnswer, FailureAndCancelRollBack) {
  for (const char* final : {"< 302 INVITE 1 -", "< 401 INVITE 1 -", "< 487 INVITE 1 -",
                            "< 488 INVITE 1 C1", "< 503 INVITE 1 -", "< 603 INVITE 1 -"}) {
    ladder({{"> INVITE 1 A1", "offered", "- open A1"},
            {"< 183 INVITE 1 B1", "previewed", "- preview A1/B1 open A1"},
            {"> CANCEL 1 -", "nothing", "- preview A1/B1 open A1"},
            {"< 200 CANCEL 1 -", "nothing", "- preview A1/B1 open A1"},
            {final, "rolled-back", "-"},
            {"> ACK 1 -", "nothing", "-"},
            {"> INVITE 2 A1", "offered", "- open A1"},
            {"< 200 INVITE 2 B1", "agreed", "A1/B1"}});
  }
}

const std::vector<Step> established = {{"> INVITE 1 A1", "offered", "- open A1"},
                                       {"< 200 INVITE 1 B1", "agreed", "A1/B1"},
                                       {"> ACK 1 -", "nothing", "A1/B1"}};

void ladder_established(std::vector<Step> steps) {
  steps.insert(steps.begin(), established.begin(), established.end());
  ladder(steps);
}

TEST(OfferAnswer, ReInvite) {
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"< 200 INVITE 2 D1", "agreed", "C1/D1"},
                      {"< INVITE 9 E1v", "offered", "C1/D1 open E1v"},
                      {"> 200 INVITE 9 F10", "agreed", "F10/E1v"}});
  ladder_established({{"< INVITE 2 -", "nothing", "A1/B1"},
                      {"> 200 INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"< ACK 2 D1", "agreed", "C1/D1"}});
}

TEST(OfferAnswer, FailedReInviteRollsBackAllItsExchanges) {
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"< 183r INVITE 2 D1", "agreed", "C1/D1"},
                      {"> PRACK 3 E1", "offered", "C1/D1 open E1"},
                      {"< 200 PRACK 3 F1", "agreed", "E1/F1"},
                      {"< UPDATE 7 G1", "offered", "E1/F1 open G1"},
                      {"> 200 UPDATE 7 H1", "agreed", "H1/G1"},
                      {"< 488 INVITE 2 -", "rolled-back", "A1/B1"},
                      {"> UPDATE 4 I1", "offered", "A1/B1 open I1"},
                      {"< 200 UPDATE 4 J1", "agreed", "I1/J1"}});
}

TEST(OfferAnswer, UpdateThatOutlivesAFailedReInviteHasItsOwnAnswer) {
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"< 183r INVITE 2 D1", "agreed", "C1/D1"},
                      {"< UPDATE 7 G1", "offered", "C1/D1 open G1"},
                      {"< 504 INVITE 2 -", "rolled-back", "A1/B1 open G1"},
                      {"> 200 UPDATE 7 H1", "agreed", "H1/G1"}});
}

TEST(OfferAnswer, FailedUpdateAndPrackChangeNothing) {
  ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                      {"< 491 UPDATE 2 -", "rolled-back", "A1/B1"},
                      {"> UPDATE 3 -", "nothing", "A1/B1"},
                      {"< 200 UPDATE 3 -", "nothing", "A1/B1"},
                      {"> UPDATE 4 C1", "offered", "A1/B1 open C1"},
                      {"< 200 UPDATE 4 -", "rolled-back", "A1/B1"},
                      {"> UPDATE 5 C1", "offered", "A1/B1 open C1"},
                      {"< 408 UPDATE 5 -", "rolled-back", "A1/B1"}});
  ladder({{"> INVITE 1 A1", "offered", "- open A1"},
          {"< 183r INVITE 1 B1", "agreed", "A1/B1"},
          {"> PRACK 2 C1", "offered", "A1/B1 open C1"},
          {"< 488 PRACK 2 -", "rolled-back", "A1/B1"}});
}

TEST(OfferAnswer, GlareIsLeftToTheUserAgents) {
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"< INVITE 5 D1", "nothing", "A1/B1 open C1"},
                      {"< UPDATE 6 E1", "nothing", "A1/B1 open C1"},
                      {"> 491 INVITE 5 -", "nothing", "A1/B1 open C1"},
                      {"< 491 INVITE 2 -", "rolled-back", "A1/B1"}});
  ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                      {"< UPDATE 5 D1", "nothing", "A1/B1 open C1"},
                      {"< INVITE 6 D1", "nothing", "A1/B1 open C1"},
                      {"> 491 UPDATE 5 -", "nothing", "A1/B1 open C1"},
                      {"< 200 UPDATE 2 E1", "agreed", "C1/E1"}});
}

TEST(OfferAnswer, TheNextRequestOfAPartyEndsItsLostOne) {
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"< 183 INVITE 2 D1", "previewed", "A1/B1 preview C1/D1 open C1"},
                      {"> INVITE 3 E1", "offered", "A1/B1 open E1"},
                      {"< 200 INVITE 2 D1", "nothing", "A1/B1 open E1"},
                      {"< 200 INVITE 3 F1", "agreed", "E1/F1"},
                      {"> UPDATE 4 G1", "offered", "E1/F1 open G1"},
                      {"> UPDATE 5 H1", "offered", "E1/F1 open H1"},
                      {"> INVITE 6 I1", "offered", "E1/F1 open I1"},
                      {"< 200 UPDATE 4 J1", "nothing", "E1/F1 open I1"}});
  ladder({{"> INVITE 1 -", "nothing", "-"},
          {"< 200 INVITE 1 B1", "offered", "- open B1"},
          {"> INVITE 2 A1", "offered", "- open A1"},
          {"> ACK 1 C1", "nothing", "- open A1"},
          {"< 200 INVITE 2 D1", "agreed", "A1/D1"}});
}

TEST(OfferAnswer, AckEndsAnUnansweredOffer) {
  ladder({{"> INVITE 1 -", "nothing", "-"},
          {"< 200 INVITE 1 B1", "offered", "- open B1"},
          {"> ACK 1 -", "rolled-back", "-"}});
  ladder({{"> INVITE 1 -", "nothing", "-"},
          {"< 183r INVITE 1 B1", "offered", "- open B1"},
          {"> PRACK 2 -", "nothing", "- open B1"},
          {"< 200 INVITE 1 C1", "nothing", "- open B1"},
          {"> ACK 1 A1", "rolled-back", "-"}});
}

TEST(OfferAnswer, OfferlessInviteThatGetsNoOfferChangesNothing) {
  ladder_established({{"> INVITE 2 -", "nothing", "A1/B1"},
                      {"< 200 INVITE 2 -", "nothing", "A1/B1"},
                      {"> ACK 2 C1", "nothing", "A1/B1"}});
}

TEST(OfferAnswer, StrangersToTheTransactionDoNothing) {
  ladder({{"< 200 INVITE 1 B1", "nothing", "-"},
          {"> ACK 1 A1", "nothing", "-"},
          {"> PRACK 1 A1", "nothing", "-"},
          {"< 200 UPDATE 1 A1", "nothing", "-"},
          {"> INVITE 1 A1", "offered", "- open A1"},
          {"< 200 INVITE 2 B1", "nothing", "- open A1"},
          {"> 200 INVITE 1 B1", "nothing", "- open A1"},
          {"< PRACK 1 B1", "nothing", "- open A1"},
          {"< ACK 1 B1", "nothing", "- open A1"},
          {"< OPTIONS 1 B1", "nothing", "- open A1"},
          {"> 200 OPTIONS 1 C1", "nothing", "- open A1"}});
}

TEST(OfferAnswer, BeginsInTheMiddleOfADialog) {
  ladder({{"> UPDATE 7 A1", "offered", "- open A1"}, {"< 200 UPDATE 7 B1", "agreed", "A1/B1"}});
  ladder({{"< INVITE 7 A1", "offered", "- open A1"},
          {"> 481 INVITE 7 -", "rolled-back", "-"},
          {"> UPDATE 8 C1", "offered", "- open C1"}});
}

TEST(OfferAnswer, AnswerMustFitItsOffer) {
  for (const char* answer : {"B", "B1", "B111", "B1v1"}) {
    const std::string reliable = std::string("< 183r INVITE 1 ") + answer;
    const std::string preview = std::string("< 183 INVITE 1 ") + answer;
    const std::string final = std::string("< 200 INVITE 1 ") + answer;
    play({{"> INVITE 1 A11", "offered", "- open A11"},
          {preview.c_str(), "violation", "- open A11"},
          {reliable.c_str(), "violation", "- open A11"},
          {final.c_str(), "violation", "-"},
          {final.c_str(), "nothing", "-"},
          {"< INVITE 4 C1", "offered", "- open C1"}},
         false);
  }
  // other media type; what was refused stays so, unless it was never its own stream
  play({{"> INVITE 1 A1", "offered", "- open A1"}, {"< 200 INVITE 1 Bv", "violation", "-"}}, false);
  play({{"> INVITE 1 A10", "offered", "- open A10"}, {"< 200 INVITE 1 B11", "violation", "-"}},
       false);
  ladder(
      {{"> INVITE 1 A1b", "offered", "- open A1b"}, {"< 200 INVITE 1 B11", "agreed", "A1b/B11"}});
  ladder({{"> INVITE 1 Av", "offered", "- open Av"}, {"< 200 INVITE 1 B0", "agreed", "Av/B0"}});
}

TEST(OfferAnswer, AnswersInOtherRequestsMustFitToo) {
  play({{"> INVITE 1 -", "nothing", "-"},
        {"< 200 INVITE 1 B1", "offered", "- open B1"},
        {"> ACK 1 A11", "violation", "-"}},
       false);
  play({{"> INVITE 1 -", "nothing", "-"},
        {"< 183r INVITE 1 B1", "offered", "- open B1"},
        {"> PRACK 2 A11", "violation", "- open B1"},
        {"> PRACK 3 A1", "agreed", "A1/B1"},
        {"> UPDATE 4 C1", "offered", "A1/B1 open C1"},
        {"< 200 UPDATE 4 D11", "violation", "A1/B1"}},
       false);
}

TEST(OfferAnswer, AnOfferNeverHasFewerStreamsThanBefore) {
  const std::vector<Step> two = {{"> INVITE 1 A1v", "offered", "- open A1v"},
                                 {"< 200 INVITE 1 B1v", "agreed", "A1v/B1v"}};
  for (const char* event : {"> INVITE 2 C1", "< INVITE 2 C1", "> UPDATE 2 C1", "< UPDATE 2 C1"}) {
    std::vector<Step> steps = two;
    steps.push_back({event, "violation", "A1v/B1v"});
    steps.push_back({"> INVITE 3 D10v", "offered", "A1v/B1v open D10v"});
    ladder(steps);
  }
  std::vector<Step> offerless = two;
  offerless.push_back({"> INVITE 2 -", "nothing", "A1v/B1v"});
  offerless.push_back({"< 200 INVITE 2 C1", "violation", "A1v/B1v"});
  play(offerless, false);
}

TEST(OfferAnswer, SamePassWithAnotherOfferIsAViolation) {
  play({{"> INVITE 1 A1", "offered", "- open A1"},
        {"> INVITE 1 C1", "violation", "- open A1"},
        {"< 200 INVITE 1 B1", "agreed", "A1/B1"}},
       false);
}

TEST(OfferAnswer, ForkIsACopy) {
  OfferAnswer first;
  feed(first, "> INVITE 1 A1");
  OfferAnswer second = first;
  feed(first, "< 183 INVITE 1 B1");
  feed(second, "< 183r INVITE 1 C1");
  EXPECT_EQ(session(first), "- preview A1/B1 open A1");
  EXPECT_EQ(session(second), "A1/C1");
  feed(first, "< 200 INVITE 1 D1");
  EXPECT_EQ(session(first), "A1/D1");
  EXPECT_EQ(session(second), "A1/C1");
}

TEST(OfferAnswer, MethodNames) {
  EXPECT_EQ(method_of("INVITE"), Method::invite);
  EXPECT_EQ(method_of("CANCEL"), Method::cancel);
  EXPECT_EQ(method_of("invite"), Method::other); // RFC 3261 7.1: case-sensitive
  EXPECT_EQ(method_of(""), Method::other);
}

// Whatever comes, the session in force is a pair of an offer and an answer to it that were sent, by
// the two parties; an event that comes again changes nothing; a failed INVITE leaves what was
// there.
TEST(OfferAnswer, RandomSequences) {
  std::mt19937 random(6337);
  const auto pick = [&](auto& list) { return list[random() % std::size(list)]; };
  const char* methods[] = {"INVITE", "INVITE", "INVITE", "ACK", "PRACK", "UPDATE", "CANCEL", "BYE"};
  const char* statuses[] = {"180", "183", "183r", "183r", "200", "200", "200", "487", "488"};
  const char* answered[] = {"INVITE", "INVITE", "PRACK", "UPDATE"};
  const char* shapes[] = {"1", "1", "1", "1v", "10", "0"};
  int pairs = 0;
  for (int round = 0; round < 1500; ++round) {
    OfferAnswer machine;
    std::set<std::string> sent[2]; // by caller, callee
    std::uint32_t cseq = 1;
    for (int step = 0; step < 20; ++step) {
      const std::string side = random() % 2 == 0 ? ">" : "<";
      std::string sdp = "-";
      if (random() % 4 != 0)
        sdp = std::string(1, static_cast<char>('A' + random() % 26)) + pick(shapes);
      const bool is_request = random() % 2 == 0;
      if (is_request && random() % 2 == 0) ++cseq;
      const std::string event =
          is_request ? side + " " + pick(methods) + " " + std::to_string(cseq) + " " + sdp
                     : side + " " + pick(statuses) + " " + pick(answered) + " " +
                           std::to_string(cseq - random() % 2) + " " + sdp;
      SCOPED_TRACE(event);
      sent[side == ">" ? 0 : 1].insert(sdp);
      const auto before = machine.in_force();
      const auto outcome = feed(machine, event);
      if (outcome == OfferAnswer::Outcome::nothing) {
        ASSERT_EQ(machine.in_force(), before);
      }
      if (const auto& pair = machine.in_force()) {
        ++pairs;
        ASSERT_TRUE(sent[0].contains(name_of(pair->caller)));
        ASSERT_TRUE(sent[1].contains(name_of(pair->callee)));
        ASSERT_EQ(pair->caller->media().size(), pair->callee->media().size());
      }
      ASSERT_FALSE(machine.preview() && !machine.open_offer());
      const std::string state = session(machine);
      const auto again = feed(machine, event);
      ASSERT_TRUE(again == OfferAnswer::Outcome::nothing ||
                  (again == outcome && outcome == OfferAnswer::Outcome::violation))
          << name_of(again);
      ASSERT_EQ(session(machine), state);
    }
  }
  EXPECT_GT(pairs, 1000);
}

} // namespace
} // namespace midcom::sip
