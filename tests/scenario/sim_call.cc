// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/sim_call.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace midcom::scenario {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Model::Media media_of(const std::string& body) {
  Model::Media media;
  media.body = body;
  std::istringstream in(body);
  for (std::string line; std::getline(in, line);) {
    const auto words = words_of(line);
    if (line.starts_with("c=")) media.address = words.at(2);
    if (line.starts_with("m=audio"))
      media.port = static_cast<std::uint16_t>(std::stoi(words.at(1)));
  }
  return media;
}

std::string branch_of(const Wire& message) {
  const auto vias = message.values("Via");
  return vias.empty() ? "" : parameter_of(vias[0], "branch");
}

int cseq_of(const Wire& message) {
  return std::stoi(message.header("CSeq"));
}

std::string join(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ", ") + value;
  return out;
}

} // namespace

SimCall::SimCall(Surroundings around, int number, std::size_t caller, const Station& caller_station,
                 std::size_t callee, const Station& callee_station, std::string request_uri)
    : around_(around), id_("c" + std::to_string(number)), request_uri_(std::move(request_uri)),
      is_offerless_(around.dice.percent(15)), has_session_timer_(around.mischief.percent(50)),
      is_mortal_(around.mischief.percent(50)) {
  ends_[0].party = caller;
  ends_[0].station = caller_station;
  ends_[1].party = callee;
  ends_[1].station = callee_station;
  start();
}

Model::Media SimCall::new_media(const End& end) {
  around_.next_port = static_cast<std::uint16_t>(around_.next_port + 2);
  Model::Media media{end.station.address, around_.next_port, false, ""};
  if (around_.lies && around_.mischief.percent(8)) lie(end, media);
  return media;
}

// What no peer may name: somebody else, the gateway, nobody, a port that is not for media.
void SimCall::lie(const End& end, Model::Media& media) {
  constexpr std::array addresses = {"10.1.0.10",    "10.1.0.11",  "10.1.0.1",  "198.51.100.1",
                                    "203.0.113.20", "127.0.0.1",  "224.0.0.5", "255.255.255.255",
                                    "169.254.7.7",  "192.0.2.200"};
  constexpr std::array<std::uint16_t, 4> ports = {80, 1022, 5060, 5061};
  media.is_lie = true;
  if (around_.mischief.percent(25)) {
    media.port = ports[around_.mischief.below(ports.size())];
    return;
  }
  while (media.address == end.station.address)
    media.address = addresses[around_.mischief.below(addresses.size())];
}

std::string SimCall::description(const End& end, Model::Media& media) {
  media.body = "v=0\r\no=- " + id_.substr(1) + " " + std::to_string(++version_) + " IN IP4 " +
               end.station.address + "\r\ns=-\r\nc=IN IP4 " + media.address +
               "\r\nt=0 0\r\nm=audio " + std::to_string(media.port) + " RTP/AVP 0\r\n";
  if (media.is_lie) around_.model.made_lie(media.body);
  return media.body;
}

Wire SimCall::request(End& end, const std::string& method, const Dialog* dialog, int cseq) {
  const bool is_caller = &end == &ends_[0];
  const std::string caller = "<sip:caller@example.com>;tag=" + id_ + "-caller";
  const std::string callee = "<" + request_uri_ + ">" + (dialog ? ";tag=" + dialog->leg : "");
  Wire wire;
  wire.start_line = method + " " + (dialog ? dialog->target : request_uri_) + " SIP/2.0";
  wire.add("Via", "SIP/2.0/" + end.station.via + " " + end.station.sent_by + ";branch=z9hG4bK" +
                      id_ + (is_caller ? "a" : "b") + std::to_string(++end.branches));
  wire.add("Max-Forwards", "70");
  if (dialog && !dialog->routes.empty()) wire.add("Route", join(dialog->routes));
  wire.add("From", is_caller ? caller : callee);
  wire.add("To", is_caller ? callee : caller);
  wire.add("Call-ID", id_);
  wire.add("CSeq", std::to_string(cseq) + " " + method);
  if (method == "INVITE") wire.add("Contact", "<" + end.station.contact() + ">");
  return wire;
}

