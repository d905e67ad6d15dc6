// SPDX-License-Identifier: GPL-3.0-or-later
// Random sequences of messages against a naive model of the rules, which keeps the whole history of
// exchanges and knows descriptions by their names alone; and forks in all orders.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/unit/sip/offer_answer_script.h"

namespace midcom::sip {
namespace {

using offer_answer_script::Event;
using offer_answer_script::feed;
using offer_answer_script::name_of;
using offer_answer_script::session;

bool is_zero(char line) {
  return line == '0' || line == 'o';
}

char type_of(char line) {
  return line == '0' ? '1' : line == 'o' ? 'v' : line;
}

bool fits(const std::string& offer, const std::string& answer) {
  if (offer.size() != answer.size()) return false;
  for (std::size_t i = 1; i < offer.size(); ++i)
    if (!is_zero(answer[i]) && (is_zero(offer[i]) || type_of(offer[i]) != type_of(answer[i])))
      return false;
  return true;
}

class Naive {
public:
  void on(const Event& event) {
    if (event.status == 0)
      on_request(event);
    else
      on_response(event);
    start_waiting();
  }

  std::string session() const {
    std::string text = history_.empty() ? "-" : pair_of(history_.back());
    if (!preview_.empty()) text += " preview " + pair_of({open_->by, open_->offer, preview_, -1});
    if (open_) text += " open " + open_->offer;
    return text;
  }

private:
  enum class Place { invite, provisional, final, prack, update };
  struct Invite {
    Party from;
    std::uint32_t cseq;
    bool has_offer, is_answered = false, is_finished = false, is_settled = false;
  };
  struct Open {
    Party by;
    Place place;
    std::uint32_t cseq;
    std::string offer;
  };
  struct Agreed {
    Party by;
    std::string offer, answer;
    int within; // index of the INVITE whose failure undoes it; -1: none
  };

  static std::string pair_of(const Agreed& agreed) {
    return agreed.by == Party::caller ? agreed.offer + "/" + agreed.answer
                                      : agreed.answer + "/" + agreed.offer;
  }

  Invite* last() { return invites_.empty() ? nullptr : &invites_.back(); }
  bool is_pending() { return last() != nullptr && !last()->is_finished; }
  bool is_open_at(Place place) const { return open_ && open_->place == place; }

  // By the last exchange that no failure of `within` can undo any more.
  bool may_offer(const std::string& offer, int within) const {
    const auto before = std::find_if(history_.rbegin(), history_.rend(), [&](const Agreed& a) {
      return within < 0 || a.within != within;
    });
    if (before == history_.rend()) return true;
    const std::string &asked = before->offer, &got = before->answer;
    if (offer.size() < asked.size()) return false;
    const auto is_live = [&](std::size_t i) {
      return !is_zero(asked[i]) && !is_zero(got[i]) && !is_zero(offer[i]);
    };
    for (std::size_t i = 1; i < asked.size(); ++i)
      for (std::size_t j = 1; j < asked.size(); ++j)
        if (is_live(i) && is_live(j) && asked[i] != offer[i] && asked[j] != offer[j] &&
            asked[i] == offer[j])
          return false;
    return true;
  }

  void on_request(const Event& event) {
    const bool has_sdp = event.sdp != "-";
    switch (event.method) {
    case Method::invite:
      return ask(event);
    case Method::update:
      if (has_sdp) ask(event);
      return;
    case Method::prack:
      if (has_sdp && last() != nullptr && last()->from == event.from && event.cseq > last()->cseq)
        on_prack(event);
      return;
    case Method::ack:
      if (last() != nullptr && last()->is_finished && last()->from == event.from &&
          last()->cseq == event.cseq)
        on_ack(event);
      return;
    default:
      return;
    }
  }

  void on_prack(const Event& event) {
    if (is_open_at(Place::provisional))
      conclude(event.sdp);
    else if (is_pending() && last()->has_offer && last()->is_answered)
      ask(event);
  }

  void on_ack(const Event& event) {
    last()->is_settled = true;
    if (is_open_at(Place::final) && event.sdp != "-") conclude(event.sdp);
    if (is_open_at(Place::final) || is_open_at(Place::provisional)) open_.reset();
  }

  bool must_wait(const Event& event) {
    return open_ || (event.method == Method::invite && is_pending());
  }

  void ask(const Event& event) {
    if (event.cseq <= highest_[event.from]) return;
    const int within = is_pending() ? static_cast<int>(invites_.size()) - 1 : -1;
    if (event.sdp != "-" && !may_offer(event.sdp, within)) return;
    if (must_wait(event)) {
      highest_[event.from] = event.cseq;
      waiting_[event.from] = event;
    } else {
      start(event);
    }
  }

