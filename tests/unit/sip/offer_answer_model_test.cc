// SPDX-License-Identifier: GPL-3.0-or-later
// Random sequences of messages against a naive model of the rules, and forks in all orders.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/unit/sip/naive_exchanges.h"
#include "tests/unit/sip/offer_answer_script.h"

namespace midcom::sip {
namespace {

using offer_answer_script::Event;
using offer_answer_script::feed;
using offer_answer_script::name_of;
using offer_answer_script::session;

// As the naive model sees a description of the script.
NaiveDescription naive(const std::string& sdp) {
  if (sdp == "-") return {};
  NaiveDescription out{sdp, {}};
  for (const char line : sdp.substr(1)) {
    const std::string type(1, line == '0' ? '1' : line == 'o' ? 'v' : line);
    out.lines.push_back({type, type, line == '0' || line == 'o'});
  }
  return out;
}

NaiveExchanges::Event naive(const Event& event) {
  return {event.from, event.method, event.cseq, event.status, event.is_reliable, naive(event.sdp)};
}

std::string name_of(const NaiveExchanges::Pair& pair) {
  return pair.of(Party::caller) + "/" + pair.of(Party::callee);
}

std::string session(const NaiveExchanges& model) {
  const auto agreed = model.agreed(), preview = model.preview();
  std::string text = agreed ? name_of(*agreed) : "-";
  if (preview) text += " preview " + name_of(*preview);
  if (model.open()) text += " open " + model.open()->offer.name;
  return text;
}

// Messages that two user agents of little discipline could send.
class Dice {
public:
  explicit Dice(unsigned seed) : random_(seed), usual_(seed % 3 == 0 ? "1v" : "1") {}

  std::size_t below(std::size_t n) { return random_() % n; }

  Event next() {
    Event event;
    const std::size_t kind = below(10);
    if (kind < 4 || requests_.empty()) {
      event = request();
    } else if (kind < 9) {
      event = response();
    } else {
      event = sent_[below(sent_.size())];
    }
    sent_.push_back(event);
    return event;
  }

private:
  std::string sdp() {
    static const char* const shapes[] = {"1", "1", "1", "1v", "1v", "10", "1o", "0", "v1", "i", ""};
    if (below(5) == 0) return "-";
    const char* shape = below(3) == 0 ? shapes[below(std::size(shapes))] : usual_;
    return std::string(1, static_cast<char>('A' + below(26))) + shape;
  }

  Event request() {
    static constexpr Method methods[] = {Method::invite, Method::invite, Method::prack,
                                         Method::update, Method::ack,    Method::bye};
    Event event;
    event.from = below(3) == 0 ? Party::callee : Party::caller;
    event.method = methods[below(std::size(methods))];
    event.sdp = sdp();
    std::uint32_t& cseq = cseq_[event.from];
    if (event.method == Method::ack) {
      event.cseq = cseq - std::min(cseq, static_cast<std::uint32_t>(below(3)));
      return event;
    }
    event.cseq = ++cseq;
    requests_.push_back(event);
    return event;
  }

  Event response() {
    static constexpr int statuses[] = {100, 180, 183, 183, 183, 200, 200, 200, 200, 487, 491, 500};
    Event event =
        requests_[requests_.size() - 1 - below(std::min<std::size_t>(3, requests_.size()))];
    event.from = other(event.from);
    event.status = statuses[below(std::size(statuses))];
    event.is_reliable = event.status > 100 && event.status < 200 && below(2) == 0;
    event.sdp = sdp();
    return event;
  }

