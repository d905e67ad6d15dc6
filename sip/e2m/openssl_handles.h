// SPDX-License-Identifier: GPL-3.0-or-later
// Owners for libcrypto's objects, for the .cc files of this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <limits>
#include <memory>
#include <string_view>

namespace midcom::sip::e2m {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioHandle = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using X509Handle = std::unique_ptr<X509, Freer<X509_free>>;

// libcrypto's error queue belongs to the thread; nothing of one message's failure stays for the
// next.
class CleanErrorQueue {
public:
  CleanErrorQueue() { ERR_clear_error(); }
  ~CleanErrorQueue() { ERR_clear_error(); }
  CleanErrorQueue(const CleanErrorQueue&) = delete;
  CleanErrorQueue& operator=(const CleanErrorQueue&) = delete;
};

[[nodiscard]] inline const unsigned char* unsigned_octets(std::string_view octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

// A BIO that reads these octets in place; null when there are too many for it.
[[nodiscard]] inline BioHandle read_from(std::string_view octets) {
  if (octets.size() > std::numeric_limits<int>::max()) return nullptr;
  return BioHandle(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
}

} // namespace midcom::sip::e2m
