// SPDX-License-Identifier: GPL-3.0-or-later
// One TLS connection of the load generator, and what it needs to begin one.
#pragma once

#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <string_view>

#include "tests/bench/load_text.h"

namespace midcom::bench {

struct Endpoint {
  std::string host; // an address literal
  int port = 0;
  [[nodiscard]] std::string text() const; // host:port, brackets around IPv6
};
// "192.0.2.1:5061" or "[2001:db8::1]:5061". Throws std::invalid_argument.
[[nodiscard]] Endpoint read_endpoint(std::string_view text);

struct Files {
  std::string certificate, key, ca;
};

class TlsContext {
public:
  enum class Side { client, server };
  // Throws std::runtime_error. Both sides present their certificate and check the other's.
  TlsContext(const Files& files, Side side);
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

class Line {
public:
  // Takes over a connected or connecting socket and makes it non-blocking.
  Line(const TlsContext& context, TlsContext::Side side, int fd);
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  // Reads what is there, one bounded portion; call again while it says `more`.
  enum class Read { more, nothing, closed };
  [[nodiscard]] Read read();
  [[nodiscard]] TextStream& stream() { return stream_; }
  void queue(std::string_view bytes) { out_.append(bytes); }
  // Writes what is queued; false when the connection is over.
  [[nodiscard]] bool flush();
  [[nodiscard]] bool has_unsent() const { return !out_.empty(); }

private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  int fd_;
  std::unique_ptr<SSL, Free> ssl_;
  TextStream stream_;
  std::string out_;
};

// Sockets; throw std::system_error.
[[nodiscard]] int connected_socket(const Endpoint& to, const std::string& from);
[[nodiscard]] int listening_socket(const Endpoint& at);

} // namespace midcom::bench
