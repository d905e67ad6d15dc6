// SPDX-License-Identifier: GPL-3.0-or-later
// What is read of a resolv.conf are a few addresses to ask at port 53.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daemon/name_servers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto servers =
      midcom::name_servers_in(std::string_view(reinterpret_cast<const char*>(data), size));
  if (servers.size() > midcom::most_name_servers) std::abort();
  for (const auto& server : servers)
    if (server.port != 53 || server.address.is_unspecified()) std::abort();
  return 0;
}