void SimCall::send(std::size_t end, const Wire& message, const std::string& key) {
  around_.transmit(ends_[end].party, message);
  if (key.empty()) return;
  const auto now = around_.now();
  pending_.push_back(
      {end, key, message, now + milliseconds(500), now + seconds(33), milliseconds(500)});
}

void SimCall::stop(const std::string& key) {
  std::erase_if(pending_, [&](const Pending& pending) { return pending.key == key; });
}

void SimCall::start() {
  invite_ = request(ends_[0], "INVITE", nullptr, 1);
  if (!is_offerless_) {
    offered_ = new_media(ends_[0]);
    invite_.body = description(ends_[0], offered_);
    invite_.add("Content-Type", "application/sdp");
    around_.model.made_offer(id_, invite_.body);
  }
  send(0, invite_, "invite");
}

void SimCall::respond(const Wire& to, const std::string& status, const std::string& leg,
                      const std::string& body) {
  const bool by_caller = !to.header("From").ends_with("-caller");
  Wire wire;
  wire.start_line = "SIP/2.0 " + status;
  for (const auto* name : {"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"})
    for (const auto& line : to.lines(name)) wire.add(name, line);
  if (parameter_of(wire.header("To"), "tag").empty() && !leg.empty())
    wire.set("To", wire.header("To") + ";tag=" + leg);
  const std::size_t end = by_caller ? 0 : 1;
  if (to.method() == "INVITE") wire.add("Contact", "<" + ends_[end].station.contact() + ">");
  if (!body.empty()) wire.add("Content-Type", "application/sdp");
  wire.body = body;
  const bool is_success = to.method() == "INVITE" && wire.status() / 100 == 2;
  if (is_success && has_session_timer_) {
    wire.add("Session-Expires", "90;refresher=uac");
    ends_[end].dialogs[leg].refreshed = around_.now();
  }
  send(end, wire,
       is_success ? "2xx" + leg + std::to_string(cseq_of(to)) + std::to_string(end) : "");
}

void SimCall::tell_answer(std::size_t answering_end, const Dialog& dialog,
                          const std::string& body) {
  around_.model.made_answer(id_, dialog.leg, body, answering_end == 0 ? dialog.mine : dialog.theirs,
                            answering_end == 0 ? dialog.theirs : dialog.mine);
}

// The callee's side of the initial INVITE: 183 with or without a description, or 200.
void SimCall::answer_leg(const std::string& leg, bool is_final) {
  auto& end = ends_[1];
  auto& [media, body] = leg_media_[leg];
  if (body.empty() || (is_final && around_.dice.percent(10) && !is_offerless_)) {
    media = new_media(end);
    body = description(end, media);
    Dialog dialog;
    dialog.leg = leg;
    dialog.mine = media;
    dialog.theirs = offered_;
    if (is_offerless_)
      around_.model.made_offer(id_, body);
    else
      tell_answer(1, dialog, body);
  }
  if (!is_final) {
    const bool with_body = !is_offerless_ && around_.dice.percent(60);
    respond(received_invite_, with_body ? "183 Progress" : "180 Ringing", leg,
            with_body ? body : "");
    return;
  }
  final_given_ = true;
  answered_ = around_.now();
  auto& dialog = end.dialogs[leg];
  dialog.leg = leg;
  dialog.mine = media;
  dialog.theirs = offered_;
  dialog.routes = received_invite_.values("Record-Route");
  dialog.target = uri_of(received_invite_.header("Contact"));
  respond(received_invite_, "200 OK", leg, body);
}

void SimCall::fail(const std::string& status) {
  final_given_ = true;
  respond(received_invite_, status, id_ + "-one", "");
}

void SimCall::hang_up(std::size_t end, Dialog& dialog) {
  if (dialog.is_over) return;
  dialog.is_over = true;
  const auto bye = request(ends_[end], "BYE", &dialog, ++dialog.cseq);
  send(end, bye, "bye" + branch_of(bye));
}

