// SPDX-License-Identifier: GPL-3.0-or-later
// A DER certificate in: every identity is a lower-case name that equals itself.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <openssl/x509.h>

#include "daemon/peer_identity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const unsigned char* place = data;
  X509* certificate = d2i_X509(nullptr, &place, static_cast<long>(size));
  if (certificate == nullptr) return 0;
  static_cast<void>(midcom::allows_sip(*certificate));
  const auto identities = midcom::sip_identities(*certificate);
  for (const std::string& name : identities) {
    if (name.empty() || name.size() > 255) std::abort();
    for (const char c : name)
      if (c <= ' ' || c > '~' || (c >= 'A' && c <= 'Z')) std::abort();
    if (!midcom::has_identity(identities, name)) std::abort();
  }
  X509_free(certificate);
  return 0;
}
