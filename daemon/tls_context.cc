// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <string_view>

#include "daemon/tls_session.h"

namespace midcom {

namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;
using CertificatePtr = std::unique_ptr<X509, FreeCertificate>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

[[noreturn]] void fail(std::string_view what) {
  std::string text = "tls: " + std::string(what);
  if (const unsigned long code = ERR_peek_last_error(); code != 0)
    if (const char* reason = ERR_reason_error_string(code)) text += std::string(": ") + reason;
  ERR_clear_error();
  throw std::runtime_error(text);
}

BioPtr reader_of(const std::string& text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

// An encrypted key must fail, not ask on a terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

CertificatePtr next_certificate(BIO* bio) {
  return CertificatePtr(PEM_read_bio_X509(bio, nullptr, no_passphrase, nullptr));
}

void use_certificate(SSL_CTX* context, const TlsMaterial& material) {
  const BioPtr chain = reader_of(material.certificate_chain);
  const CertificatePtr leaf = next_certificate(chain.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) fail("bad certificate");
  while (CertificatePtr issuer = next_certificate(chain.get()))
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) fail("bad certificate chain");
  ERR_clear_error(); // the end of the PEM text

  const BioPtr text = reader_of(material.private_key);
  const KeyPtr key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) fail("bad private key");
  if (SSL_CTX_check_private_key(context) != 1) fail("key and certificate don't match");
}

void trust(SSL_CTX* context, const TlsMaterial& material) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const BioPtr text = reader_of(material.trusted_ca);
  std::size_t count = 0;
  while (CertificatePtr anchor = next_certificate(text.get())) {
    if (X509_STORE_add_cert(store, anchor.get()) != 1) fail("bad CA certificate");
    ++count;
  }
  ERR_clear_error();
  if (count == 0 && !material.trusted_ca.empty()) fail("no certificate in the CA file");
}

// Nothing older than 1.2 (RFC 8996); forward secrecy and AEAD only (RFC 9325 4.2).
void choose_ciphers(SSL_CTX* context, std::uint16_t minimum_version) {
  if (minimum_version < TLS1_2_VERSION) minimum_version = TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(context, minimum_version) != 1) fail("bad minimum version");
  if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL") != 1 ||
      SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                        "TLS_CHACHA20_POLY1305_SHA256") != 1)
    fail("no ciphers");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
}

int server_verify_mode(const TlsMaterial& material) {
  if (material.client_verify == TlsConfig::Verify::required)
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  // Nothing could be verified: phones with a vendor's certificate must still get through.
  if (material.trusted_ca.empty()) return SSL_VERIFY_NONE;
  return material.client_verify == TlsConfig::Verify::none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
}

// The extended key usage is judged by allows_sip(): OpenSSL's own purposes don't know
// id-kp-sipDomain and would refuse a trunk that shows its server certificate as a client.
void verify_peers(SSL_CTX* context, int mode) {
  X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(context), X509_PURPOSE_ANY);
  SSL_CTX_set_verify(context, mode, TlsSession::verify_step);
  SSL_CTX_set_verify_depth(context, 8);
}

// Tickets only, no table of sessions: a ticket of a mutual handshake carries the peer's
// certificate. The id context is required as soon as certificates are asked for.
void allow_resumption(SSL_CTX* context) {
  static constexpr unsigned char id[] = "midcomd";
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1);
  SSL_CTX_set_num_tickets(context, 1);
}

} // namespace

void TlsContext::Free::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

TlsContext::ContextPtr TlsContext::make(const TlsMaterial& material, bool is_server) {
  ContextPtr context(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method()));
  if (!context) throw std::bad_alloc();
  choose_ciphers(context.get(), material.minimum_version);
  if (!material.certificate_chain.empty()) use_certificate(context.get(), material);
  trust(context.get(), material);
  verify_peers(context.get(), is_server ? server_verify_mode(material) : SSL_VERIFY_PEER);
  if (is_server) allow_resumption(context.get());
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  return context;
}

TlsContext::TlsContext(TlsMaterial material)
    : has_certificate_(!material.certificate_chain.empty()) {
  struct Wipe {
    std::string& key;
    ~Wipe() { OPENSSL_cleanse(key.data(), key.size()); }
  } wipe{material.private_key};
  if (material.client_verify == TlsConfig::Verify::required && material.trusted_ca.empty())
    throw std::runtime_error("tls: client-verify = required needs a CA");
  server_ = make(material, true);
  client_ = make(material, false);
}

TlsContext::~TlsContext() = default;

} // namespace midcom
