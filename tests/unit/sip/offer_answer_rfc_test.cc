// SPDX-License-Identifier: GPL-3.0-or-later
// The tables, examples and message crossings of the RFCs: 3264 10, 4317, 6141 and 6337.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "sip/media_plan.h"
#include "tests/unit/sip/offer_answer_script.h"

namespace midcom::sip {
namespace {

using offer_answer_script::feed;
using offer_answer_script::name_of;
using offer_answer_script::session;

// --- RFC 6337 table 1

struct Carriers { // of an offer by the caller (an offerless INVITE: by the callee) and its answer
  const char* number;
  const char* invite; // must be pending; "" where the offer needs none
  const char* offer;
  const char* answer;
  bool is_initial, is_established, is_early;
};

const Carriers patterns[] = {
    {"1", "", "> INVITE 7 C1", "< 200 INVITE 7 D1", true, true, false},
    {"2", "> INVITE 7 -", "< 200 INVITE 7 C1", "> ACK 7 D1", true, true, false},
    {"3", "", "> INVITE 7 C1", "< 183r INVITE 7 D1", true, true, false},
    {"4", "> INVITE 7 -", "< 183r INVITE 7 C1", "> PRACK 8 D1", true, true, false},
    {"5", "", "> PRACK 7 C1", "< 200 PRACK 7 D1", false, true, true},
    {"6", "", "> UPDATE 7 C1", "< 200 UPDATE 7 D1", false, true, true},
    {"6 by the callee", "", "< UPDATE 7 C1", "> 200 UPDATE 7 D1", false, true, true},
};

bool agrees(OfferAnswer machine, const Carriers& pattern) {
  if (*pattern.invite != '\0') static_cast<void>(feed(machine, pattern.invite));
  const auto before = machine.agreed();
  const bool is_offered = name_of(feed(machine, pattern.offer)) == "offered";
  const bool is_agreed = name_of(feed(machine, pattern.answer)) == "agreed";
  EXPECT_TRUE(is_offered || !is_agreed);
  EXPECT_EQ(is_agreed, machine.agreed() != before);
  return is_agreed;
}

OfferAnswer machine_after(std::initializer_list<const char*> events) {
  OfferAnswer machine;
  for (const char* event : events) static_cast<void>(feed(machine, event));
  return machine;
}

TEST(OfferAnswerRfc, Rfc6337Table1) {
  for (const Carriers& pattern : patterns) {
    SCOPED_TRACE(pattern.number);
    const bool needs_invite = std::string_view(pattern.number) == "5";
    EXPECT_EQ(agrees(needs_invite || pattern.number[0] == '6' ? machine_after({"> INVITE 1 A1"})
                                                              : OfferAnswer(),
                     pattern),
              pattern.is_initial);
    EXPECT_EQ(agrees(machine_after({"> INVITE 1 A1", "< 183r INVITE 1 B1"}), pattern),
              pattern.is_early);
    auto established = machine_after({"> INVITE 1 A1", "< 200 INVITE 1 B1", "> ACK 1 -"});
    if (needs_invite)
      for (const char* event : {"> INVITE 6 A1", "< 183r INVITE 6 B1"})
        static_cast<void>(feed(established, event));
    EXPECT_EQ(agrees(established, pattern), pattern.is_established);
  }
}

// What table 1 has no row for is neither an offer nor an answer.
TEST(OfferAnswerRfc, NothingElseCarriesADescription) {
  auto open = machine_after({"> INVITE 1 A1"});
  for (const char* event :
       {"> ACK 1 X1", "> PRACK 2 X1", "< 200 PRACK 2 X1", "> OPTIONS 3 X1", "< 200 OPTIONS 3 X1",
        "> INFO 4 X1", "< 200 CANCEL 1 X1", "> CANCEL 1 X1", "> BYE 5 X1", "< 200 BYE 5 X1"})
    EXPECT_EQ(name_of(feed(open, event)), "nothing") << event;
  EXPECT_EQ(session(open), "- open A1");
  EXPECT_EQ(name_of(feed(open, "< 488 INVITE 1 X1")), "rolled-back");
  EXPECT_EQ(session(open), "-");
}

// --- RFC 3264 10 and RFC 4317: m= lines as "a49170", a: audio, v: video; > sendonly, < recvonly,
// = inactive, @N another host

struct Said {
  Party by; // of the offer
  const char* offer;
  const char* answer;
  const char* flows; // "caller's port <> callee's host:port" of each RTP flow
};

SdpPtr read(Party by, const std::string& text) {
  std::string media, host = by == Party::caller ? "192.0.2.101" : "198.51.100.201";
  const std::string home = host;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto end = word.find_first_not_of("0123456789", 1);
    media +=
        (word[0] == 'a' ? "m=audio " : "m=video ") + word.substr(1, end - 1) + " RTP/AVP 0\r\n";
    const std::string more = end == std::string::npos ? "" : word.substr(end);
    if (more.starts_with('@'))
      media += "c=IN IP4 " + (more == "@0" ? "0.0.0.0" : "198.51.100." + more.substr(1)) + "\r\n";
    for (const auto& [mark, name] :
         {std::pair{'>', "sendonly"}, {'<', "recvonly"}, {'=', "inactive"}})
      if (more.starts_with(mark)) media += std::string("a=") + name + "\r\n";
  }
  const auto sdp = Sdp::parse("v=0\r\no=- 1 1 IN IP4 " + home + "\r\ns=-\r\nc=IN IP4 " + home +
                                  "\r\nt=0 0\r\n" + media,
                              SdpLimits{});
  if (!sdp) throw std::runtime_error("no description: " + text);
  return *sdp;
}

std::string flows_of(const SessionPair& pair) {
  std::string text;
  for (const MediaFlow& flow : plan_media(pair).flows) {
    if (flow.component != Component::rtp) continue;
    const std::string callee = flow.callee.address.to_string();
    text += (text.empty() ? "" : " ") + std::to_string(flow.caller.port) +
            (flow.from_callee ? "<" : "-") + (flow.from_caller ? ">" : "-") +
            callee.substr(callee.rfind('.') + 1) + ":" + std::to_string(flow.callee.port);
  }
  return text;
}

// The first exchange by INVITE; later ones by INVITE too, or by UPDATE.
void play(const std::vector<Said>& exchanges, Method later) {
  OfferAnswer machine;
  std::uint32_t cseq = 0;
  for (const Said& said : exchanges) {
    const Method method = ++cseq == 1 ? Method::invite : later;
    const SdpPtr offer = read(said.by, said.offer);
    const SdpPtr answer = read(other(said.by), said.answer);
    EXPECT_EQ(name_of(machine.on(OfferAnswer::Request{method, said.by, cseq, offer})), "offered");
    EXPECT_EQ(name_of(machine.on(
                  OfferAnswer::Response{method, other(said.by), cseq, 200, false, answer})),
              "agreed");
    ASSERT_TRUE(machine.in_force());
    EXPECT_EQ(flows_of(*machine.in_force()), said.flows);
    const OfferAnswer::Request ack{Method::ack, said.by, cseq, nullptr};
    EXPECT_EQ(name_of(machine.on(ack)), "nothing");
  }
}

TEST(OfferAnswerRfc, ExamplesOfRfc3264AndRfc4317) {
  constexpr Party alice = Party::caller, bob = Party::callee;
  const std::pair<const char*, std::vector<Said>> examples[] = {
      {"3264 10.1",
       {{alice, "a49170 v51372 v53000", "a49920 v0 v53000", "49170<>201:49920 53000<>201:53000"},
        {bob, "a65422 v0 v53000 a51434<", "a49170 v0 v53000 a53122>",
         "49170<>201:65422 53000<>201:53000 53122->201:51434"}}},
      {"3264 10.2",
       {{alice, "a62986=", "a54344=", ""}, {alice, "a62986", "a54344", "62986<>201:54344"}}},
      {"4317 2.1",
       {{alice, "a49170 v51372", "a49174 v49170", "49170<>201:49174 51372<>201:49170"}}},
      {"4317 2.2",
       {{alice, "a49170 v51372", "a49172 v0", "49170<>201:49172"},
        {alice, "a51372 v0", "a49172 v0", "51372<>201:49172"}}},
      {"4317 2.3",
       {{alice, "a49170 v51372", "a49172 v51374", "49170<>201:49172 51372<>201:51374"}}},
      {"4317 2.4",
       {{alice, "a49170 a49172>", "a49172 a49174<", "49170<>201:49172 49172->201:49174"}}},
      {"4317 2.5",
       {{alice, "a49170 v51372", "a49174 v49170", "49170<>201:49174 51372<>201:49170"},
        {bob, "a49178@203 v49188@203", "a49170 v51372", "49170<>203:49178 51372<>203:49188"}}},
      {"4317 2.6", {{alice, "a49170 a51372", "a0 a49170", "51372<>201:49170"}}},
      {"4317 2.7",
       {{alice, "a49170 v51372", "a49172 v51374", "49170<>201:49172 51372<>201:51374"},
        {alice, "a49170 v51372", "a49172 v51374", "49170<>201:49172 51372<>201:51374"}}},
      {"4317 2.8",
       {{alice, "a49170 v51372", "a49174 v49172@204", "49170<>201:49174 51372<>204:49172"}}},
      {"4317 3.1",
       {{alice, "a49170", "a49172>", "49170<-201:49172"},
        {bob, "a49170", "a49178", "49178<>201:49170"}}},
      {"4317 3.2",
       {{alice, "a49170 a49172>", "a49172 a49174<", "49170<>201:49172 49172->201:49174"},
        {bob, "a49172> a49174<", "a49170 a49172>", "49170<-201:49172 49172->201:49174"}}},
      {"4317 4.1",
       {{alice, "a49170", "a49170", "49170<>201:49170"},
        {bob, "a49170 a48282<", "a49170 a49172>", "49170<>201:49170 49172->201:48282"}}},
      {"4317 4.2",
       {{alice, "a49170", "a49172", "49170<>201:49172"},
        {alice, "a49170 v49172", "a49172 v49168", "49170<>201:49172 49172<>201:49168"}}},
      {"4317 4.3",
       {{alice, "a49170 v51372", "a49174 v49170", "49170<>201:49174 51372<>201:49170"},
        {bob, "a49174 v0", "a49170 v0", "49170<>201:49174"}}},
      {"4317 5.1", {{alice, "", "", ""}, {alice, "a49170", "a49172", "49170<>201:49172"}}},
      {"4317 5.2",
       {{alice, "a23442@0", "a49170", ""}, {alice, "a49170", "a49170", "49170<>201:49170"}}},
      {"4317 5.3",
       {{alice, "a49170", "a9322@0", ""}, {bob, "a49172", "a49170", "49170<>201:49172"}}},
  };
  for (const auto& [name, exchanges] : examples) {
    SCOPED_TRACE(name);
    play(exchanges, Method::invite);
    play(exchanges, Method::update);
  }
}

// --- RFC 6141 and RFC 6337 4: A is the caller, B the callee

struct Step {
  const char* event;
  const char* session;
};

void ladder(const char* name, const std::vector<Step>& steps) {
  SCOPED_TRACE(name);
  auto machine = machine_after({"> INVITE 1 A1", "< 200 INVITE 1 B1", "> ACK 1 -"});
  for (const Step& step : steps) {
    SCOPED_TRACE(step.event);
    static_cast<void>(feed(machine, step.event));
    EXPECT_EQ(session(machine), step.session);
    static_cast<void>(feed(machine, step.event));
    EXPECT_EQ(session(machine), step.session);
  }
}

TEST(OfferAnswerRfc, Rfc6141) {
  ladder("figure 1: rejected at once",
         {{"> INVITE 2 C1v", "A1/B1 open C1v"}, {"< 488 INVITE 2 -", "A1/B1"}});
  ladder("figure 2", {{"> INVITE 2 C1v", "A1/B1 open C1v"}, {"< 200 INVITE 2 D1o", "C1v/D1o"}});
  ladder("figure 3", {{"> INVITE 2 C1v", "A1/B1 open C1v"},
                      {"< 183r INVITE 2 D1v", "C1v/D1v"},
                      {"> PRACK 3 -", "C1v/D1v"},
                      {"< 200 PRACK 3 -", "C1v/D1v"},
                      {"< UPDATE 1 E1o", "C1v/D1v open E1o"},
                      {"> 200 UPDATE 1 F1o", "F1o/E1o"},
                      {"< 200 INVITE 2 -", "F1o/E1o"},
                      {"> ACK 2 -", "F1o/E1o"}});
  ladder("figure 4", {{"> INVITE 2 C1v", "A1/B1 open C1v"},
                      {"< 183r INVITE 2 D1v", "C1v/D1v"},
                      {"> UPDATE 4 E1v", "C1v/D1v open E1v"},
                      {"< 200 UPDATE 4 F1v", "E1v/F1v"},
                      {"< UPDATE 1 G1o", "E1v/F1v open G1o"},
                      {"> 200 UPDATE 1 H1o", "H1o/G1o"},
                      {"< 200 INVITE 2 -", "H1o/G1o"}});
  // As the proxy of figure 5 sees it; A then asks for the state of before, which B has too.
  ladder("figure 5", {{"> INVITE 2 C1v", "A1/B1 open C1v"},
                      {"< 183r INVITE 2 D1v", "C1v/D1v"},
                      {"< 488 INVITE 2 -", "A1/B1"},
                      {"< UPDATE 1 E1v", "A1/B1 open E1v"},
                      {"> 200 UPDATE 1 F1v", "F1v/E1v"},
                      {"> ACK 2 -", "F1v/E1v"},
                      {"> UPDATE 3 G1v", "F1v/E1v open G1v"},
                      {"< 200 UPDATE 3 H1v", "G1v/H1v"}});
  ladder("3.3: a failure although changes were made", {{"> INVITE 2 C1v", "A1/B1 open C1v"},
                                                       {"< 183r INVITE 2 D1v", "C1v/D1v"},
                                                       {"> PRACK 3 E1v", "C1v/D1v open E1v"},
                                                       {"< 200 PRACK 3 F1v", "E1v/F1v"},
                                                       {"< UPDATE 1 G1v", "E1v/F1v open G1v"},
                                                       {"> 200 UPDATE 1 H1v", "H1v/G1v"},
                                                       {"< 500 INVITE 2 -", "A1/B1"}});
  ladder("3.8: cancelled, with and without changes",
         {{"> INVITE 2 C1v", "A1/B1 open C1v"},
          {"< 183 INVITE 2 D1v", "A1/B1 preview C1v/D1v open C1v"},
          {"> CANCEL 2 -", "A1/B1 preview C1v/D1v open C1v"},
          {"< 200 CANCEL 2 -", "A1/B1 preview C1v/D1v open C1v"},
          {"< 487 INVITE 2 -", "A1/B1"},
          {"> INVITE 3 E1v", "A1/B1 open E1v"},
          {"< 183r INVITE 3 F1v", "E1v/F1v"},
          {"> CANCEL 3 -", "E1v/F1v"},
          {"< 200 INVITE 3 -", "E1v/F1v"}});
}

TEST(OfferAnswerRfc, MessageCrossingsOfRfc6337) {
  ladder("figure 4", {{"> UPDATE 2 C1", "A1/B1 open C1"},
                      {"> INVITE 3 -", "A1/B1 open C1"},
                      {"< 200 UPDATE 2 D1", "C1/D1"},
                      {"< 183r INVITE 3 E1", "C1/D1 open E1"},
                      {"> PRACK 4 F1", "F1/E1"}});
  ladder("figure 4, crossed", {{"> UPDATE 2 C1", "A1/B1 open C1"},
                               {"> INVITE 3 -", "A1/B1 open C1"},
                               {"< 200 INVITE 3 E1", "A1/B1 open E1"},
                               {"< 200 UPDATE 2 D1", "A1/B1 open E1"},
                               {"> ACK 3 F1", "F1/E1"}});
  ladder("figure 4, refused", {{"> UPDATE 2 C1", "A1/B1 open C1"},
                               {"> INVITE 3 -", "A1/B1 open C1"},
                               {"< 500 INVITE 3 -", "A1/B1 open C1"},
                               {"> ACK 3 -", "A1/B1 open C1"},
                               {"< 200 UPDATE 2 D1", "C1/D1"}});
  ladder("figure 5", {{"> INVITE 2 -", "A1/B1"},
                      {"> UPDATE 3 C1", "A1/B1 open C1"},
                      {"< 200 UPDATE 3 D1", "C1/D1"},
                      {"< 200 INVITE 2 E1", "C1/D1 open E1"},
                      {"> ACK 2 F1", "F1/E1"}});
  ladder("figures 5 and 12, crossed", {{"> INVITE 2 -", "A1/B1"},
                                       {"> UPDATE 3 C1", "A1/B1 open C1"},
                                       {"< 183r INVITE 2 E1", "A1/B1 open E1"},
                                       {"< 491 UPDATE 3 -", "A1/B1 open E1"},
                                       {"> PRACK 4 F1", "F1/E1"},
                                       {"< 200 INVITE 2 -", "F1/E1"}});
  ladder("figure 6", {{"< INVITE 2 -", "A1/B1"},
                      {"> 183r INVITE 2 C1", "A1/B1 open C1"},
                      {"< UPDATE 4 D1", "A1/B1 open C1"},
                      {"< PRACK 3 E1", "C1/E1 open D1"},
                      {"> 500 UPDATE 4 -", "C1/E1"},
                      {"> 200 PRACK 3 -", "C1/E1"}});
  ladder("figure 7", {{"> INVITE 2 C1", "A1/B1 open C1"},
                      {"< UPDATE 1 D1", "A1/B1 open C1"},
                      {"< 183r INVITE 2 E1", "C1/E1 open D1"},
                      {"> 491 UPDATE 1 -", "C1/E1"},
                      {"> PRACK 3 -", "C1/E1"}});
  ladder("figure 8", {{"> INVITE 2 C1", "A1/B1 open C1"},
                      {"< UPDATE 1 D1", "A1/B1 open C1"},
                      {"< 200 INVITE 2 E1", "C1/E1 open D1"},
                      {"> 491 UPDATE 1 -", "C1/E1"},
                      {"> ACK 2 -", "C1/E1"}});
  ladder("figure 9", {{"< INVITE 2 C1", "A1/B1 open C1"},
                      {"> 183r INVITE 2 D1", "D1/C1"},
                      {"> UPDATE 2 E1", "D1/C1 open E1"},
                      {"< PRACK 3 G1", "D1/C1 open E1"},
                      {"< 200 UPDATE 2 F1", "E1/F1 open G1"},
                      {"> 200 PRACK 3 H1", "H1/G1"}});
  ladder("figure 10", {{"> UPDATE 2 C1", "A1/B1 open C1"},
                       {"< INVITE 1 D1", "A1/B1 open C1"},
                       {"> 491 INVITE 1 -", "A1/B1 open C1"},
                       {"< 491 UPDATE 2 -", "A1/B1"}});
  ladder("figure 11", {{"< INVITE 2 C1", "A1/B1 open C1"},
                       {"> 183r INVITE 2 D1", "D1/C1"},
                       {"> UPDATE 2 E1", "D1/C1 open E1"},
                       {"< PRACK 3 F1", "D1/C1 open E1"},
                       {"> 200 PRACK 3 G1", "G1/F1"},
                       {"< 491 UPDATE 2 -", "G1/F1"}});
}

} // namespace
} // namespace midcom::sip
