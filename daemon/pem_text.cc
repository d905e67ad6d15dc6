// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/pem_text.h"

#include <limits>
#include <memory>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string_view>

namespace midcom {

namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

// One block; each part is libcrypto's and may be missing.
struct Block {
  ~Block() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
};

} // namespace

std::string certificate_octets(const std::string& pem) {
  std::string octets;
  if (pem.size() > std::size_t{std::numeric_limits<int>::max()}) return octets;
  const std::unique_ptr<BIO, FreeBio> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  for (bool is_there = text != nullptr; is_there && octets.empty();) {
    Block block;
    is_there = PEM_read_bio(text.get(), &block.name, &block.header, &block.data, &block.size) == 1;
    if (is_there && std::string_view(block.name) == PEM_STRING_X509)
      octets.assign(reinterpret_cast<const char*>(block.data),
                    static_cast<std::size_t>(block.size));
  }
  ERR_clear_error(); // the end of the text
  return octets;
}

} // namespace midcom
