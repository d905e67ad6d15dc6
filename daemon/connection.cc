// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/connection.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

namespace midcom {

namespace {

constexpr int messages_per_turn = 64;
constexpr std::size_t record_size = 16384; // the most one TLS record carries
constexpr auto linger_time = std::chrono::seconds(1);
constexpr std::size_t linger_octets = 1 << 20;

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

} // namespace

Connection::Connection(EventLoop& loop, const AgentConfig& config, ConnectionBuffers& buffers,
                       ConnectionOwner& owner, FlowInfo info, FileDescriptor fd,
                       std::unique_ptr<TlsSession> tls)
    : loop_(loop), config_(config), buffers_(buffers), owner_(owner), info_(std::move(info)),
      fd_(std::move(fd)), tls_(std::move(tls)), framer_(config.limits.message),
      active_since_(loop.now()), io_(loop, fd_.get(), [this](unsigned ready) { on_ready(ready); }),
      timer_(loop, [this] { on_deadline(); }) {}

void Connection::start_accepted() {
  if (tls_ == nullptr) return become_open();
  state_ = State::handshaking;
  timer_.start_at(loop_.now() + config_.timeouts.handshake);
  update_interest();
}

void Connection::start_connecting() {
  timer_.start_at(loop_.now() + config_.timeouts.connect);
  update_interest();
}

void Connection::on_ready(unsigned ready) {
  switch (state_) {
  case State::connecting:
    return on_connected();
  case State::lingering:
    return discard_input();
  case State::finished:
    return;
  default:
    break;
  }
  if (ready & IoEvent::writable) {
    is_blocked_ = false;
    if (state_ == State::handshaking) return continue_handshake({});
    flush();
    if (state_ == State::open && tls_) take_tls({}); // what a full socket had held up
  }
  if ((ready & IoEvent::readable) && !has_backlog_ && state_ <= State::open) on_readable();
}

void Connection::on_deadline() {
  switch (state_) {
  case State::connecting:
    return finish(Reason::connect_failed);
  case State::handshaking:
    return finish(Reason::tls_handshake);
  case State::open:
    break;
  default:
    return finish(reason_);
  }
  const auto deadline = active_since_ + config_.timeouts.idle;
  if (loop_.now() < deadline) return timer_.start_at(deadline);
  close(Reason::idle);
}

void Connection::on_connected() {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    return finish(Reason::connect_failed);
  if (tls_ == nullptr) return become_open();
  state_ = State::handshaking;
  timer_.start_at(loop_.now() + config_.timeouts.handshake);
  continue_handshake({});
}

// One read of the socket a turn; the loop is level-triggered.
void Connection::on_readable() {
  const ssize_t count = ::recv(fd_.get(), buffers_.input.data(), buffers_.input.size(), 0);
  if (count < 0 && would_block(errno)) return;
  if (count <= 0) {
    if (state_ == State::handshaking) return finish(Reason::tls_handshake);
    return end_of_stream(Reason::closed);
  }
  const std::string_view bytes(buffers_.input.data(), static_cast<std::size_t>(count));
  if (state_ == State::handshaking) return continue_handshake(bytes);
  take(bytes);
}

void Connection::continue_handshake(std::string_view bytes) {
  tls_->feed(bytes);
  const auto status = tls_->handshake();
  tls_->settle();
  switch (status) {
  case TlsSession::Status::done:
    return become_open();
  case TlsSession::Status::want_read:
    is_blocked_ = false;
    break;
  case TlsSession::Status::want_write:
    is_blocked_ = true;
    break;
  default: {
    const Reason failure = tls_->failure();
    return finish(failure == Reason::none ? Reason::tls_handshake : failure);
  }
  }
  update_interest();
}

void Connection::become_open() {
  if (tls_) {
    info_.tls_version = tls_->version();
    info_.identities = tls_->identities();
  }
  active_since_ = loop_.now();
  was_open_ = true;
  is_blocked_ = false;
  state_ = State::open;
  timer_.start_at(active_since_ + config_.timeouts.idle);
  update_interest();
  owner_.on_open(*this);
  if (state_ != State::open) return;
  if (close_at_open_) return close(Reason::closed);
  if (!queue_.empty() && !std::exchange(is_dirty_, true)) owner_.on_dirty(*this);
  if (tls_) take_tls({}); // messages may have come with the end of the handshake
}

void Connection::take(std::string_view bytes) {
  if (tls_) return take_tls(bytes);
  framer_.append(bytes);
  deliver();
}

// All of the input is decrypted at once, so that nothing waits in OpenSSL unseen by the loop.
void Connection::take_tls(std::string_view bytes) {
  tls_->feed(bytes);
  auto status = TlsSession::Status::done;
  while (true) {
    std::size_t size = 0;
    status = tls_->read(buffers_.plain.data(), buffers_.plain.size(), size);
    if (status != TlsSession::Status::done) break;
    framer_.append({buffers_.plain.data(), size});
  }
  tls_->settle();
  if (status == TlsSession::Status::want_write) {
    is_blocked_ = true;
    update_interest();
  }
  if (status == TlsSession::Status::closed) return end_of_stream(Reason::closed);
  if (status == TlsSession::Status::failed) return end_of_stream(tls_->failure());
  deliver();
}

void Connection::deliver() {
  has_backlog_ = false;
  for (int count = 0; state_ == State::open; ++count) {
    if (count == messages_per_turn) {
      has_backlog_ = true;
      owner_.on_backlog(*this);
      break;
    }
    if (!handle(framer_.next())) break;
  }
  if (state_ == State::open && !has_backlog_ && has_ended_) return close(end_reason_);
  update_interest();
}

bool Connection::handle(sip::StreamFramer::Outcome outcome) {
  using Framer = sip::StreamFramer;
  static const auto pong = std::make_shared<const std::string>("\r\n");
  if (std::holds_alternative<Framer::NeedMore>(outcome)) return false;
  active_since_ = loop_.now();
  std::visit(Overloaded{
                 [](Framer::NeedMore&) {},
                 [](Framer::Pong&) {},
                 [this](Framer::KeepAlive&) { send(pong); },
                 [this](Framer::Frame& frame) { owner_.on_frame(*this, std::move(frame.bytes)); },
                 [this](Framer::Broken& broken) {
                   owner_.on_broken(*this, broken.error, std::move(broken.rejected));
                   close(broken.error == sip::Error::not_sip ? Reason::not_sip
                                                             : Reason::parse_error);
                 },
             },
             outcome);
  return true;
}

// What was received whole is still delivered.
void Connection::end_of_stream(Reason reason) {
  has_ended_ = true;
  end_reason_ = reason;
  if (!has_backlog_) deliver();
}

void Connection::send(sip::Bytes bytes) {
  if (state_ > State::open || bytes->empty()) return;
  const std::size_t limit = config_.limits.write_buffer;
  if (queued_ + bytes->size() > limit && state_ == State::open && !is_blocked_) flush();
  if (state_ > State::open) return;
  if (queued_ + bytes->size() > limit) return finish(Reason::write_overflow);
  queued_ += bytes->size();
  queue_.push_back(std::move(bytes));
  if (state_ == State::open && !is_blocked_ && !std::exchange(is_dirty_, true))
    owner_.on_dirty(*this);
}

void Connection::close(Reason reason) {
  if (state_ > State::open) return;
  if (state_ < State::open) {
    close_at_open_ = true;
    if (queue_.empty()) finish(reason);
    return;
  }
  reason_ = reason;
  state_ = State::draining;
  timer_.start_at(loop_.now() + config_.timeouts.handshake);
  update_interest();
  if (!std::exchange(is_dirty_, true)) owner_.on_dirty(*this);
}

void Connection::finish(Reason reason) {
  if (state_ == State::finished) return;
  reason_ = reason;
  state_ = State::finished;
  timer_.stop();
  io_.watch(IoEvent::none);
  owner_.on_finished(*this);
}

void Connection::flush() {
  is_dirty_ = false;
  if (state_ != State::open && state_ != State::draining) return;
  const bool had_bytes = !queue_.empty();
  auto progress = Progress::some;
  while (!queue_.empty() && progress == Progress::some)
    progress = tls_ ? write_tls() : write_plain();
  if (progress == Progress::failed)
    return finish(reason_ == Reason::none ? Reason::closed : reason_);
  if (had_bytes && progress == Progress::some) active_since_ = loop_.now();
  is_blocked_ = progress == Progress::blocked;
  if (state_ == State::draining && !is_blocked_) return finish_draining();
  update_interest();
}

// Bytes the peer sent that we never read make the kernel reset the connection at close(), and the
// reset can overtake our last answer.
void Connection::finish_draining() {
  if (tls_) tls_->send_close_notify();
  if (has_ended_ || reason_ == Reason::not_sip) return finish(reason_);
  ::shutdown(fd_.get(), SHUT_WR);
  state_ = State::lingering;
  timer_.start_at(loop_.now() + linger_time);
  update_interest();
}

void Connection::discard_input() {
  const ssize_t count = ::recv(fd_.get(), buffers_.input.data(), buffers_.input.size(), 0);
  if (count < 0 && would_block(errno)) return;
  if (count > 0) discarded_ += static_cast<std::size_t>(count);
  if (count <= 0 || discarded_ > linger_octets) finish(reason_);
}

Connection::Progress Connection::write_plain() {
  std::array<iovec, 64> parts{};
  const std::size_t count = std::min(parts.size(), queue_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t skip = i == 0 ? front_written_ : 0;
    parts[i] = {const_cast<char*>(queue_[i]->data()) + skip, queue_[i]->size() - skip};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  const ssize_t written = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  if (written < 0) return would_block(errno) ? Progress::blocked : Progress::failed;
  consume(static_cast<std::size_t>(written));
  return Progress::some;
}

Connection::Progress Connection::write_tls() {
  std::size_t written = 0;
  switch (tls_->write(next_record(), written)) {
  case TlsSession::Status::done:
    consume(written);
    return Progress::some;
  case TlsSession::Status::want_read:
  case TlsSession::Status::want_write:
    return Progress::blocked;
  default:
    return Progress::failed;
  }
}

// As much of the queue as fits one record, copied together only when several messages do. Never
// shorter at a retry, because the queue only grows behind it.
std::string_view Connection::next_record() {
  const auto front = std::string_view(*queue_.front()).substr(front_written_);
  if (queue_.size() == 1 || front.size() >= record_size) return front.substr(0, record_size);
  std::string& gathered = buffers_.gathered;
  gathered.assign(front);
  for (std::size_t i = 1; i < queue_.size() && gathered.size() < record_size; ++i)
    gathered.append(*queue_[i], 0, record_size - gathered.size());
  return gathered;
}

void Connection::consume(std::size_t count) {
  queued_ -= count;
  front_written_ += count;
  while (!queue_.empty() && front_written_ >= queue_.front()->size()) {
    front_written_ -= queue_.front()->size();
    queue_.pop_front();
  }
}

void Connection::update_interest() {
  const unsigned when_blocked = is_blocked_ ? IoEvent::writable : IoEvent::none;
  switch (state_) {
  case State::connecting:
    return io_.watch(IoEvent::writable);
  case State::handshaking:
    return io_.watch(is_blocked_ ? IoEvent::writable : IoEvent::readable);
  case State::open:
    return io_.watch(has_backlog_ || has_ended_ ? when_blocked : when_blocked | IoEvent::readable);
  case State::draining:
    return io_.watch(when_blocked);
  case State::lingering:
    return io_.watch(IoEvent::readable);
  case State::finished:
    return io_.watch(IoEvent::none);
  }
}

std::string_view Connection::tls_detail() const {
  return tls_ ? std::string_view(tls_->detail()) : std::string_view();
}

} // namespace midcom