// RFC 4028 10: who isn't refreshed says BYE a third of the interval before its end.
void SimCall::end_sessions() {
  for (std::size_t end = 0; end < 2; ++end)
    for (auto& [leg, dialog] : ends_[end].dialogs) {
      if (dialog.is_over || !dialog.refreshed) continue;
      if (around_.now() < *dialog.refreshed + seconds(60)) continue;
      if (is_mortal_)
        dialog.is_over = true;
      else
        hang_up(end, dialog);
    }
}

void SimCall::change_port(std::size_t end, Dialog& dialog) {
  auto wire = request(ends_[end], "INVITE", &dialog, ++dialog.cseq);
  dialog.mine = new_media(ends_[end]);
  wire.body = description(ends_[end], dialog.mine);
  wire.add("Content-Type", "application/sdp");
  around_.model.made_offer(id_, wire.body);
  dialog.invite_pending = true;
  dialog.last_invite = wire;
  send(end, wire, "reinvite" + std::to_string(end) + dialog.leg);
}

void SimCall::act(bool finishing) {
  auto& dice = around_.dice;
  const bool arrived = !received_invite_.start_line.empty();
  for (std::size_t end = 0; end < 2; ++end)
    for (auto& [leg, dialog] : ends_[end].dialogs) {
      if (dialog.is_over || !dialog.is_acked || dialog.invite_pending) continue;
      if (dialog.wants_bye || finishing || dice.percent(15)) return hang_up(end, dialog);
      if (dice.percent(20)) return change_port(end, dialog);
    }
  if (arrived && !final_given_) {
    const auto leg = id_ + (dice.percent(70) ? "-one" : "-two");
    if (finishing || dice.percent(30)) return answer_leg(leg, true);
    if (dice.percent(10)) return fail("486 Busy Here");
    if (dice.percent(60)) return answer_leg(leg, false);
  }
  const bool is_late = around_.now() > answered_ + seconds(32); // its INVITE is forgotten
  if (arrived && final_given_ && !is_late && !is_cancelled_ && ends_[1].dialogs.size() == 1 &&
      dice.percent(5)) {
    const auto other = id_ + (ends_[1].dialogs.begin()->first.ends_with("-one") ? "-two" : "-one");
    return answer_leg(other, true);
  }
  if (has_rung_ && !is_cancelled_ && !is_invite_over_ && dice.percent(5)) {
    is_cancelled_ = true;
    Wire cancel = invite_;
    cancel.start_line = "CANCEL " + request_uri_ + " SIP/2.0";
    cancel.set("CSeq", "1 CANCEL");
    cancel.remove("Contact");
    cancel.remove("Content-Type");
    cancel.body.clear();
    send(0, cancel, "cancel");
  }
}

void SimCall::on_invite_response(const Wire& message) {
  const int status = message.status();
  stop("invite");
  if (status < 200) {
    has_rung_ = true;
    return;
  }
  is_invite_over_ = true;
  auto& end = ends_[0];
  if (status >= 300) {
    Wire ack = invite_;
    ack.start_line = "ACK " + request_uri_ + " SIP/2.0";
    ack.set("To", message.header("To"));
    ack.set("CSeq", "1 ACK");
    ack.remove("Content-Type");
    ack.remove("Contact");
    ack.body.clear();
    send(0, ack, "");
    return;
  }
  const auto leg = leg_of(message);
  const bool is_new = !end.dialogs.contains(leg);
  auto& dialog = end.dialogs[leg];
  if (is_new) {
    dialog.leg = leg;
    dialog.routes = message.values("Record-Route");
    std::ranges::reverse(dialog.routes);
    dialog.target = uri_of(message.header("Contact"));
    dialog.mine = offered_;
    dialog.theirs = media_of(message.body);
    if (has_session_timer_) dialog.refreshed = around_.now();
    dialog.is_acked = true;
    dialog.wants_bye = is_cancelled_ || end.dialogs.size() > 1;
    dialog.ack = request(end, "ACK", &dialog, 1);
    if (is_offerless_) {
      dialog.mine = new_media(end);
      dialog.ack.body = description(end, dialog.mine);
      dialog.ack.add("Content-Type", "application/sdp");
      tell_answer(0, dialog, dialog.ack.body);
    }
  }
  send(0, dialog.ack, "");
}

