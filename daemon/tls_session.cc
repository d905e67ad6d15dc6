// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/tls_session.h"

#include <cerrno>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "daemon/peer_identity.h"
#include "daemon/tls_context.h"
#include "sip/ip_address.h"

namespace midcom {

// Reads come from what was fed, writes go to the socket.
struct TlsSession::Socket {
  static int read(BIO* bio, char* room, int size) {
    auto& self = *static_cast<TlsSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.input_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count = self.input_.copy(room, static_cast<std::size_t>(size));
    self.input_.remove_prefix(count);
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* bytes, int size) {
    const auto& self = *static_cast<TlsSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t count = ::send(self.fd_, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
      BIO_set_retry_write(bio);
    return static_cast<int>(count);
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* make() {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "midcomd socket");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_read(made, read);
    BIO_meth_set_write(made, write);
    BIO_meth_set_ctrl(made, control);
    return made;
  }

  struct FreeMethod {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  };
  static const BIO_METHOD* method() {
    static const std::unique_ptr<BIO_METHOD, FreeMethod> made(make());
    return made.get();
  }
};

void TlsSession::Free::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsSession::TlsSession(SSL_CTX* context, int fd, std::string name)
    : fd_(fd), name_(std::move(name)), ssl_(SSL_new(context)) {
  BIO* bio = ssl_ ? BIO_new(Socket::method()) : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio); // takes it
  SSL_set_app_data(ssl_.get(), this);
}

TlsSession::~TlsSession() = default;

std::unique_ptr<TlsSession> TlsSession::server(const TlsContext& context, int fd) {
  std::unique_ptr<TlsSession> session(new TlsSession(context.server(), fd, {}));
  SSL_set_accept_state(session->ssl_.get());
  return session;
}

std::unique_ptr<TlsSession> TlsSession::client(const TlsContext& context, int fd,
                                               std::string name) {
  const bool is_literal =
      name.empty() || name.starts_with('[') || sip::IpAddress::parse(name).has_value();
  std::unique_ptr<TlsSession> session(new TlsSession(context.client(), fd, std::move(name)));
  SSL* ssl = session->ssl_.get();
  SSL_set_connect_state(ssl);
  if (!is_literal) SSL_set_tlsext_host_name(ssl, session->name_.c_str());
  return session;
}

void TlsSession::feed(std::string_view bytes) {
  if (input_.empty()) {
    input_ = bytes;
    return;
  }
  std::string joined(input_);
  joined += bytes;
  kept_ = std::move(joined);
  input_ = kept_;
}

void TlsSession::settle() {
  if (input_.empty()) {
    kept_.clear();
  } else if (input_.data() < kept_.data() || input_.data() >= kept_.data() + kept_.size()) {
    kept_ = std::string(input_);
    input_ = kept_;
  }
}

TlsSession::Status TlsSession::handshake() {
  ERR_clear_error();
  return status_of(SSL_do_handshake(ssl_.get()));
}

TlsSession::Status TlsSession::read(char* bytes, std::size_t room, std::size_t& size) {
  ERR_clear_error();
  return status_of(SSL_read_ex(ssl_.get(), bytes, room, &size));
}

TlsSession::Status TlsSession::write(std::string_view bytes, std::size_t& size) {
  ERR_clear_error();
  return status_of(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size));
}

// SSL_shutdown() must not be called after a fatal error or inside a handshake.
void TlsSession::send_close_notify() {
  if (failure_ != Reason::none || SSL_in_init(ssl_.get())) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

TlsSession::Status TlsSession::status_of(int result) {
  if (result > 0) return Status::done;
  switch (SSL_get_error(ssl_.get(), result)) {
  case SSL_ERROR_WANT_READ:
    return Status::want_read;
  case SSL_ERROR_WANT_WRITE:
    return Status::want_write;
  case SSL_ERROR_ZERO_RETURN:
    return Status::closed;
  default:
    note_failure();
    return Status::failed;
  }
}

void TlsSession::note_failure() {
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  if (failure_ == Reason::none) {
    const bool is_certificate = reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
                                reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
    failure_ = is_certificate ? Reason::tls_certificate : Reason::tls_handshake;
  }
  if (detail_.empty()) {
    const char* text = code != 0 ? ERR_reason_error_string(code) : nullptr;
    detail_ = text != nullptr ? text : "connection lost";
  }
  ERR_clear_error();
}

std::string TlsSession::version() const {
  switch (SSL_version(ssl_.get())) {
  case TLS1_2_VERSION:
    return "1.2";
  case TLS1_3_VERSION:
    return "1.3";
  default:
    return {};
  }
}

// A resumed session carries the verdict of its full handshake, but its certificate may have expired
// since.
std::vector<std::string> TlsSession::identities() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE) return {};
  if (SSL_get_verify_result(ssl_.get()) != X509_V_OK) return {};
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0) return {};
  return sip_identities(*certificate);
}

int TlsSession::verify_step(int is_good, X509_STORE_CTX* chain) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& self = *static_cast<TlsSession*>(SSL_get_app_data(ssl));
  const auto refuse = [&](Reason reason, int error) {
    X509_STORE_CTX_set_error(chain, error);
    if (self.failure_ != Reason::none) return 0;
    self.failure_ = reason;
    self.detail_ = X509_verify_cert_error_string(error);
    return 0;
  };
  if (is_good == 0) return refuse(Reason::tls_certificate, X509_STORE_CTX_get_error(chain));
  if (X509_STORE_CTX_get_error_depth(chain) != 0) return 1;
  const X509& leaf = *X509_STORE_CTX_get_current_cert(chain);
  if (!allows_sip(leaf)) return refuse(Reason::tls_certificate, X509_V_ERR_INVALID_PURPOSE);
  if (!SSL_is_server(ssl) && !has_identity(sip_identities(leaf), self.name_))
    return refuse(Reason::tls_name, X509_V_ERR_HOSTNAME_MISMATCH);
  return 1;
}

} // namespace midcom
