// SPDX-License-Identifier: GPL-3.0-or-later
// Whatever comes as a netlink message is read within its bounds, and flows that come out are flows.
#include <cstdlib>

#include "pinhole/nft_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace midcom::pinhole;
  std::string message(reinterpret_cast<const char*>(data), size);
  if (size >= 4) { // the length is what the socket layer has checked
    const auto length = static_cast<std::uint32_t>(size);
    message.replace(0, 4, reinterpret_cast<const char*>(&length), 4);
  }
  if (const auto flows = decode_elements(message))
    for (const StoredFlow& flow : *flows)
      if (flow.key.source.address.family != flow.key.destination.address.family ||
          flow.userdata.size() > size)
        std::abort();
  if (const auto event = decode_event(message); event && event->table.size() > size) std::abort();
  (void)decode_table_flags(message);
  (void)decode_generation(message);
  return 0;
}
