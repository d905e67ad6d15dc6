// SPDX-License-Identifier: GPL-3.0-or-later
// One simulated call: two user agents that speak SIP well enough, by dice. They tell the model what
// they offer and answer.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/scenario/sim_model.h"
#include "tests/scenario/wire.h"

namespace midcom::scenario {

class Dice {
public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool percent(std::size_t chance) { return below(100) < chance; }

private:
  std::mt19937_64 engine_;
};

// How a party is attached to the gateway.
struct Station {
  std::string name, address, sent_by, via; // via: TLS or UDP
  [[nodiscard]] std::string contact() const { return "sip:" + name + "@" + sent_by; }
};

class SimCall {
public:
  struct Surroundings {
    Model& model;
    Dice& dice;
    Dice& mischief;
    bool lies; // its user agents do, now and then
    std::function<TimePoint()> now;
    std::function<void(std::size_t party, const Wire&)> transmit;
    std::uint16_t& next_port;
  };

  SimCall(Surroundings around, int number, std::size_t caller, const Station& caller_station,
          std::size_t callee, const Station& callee_station, std::string request_uri);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::size_t caller() const { return ends_[0].party; }
  [[nodiscard]] std::size_t callee() const { return ends_[1].party; }
  void act(bool finishing); // something a user or a phone might do now
  void on_message(std::size_t party, const Wire& message);
  void on_timer();
  [[nodiscard]] bool is_over() const;
  // A request as somebody would forge it who knows all that was said, and the tags that will be.
  // Empty start line: there is nothing to forge yet.
  [[nodiscard]] Wire forged(const std::string& method, std::size_t end,
                            const Station& forger) const;

private:
  struct Dialog {
    std::string leg, target;
    std::vector<std::string> routes;
    Model::Media mine, theirs;
    int cseq = 1;
    bool is_acked = false, is_over = false, invite_pending = false, wants_bye = false;
    std::optional<TimePoint> refreshed; // a 2xx with a session interval was sent or taken
    Wire ack, last_invite, taken; // `taken`: the last INVITE of the other side that was accepted
  };
  struct End {
    std::size_t party = 0;
    Station station;
    std::map<std::string, Dialog> dialogs;
    int branches = 0;
  };
  struct Pending { // sent again until something comes back
    std::size_t end;
    std::string key;
    Wire message;
    TimePoint next, deadline;
    sip::Duration interval;
  };

  [[nodiscard]] Wire request(End& end, const std::string& method, const Dialog* dialog, int cseq);
  [[nodiscard]] std::string description(const End& end, Model::Media& media);
  [[nodiscard]] Model::Media new_media(const End& end);
  void lie(const End& end, Model::Media& media);
  [[nodiscard]] Wire forged_cancel() const;
  void add_forged_body(Wire& wire, const Station& forger) const;
  void start();
  void send(std::size_t end, const Wire& message, const std::string& key);
  void stop(const std::string& key);
  void respond(const Wire& to, const std::string& status, const std::string& leg,
               const std::string& body);
  void answer_leg(const std::string& leg, bool is_final);
  void fail(const std::string& status);
  void hang_up(std::size_t end, Dialog& dialog);
  void end_sessions();
  void change_port(std::size_t end, Dialog& dialog);
  void tell_answer(std::size_t answering_end, const Dialog& dialog, const std::string& body);
  void on_request(std::size_t end, const Wire& message);
  void on_invite_response(const Wire& message);
  void on_dialog_invite_response(std::size_t end, Dialog& dialog, const Wire& message);

  Surroundings around_;
  std::string id_, request_uri_;
  End ends_[2]; // caller, callee
  bool is_offerless_, is_invite_over_ = false, is_cancelled_ = false, has_rung_ = false;
  Wire invite_, received_invite_; // as sent, as it arrived
  bool final_given_ = false;
  TimePoint answered_{}; // the 2xx last given
  Model::Media offered_;
  std::map<std::string, std::pair<Model::Media, std::string>> leg_media_;
  std::vector<Pending> pending_;
  int version_ = 1;
  bool has_session_timer_, is_mortal_; // its user agents vanish when nobody refreshes
};

} // namespace midcom::scenario
