// SPDX-License-Identifier: GPL-3.0-or-later
// Any sequence of messages: the session in force is a pair that both parties have sent, and a
// message that comes twice changes nothing the second time. Four octets make one event.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sip/offer_answer.h"
#include "tests/fuzz/require.h"

namespace {

using namespace midcom::sip;
using midcom::fuzz::require;

std::vector<SdpPtr> make_descriptions() {
  std::vector<SdpPtr> all{nullptr};
  const char* shapes[] = {"", "m=audio 4000 RTP/AVP 0\r\n", "m=audio 0 RTP/AVP 0\r\n",
                          "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 31\r\n",
                          "m=audio 4000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n"};
  for (const char* name : {"a", "b", "c"})
    for (const char* shape : shapes)
      all.push_back(*Sdp::parse(std::string("v=0\r\no=") + name +
                                    " 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n" +
                                    shape,
                                SdpLimits{}));
  return all;
}

struct Event {
  bool is_request;
  OfferAnswer::Request request;
  OfferAnswer::Response response;
};

Event make_event(const std::uint8_t* octets, const SdpPtr& sdp) {
  constexpr Method methods[] = {Method::invite, Method::ack, Method::prack,  Method::update,
                                Method::invite, Method::bye, Method::cancel, Method::other};
  constexpr int statuses[] = {100, 180, 183, 200, 202, 401, 487, 603};
  const Method method = methods[octets[0] & 7];
  const Party from = (octets[0] & 8) != 0 ? Party::caller : Party::callee;
  const std::uint32_t cseq = octets[2];
  const bool is_reliable = (octets[1] & 8) != 0;
  return {(octets[0] & 16) != 0,
          {method, from, cseq, sdp},
          {method, from, cseq, statuses[octets[1] & 7], is_reliable, sdp}};
}

OfferAnswer::Outcome feed(OfferAnswer& machine, const Event& event) {
  return event.is_request ? machine.on(event.request) : machine.on(event.response);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<SdpPtr> descriptions = make_descriptions();
  OfferAnswer machine;
  std::vector<SdpPtr> sent[2];
  for (; size >= 4; data += 4, size -= 4) {
    const SdpPtr& sdp = descriptions[data[3] % descriptions.size()];
    const Event event = make_event(data, sdp);
    sent[event.request.from == Party::caller ? 0 : 1].push_back(sdp);
    const auto before = machine.in_force();
    const auto outcome = feed(machine, event);
    if (outcome == OfferAnswer::Outcome::nothing) require(machine.in_force() == before);
    if (const auto& pair = machine.in_force()) {
      require(std::ranges::count(sent[0], pair->caller) > 0);
      require(std::ranges::count(sent[1], pair->callee) > 0);
      require(pair->caller->media().size() == pair->callee->media().size());
    }
    require(!machine.preview() || machine.open_offer());
    const auto after = machine.in_force();
    const auto open = machine.open_offer();
    const auto again = feed(machine, event);
    require(again == OfferAnswer::Outcome::nothing ||
            (again == outcome && outcome == OfferAnswer::Outcome::violation));
    require(machine.in_force() == after && machine.open_offer() == open);
  }
  return 0;
}
