// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/bench/load_answerer.h"

#include <csignal>
#include <cstdio>
#include <sys/socket.h>

namespace midcom::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t reads_per_wake = 16;
constexpr std::size_t first_port = 10000, port_pairs = 24000;

volatile std::sig_atomic_t is_over = 0;

void stop(int) {
  is_over = 1;
}

std::string answer(const std::string& host, std::size_t port) {
  const std::string family = host.find(':') == std::string::npos ? "IP4 " : "IP6 ";
  return "v=0\r\no=- 2 1 IN " + family + host + "\r\ns=-\r\nc=IN " + family + host +
         "\r\nt=0 0\r\nm=audio " + std::to_string(port) +
         " UDP/TLS/RTP/SAVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
         "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=setup:active\r\n"
         "a=fingerprint:SHA-256 "
         "C5:B4:A3:92:81:70:6F:5E:4D:3C:2B:1A:AB:7C:E5:19:6B:49:5D:3E:DF:12:02:54:3B:18:82:3F:B1:"
         "B9:AD:4A\r\na=sendrecv\r\n";
}

} // namespace

Answerer::Answerer(const AnswererOptions& options)
    : options_(options), context_(options.files, TlsContext::Side::server),
      listener_(listening_socket(options.own)) {
  poller_.add(listener_, static_cast<std::uint64_t>(listener_));
}

std::string Answerer::run() {
  struct sigaction action{};
  action.sa_handler = stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  std::puts("ready");
  std::fflush(stdout);
  while (is_over == 0) {
    for (const epoll_event& event : poller_.wait(200ms)) {
      const int fd = static_cast<int>(event.data.u64);
      if (fd == listener_)
        accept_all();
      else
        on_readable(fd);
    }
  }
  return "{\"invites\": " + std::to_string(invites_) + ", \"acks\": " + std::to_string(acks_) +
         ", \"byes\": " + std::to_string(byes_) + ", \"others\": " + std::to_string(others_) +
         ", \"connections\": " + std::to_string(connections_) + "}\n";
}

void Answerer::accept_all() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    ++connections_;
    lines_[fd] = std::make_unique<Line>(context_, TlsContext::Side::server, fd);
    poller_.add(fd, static_cast<std::uint64_t>(fd));
  }
}

void Answerer::close_line(int fd) {
  poller_.remove(fd);
  lines_.erase(fd);
}

void Answerer::on_readable(int fd) {
  const auto found = lines_.find(fd);
  if (found == lines_.end()) return;
  Line& line = *found->second;
  const bool had_unsent = line.has_unsent();
  bool is_open = true;
  for (std::size_t i = 0; i < reads_per_wake && is_open; ++i) {
    const Line::Read outcome = line.read();
    while (const auto message = line.stream().next()) on_message(line, *message);
    line.stream().forget();
    is_open = outcome != Line::Read::closed && !line.stream().is_broken();
    if (outcome == Line::Read::nothing) break;
  }
  if (!is_open || (line.has_unsent() && !line.flush())) {
    close_line(fd);
    return;
  }
  if (line.has_unsent() || had_unsent)
    poller_.want_write(fd, static_cast<std::uint64_t>(fd), line.has_unsent());
}

void Answerer::on_message(Line& line, std::string_view message) {
  const auto text = read_text(message);
  if (!text || text->status != 0) {
    ++others_;
  } else if (text->method == "INVITE") {
    answer_invite(line, *text);
  } else if (text->method == "ACK") {
    ++acks_;
  } else if (text->method == "BYE") {
    ++byes_;
    line.queue(response(*text, "200 OK", {}) + "Content-Length: 0\r\n\r\n");
  } else {
    ++others_;
  }
}

void Answerer::answer_invite(Line& line, const Text& text) {
  const std::size_t pair = invites_++ % port_pairs;
  const std::string tag = "u" + std::to_string(invites_);
  std::string common;
  for (const std::string_view record : text.record_route_lines) common.append(record);
  common.append("Contact: <sip:load@").append(options_.own.text());
  common.append(";transport=tls>\r\n");
  line.queue(response(text, "180 Ringing", tag) + common + "Content-Length: 0\r\n\r\n");
  const std::string body = answer(options_.own.host, first_port + 2 * pair);
  line.queue(response(text, "200 OK", tag) + common +
             "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) +
             "\r\n\r\n" + body);
}

std::string Answerer::response(const Text& text, std::string_view status, std::string_view tag) {
  std::string out;
  out.reserve(1536);
  out.append("SIP/2.0 ").append(status).append("\r\n");
  for (const std::string_view via : text.via_lines) out.append(via);
  out.append("From: ").append(text.from).append("\r\nTo: ").append(text.to);
  if (!tag.empty()) out.append(";tag=").append(tag);
  out.append("\r\nCall-ID: ").append(text.call_id).append("\r\nCSeq: ").append(text.cseq);
  return out.append("\r\n");
}

} // namespace midcom::bench
