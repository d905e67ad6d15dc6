// SPDX-License-Identifier: GPL-3.0-or-later
#include "daemon/control_server.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "daemon/control.h"

namespace midcom {

struct ControlServer::Client {
  Client(ControlServer& server, FileDescriptor fd)
      : socket(std::move(fd)), deadline(server.loop_.now() + server.patience_),
        event(server.loop_, socket.get(), [this, &server](unsigned) { server.on_ready(*this); }) {
    event.watch(IoEvent::readable);
  }

  FileDescriptor socket;
  std::chrono::steady_clock::time_point deadline;
  std::string input, output; // output: what is left of the answer
  bool is_answered = false, is_done = false;
  IoEvent event;
};

ControlServer::ControlServer(EventLoop& loop, FileDescriptor listening, Answer answer,
                             std::chrono::milliseconds patience)
    : loop_(loop), listening_(std::move(listening)), answer_(std::move(answer)),
      patience_(patience),
      acceptable_(loop, listening_.get(), [this](unsigned) { on_acceptable(); }),
      sweep_(loop, [this] { sweep(); }), deadline_(loop, [this] { sweep(); }) {
  acceptable_.watch(IoEvent::readable);
}

ControlServer::~ControlServer() = default;

void ControlServer::on_acceptable() {
  FileDescriptor socket(
      ::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) {
    clients_.push_back(std::make_unique<Client>(*this, std::move(socket)));
  } else if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) {
    return;
  } else { // no descriptors: not before one of the clients is done, or some time has passed
    acceptable_.watch(IoEvent::none);
    deadline_.start_at(loop_.now() + patience_);
    return;
  }
  if (clients_.size() >= max_control_clients) acceptable_.watch(IoEvent::none);
  deadline_.start_at(clients_.front()->deadline);
}

void ControlServer::on_ready(Client& client) {
  if (client.is_done) return;
  if (!client.is_answered && !read(client)) client.is_done = true;
  if (client.is_answered && !write(client)) client.is_done = true;
  if (!client.is_done) return;
  client.event.watch(IoEvent::none);
  sweep_.schedule();
}

bool ControlServer::read(Client& client) {
  std::array<char, max_control_request> buffer;
  const ssize_t size = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;
  client.input.append(buffer.data(), static_cast<std::size_t>(size));
  const std::size_t end = client.input.find('\n');
  const bool is_too_long = std::min(end, client.input.size()) >= max_control_request;
  if (end == std::string::npos && !is_too_long) return true;
  client.output = is_too_long ? control_error("bad-request") : answer_({client.input.data(), end});
  client.is_answered = true;
  return true;
}

bool ControlServer::write(Client& client) {
  const ssize_t size =
      ::send(client.socket.get(), client.output.data(), client.output.size(), MSG_NOSIGNAL);
  if (size < 0 && errno != EAGAIN && errno != EINTR) return false;
  if (size > 0) client.output.erase(0, static_cast<std::size_t>(size));
  client.event.watch(IoEvent::writable);
  return !client.output.empty();
}

void ControlServer::sweep() {
  const auto now = loop_.now();
  std::erase_if(clients_,
                [&](const auto& client) { return client->is_done || client->deadline <= now; });
  if (clients_.size() < max_control_clients) acceptable_.watch(IoEvent::readable);
  if (clients_.empty())
    deadline_.stop();
  else
    deadline_.start_at(clients_.front()->deadline);
}

} // namespace midcom
