// SPDX-License-Identifier: GPL-3.0-or-later
// What strangers may not get through in somebody else's dialog.
#include <algorithm>
#include <utility>

#include "tests/scenario/sim_model.h"

namespace midcom::scenario {

std::string forged_branch(const Wire& message) {
  for (const auto& via : message.values("Via"))
    if (const auto branch = parameter_of(via, "branch"); branch.starts_with("z9hG4bKforged"))
      return branch;
  return {};
}

bool is_forged(const Wire& message) {
  return !forged_branch(message).empty();
}

// Are the dialog's participants proved to this agent? By an answer that it was given; before the
// first one nobody can be, so that nobody may speak.
bool Model::is_known(const std::string& call, const std::string& leg) {
  auto& state = calls_[call];
  if (state.failed || state.invited != agent_) return false;
  const auto found = state.legs.find(leg);
  if (found == state.legs.end() || found->second.known_to != agent_) return !state.is_answered;
  const auto& known = found->second;
  const auto has_expired = [&](const Leg& other) {
    return other.session_least && world_.now() >= *other.session_least - slack;
  };
  // A branch without a 2xx ends with the INVITE's, and is forgotten with the call's last dialog.
  const bool is_forgotten =
      state.is_answered && !known.is_accepted && std::ranges::none_of(state.legs, [&](auto& other) {
        const Leg& dialog = other.second;
        return dialog.is_accepted && !dialog.ended && !has_expired(dialog);
      });
  return !known.ended && !known.bye_given && !known.until && !has_expired(known) && !is_forgotten;
}

// Does the kernel know them? One that has started since asks it.
bool Model::is_kernels(const std::string& call, const std::string& leg) {
  const auto& legs = calls_[call].legs;
  const auto state = legs.find(leg);
  if (state != legs.end() && (state->second.ended || state->second.bye_given)) return false;
  return std::ranges::any_of(pairs_, [&](const Pair& pair) {
    // A lie makes no rule; where it names nobody of the protected networks all passes anyway.
    return pair.call == call && pair.leg == leg && !pair.is_lie &&
           std::ranges::any_of(flows_of(pair), [&](const Directed& flow) {
             return world_.middlebox().passes(flow, world_.now());
           });
  });
}

// Nobody can be asked, or was a moment ago.
bool Model::is_away() {
  watch_middlebox();
  return middlebox_down_ || middlebox_back_ + slack > world_.now();
}

void Model::given_forgery(const Wire& message) {
  const auto call = message.header("Call-ID"), leg = leg_of(message);
  forgeries_.try_emplace(forged_branch(message),
                         Forgery{call, leg, message.method(), !message.body.empty(),
                                 is_known(call, leg), is_kernels(call, leg)});
}

// It is on its way to somebody.
void Model::judge_forgery(Forgery& forgery, const Wire& message) {
  if (forgery.is_known && is_known(forgery.call, forgery.leg))
    throw Violation("a stranger's " + message.start_line + " goes on in a known dialog");
  if (!forgery.is_kernels || !is_kernels(forgery.call, forgery.leg)) return;
  // An ACK without an answer changes nothing; a BYE that nobody can judge is the kernel's to judge.
  const bool is_harmless = forgery.method == "ACK" && !forgery.has_body;
  const bool is_unjudged = is_away() && (forgery.method == "BYE" || forgery.method == "ACK");
  forgery.was_unjudged = is_unjudged;
  if (!is_harmless && !is_unjudged)
    throw Violation("a stranger's " + message.start_line + " goes on in a live dialog");
}

void Model::sent_to_forger(const Wire& message) {
  if (message.is_request() || message.status() < 200) return;
  const int status = message.status();
  const auto wrong = [&] {
    throw Violation("a stranger's " + message.method() + " is answered " + message.start_line);
  };
  const auto found = forgeries_.find(forged_branch(message));
  if (found == forgeries_.end()) { // a CANCEL has the branch of what it cancels
    if (message.method() != "CANCEL" || status != 481) wrong();
    return;
  }
  Forgery& forgery = found->second;
  if (std::exchange(forgery.is_answered, true)) return; // the same again
  const bool is_protected = (forgery.is_known && is_known(forgery.call, forgery.leg)) ||
                            (forgery.is_kernels && is_kernels(forgery.call, forgery.leg));
  if (!is_protected || status == 403) return;
  // Its route leads nowhere: refused before anybody asks who it is.
  if ((status == 404 || status == 430) && forgery.method != "BYE") return;
  if (is_away() && (status == 503 || forgery.method == "BYE")) return;
  if (forgery.was_unjudged) return; // by whom it has reached
  wrong();
}

} // namespace midcom::scenario
