// SPDX-License-Identifier: GPL-3.0-or-later
// A packet from its IP header on, held to promises of everything. What an honest reader would find
// in the octets is checked: no view leaves them, the key is where it stands, a verdict on STUN
// needs the proof.
#include <cstdlib>

#include "pinhole/first_packet.h"
#include "pinhole/stun.h"
#include "tests/fuzz/require.h"

using namespace midcom::pinhole;
using midcom::fuzz::is_within;

namespace {

Promise promise_of(const Datagram& datagram, SourceRule source) {
  Promise promise;
  promise.kinds = all_kinds;
  promise.source = source;
  promise.senders = {datagram.key.source};
  promise.payload_types.fill(0xff);
  promise.receiver_ufrag = "evtj";
  promise.sender_ufrag = "h6vY";
  promise.receiver_password = "VOkJxbRl1RmTxUk/WvJxBt";
  return promise;
}

void check_stun(std::string_view payload) {
  const auto message = read_stun(payload);
  if (!message) return;
  for (const auto& value :
       {message->username, message->integrity, message->integrity_sha256, message->fingerprint})
    if (value && !is_within(*value, payload)) std::abort();
  static_cast<void>(has_right_fingerprint(*message));
  static_cast<void>(has_right_integrity(*message, "password"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view packet(reinterpret_cast<const char*>(data), size);
  const auto datagram = read_datagram(packet);
  if (!datagram) return 0;
  const Payload& payload = datagram->payload;
  if (!is_within(payload.octets, packet) || payload.size < payload.octets.size()) std::abort();
  if (datagram->key.source.port == 0 || datagram->key.destination.port == 0) std::abort();
  check_stun(payload.octets);

  const Promise known = promise_of(*datagram, SourceRule::signalled);
  const auto kind = judge(*datagram, known);
  if (kind == kind_stun) {
    const auto message = read_stun(payload.octets);
    if (!message || !has_right_integrity(*message, known.receiver_password)) std::abort();
  }
  // A narrower promise admits nothing that a wider one doesn't.
  Promise other = known;
  other.senders = {{datagram->key.destination.address, 1}};
  if (judge(*datagram, other) && datagram->key.source != other.senders.front()) std::abort();
  other.source = SourceRule::any_verified;
  const auto from_anywhere = judge(*datagram, other);
  if (from_anywhere && datagram->key.source.address != datagram->key.destination.address &&
      *from_anywhere != kind_stun)
    std::abort();
  Promise nothing = known;
  nothing.kinds = 0;
  if (judge(*datagram, nothing)) std::abort();
  return 0;
}
