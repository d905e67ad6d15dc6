// SPDX-License-Identifier: GPL-3.0-or-later
// Every decoder of the channel on the same octets: at most one family takes them, and what is
// taken encodes to the same octets again, so no two byte strings mean the same message; so does a
// record of several.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "daemon/channel_codec.h"
#include "daemon/role_slice.h"
#include "daemon/secret_file.h"

namespace {

template <class Decoded>
bool is_taken(const Decoded& decoded, const std::string& bytes) {
  if (!decoded) return false;
  if (midcom::encode(*decoded) != bytes) std::abort();
  return true;
}

template <class Decoded>
void check_record(const Decoded& decoded, const std::string& bytes) {
  if (!decoded) return;
  std::string again;
  for (const auto& message : *decoded) again += midcom::encode(message);
  if (again != bytes) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const int taken = int{is_taken(midcom::decode_request(bytes), bytes)} +
                    int{is_taken(midcom::decode_reply(bytes), bytes)} +
                    int{is_taken(midcom::decode_control(bytes), bytes)};
  if (taken > 1) std::abort();
  check_record(midcom::decode_requests(bytes), bytes);
  check_record(midcom::decode_replies(bytes), bytes);
  (void)is_taken(midcom::decode_agent_slice(bytes), bytes);
  (void)is_taken(midcom::decode_middlebox_slice(bytes), bytes);
  (void)is_taken(midcom::decode_opener_slice(bytes), bytes);
  if (const auto secrets = midcom::decode_secrets(bytes))
    if (midcom::encode_secrets(*secrets) != bytes) std::abort();
  return 0;
}
