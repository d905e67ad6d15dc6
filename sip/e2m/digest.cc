// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/e2m/digest.h"

#include <cstdlib>

#include "sip/e2m/openssl_handles.h"

namespace midcom::sip::e2m {

Digest sha256(std::string_view octets) {
  // Found once: looking an algorithm up costs as much as the digest of a short text.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, SN_sha256, nullptr);
  Digest digest{};
  unsigned size = 0;
  // Without SHA-256 nothing here has a meaning.
  if (EVP_Digest(octets.data(), octets.size(), digest.data(), &size, algorithm, nullptr) != 1)
    std::abort();
  return digest;
}

} // namespace midcom::sip::e2m
