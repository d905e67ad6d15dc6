// SPDX-License-Identifier: GPL-3.0-or-later
// Whatever comes as a netlink event is read within its bounds, and an element of any content is
// read back as it was written. Elements aren't read from arbitrary bytes: libnftnl ends the process
// on a message no kernel sends, and only the kernel sends here.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "pinhole/nft_message.h"

namespace {

using namespace midcom::pinhole;

// Takes octets off the front; zeros when there are none left.
void take(std::string_view& rest, void* to, std::size_t size) {
  const std::size_t count = std::min(size, rest.size());
  std::memcpy(to, rest.data(), count);
  rest.remove_prefix(count);
}

nft::Element element_of(std::string_view rest) {
  nft::Element element;
  bool is_ipv6 = false;
  if (!rest.empty()) is_ipv6 = (rest[0] & 1) != 0;
  for (Endpoint* endpoint : {&element.key.source, &element.key.destination}) {
    endpoint->address.family = is_ipv6 ? Family::ipv6 : Family::ipv4;
    take(rest, endpoint->address.octets.data(), is_ipv6 ? 16 : 4);
    take(rest, &endpoint->port, sizeof endpoint->port);
  }
  take(rest, &element.timeout_ms, sizeof element.timeout_ms);
  take(rest, &element.counter, sizeof element.counter);
  if (element.counter.packets == 0) element.counter.bytes = 0;
  element.userdata = rest.substr(0, 256);
  if (!is_sink(element.key)) return element;
  element.key = sink_key(element.key.protocol, element.key.destination);
  element.limit = {.rate = 1 + static_cast<std::uint32_t>(rest.size()), .has_counter = true};
  return element;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string message(reinterpret_cast<const char*>(data), size);
  const nft::Element element = element_of(message);
  NftBatch batch(NftBatch::Kind::plain);
  nft::new_element(batch, "t", "s", element);
  const auto flows = nft::decode_elements(batch.bytes());
  const StoredFlow expected{element.key, std::string(element.userdata), element.counter};
  if (!flows || flows->size() != 1 || flows->front().key != expected.key ||
      flows->front().userdata != expected.userdata || flows->front().counter != expected.counter)
    std::abort();

  if (size >= 4) { // the length is what the socket layer has checked
    const auto length = static_cast<std::uint32_t>(size);
    message.replace(0, 4, reinterpret_cast<const char*>(&length), 4);
  }
  if (const auto event = nft::decode_event(message); event && event->table.size() > size)
    std::abort();
  return 0;
}
