// SPDX-License-Identifier: GPL-3.0-or-later
// Each test is a ladder of events with what they do and the session after them; the notation is in
// offer_answer_script.h.
#include "sip/offer_answer.h"

#include <gtest/gtest.h>

#include "tests/unit/sip/offer_answer_script.h"

namespace midcom::sip {
namespace {

using offer_answer_script::feed;
using offer_answer_script::name_of;
using offer_answer_script::session;

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
          {"< 200 INVITE 1 -", "nothing", "C1/D1"},
          {"> PRACK 3 E1", "nothing", "C1/D1"}});
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

// RFC 3261 14.2, 3311 5.2: who has an offer out refuses the other's with 491.
TEST(OfferAnswer, GlareIsRefusedByBoth) {
  for (const char* callees : {"INVITE", "UPDATE"}) {
    const std::string method = callees, request = "< " + method + " 5 D1",
                      refusal = "> 491 " + method + " 5 -";
    ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                        {request.c_str(), "nothing", "A1/B1 open C1"},
                        {refusal.c_str(), "nothing", "A1/B1 open C1"},
                        {"< 491 INVITE 2 -", "rolled-back", "A1/B1"},
                        {"> ACK 2 -", "nothing", "A1/B1"},
                        {"< ACK 5 -", "nothing", "A1/B1"}});
    ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                        {request.c_str(), "nothing", "A1/B1 open C1"},
                        {refusal.c_str(), "nothing", "A1/B1 open C1"},
                        {"< 491 UPDATE 2 -", "rolled-back", "A1/B1"}});
  }
}

// RFC 3261 14.2, 3311 5.2: who has not answered yet refuses the next offer with 500.
TEST(OfferAnswer, OfferBeforeTheAnswerIsRefused) {
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"> UPDATE 3 D1", "nothing", "A1/B1 open C1"},
                      {"< 500 UPDATE 3 -", "nothing", "A1/B1 open C1"},
                      {"< 200 INVITE 2 E1", "agreed", "C1/E1"}});
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"> INVITE 3 D1", "nothing", "A1/B1 open C1"},
                      {"< 500 INVITE 3 -", "nothing", "A1/B1 open C1"},
                      {"< 200 INVITE 2 E1", "agreed", "C1/E1"}});
  ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                      {"> UPDATE 3 D1", "nothing", "A1/B1 open C1"},
                      {"< 500 UPDATE 3 -", "nothing", "A1/B1 open C1"},
                      {"< 200 UPDATE 2 E1", "agreed", "C1/E1"}});
  ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                      {"> INVITE 3 -", "nothing", "A1/B1 open C1"},
                      {"< 500 INVITE 3 -", "nothing", "A1/B1 open C1"},
                      {"< 200 UPDATE 2 E1", "agreed", "C1/E1"}});
}

// RFC 3311 5.2: nor is an UPDATE taken while the answer in ACK or PRACK is missing.
TEST(OfferAnswer, UpdateBeforeTheAnswerInAckOrPrackIsRefused) {
  for (const char* side : {"> ", "< "}) {
    const std::string update = std::string(side) + "UPDATE 5 X1",
                      refusal = std::string(side[0] == '>' ? "< 500" : "> 491") + " UPDATE 5 -";
    ladder_established({{"> INVITE 2 -", "nothing", "A1/B1"},
                        {"< 200 INVITE 2 C1", "offered", "A1/B1 open C1"},
                        {update.c_str(), "nothing", "A1/B1 open C1"},
                        {refusal.c_str(), "nothing", "A1/B1 open C1"},
                        {"> ACK 2 D1", "agreed", "D1/C1"}});
    ladder_established({{"> INVITE 2 -", "nothing", "A1/B1"},
                        {"< 183r INVITE 2 C1", "offered", "A1/B1 open C1"},
                        {update.c_str(), "nothing", "A1/B1 open C1"},
                        {refusal.c_str(), "nothing", "A1/B1 open C1"},
                        {"> PRACK 3 D1", "agreed", "D1/C1"}});
  }
}

