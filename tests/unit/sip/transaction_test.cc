// SPDX-License-Identifier: GPL-3.0-or-later
// Every (state x event) pair of the four machines has a row; the timers have tests of their own.
// Actions are written as one word each, in order.
#include "sip/transaction.h"

#include <gtest/gtest.h>

#include <functional>

namespace midcom::sip {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint start_time = TimePoint{} + std::chrono::hours(1);
constexpr TransactionTimers timers{};

Bytes bytes(const char* text) {
  return std::make_shared<const std::string>(text);
}

std::string words(const TransactionActions& actions) {
  struct Word {
    std::string operator()(const action::Send& send) const { return "send:" + *send.bytes; }
    std::string operator()(const action::Deliver&) const { return "deliver"; }
    std::string operator()(const action::TimedOut&) const { return "timed-out"; }
    std::string operator()(const action::TransportFailed&) const { return "failed"; }
    std::string operator()(const action::Terminated&) const { return "terminated"; }
  };
  std::string all;
  for (const auto& one : actions) {
    if (!all.empty()) all += ' ';
    all += std::visit(Word{}, one);
  }
  return all;
}

template <class Machine>
struct Row {
  typename Machine::State from;
  const char* event;
  const char* actions;
  typename Machine::State to;
};

// Brings a new machine into `state` by its shortest path, all at start_time.
template <class Machine>
Machine machine_in(typename Machine::State state, bool reliable);
template <class Machine>
std::string feed(Machine& machine, std::string_view event);

template <class Machine>
void check(const std::vector<Row<Machine>>& rows, bool reliable) {
  for (const Row<Machine>& row : rows) {
    Machine machine = machine_in<Machine>(row.from, reliable);
    ASSERT_EQ(machine.state(), row.from);
    SCOPED_TRACE(std::string("state ") + std::to_string(static_cast<int>(row.from)) + " event " +
                 row.event);
    EXPECT_EQ(feed(machine, row.event), row.actions);
    EXPECT_EQ(machine.state(), row.to);
    EXPECT_EQ(machine.next_deadline().has_value() && row.to == Machine::State::terminated, false);
  }
}

// Runs a machine on its own deadlines until none is left; "SECONDS actions" a line.
template <class Machine>
std::string run_out(Machine& machine, int most = 100) {
  std::string all;
  while (machine.next_deadline() && most-- > 0) {
    const TimePoint now = *machine.next_deadline();
    const auto at = std::chrono::duration_cast<milliseconds>(now - start_time).count();
    all += std::to_string(at) + " " + words(machine.on_timer(now)) + "\n";
  }
  return all;
}

// --- INVITE server

using InviteServer = InviteServerTransaction;
template <>
std::string feed(InviteServer& machine, std::string_view event) {
  if (event == "request") return words(machine.on_request());
  if (event == "100") return words(machine.on_respond(100, bytes("100"), start_time));
  if (event == "180") return words(machine.on_respond(180, bytes("180"), start_time));
  if (event == "200") return words(machine.on_respond(200, bytes("200"), start_time));
  if (event == "486") return words(machine.on_respond(486, bytes("486"), start_time));
  if (event == "ack") return words(machine.on_ack(start_time));
  if (event == "error") return words(machine.on_transport_error(start_time));
  if (event == "early") return words(machine.on_timer(start_time));
  return words(machine.on_timer(start_time + std::chrono::hours(1)));
}
template <>
InviteServer machine_in(InviteServer::State state, bool reliable) {
  InviteServer machine(reliable, timers);
  using enum InviteServer::State;
  if (state == accepted) feed(machine, "200");
  if (state == completed || state == confirmed || state == terminated) feed(machine, "486");
  if (state == confirmed || state == terminated) feed(machine, "ack");
  if (state == terminated) feed(machine, "late");
  return machine;
}

TEST(InviteServerTransaction, EveryStateAndEvent) {
  using enum InviteServer::State;
  check<InviteServer>(
      {
          {proceeding, "request", "", proceeding},
          {proceeding, "100", "send:100", proceeding},
          {proceeding, "180", "send:180", proceeding},
          {proceeding, "200", "send:200", accepted},
          {proceeding, "486", "send:486", completed},
          {proceeding, "ack", "", proceeding},
          {proceeding, "error", "failed", proceeding},
          {proceeding, "early", "", proceeding},
          {proceeding, "late", "", proceeding},
          {completed, "request", "send:486", completed},
          {completed, "100", "", completed},
          {completed, "180", "", completed},
          {completed, "200", "", completed},
          {completed, "486", "", completed},
          {completed, "ack", "", confirmed},
          {completed, "error", "failed", completed},
          {completed, "early", "", completed},
          {completed, "late", "timed-out terminated", terminated},
          {confirmed, "request", "", confirmed},
          {confirmed, "100", "", confirmed},
          {confirmed, "180", "", confirmed},
          {confirmed, "200", "", confirmed},
          {confirmed, "486", "", confirmed},
          {confirmed, "ack", "", confirmed},
          {confirmed, "error", "", confirmed},
          {confirmed, "early", "", confirmed},
          {confirmed, "late", "terminated", terminated},
          {accepted, "request", "", accepted},
          {accepted, "100", "", accepted},
          {accepted, "180", "", accepted},
          {accepted, "200", "send:200", accepted},
          {accepted, "486", "", accepted},
          {accepted, "ack", "deliver", accepted},
          {accepted, "error", "failed", accepted},
          {accepted, "early", "", accepted},
          {accepted, "late", "terminated", terminated},
          {terminated, "request", "", terminated},
          {terminated, "100", "", terminated},
          {terminated, "180", "", terminated},
          {terminated, "200", "", terminated},
          {terminated, "486", "", terminated},
          {terminated, "ack", "", terminated},
          {terminated, "error", "", terminated},
          {terminated, "early", "", terminated},
          {terminated, "late", "", terminated},
      },
      false);
}

TEST(InviteServerTransaction, RetransmittedInviteGetsTheLastProvisional) {
  InviteServer machine(false, timers);
  feed(machine, "100");
  feed(machine, "180");
  EXPECT_EQ(feed(machine, "request"), "send:180");
}

TEST(InviteServerTransaction, TimersGAndH) {
  InviteServer machine = machine_in<InviteServer>(InviteServer::State::completed, false);
  EXPECT_EQ(run_out(machine), "500 send:486\n1500 send:486\n3500 send:486\n7500 send:486\n"
                              "11500 send:486\n15500 send:486\n19500 send:486\n23500 send:486\n"
                              "27500 send:486\n31500 send:486\n32000 timed-out terminated\n");
}

TEST(InviteServerTransaction, TimerIAndL) {
  InviteServer confirmed = machine_in<InviteServer>(InviteServer::State::confirmed, false);
  EXPECT_EQ(run_out(confirmed), "5000 terminated\n");
  for (const bool reliable : {false, true}) {
    InviteServer accepted = machine_in<InviteServer>(InviteServer::State::accepted, reliable);
    EXPECT_EQ(run_out(accepted), "32000 terminated\n");
  }
}

TEST(InviteServerTransaction, ReliableHasNoTimerGAndIOfZero) {
  InviteServer machine = machine_in<InviteServer>(InviteServer::State::completed, true);
  EXPECT_EQ(run_out(machine), "32000 timed-out terminated\n");
  InviteServer acknowledged = machine_in<InviteServer>(InviteServer::State::completed, true);
  EXPECT_EQ(feed(acknowledged, "ack"), "terminated");
  EXPECT_EQ(acknowledged.state(), InviteServer::State::terminated);
}

TEST(InviteServerTransaction, TransportErrorKeepsTimers) {
  InviteServer machine = machine_in<InviteServer>(InviteServer::State::completed, true);
  EXPECT_EQ(feed(machine, "error"), "failed");
  EXPECT_EQ(machine.next_deadline(), start_time + seconds(32));
}

// --- non-INVITE server

using OtherServer = NonInviteServerTransaction;
template <>
std::string feed(OtherServer& machine, std::string_view event) {
  if (event == "request") return words(machine.on_request());
  if (event == "100") return words(machine.on_respond(100, bytes("100"), start_time));
  if (event == "200") return words(machine.on_respond(200, bytes("200"), start_time));
  if (event == "404") return words(machine.on_respond(404, bytes("404"), start_time));
  if (event == "408") return words(machine.on_respond(408, bytes("408"), start_time));
  if (event == "error") return words(machine.on_transport_error(start_time));
  if (event == "early") return words(machine.on_timer(start_time));
  return words(machine.on_timer(start_time + std::chrono::hours(1)));
}
template <>
OtherServer machine_in(OtherServer::State state, bool reliable) {
  OtherServer machine(reliable, timers);
  using enum OtherServer::State;
  if (state == proceeding) feed(machine, "100");
  if (state == completed || state == terminated) feed(machine, "404");
  if (state == terminated) feed(machine, "late");
  return machine;
}

TEST(NonInviteServerTransaction, EveryStateAndEvent) {
  using enum OtherServer::State;
  check<OtherServer>(
      {
          {trying, "request", "", trying},
          {trying, "100", "send:100", proceeding},
          {trying, "200", "send:200", completed},
          {trying, "404", "send:404", completed},
          {trying, "408", "", completed},
          {trying, "error", "", trying},
          {trying, "early", "", trying},
          {trying, "late", "", trying},
          {proceeding, "request", "send:100", proceeding},
          {proceeding, "100", "send:100", proceeding},
          {proceeding, "200", "send:200", completed},
          {proceeding, "404", "send:404", completed},
          {proceeding, "408", "", completed},
          {proceeding, "error", "failed terminated", terminated},
          {proceeding, "early", "", proceeding},
          {proceeding, "late", "", proceeding},
          {completed, "request", "send:404", completed},
          {completed, "100", "", completed},
          {completed, "200", "", completed},
          {completed, "404", "", completed},
          {completed, "408", "", completed},
          {completed, "error", "failed terminated", terminated},
          {completed, "early", "", completed},
          {completed, "late", "terminated", terminated},
          {terminated, "request", "", terminated},
          {terminated, "100", "", terminated},
          {terminated, "200", "", terminated},
          {terminated, "404", "", terminated},
          {terminated, "408", "", terminated},
          {terminated, "error", "", terminated},
          {terminated, "early", "", terminated},
          {terminated, "late", "", terminated},
      },
      false);
}

TEST(NonInviteServerTransaction, TimerJ) {
  OtherServer machine = machine_in<OtherServer>(OtherServer::State::completed, false);
  EXPECT_EQ(run_out(machine), "32000 terminated\n");
}

TEST(NonInviteServerTransaction, ReliableEndsWithTheFinalResponse) {
  OtherServer machine(true, timers);
  EXPECT_EQ(feed(machine, "200"), "send:200 terminated");
  EXPECT_FALSE(machine.next_deadline());
}

// RFC 4320 4.2
TEST(NonInviteServerTransaction, NeverSends408) {
  OtherServer machine(false, timers);
  EXPECT_EQ(feed(machine, "100"), "send:100");
  EXPECT_EQ(feed(machine, "408"), "");
  EXPECT_EQ(feed(machine, "request"), "");
  EXPECT_EQ(run_out(machine), "32000 terminated\n");
  OtherServer reliable(true, timers);
  EXPECT_EQ(feed(reliable, "408"), "terminated");
}

// --- INVITE client

using InviteClient = InviteClientTransaction;
template <>
std::string feed(InviteClient& machine, std::string_view event) {
  if (event == "180") return words(machine.on_response(180, nullptr, start_time));
  if (event == "200") return words(machine.on_response(200, nullptr, start_time));
  if (event == "486") return words(machine.on_response(486, bytes("ack"), start_time));
  if (event == "error") return words(machine.on_transport_error(start_time));
  if (event == "early") return words(machine.on_timer(start_time));
  return words(machine.on_timer(start_time + std::chrono::hours(1)));
}
template <>
InviteClient machine_in(InviteClient::State state, bool reliable) {
  InviteClient machine(reliable, timers);
  using enum InviteClient::State;
  EXPECT_EQ(words(machine.start(bytes("invite"), start_time)), "send:invite");
  if (state == proceeding) feed(machine, "180");
  if (state == accepted) feed(machine, "200");
  if (state == completed || state == terminated) feed(machine, "486");
  if (state == terminated) feed(machine, "late");
  return machine;
}

TEST(InviteClientTransaction, EveryStateAndEvent) {
  using enum InviteClient::State;
  check<InviteClient>(
      {
          {calling, "180", "deliver", proceeding},
          {calling, "200", "deliver", accepted},
          {calling, "486", "send:ack deliver", completed},
          {calling, "error", "failed terminated", terminated},
          {calling, "early", "", calling},
          {calling, "late", "timed-out terminated", terminated},
          {proceeding, "180", "deliver", proceeding},
          {proceeding, "200", "deliver", accepted},
          {proceeding, "486", "send:ack deliver", completed},
          {proceeding, "error", "", proceeding},
          {proceeding, "early", "", proceeding},
          {proceeding, "late", "", proceeding},
          {completed, "180", "", completed},
          {completed, "200", "", completed},
          {completed, "486", "send:ack", completed},
          {completed, "error", "failed terminated", terminated},
          {completed, "early", "", completed},
          {completed, "late", "terminated", terminated},
          {accepted, "180", "", accepted},
          {accepted, "200", "deliver", accepted},
          {accepted, "486", "", accepted},
          {accepted, "error", "", accepted},
          {accepted, "early", "", accepted},
          {accepted, "late", "terminated", terminated},
          {terminated, "180", "", terminated},
          {terminated, "200", "", terminated},
          {terminated, "486", "", terminated},
          {terminated, "error", "", terminated},
          {terminated, "early", "", terminated},
          {terminated, "late", "", terminated},
      },
      false);
}

TEST(InviteClientTransaction, TimersAAndB) {
  InviteClient machine = machine_in<InviteClient>(InviteClient::State::calling, false);
  EXPECT_EQ(run_out(machine),
            "500 send:invite\n1500 send:invite\n3500 send:invite\n7500 send:invite\n"
            "15500 send:invite\n31500 send:invite\n32000 timed-out terminated\n");
  InviteClient reliable = machine_in<InviteClient>(InviteClient::State::calling, true);
  EXPECT_EQ(run_out(reliable), "32000 timed-out terminated\n");
}

TEST(InviteClientTransaction, TimersDAndM) {
  InviteClient completed = machine_in<InviteClient>(InviteClient::State::completed, false);
  EXPECT_EQ(run_out(completed), "32000 terminated\n");
  for (const bool reliable : {false, true}) {
    InviteClient accepted = machine_in<InviteClient>(InviteClient::State::accepted, reliable);
    EXPECT_EQ(run_out(accepted), "32000 terminated\n");
  }
}

TEST(InviteClientTransaction, TimerDIsAtLeast32SecondsWhateverT1) {
  InviteClient machine(false, {milliseconds(10), milliseconds(40), milliseconds(50)});
  words(machine.start(bytes("invite"), start_time));
  feed(machine, "486");
  EXPECT_EQ(machine.next_deadline(), start_time + seconds(32));
}

TEST(InviteClientTransaction, ReliableFailureEndsAtOnce) {
  InviteClient machine = machine_in<InviteClient>(InviteClient::State::proceeding, true);
  EXPECT_EQ(feed(machine, "486"), "send:ack deliver terminated");
}

TEST(InviteClientTransaction, ProceedingWaitsForTheProxysTimerC) {
  InviteClient machine = machine_in<InviteClient>(InviteClient::State::proceeding, false);
  EXPECT_FALSE(machine.next_deadline());
}

// --- non-INVITE client

using OtherClient = NonInviteClientTransaction;
template <>
std::string feed(OtherClient& machine, std::string_view event) {
  if (event == "100") return words(machine.on_response(100, start_time));
  if (event == "200") return words(machine.on_response(200, start_time));
  if (event == "481") return words(machine.on_response(481, start_time));
  if (event == "error") return words(machine.on_transport_error(start_time));
  if (event == "early") return words(machine.on_timer(start_time));
  return words(machine.on_timer(start_time + std::chrono::hours(1)));
}
template <>
OtherClient machine_in(OtherClient::State state, bool reliable) {
  OtherClient machine(reliable, timers);
  using enum OtherClient::State;
  EXPECT_EQ(words(machine.start(bytes("bye"), start_time)), "send:bye");
  if (state == proceeding) feed(machine, "100");
  if (state == completed || state == terminated) feed(machine, "200");
  if (state == terminated) feed(machine, "late");
  return machine;
}

TEST(NonInviteClientTransaction, EveryStateAndEvent) {
  using enum OtherClient::State;
  check<OtherClient>(
      {
          {trying, "100", "deliver", proceeding},
          {trying, "200", "deliver", completed},
          {trying, "481", "deliver", completed},
          {trying, "error", "failed terminated", terminated},
          {trying, "early", "", trying},
          {trying, "late", "timed-out terminated", terminated},
          {proceeding, "100", "deliver", proceeding},
          {proceeding, "200", "deliver", completed},
          {proceeding, "481", "deliver", completed},
          {proceeding, "error", "failed terminated", terminated},
          {proceeding, "early", "", proceeding},
          {proceeding, "late", "timed-out terminated", terminated},
          {completed, "100", "", completed},
          {completed, "200", "", completed},
          {completed, "481", "", completed},
          {completed, "error", "", completed},
          {completed, "early", "", completed},
          {completed, "late", "terminated", terminated},
          {terminated, "100", "", terminated},
          {terminated, "200", "", terminated},
          {terminated, "481", "", terminated},
          {terminated, "error", "", terminated},
          {terminated, "early", "", terminated},
          {terminated, "late", "", terminated},
      },
      false);
}

TEST(NonInviteClientTransaction, TimersEAndF) {
  OtherClient machine = machine_in<OtherClient>(OtherClient::State::trying, false);
  EXPECT_EQ(run_out(machine), "500 send:bye\n1500 send:bye\n3500 send:bye\n7500 send:bye\n"
                              "11500 send:bye\n15500 send:bye\n19500 send:bye\n23500 send:bye\n"
                              "27500 send:bye\n31500 send:bye\n32000 timed-out terminated\n");
  OtherClient reliable = machine_in<OtherClient>(OtherClient::State::trying, true);
  EXPECT_EQ(run_out(reliable), "32000 timed-out terminated\n");
}

TEST(NonInviteClientTransaction, TimerEIsT2InProceeding) {
  OtherClient machine = machine_in<OtherClient>(OtherClient::State::proceeding, false);
  EXPECT_EQ(run_out(machine), "500 send:bye\n4500 send:bye\n8500 send:bye\n12500 send:bye\n"
                              "16500 send:bye\n20500 send:bye\n24500 send:bye\n28500 send:bye\n"
                              "32000 timed-out terminated\n");
}

TEST(NonInviteClientTransaction, TimerK) {
  OtherClient machine = machine_in<OtherClient>(OtherClient::State::completed, false);
  EXPECT_EQ(run_out(machine), "5000 terminated\n");
  OtherClient reliable = machine_in<OtherClient>(OtherClient::State::trying, true);
  EXPECT_EQ(feed(reliable, "200"), "deliver terminated");
  EXPECT_FALSE(reliable.next_deadline());
}

// A loop that wakes late sends one retransmission, not all it has missed.
TEST(NonInviteClientTransaction, LateWakeUpSendsOnce) {
  OtherClient machine = machine_in<OtherClient>(OtherClient::State::trying, false);
  EXPECT_EQ(words(machine.on_timer(start_time + seconds(20))), "send:bye");
  EXPECT_EQ(words(machine.on_timer(start_time + seconds(20))), "");
}

} // namespace
} // namespace midcom::sip
