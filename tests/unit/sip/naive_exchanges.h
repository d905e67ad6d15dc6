// SPDX-License-Identifier: GPL-3.0-or-later
// A naive model of the exchanges in one dialog: it keeps the whole history of them, and of a
// description it knows a name and what each m= line is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sip/offer_answer.h"

namespace midcom::sip {

struct NaiveDescription {
  struct Line {
    std::string type;
    std::string identity; // a=mid, else the type
    bool is_zero = false; // port 0, and not for a bundle's sake
  };
  std::string name; // "": there is no description
  std::vector<Line> lines;
  explicit operator bool() const { return !name.empty(); }
};

class NaiveExchanges {
public:
  struct Event {
    Party from = Party::caller;
    Method method = Method::other;
    std::uint32_t cseq = 0;
    int status = 0; // 0: a request
    bool is_reliable = false;
    NaiveDescription sdp;
  };
  struct Pair { // by name
    Party by = Party::caller;
    std::string offer, answer;
    [[nodiscard]] const std::string& of(Party party) const { return party == by ? offer : answer; }
    bool operator==(const Pair&) const = default;
  };
  enum class Place { invite, provisional, final, prack, update };
  struct Open {
    Party by;
    Place place;
    std::uint32_t cseq;
    NaiveDescription offer;
  };
  void on(const Event& event);
  [[nodiscard]] std::optional<Pair> agreed() const;
  [[nodiscard]] std::optional<Pair> preview() const;
  [[nodiscard]] const std::optional<Open>& open() const { return open_; }

  // By the last exchange that no failure of the pending INVITE can undo any more.
  [[nodiscard]] bool may_offer(const NaiveDescription& offer) const;
  // False for a request whose description can be no offer or answer here, by its m= lines.
  [[nodiscard]] bool takes(const Event& event) const;
  [[nodiscard]] static bool fits(const NaiveDescription& offer, const NaiveDescription& answer);

private:
  struct Invite {
    Party from;
    std::uint32_t cseq;
    bool has_offer, is_answered = false, is_finished = false, is_settled = false;
  };
  struct Agreed {
    Party by;
    NaiveDescription offer, answer;
    int within; // index of the INVITE whose failure undoes it; -1: none
  };
  static Pair pair_of(const Agreed& agreed);
  [[nodiscard]] Invite* last() { return invites_.empty() ? nullptr : &invites_.back(); }
  [[nodiscard]] bool is_pending() const;
  [[nodiscard]] bool is_open_at(Place place) const { return open_ && open_->place == place; }

  [[nodiscard]] bool may_offer(const NaiveDescription& offer, int within) const;
  void on_request(const Event& event);
  void on_prack(const Event& event);
  void on_ack(const Event& event);
  [[nodiscard]] bool must_wait(const Event& event) const;
  void ask(const Event& event);
  void start(const Event& event);
  void start_waiting();
  void conclude(const NaiveDescription& answer);
  void fail_invite();
  void judge(const Event& response);
  void on_response(const Event& event);
  void on_invite_response(const Event& event);
  void on_answer(const Event& event, bool is_final);

  std::vector<Invite> invites_;
  std::vector<Agreed> history_;
  std::optional<Open> open_;
  NaiveDescription preview_;
  std::map<Party, Event> waiting_;
  std::map<Party, std::uint32_t> highest_;
};

} // namespace midcom::sip