// It need not have crossed where it matters: what is not refused when the way is free begins.
TEST(OfferAnswer, ARefusedOfferMakesWayForTheOneThatWaited) {
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"< INVITE 5 D1", "nothing", "A1/B1 open C1"},
                      {"< 491 INVITE 2 -", "rolled-back", "A1/B1 open D1"},
                      {"> 200 INVITE 5 E1", "agreed", "E1/D1"}});
  ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                      {"< UPDATE 5 D1", "nothing", "A1/B1 open C1"},
                      {"< 491 UPDATE 2 -", "rolled-back", "A1/B1 open D1"},
                      {"> 200 UPDATE 5 E1", "agreed", "E1/D1"}});
  ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                      {"< INVITE 5 -", "nothing", "A1/B1 open C1"},
                      {"< 200 UPDATE 2 E1", "agreed", "C1/E1"},
                      {"> 200 INVITE 5 F1", "offered", "C1/E1 open F1"},
                      {"< ACK 5 G1", "agreed", "F1/G1"}});
  // both parties' wait; the caller's goes first
  ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                      {"> UPDATE 3 D1", "nothing", "A1/B1 open C1"},
                      {"< UPDATE 5 E1", "nothing", "A1/B1 open C1"},
                      {"< 200 UPDATE 2 F1", "agreed", "C1/F1 open D1"},
                      {"< 500 UPDATE 3 -", "rolled-back", "C1/F1 open E1"},
                      {"> 491 UPDATE 5 -", "rolled-back", "C1/F1"}});
  // it is gone when it no longer fits
  ladder_established({{"> UPDATE 2 C1v", "offered", "A1/B1 open C1v"},
                      {"< UPDATE 5 D1", "nothing", "A1/B1 open C1v"},
                      {"< 200 UPDATE 2 E1v", "agreed", "C1v/E1v"},
                      {"> 200 UPDATE 5 F1", "nothing", "C1v/E1v"}});
}

TEST(OfferAnswer, TheNextRequestThatIsTakenEndsTheOneBefore) {
  ladder_established({{"> UPDATE 4 G1", "offered", "A1/B1 open G1"},
                      {"> UPDATE 5 H1", "nothing", "A1/B1 open G1"},
                      {"> INVITE 6 I1", "nothing", "A1/B1 open G1"},
                      {"< 100 INVITE 6 -", "nothing", "A1/B1 open G1"},
                      {"< 180 INVITE 6 -", "offered", "A1/B1 open I1"},
                      {"< 200 UPDATE 4 K1", "nothing", "A1/B1 open I1"},
                      {"< 200 INVITE 6 J1", "agreed", "I1/J1"},
                      {"< 200 UPDATE 5 L1", "nothing", "I1/J1"}});
  // an ACK that is late, and one that never comes
  ladder({{"> INVITE 1 -", "nothing", "-"},
          {"< 200 INVITE 1 B1", "offered", "- open B1"},
          {"> INVITE 2 A1", "nothing", "- open B1"},
          {"> ACK 1 C1", "agreed", "C1/B1 open A1"},
          {"< 200 INVITE 2 D1", "agreed", "A1/D1"}});
  ladder({{"> INVITE 1 -", "nothing", "-"},
          {"< 200 INVITE 1 B1", "offered", "- open B1"},
          {"> INVITE 2 A1", "nothing", "- open B1"},
          {"< 200 INVITE 2 D1", "agreed", "A1/D1"},
          {"> ACK 1 C1", "nothing", "A1/D1"}});
}

// RFC 3261 14.2: a UA with an INVITE out, or with one to answer, takes no other.
TEST(OfferAnswer, APendingInviteIsNotOvertaken) {
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"< INVITE 5 D1", "nothing", "A1/B1 open C1"},
                      {"> 200 INVITE 5 E1", "nothing", "A1/B1 open C1"},
                      {"< 200 INVITE 2 F1", "agreed", "C1/F1 open D1"},
                      {"> 491 INVITE 5 -", "rolled-back", "C1/F1"}});
  ladder_established({{"> INVITE 2 C1", "offered", "A1/B1 open C1"},
                      {"> INVITE 3 D1", "nothing", "A1/B1 open C1"},
                      {"< 200 INVITE 3 E1", "nothing", "A1/B1 open C1"},
                      {"< 408 INVITE 2 -", "rolled-back", "A1/B1 open D1"},
                      {"< 200 INVITE 3 E1", "agreed", "D1/E1"}});
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
  // o= and t= are nobody's business: an echo is an answer
  ladder({{"> INVITE 1 A1", "offered", "- open A1"}, {"< 200 INVITE 1 A1", "agreed", "A1/A1"}});
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

