// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/load_line.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace midcom::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address address_of(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    throw std::invalid_argument("not an address literal: " + host);
  Address address;
  address.size = found->ai_addrlen;
  __builtin_memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return address;
}

const sockaddr* raw(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.storage);
}

void set(int fd, int level, int option) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) != 0) fail("setsockopt");
}

} // namespace

std::string Endpoint::text() const {
  const bool is_six = host.find(':') != std::string::npos;
  return (is_six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Endpoint read_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  Endpoint endpoint;
  if (colon == std::string_view::npos) throw std::invalid_argument("address:port expected");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  endpoint.host = host;
  const std::string_view port = text.substr(colon + 1);
  const auto read = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (read.ec != std::errc{} || endpoint.port < 1 || endpoint.port > 65535)
    throw std::invalid_argument("bad port in " + std::string(text));
  return endpoint;
}

TlsContext::TlsContext(const Files& files, Side side)
    : context_(SSL_CTX_new(side == Side::client ? TLS_client_method() : TLS_server_method())) {
  SSL_CTX* context = context_.get();
  if (context == nullptr ||
      SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_locations(context, files.ca.c_str(), nullptr) != 1)
    throw std::runtime_error("certificate, key or CA can't be used");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

Line::Line(const TlsContext& context, TlsContext::Side side, int fd)
    : fd_(fd), ssl_(SSL_new(context.get())) {
  if (fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK) != 0) fail("fcntl");
  set(fd_, IPPROTO_TCP, TCP_NODELAY);
  SSL_set_fd(ssl_.get(), fd_);
  if (side == TlsContext::Side::client)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

Line::~Line() {
  ::close(fd_);
}

Line::Read Line::read() {
  std::array<char, 32768> portion;
  ERR_clear_error();
  const int size = SSL_read(ssl_.get(), portion.data(), static_cast<int>(portion.size()));
  if (size > 0) {
    stream_.append(portion.data(), static_cast<std::size_t>(size));
    return Read::more;
  }
  const int error = SSL_get_error(ssl_.get(), size);
  const bool is_waiting = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  return is_waiting ? Read::nothing : Read::closed;
}

bool Line::flush() {
  std::size_t sent = 0;
  bool is_open = true;
  while (sent < out_.size()) {
    ERR_clear_error();
    const int size =
        SSL_write(ssl_.get(), out_.data() + sent, static_cast<int>(out_.size() - sent));
    if (size <= 0) {
      const int error = SSL_get_error(ssl_.get(), size);
      is_open = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
      break;
    }
    sent += static_cast<std::size_t>(size);
  }
  out_.erase(0, sent);
  return is_open;
}

int connected_socket(const Endpoint& to, const std::string& from) {
  const Address target = address_of(to.host, to.port);
  const int fd = socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  if (!from.empty()) {
    const Address own = address_of(from, 0);
    if (bind(fd, raw(own), own.size) != 0) fail("bind");
  }
  if (connect(fd, raw(target), target.size) != 0) fail("connect");
  return fd;
}

int listening_socket(const Endpoint& at) {
  const Address own = address_of(at.host, at.port);
  const int fd = socket(own.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  set(fd, SOL_SOCKET, SO_REUSEADDR);
  if (bind(fd, raw(own), own.size) != 0 || listen(fd, 128) != 0) fail("listen");
  return fd;
}

} // namespace midcom::bench