void SimCall::on_dialog_invite_response(std::size_t end, Dialog& dialog, const Wire& message) {
  const bool is_awaited =
      dialog.invite_pending && branch_of(message) == branch_of(dialog.last_invite);
  if (!is_awaited && message.status() / 100 != 2) return; // of an earlier one, again
  if (!is_awaited) return send(end, request(ends_[end], "ACK", &dialog, cseq_of(message)), "");
  stop("reinvite" + std::to_string(end) + dialog.leg);
  if (message.status() < 200) return;
  dialog.invite_pending = false;
  if (message.status() >= 300) {
    Wire ack = dialog.last_invite;
    ack.start_line = "ACK " + ack.uri() + " SIP/2.0";
    ack.set("To", message.header("To"));
    ack.set("CSeq", std::to_string(cseq_of(message)) + " ACK");
    ack.remove("Content-Type");
    ack.remove("Contact");
    ack.body.clear();
    send(end, ack, "");
    return;
  }
  dialog.theirs = media_of(message.body);
  if (has_session_timer_) dialog.refreshed = around_.now();
  send(end, request(ends_[end], "ACK", &dialog, cseq_of(message)), "");
}

void SimCall::on_request(std::size_t end, const Wire& message) {
  const auto method = message.method();
  const auto leg = leg_of(message);
  if (method == "INVITE" && leg.empty()) {
    if (!received_invite_.start_line.empty()) return;
    received_invite_ = message;
    offered_ = message.body.empty() ? offered_ : media_of(message.body);
    return;
  }
  if (method == "CANCEL") {
    respond(message, "200 OK", id_ + "-one", "");
    if (!final_given_ && !received_invite_.start_line.empty()) fail("487 Request Terminated");
    return;
  }
  const auto found = ends_[end].dialogs.find(leg);
  if (method == "ACK") {
    if (found == ends_[end].dialogs.end() || is_forged(message)) return;
    const auto& taken = found->second.taken;
    if (taken.start_line.empty() || cseq_of(taken) == cseq_of(message))
      found->second.is_acked = true;
    if (!message.body.empty()) found->second.theirs = media_of(message.body);
    stop("2xx" + leg + std::to_string(cseq_of(message)) + std::to_string(end));
    return;
  }
  if (method == "BYE") {
    if (found != ends_[end].dialogs.end()) found->second.is_over = true;
    respond(message, found == ends_[end].dialogs.end() ? "481 Unknown" : "200 OK", leg, "");
    return;
  }
  if (found == ends_[end].dialogs.end() || found->second.is_over || is_forged(message))
    return respond(message, "481 Unknown", leg, "");
  auto& dialog = found->second;
  if (dialog.taken.header("CSeq") == message.header("CSeq") &&
      branch_of(dialog.taken) == branch_of(message))
    return; // again; the 2xx goes on by itself
  if (dialog.invite_pending || !dialog.is_acked) return respond(message, "491 Pending", leg, "");
  if (around_.dice.percent(20)) return respond(message, "488 No", leg, "");
  dialog.taken = message;
  dialog.theirs = media_of(message.body);
  const auto body = description(ends_[end], dialog.mine);
  tell_answer(end, dialog, body);
  dialog.is_acked = false;
  respond(message, "200 OK", leg, body);
}

void SimCall::on_message(std::size_t party, const Wire& message) {
  const std::size_t end = party == ends_[0].party ? 0 : 1;
  if (message.is_request()) return on_request(end, message);
  if (message.method() == "CANCEL") return stop("cancel");
  if (message.method() == "BYE") {
    if (message.status() >= 200) stop("bye" + branch_of(message));
    return;
  }
  if (message.method() != "INVITE") return;
  if (end == 0 && branch_of(message) == branch_of(invite_)) return on_invite_response(message);
  const auto found = ends_[end].dialogs.find(leg_of(message));
  if (found != ends_[end].dialogs.end()) on_dialog_invite_response(end, found->second, message);
}

