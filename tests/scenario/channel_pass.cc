// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/scenario/channel_pass.h"

#include <stdexcept>

#include "daemon/channel_codec.h"

namespace midcom::scenario {

pinhole::Request through_channel(const pinhole::Request& request) {
  auto decoded = decode_request(encode(request));
  if (!decoded) throw std::runtime_error("a request does not survive the channel");
  return *std::move(decoded);
}

pinhole::Reply through_channel(const pinhole::Reply& reply) {
  auto decoded = decode_reply(encode(reply));
  if (!decoded) throw std::runtime_error("a reply does not survive the channel");
  return *std::move(decoded);
}

} // namespace midcom::scenario
