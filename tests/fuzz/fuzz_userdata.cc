// SPDX-License-Identifier: GPL-3.0-or-later
// decode_owners accepts only canonical octets.
#include <cstdlib>

#include "pinhole/userdata.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto owners = midcom::pinhole::decode_owners(bytes);
  if (owners && midcom::pinhole::encode_owners(*owners) != bytes) std::abort();
  return 0;
}