void SimCall::on_timer() {
  const auto now = around_.now();
  end_sessions();
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    auto& pending = pending_[i];
    if (now >= pending.deadline) {
      const Pending gone = pending;
      pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i--));
      if (gone.key == "invite") is_invite_over_ = true;
      if (gone.key.starts_with("2xx") || gone.key.starts_with("reinvite"))
        for (auto& [leg, dialog] : ends_[gone.end].dialogs)
          if (gone.key.find(leg) != std::string::npos) {
            dialog.invite_pending = false;
            hang_up(gone.end, dialog);
            break;
          }
      continue;
    }
    const bool repeats = pending.key.starts_with("2xx") || ends_[pending.end].station.via == "UDP";
    if (!repeats || now < pending.next) continue;
    pending.interval = std::min<sip::Duration>(pending.interval * 2, seconds(4));
    pending.next = now + pending.interval;
    around_.transmit(ends_[pending.end].party, pending.message);
  }
}

bool SimCall::is_over() const {
  if (!pending_.empty()) return false;
  for (const auto& end : ends_)
    for (const auto& [leg, dialog] : end.dialogs)
      if (!dialog.is_over && dialog.is_acked) return false;
  return is_invite_over_ || !received_invite_.start_line.empty() ? is_invite_over_ || final_given_
                                                                 : false;
}

Wire SimCall::forged_cancel() const {
  Wire wire = invite_;
  if (is_invite_over_) return {};
  wire.start_line = "CANCEL " + request_uri_ + " SIP/2.0";
  wire.set("CSeq", "1 CANCEL");
  wire.remove("Contact");
  wire.remove("Content-Type");
  wire.body.clear();
  return wire;
}

void SimCall::add_forged_body(Wire& wire, const Station& forger) const {
  const auto number = std::to_string(around_.mischief.below(1000000));
  wire.add("Content-Type", "application/sdp");
  wire.body = "v=0\r\no=- 1 " + number + " IN IP4 " + forger.address + "\r\ns=-\r\nc=IN IP4 " +
              forger.address + "\r\nt=0 0\r\nm=audio 6666 RTP/AVP 0\r\n";
  around_.model.made_forgery(wire.body);
}

Wire SimCall::forged(const std::string& method, std::size_t end, const Station& forger) const {
  if (method == "CANCEL") return forged_cancel();
  Wire wire;
  const std::string leg = id_ + (around_.mischief.percent(65) ? "-one" : "-two");
  const auto dialog = ends_[end].dialogs.find(leg);
  const bool is_made = dialog != ends_[end].dialogs.end();
  std::vector<std::string> routes;
  if (is_made)
    routes = dialog->second.routes;
  else if (!received_invite_.start_line.empty()) {
    routes = received_invite_.values("Record-Route");
    if (end == 0) std::ranges::reverse(routes);
  }
  const auto target = is_made ? dialog->second.target : ends_[1 - end].station.contact();
  wire.start_line = method + " " + target + " SIP/2.0";
  wire.add("Via", "SIP/2.0/" + forger.via + " " + forger.sent_by + ";branch=z9hG4bKforged" +
                      std::to_string(around_.mischief.below(1000000000)));
  wire.add("Max-Forwards", "70");
  if (!routes.empty()) wire.add("Route", join(routes));
  const std::string caller = "<sip:caller@example.com>;tag=" + id_ + "-caller";
  const std::string callee = "<" + request_uri_ + ">;tag=" + leg;
  wire.add("From", end == 0 ? caller : callee);
  wire.add("To", end == 0 ? callee : caller);
  wire.add("Call-ID", id_);
  const int next = is_made ? dialog->second.cseq + (method == "ACK" ? 0 : 1) : 1;
  wire.add("CSeq", std::to_string(around_.mischief.percent(50) ? 77 : next) + " " + method);
  if (method != "ACK" && method != "BYE") wire.add("Contact", "<" + forger.contact() + ">");
  const bool may_offer = method == "UPDATE" || method == "ACK";
  if (method == "INVITE" || (may_offer && around_.mischief.percent(50)))
    add_forged_body(wire, forger);
  return wire;
}

} // namespace midcom::scenario
