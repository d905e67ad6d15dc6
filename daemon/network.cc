// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/network.h"

namespace midcom {

std::string_view to_string(Transport transport) {
  switch (transport) {
  case Transport::udp:
    return "udp";
  case Transport::tcp:
    return "tcp";
  case Transport::tls:
    return "tls";
  }
  return "";
}

} // namespace midcom