  std::mt19937 random_;
  const char* usual_; // most descriptions are of this shape
  std::vector<Event> requests_, sent_;
  std::map<Party, std::uint32_t> cseq_;
};

std::string text_of(const Event& event) {
  static const char* const names[] = {"INVITE", "ACK", "PRACK", "UPDATE", "BYE", "CANCEL", "other"};
  std::string text = event.from == Party::caller ? "> " : "< ";
  if (event.status != 0) text += std::to_string(event.status) + (event.is_reliable ? "r " : " ");
  return text + names[static_cast<int>(event.method)] + " " + std::to_string(event.cseq) + " " +
         event.sdp;
}

TEST(OfferAnswerModel, AnySequence) {
  std::map<OfferAnswer::Outcome, int> seen;
  for (unsigned seed = 1; seed <= 6000; ++seed) {
    Dice dice(seed);
    OfferAnswer machine;
    NaiveExchanges model;
    std::string trace;
    for (int step = 0; step < 16; ++step) {
      const Event event = dice.next();
      trace += text_of(event) + "\n";
      const std::string before = session(machine);
      const auto outcome = feed(machine, event);
      ++seen[outcome];
      model.on(naive(event));
      const std::string after = session(machine);
      ASSERT_EQ(after, session(model)) << "seed " << seed << "\n" << trace;
      if (outcome == OfferAnswer::Outcome::nothing) {
        ASSERT_EQ(after, before) << trace;
      }
      const auto again = feed(machine, event);
      ASSERT_TRUE(again == OfferAnswer::Outcome::nothing ||
                  (again == outcome && outcome == OfferAnswer::Outcome::violation))
          << name_of(again) << "\n"
          << trace;
      ASSERT_EQ(session(machine), after) << trace;
    }
  }
  for (const auto outcome : {OfferAnswer::Outcome::nothing, OfferAnswer::Outcome::offered,
                             OfferAnswer::Outcome::previewed, OfferAnswer::Outcome::agreed,
                             OfferAnswer::Outcome::rolled_back, OfferAnswer::Outcome::violation})
    EXPECT_GT(seen[outcome], 500) << name_of(outcome);
}

// An INVITE or an offer that comes again at any later time changes nothing.
TEST(OfferAnswerModel, LateDuplicates) {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    Dice dice(seed);
    OfferAnswer machine;
    std::vector<Event> offers;
    for (int step = 0; step < 16; ++step) {
      const Event event = dice.next();
      const auto outcome = feed(machine, event);
      const bool is_offer = event.status == 0 && outcome != OfferAnswer::Outcome::violation &&
                            (event.method == Method::invite || event.method == Method::update);
      if (is_offer) offers.push_back(event);
      const std::string after = session(machine);
      for (const Event& offer : offers) {
        ASSERT_EQ(name_of(feed(machine, offer)), "nothing") << text_of(offer);
        ASSERT_EQ(session(machine), after) << text_of(offer);
      }
    }
  }
}

// Whatever is agreed within a re-INVITE, its failure brings back the very pair of before.
TEST(OfferAnswerModel, RollbackRestoresExactly) {
  int changed = 0;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    Dice dice(seed);
    OfferAnswer machine;
    for (const char* event : {"> INVITE 1 A1", "< 200 INVITE 1 B1", "> ACK 1 -"})
      static_cast<void>(feed(machine, event));
    const auto before = machine.agreed();
    feed(machine, dice.below(2) == 0 ? "> INVITE 2 C1" : "> INVITE 2 -");
    for (std::uint32_t cseq = 3; cseq < 11; ++cseq) {
      Event event = dice.next();
      if (event.method == Method::invite || event.method == Method::ack) {
        event.method = Method::invite;
        event.from = Party::callee;
        event.status = 183;
        event.is_reliable = true;
      }
      event.cseq = event.method == Method::invite ? 2 : event.status == 0 ? cseq : cseq - 1;
      static_cast<void>(feed(machine, event));
    }
    if (machine.agreed() != before) ++changed;
    static_cast<void>(feed(machine, "< 488 INVITE 2 -"));
    ASSERT_EQ(machine.agreed(), before) << seed;
    ASSERT_FALSE(machine.preview());
  }
  EXPECT_GT(changed, 300);
}

// One to four branches, each of another kind, in all orders of their responses: each goes by its
// own alone, and sees what it would see as the only one.
TEST(OfferAnswerModel, ForksInAllOrders) {
  const std::vector<std::string> branches[] = {
      {"< 183 INVITE 1 B1", "< 200 INVITE 1 B1"},
      {"< 183r INVITE 1 C1", "< 200 INVITE 1 -"},
      {"< 180 INVITE 1 -", "< 200 INVITE 1 D1"},
      {"< 183 INVITE 1 E0", "< 200 INVITE 1 F1"},
  };
  const std::vector<std::string> sessions[] = {
      {"- preview A1/B1 open A1", "A1/B1"},
      {"A1/C1", "A1/C1"},
      {"- open A1", "A1/D1"},
      {"- preview A1/E0 open A1", "A1/F1"},
  };
  int orders = 0;
  for (std::size_t count = 1; count <= std::size(branches); ++count) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < count; ++i) order.insert(order.end(), branches[i].size(), i);
    do {
      OfferAnswer invite;
      static_cast<void>(feed(invite, "> INVITE 1 A1"));
      std::map<std::size_t, OfferAnswer> legs;
      std::map<std::size_t, std::size_t> told;
      for (const std::size_t i : order) {
        auto& leg = legs.try_emplace(i, invite).first->second;
        static_cast<void>(feed(leg, branches[i][told[i]++]));
        static_cast<void>(feed(invite, "> INVITE 1 A1"));
        for (const auto& [index, machine] : legs)
          ASSERT_EQ(session(machine), sessions[index][told[index] - 1]);
      }
      ++orders;
    } while (std::ranges::next_permutation(order).found);
  }
  EXPECT_EQ(orders, 1 + 6 + 90 + 2520);
}

} // namespace
} // namespace midcom::sip
