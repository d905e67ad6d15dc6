// SPDX-License-Identifier: GPL-3.0-or-later
// Both decoders of the openers' channel on the same octets: at most one takes them, and what is
// taken encodes to the same octets again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "daemon/channel_codec.h"
#include "daemon/opener_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto request = midcom::opener::decode_request(bytes);
  const auto reply = midcom::opener::decode_reply(bytes);
  if (request && midcom::opener::encode(*request) != bytes) std::abort();
  if (reply && midcom::opener::encode(*reply) != bytes) std::abort();
  if (request && !midcom::opener::fits(*request)) std::abort();
  const bool is_other =
      midcom::decode_request(bytes) || midcom::decode_reply(bytes) || midcom::decode_control(bytes);
  if (int{request.has_value()} + int{reply.has_value()} + int{is_other} > 1) std::abort();
  return 0;
}