  void start(const Event& event) {
    const bool has_sdp = event.sdp != "-";
    if (has_sdp && !may_offer(event.sdp, -1)) return;
    highest_[event.from] = std::max(highest_[event.from], event.cseq);
    if (event.method == Method::invite)
      invites_.push_back({event.from, event.cseq, has_sdp});
    else if (is_pending() && history_.empty())
      return;
    const Place place = event.method == Method::invite  ? Place::invite
                        : event.method == Method::prack ? Place::prack
                                                        : Place::update;
    if (has_sdp) open_ = Open{event.from, place, event.cseq, event.sdp};
  }

  void start_waiting() {
    for (const Party party : {Party::caller, Party::callee}) {
      const auto found = waiting_.find(party);
      if (found == waiting_.end() || must_wait(found->second)) continue;
      const Event event = found->second;
      waiting_.erase(found);
      start(event);
    }
  }

  void conclude(const std::string& answer) {
    if (!fits(open_->offer, answer)) return;
    const bool is_of_invite = open_->place != Place::prack && open_->place != Place::update;
    const bool may_fail = last() != nullptr && !last()->is_settled;
    history_.push_back(
        {open_->by, open_->offer, answer, may_fail ? static_cast<int>(invites_.size()) - 1 : -1});
    if (is_of_invite) last()->is_answered = true;
    open_.reset();
    preview_.clear();
  }

  void fail_invite() {
    last()->is_finished = last()->is_settled = true;
    const int index = static_cast<int>(invites_.size()) - 1;
    std::erase_if(history_, [&](const Agreed& agreed) { return agreed.within == index; });
    if (open_ && open_->place != Place::update) open_.reset();
    preview_.clear();
  }

  void judge(const Event& response) {
    const Party asker = other(response.from);
    const auto found = waiting_.find(asker);
    if (found == waiting_.end() || found->second.method != response.method ||
        found->second.cseq != response.cseq || response.status == 100)
      return;
    if (response.status >= 300) {
      waiting_.erase(found);
      return;
    }
    if (response.method == Method::invite && is_pending()) return;
    if (is_open_at(Place::invite) || is_open_at(Place::provisional)) return;
    open_.reset();
    preview_.clear();
    const Event taken = found->second;
    waiting_.erase(found);
    start(taken);
  }

  void on_response(const Event& event) {
    judge(event);
    if (event.method == Method::invite) return on_invite_response(event);
    const Place place = event.method == Method::prack ? Place::prack : Place::update;
    if (event.method != Method::prack && event.method != Method::update) return;
    if (event.status < 200 || !is_open_at(place) || open_->cseq != event.cseq ||
        open_->by == event.from)
      return;
    if (event.status < 300 && event.sdp != "-") conclude(event.sdp);
    if (is_open_at(place)) open_.reset();
  }

  void on_invite_response(const Event& event) {
    if (last() == nullptr || last()->cseq != event.cseq || last()->from == event.from) return;
    if (event.status >= 300 && !last()->is_settled) return fail_invite();
    if (last()->is_finished) return;
    if (event.status >= 200) last()->is_finished = true;
    if (last()->is_answered) return;
    const bool is_final = event.status >= 200;
    if (is_open_at(Place::invite)) {
      const std::string sdp = event.sdp == "-" && is_final ? preview_ : event.sdp;
      if (is_final || event.is_reliable) {
        if (!sdp.empty() && sdp != "-") conclude(sdp);
        if (is_final && is_open_at(Place::invite)) {
          open_.reset();
          preview_.clear();
        }
      } else if (sdp != "-" && fits(open_->offer, sdp)) {
        preview_ = sdp;
      }
      return;
    }
    if (event.sdp == "-" || last()->has_offer || !(is_final || event.is_reliable)) return;
    if (open_ && (open_->place != Place::update || open_->by == event.from)) return;
    if (!may_offer(event.sdp, -1)) return;
    open_ = Open{event.from, is_final ? Place::final : Place::provisional, event.cseq, event.sdp};
  }

  std::vector<Invite> invites_;
  std::vector<Agreed> history_;
  std::optional<Open> open_;
  std::string preview_;
  std::map<Party, Event> waiting_;
  std::map<Party, std::uint32_t> highest_;
};

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
    Naive model;
    std::string trace;
    for (int step = 0; step < 16; ++step) {
      const Event event = dice.next();
      trace += text_of(event) + "\n";
      const std::string before = session(machine);
      const auto outcome = feed(machine, event);
      ++seen[outcome];
      model.on(event);
      const std::string after = session(machine);
      ASSERT_EQ(after, model.session()) << "seed " << seed << "\n" << trace;
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
