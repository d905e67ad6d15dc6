// SPDX-License-Identifier: GPL-3.0-or-later
// decode_policy accepts only what encode() gives: what it accepts encodes to the same octets.
#include <cstdlib>

#include "pinhole/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto policy = midcom::pinhole::decode_policy(bytes);
  if (policy && midcom::pinhole::encode(*policy) != bytes) std::abort();
  return 0;
}
