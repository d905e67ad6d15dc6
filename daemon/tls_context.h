// SPDX-License-Identifier: GPL-3.0-or-later
// What all TLS connections share: certificate, key, trust anchors, versions, ciphers. Only
// tls_context.cc and tls_session.cc include openssl/ssl.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/config.h"

struct ssl_ctx_st;

namespace midcom {

// PEM text, read by the supervisor while it still could. The key's memory is wiped when done with.
struct TlsMaterial {
  std::string certificate_chain, private_key, trusted_ca;
  TlsConfig::Verify client_verify = TlsConfig::Verify::optional;
  std::uint16_t minimum_version = 0x0303;
};

class TlsContext {
public:
  // Throws std::runtime_error when the material can't be used. Without certificate and key the
  // context serves only clients.
  explicit TlsContext(TlsMaterial material);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] bool can_serve() const { return has_certificate_; }
  [[nodiscard]] ssl_ctx_st* server() const { return server_.get(); }
  [[nodiscard]] ssl_ctx_st* client() const { return client_.get(); }

private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  using ContextPtr = std::unique_ptr<ssl_ctx_st, Free>;
  static ContextPtr make(const TlsMaterial& material, bool is_server);

  bool has_certificate_ = false;
  ContextPtr server_, client_;
};

} // namespace midcom
