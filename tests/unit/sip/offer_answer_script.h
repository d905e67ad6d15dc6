// SPDX-License-Identifier: GPL-3.0-or-later
// Events of the offer/answer machine as text.
//
// "> INVITE 1 A1" is a request of the caller with CSeq 1, "< 183r INVITE 1 B1" a response of the
// callee (r: reliable). A description is named by its o= and, after the letter, its m= lines: 1
// audio, v video, i T.38, 0 and o audio and video with port 0, b audio with port 0 and
// a=bundle-only, x and y audio with that a=mid; "-" is none.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

#include "sip/offer_answer.h"

namespace midcom::sip::offer_answer_script {

inline std::string media_line(char name) {
  switch (name) {
  case '0':
    return "m=audio 0 RTP/AVP 0\r\n";
  case 'b':
    return "m=audio 0 RTP/AVP 0\r\na=bundle-only\r\n";
  case 'v':
    return "m=video 4002 RTP/AVP 31\r\n";
  case 'o':
    return "m=video 0 RTP/AVP 31\r\n";
  case 'i':
    return "m=image 4004 udptl t38\r\n";
  case 'x':
  case 'y':
    return std::string("m=audio 4006 RTP/AVP 0\r\na=mid:") + name + "\r\n";
  default:
    return "m=audio 4000 RTP/AVP 0\r\n";
  }
}

inline SdpPtr description(const std::string& name) {
  if (name == "-") return nullptr;
  std::string text = "v=0\r\no=" + name + " 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n";
  for (const char line : name.substr(1)) text += media_line(line);
  const auto sdp = Sdp::parse(text, SdpLimits{});
  if (!sdp) throw std::runtime_error("no description: " + name);
  return *sdp;
}

inline std::string name_of(const SdpPtr& sdp) {
  return sdp ? std::string(sdp->origin().substr(0, sdp->origin().find(' '))) : "-";
}

inline std::string name_of(const std::optional<SessionPair>& pair) {
  return pair ? name_of(pair->caller) + "/" + name_of(pair->callee) : "-";
}

inline std::string name_of(OfferAnswer::Outcome outcome) {
  const char* names[] = {"nothing", "offered", "previewed", "agreed", "rolled-back", "violation"};
  return names[static_cast<int>(outcome)];
}

struct Event {
  Party from = Party::caller;
  Method method = Method::other;
  std::uint32_t cseq = 0;
  int status = 0; // 0: a request
  bool is_reliable = false;
  std::string sdp;
};

inline Event read_event(const std::string& text) {
  std::istringstream words(text);
  std::string side, first, method;
  words >> side >> first;
  Event event;
  event.from = side == ">" ? Party::caller : Party::callee;
  event.method = method_of(first);
  if (first.find_first_not_of("0123456789r") == std::string::npos) {
    words >> method;
    event.method = method_of(method);
    event.status = std::stoi(first);
    event.is_reliable = first.ends_with('r');
  }
  words >> event.cseq >> event.sdp;
  return event;
}

inline OfferAnswer::Outcome feed(OfferAnswer& machine, const Event& event) {
  const SdpPtr sdp = description(event.sdp);
  if (event.status == 0)
    return machine.on(OfferAnswer::Request{event.method, event.from, event.cseq, sdp});
  return machine.on(OfferAnswer::Response{event.method, event.from, event.cseq, event.status,
                                          event.is_reliable, sdp});
}

inline OfferAnswer::Outcome feed(OfferAnswer& machine, const std::string& event) {
  return feed(machine, read_event(event));
}

inline std::string session(const OfferAnswer& machine) {
  std::string text = name_of(machine.agreed());
  if (machine.preview()) text += " preview " + name_of(machine.preview());
  if (machine.open_offer()) text += " open " + name_of(machine.open_offer());
  return text;
}

} // namespace midcom::sip::offer_answer_script