// RFC 3264 8 and 8.1, in every message that may offer.
TEST(OfferAnswer, StreamsStayWhereTheyWere) {
  struct Case {
    const char* name;
    const char* before[2];
    const char* offer;
    bool is_refused;
  };
  const Case cases[] = {
      {"one left out", {"A1v", "B1v"}, "C1", true},
      {"a refused one left out", {"A1v", "B1o"}, "C1", true},
      {"all left out", {"A1", "B1"}, "C", true},
      {"reordered", {"A1v", "B1v"}, "Cv1", true},
      {"three turned around", {"A1vi", "B1vi"}, "Cvi1", true},
      {"reordered by mid", {"Axy", "Bxy"}, "Cyx", true},
      {"reordered, one turned off", {"A1v", "B1v"}, "Cvo", false},
      {"one more in front of a refused one", {"A1", "B1"}, "Ci0", false},
      {"one more", {"A1", "B1"}, "C1v", false},
      {"slot of a refused one reused", {"A1v", "B1o"}, "C1i", false},
      {"slot of a removed one reused", {"A1o", "B1o"}, "C1i", false},
      {"slot of a removed one reused by a neighbour's type", {"A1o", "B1o"}, "C11", false},
      {"streams changed in refused slots", {"A1v", "B0o"}, "Cv1", false},
      {"audio to T.38 in its slot", {"A1", "B1"}, "Ci", false},
      {"audio to T.38 beside it", {"A1", "B1"}, "C0i", false},
      {"all turned off", {"A1v", "B1v"}, "C0o", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string first = std::string("> INVITE 1 ") + c.before[0];
    const std::string answer = std::string("< 200 INVITE 1 ") + c.before[1];
    const std::string offers[] = {"> INVITE 2 ", "< INVITE 2 ", "> UPDATE 2 ", "< UPDATE 2 "};
    OfferAnswer machine;
    feed(machine, first);
    ASSERT_EQ(name_of(feed(machine, answer)), "agreed");
    feed(machine, "> ACK 1 -");
    const std::string agreed = session(machine);
    const std::string outcome = c.is_refused ? "violation" : "offered";
    const std::string after = agreed + (c.is_refused ? "" : std::string(" open ") + c.offer);
    for (const std::string& event : offers) {
      OfferAnswer copy = machine;
      EXPECT_EQ(name_of(feed(copy, event + c.offer)), outcome);
      EXPECT_EQ(session(copy), after);
    }
    for (const char* carrier : {"< 200 INVITE 2 ", "< 183r INVITE 2 "}) {
      OfferAnswer copy = machine;
      feed(copy, "> INVITE 2 -");
      EXPECT_EQ(name_of(feed(copy, std::string(carrier) + c.offer)), outcome);
      EXPECT_EQ(session(copy), after);
    }
    OfferAnswer copy = machine;
    feed(copy, std::string("> INVITE 2 ") + c.before[0]);
    feed(copy, std::string("< 183r INVITE 2 ") + c.before[1]);
    EXPECT_EQ(name_of(feed(copy, std::string("> PRACK 3 ") + c.offer)), outcome);
  }
}

// What was refused is told again as refused, and doesn't keep the next offer away.
TEST(OfferAnswer, AnOfferThatViolatesChangesNothing) {
  for (const char* event : {"> INVITE 2 C1", "< INVITE 2 C1", "> UPDATE 2 C1", "< UPDATE 2 C1"})
    ladder({{"> INVITE 1 A1v", "offered", "- open A1v"},
            {"< 200 INVITE 1 B1v", "agreed", "A1v/B1v"},
            {event, "violation", "A1v/B1v"},
            {event, "violation", "A1v/B1v"},
            {"> INVITE 3 D10v", "offered", "A1v/B1v open D10v"}});
}

// RFC 3264 8, 4028 7.4: an offer that is the last description again.
TEST(OfferAnswer, RefreshWithoutChange) {
  ladder_established({{"> INVITE 2 A1", "offered", "A1/B1 open A1"},
                      {"< 200 INVITE 2 B1", "agreed", "A1/B1"},
                      {"> ACK 2 -", "nothing", "A1/B1"},
                      {"< UPDATE 7 B1", "offered", "A1/B1 open B1"},
                      {"> 200 UPDATE 7 A1", "agreed", "A1/B1"},
                      {"> UPDATE 3 -", "nothing", "A1/B1"},
                      {"< 200 UPDATE 3 -", "nothing", "A1/B1"},
                      {"< INVITE 8 -", "nothing", "A1/B1"},
                      {"> 200 INVITE 8 A1", "offered", "A1/B1 open A1"},
                      {"< ACK 8 B1", "agreed", "A1/B1"}});
}

// RFC 3264 8 wants another o= version; phones that forget it still mean what they say.
TEST(OfferAnswer, OtherTextUnderTheSameVersionIsAnOffer) {
  OfferAnswer machine;
  feed(machine, "> INVITE 1 A1");
  feed(machine, "< 200 INVITE 1 B1");
  const std::string text = "v=0\r\no=A1 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
                           "m=audio 4444 RTP/AVP 0\r\n";
  const SdpPtr moved = *Sdp::parse(text, SdpLimits{});
  EXPECT_EQ(name_of(machine.on(OfferAnswer::Request{Method::update, Party::caller, 2, moved})),
            "offered");
  EXPECT_EQ(name_of(feed(machine, "< 200 UPDATE 2 B1")), "agreed");
  EXPECT_EQ(machine.agreed()->caller, moved);
}

// RFC 3264 6.1 lets only some directions answer others. What is in force is what both have said;
// what both allow is media_plan's business.
TEST(OfferAnswer, DirectionsAreNotJudged) {
  for (const char* offered : {"sendrecv", "sendonly", "recvonly", "inactive"})
    for (const char* answered : {"sendrecv", "sendonly", "recvonly", "inactive"}) {
      const auto with = [](const char* direction) {
        return *Sdp::parse("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
                           "m=audio 4000 RTP/AVP 0\r\na=" +
                               std::string(direction) + "\r\n",
                           SdpLimits{});
      };
      OfferAnswer machine;
      EXPECT_EQ(name_of(machine.on(
                    OfferAnswer::Request{Method::invite, Party::caller, 1, with(offered)})),
                "offered");
      EXPECT_EQ(name_of(machine.on(OfferAnswer::Response{Method::invite, Party::callee, 1, 200,
                                                         false, with(answered)})),
                "agreed");
    }
}

TEST(OfferAnswer, LateDuplicatesOfEarlierExchangesDoNothing) {
  ladder_established({{"> UPDATE 2 C1", "offered", "A1/B1 open C1"},
                      {"< UPDATE 5 D1", "nothing", "A1/B1 open C1"},
                      {"> 491 UPDATE 5 -", "nothing", "A1/B1 open C1"},
                      {"< 200 UPDATE 2 E1", "agreed", "C1/E1"},
                      {"< UPDATE 5 D1", "nothing", "C1/E1"},
                      {"> UPDATE 2 C1", "nothing", "C1/E1"},
                      {"< 200 UPDATE 2 E1", "nothing", "C1/E1"},
                      {"> INVITE 1 A1", "nothing", "C1/E1"},
                      {"< 200 INVITE 1 B1", "nothing", "C1/E1"},
                      {"< INVITE 6 -", "nothing", "C1/E1"},
                      {"> 183r INVITE 6 F1", "offered", "C1/E1 open F1"},
                      {"< PRACK 4 X1", "nothing", "C1/E1 open F1"},
                      {"< PRACK 7 G1", "agreed", "F1/G1"}});
}

TEST(OfferAnswer, SamePassWithAnotherOfferIsAViolation) {
  play({{"> INVITE 1 A1", "offered", "- open A1"},
        {"> INVITE 1 C1", "violation", "- open A1"},
        {"< 200 INVITE 1 B1", "agreed", "A1/B1"}},
       false);
}

// Its transaction never left; what was taken before it is a repetition still.
TEST(OfferAnswer, AForgottenRequestMayComeAgain) {
  for (const bool forgets : {false, true}) {
    OfferAnswer machine;
    for (const char* event : {"> INVITE 1 A1", "< 200 INVITE 1 B1", "> ACK 1 -", "> INVITE 2 C1"})
      static_cast<void>(feed(machine, event));
    EXPECT_EQ(name_of(feed(machine, "< 408 INVITE 2 -")), "rolled-back");
    if (forgets) machine.forget(Party::caller, 2);
    EXPECT_EQ(name_of(feed(machine, "> INVITE 1 A1")), "nothing");
    EXPECT_EQ(name_of(feed(machine, "> INVITE 2 C1")), forgets ? "offered" : "nothing");
    EXPECT_EQ(name_of(feed(machine, "< 200 INVITE 2 D1")), forgets ? "agreed" : "nothing");
    EXPECT_EQ(session(machine), forgets ? "C1/D1" : "A1/B1");
  }
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

} // namespace
} // namespace midcom::sip
