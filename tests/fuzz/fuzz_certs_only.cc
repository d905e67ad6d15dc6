// SPDX-License-Identifier: GPL-3.0-or-later
// What a certs-only message holds is what is written again from it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sip/e2m/certs_only.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace e2m = midcom::sip::e2m;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto certificates = e2m::read_certs_only(octets);
  if (!certificates) return 0;
  const auto again = e2m::read_certs_only(e2m::write_certs_only(*certificates));
  if (!again || *again != *certificates) std::abort();
  return 0;
}
