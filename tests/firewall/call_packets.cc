// SPDX-License-Identifier: GPL-3.0-or-later
// First packets that come where somebody waits for them.
#include <algorithm>

#include "tests/firewall/call.h"
#include "tests/unit/pinhole/made_packets.h"

namespace midcom::firewall_test {

namespace {

using PacketKind = pinhole::Kind;
using pinhole::Promise;
namespace made = pinhole::made;

std::vector<PacketKind> kinds_of(const Promise& promise) {
  std::vector<PacketKind> all;
  for (const PacketKind kind : {pinhole::kind_stun, pinhole::kind_dtls, pinhole::kind_rtp,
                                pinhole::kind_rtcp, pinhole::kind_udptl, pinhole::kind_tcp})
    if ((promise.kinds & kind) != 0) all.push_back(kind);
  return all;
}

} // namespace

std::string Call::payload_for(const Promise& promise, PacketKind kind, bool is_right) {
  switch (kind) {
  case pinhole::kind_stun: {
    made::Stun parts;
    const std::string name =
        promise.receiver_ufrag + ":" + (is_right ? promise.sender_ufrag : "nobody");
    parts.username = name;
    parts.password = promise.receiver_password;
    return made::stun(parts);
  }
  case pinhole::kind_dtls:
    return made::client_hello();
  case pinhole::kind_rtcp:
    return made::rtcp();
  case pinhole::kind_udptl:
    return made::udptl();
  case pinhole::kind_rtp:
    for (int type = 0; type < 128; ++type) {
      const bool is_promised =
          (promise.payload_types[static_cast<std::size_t>(type / 8)] >> type % 8 & 1) != 0;
      const bool is_rtcp = type >= 64 && type < 96; // RFC 5761 4
      if (is_promised && !is_rtcp) return made::rtp(static_cast<std::uint8_t>(type));
    }
    return made::rtp(0);
  default:
    return {};
  }
}

bool Call::packet() {
  Leg* const leg = live_leg(false);
  if (leg == nullptr || reference_.find(leg->tag) == nullptr || gateway_.lacks_room()) return false;
  std::vector<Needs::Wait> waits;
  for (const auto& wait : reference_.find(leg->tag)->needs.waits)
    if (!wait.promise.awaits_answer) waits.push_back(wait);
  if (waits.empty()) return false;
  const Needs::Wait wait = dice_.pick(waits);
  const Promise& promise = wait.promise;
  const PacketKind kind = dice_.pick(kinds_of(promise));
  const bool is_right = dice_.happens(80);
  // Which port a sender behind a NAT has is learnt once.
  const bool is_learnt = kind != pinhole::kind_stun && kind != pinhole::kind_tcp;
  if (is_learnt && leg->learnt.contains(wait)) return false;
  const Party sender = wait.sink.is_a ? Party::callee : Party::caller;
  if (promise.senders.empty() && kind != pinhole::kind_stun) return false;
  pinhole::Endpoint from;
  if (!promise.senders.empty()) from = dice_.pick(promise.senders);
  const bool may_be_new =
      promise.source == pinhole::SourceRule::any_verified && kind == pinhole::kind_stun;
  if (promise.senders.empty() || (may_be_new && dice_.happens(30)))
    from = describer_.endpoint_of(sender, 101);
  else if (from.port == 0 ||
           (promise.source != pinhole::SourceRule::signalled && dice_.happens(50)))
    from = describer_.endpoint_at(from.address);
  if (from.address.family != wait.sink.at.address.family) return false;
  if (!is_right && kind != pinhole::kind_stun) from = describer_.endpoint_of(sender, 102);
  const pinhole::FlowKey key{from, wait.sink.at, wait.sink.protocol};
  const pinhole::FlowKey back{wait.sink.at, from, wait.sink.protocol};
  const auto open = gateway_.flows();
  if (open.contains(key) || open.contains(back)) return false;
  // Where an offer waits for its answer too the packet may be kept for that.
  const bool is_ambiguous =
      std::ranges::any_of(reference_.required().waits, [&](const auto& other) {
        return other.sink.at == wait.sink.at && other.sink.protocol == wait.sink.protocol &&
               other.promise != promise && kind != pinhole::kind_stun;
      });
  if (is_ambiguous) return false;
  note("packet " + from.to_string() + " -> " + wait.sink.at.to_string() + " kind " +
       std::to_string(kind) + (is_right ? "" : " wrong"));
  const bool has_passed = gateway_.deliver(key, payload_for(promise, kind, is_right));
  if (has_passed != is_right) fail(has_passed ? "it has passed" : "it hasn't passed");
  if (!is_right) {
    ++counts_["packet kept out"];
    return true;
  }
  ++counts_["admitted"];
  if (is_learnt) leg->learnt.insert(wait);
  reference_.on_admitted(leg->tag, {{wait.sink.stream, wait.sink.component, key},
                                    {wait.sink.stream, wait.sink.component, back},
                                    wait});
  return true;
}

} // namespace midcom::firewall_test
