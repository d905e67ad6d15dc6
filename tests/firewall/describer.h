// SPDX-License-Identifier: GPL-3.0-or-later
// What user agents say, at random: offers, answers, later offers that change something, candidates
// that follow. Mostly by the rules, now and then not.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/firewall/description.h"

namespace midcom::firewall_test {

class Dice {
public:
  explicit Dice(unsigned seed) : random_(seed) {}
  [[nodiscard]] std::size_t below(std::size_t n) { return random_() % n; }
  [[nodiscard]] bool happens(unsigned percent) { return random_() % 100 < percent; }
  template <class List>
  [[nodiscard]] const auto& pick(const List& list) {
    return list[below(std::size(list))];
  }

private:
  std::mt19937 random_;
};

// Of one side in the session before; null: there was none.
struct Before {
  const Description* own = nullptr;
  const Description* other = nullptr;
};

class Describer {
public:
  explicit Describer(Dice& dice);

  // `number`: of the owner's address.
  [[nodiscard]] Description offer(Party owner, int number, const Description* before);
  [[nodiscard]] Description answer(const Description& offer, Party owner, int number,
                                   const Before& before);
  // A description that nobody could take for an answer to, or a successor of, `other`.
  [[nodiscard]] Description nonsense(const Description& other, Party owner, int number);
  // With all that its sender has said of the same generation.
  [[nodiscard]] Fragment fragment(const Description& description,
                                  const std::vector<Fragment>& said);

  [[nodiscard]] pinhole::Endpoint endpoint_of(Party owner, int number) {
    return endpoint_at(home(owner, number));
  }
  [[nodiscard]] pinhole::Endpoint
  endpoint_at(const pinhole::Address& home); // no other has its port

private:
  [[nodiscard]] Description begin(Party owner, int number);
  [[nodiscard]] pinhole::Address home(Party owner, int number) const;
  [[nodiscard]] Place place(unsigned denied_percent);
  [[nodiscard]] Stream stream(std::size_t index);
  [[nodiscard]] Stream stream_of(Kind kind, const std::string& type, std::size_t index);
  [[nodiscard]] Setup setup_for(Setup offered);
  void set_direction(Stream& stream);
  void set_ice(Stream& stream);
  [[nodiscard]] std::vector<Candidate> candidates(const Stream& stream);
  [[nodiscard]] Candidate candidate(const Stream& stream);
  void share_credentials(Description& description);
  void bundle(Description& description);
  void share_port(Description& description);
  void change(Description& description);
  void change_stream(Description& description, std::size_t index);
  void restart_ice(Description& description);
  [[nodiscard]] Stream answer_stream(const Stream& offered, std::size_t index, const Stream* own,
                                     const Stream* offered_before);
  void answer_bundles(Description& answer, const Description& offer);
  [[nodiscard]] std::string random_text(std::size_t size);

  Dice& dice_;
  bool is_browser_, is_six_;
  bool is_restless_; // its ICE begins again and again
  bool has_mids_;
  std::uint16_t next_port_ = 20000;
  int next_name_ = 0;
  Party owner_ = Party::caller; // whose description is made
  pinhole::Address home_;
};

} // namespace midcom::firewall_test
