// SPDX-License-Identifier: GPL-3.0-or-later
// One TLS connection on a non-blocking socket. The owner reads the socket and feeds what came, so
// that one read of the socket serves many records and one buffer serves all connections; records
// are written to the socket from here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/reasons.h"

struct ssl_st;
struct ssl_ctx_st;
struct x509_store_ctx_st;
struct bio_st;

namespace midcom {

class TlsContext;

class TlsSession {
public:
  enum class Status : std::uint8_t {
    done,       // the handshake is complete; bytes were read or written
    want_read,  // needs to be fed
    want_write, // the socket is full
    closed,     // the peer said close_notify
    failed,     // failure() and detail() say why
  };

  // `fd` is borrowed, connected and non-blocking.
  [[nodiscard]] static std::unique_ptr<TlsSession> server(const TlsContext& context, int fd);
  // The peer must prove `name` (RFC 5922 7.3). It is sent as SNI unless it is an address literal.
  [[nodiscard]] static std::unique_ptr<TlsSession> client(const TlsContext& context, int fd,
                                                          std::string name);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Bytes from the socket. They are borrowed until settle(), which keeps what was not used yet:
  // call it before the bytes' buffer is used again.
  void feed(std::string_view bytes);
  void settle();

  [[nodiscard]] Status handshake();
  // At most one record. Call until it is not done.
  [[nodiscard]] Status read(char* bytes, std::size_t room, std::size_t& size);
  // After want_write the next call must begin with the same bytes and be no shorter.
  [[nodiscard]] Status write(std::string_view bytes, std::size_t& size);
  void send_close_notify();

  [[nodiscard]] Reason failure() const { return failure_; }
  [[nodiscard]] const std::string& detail() const { return detail_; } // no remote text
  [[nodiscard]] std::string version() const;                          // "1.3"
  // Of the peer's verified certificate; empty without one.
  [[nodiscard]] std::vector<std::string> identities() const;

  // OpenSSL's verification callback: RFC 5280's verdict, then the key usage and, for a client, the
  // name. A refusal here fails the handshake before the peer has seen anything of ours.
  static int verify_step(int is_good, x509_store_ctx_st* chain);

private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  struct Socket; // the BIO's functions
  TlsSession(ssl_ctx_st* context, int fd, std::string name);
  Status status_of(int result);
  void note_failure();

  int fd_;
  std::string name_;       // asked of the peer; empty on a server
  std::string_view input_; // not yet read by OpenSSL
  std::string kept_;       // owns input_ after settle()
  Reason failure_ = Reason::none;
  std::string detail_;
  std::unique_ptr<ssl_st, Free> ssl_;
};

} // namespace midcom
